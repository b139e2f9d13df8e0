#include "net/resolver.h"

#include <netdb.h>

#include <asio/ip/address.hpp>
#include <asio/post.hpp>
#include <mutex>
#include <system_error>
#include <thread>

namespace starling {

using asio::ip::tcp;

struct Resolver::Lookup {
  explicit Lookup(asio::io_context& loop) : io(&loop) {}

  std::mutex mutex;
  asio::io_context* io;  // under the mutex; null: abandoned
  Resolved result;       // written before `done` is posted, read after
  bool done = false;     // the rest: network thread only
  asio::steady_timer* waiting = nullptr;
};

Resolved resolve_now(const Address& address) {
  Resolved resolved;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | AI_PASSIVE;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(address.port);
  const int failed = ::getaddrinfo(address.host.empty() ? nullptr : address.host.c_str(), port.c_str(), &hints, &found);
  if (failed != 0) {
    resolved.error = "cannot resolve " + address.host + ": " + ::gai_strerror(failed);
    return resolved;
  }
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    tcp::endpoint endpoint;
    if (one->ai_addrlen > endpoint.capacity()) continue;
    endpoint.resize(one->ai_addrlen);
    std::copy_n(reinterpret_cast<const char*>(one->ai_addr), one->ai_addrlen, reinterpret_cast<char*>(endpoint.data()));
    resolved.endpoints.push_back(endpoint);
  }
  ::freeaddrinfo(found);
  if (resolved.endpoints.empty()) resolved.error = address.host + " has no address";
  return resolved;
}

void Resolver::start(const std::shared_ptr<Lookup>& lookup, Address address) {
  const auto look_up = [lookup, address = std::move(address)] {
    Resolved resolved = resolve_now(address);
    const std::scoped_lock lock(lookup->mutex);
    if (lookup->io == nullptr) return;
    lookup->result = std::move(resolved);
    asio::post(*lookup->io, [lookup] {
      lookup->done = true;
      if (lookup->waiting != nullptr) lookup->waiting->cancel();
    });
  };
  try {
    std::thread(look_up).detach();
  } catch (const std::system_error& e) {
    lookup->result.error = std::string("cannot start a thread: ") + e.what();
    lookup->done = true;
  }
}

asio::awaitable<Resolved> Resolver::resolve(Address address) {
  asio::error_code named;
  const asio::ip::address numeric = asio::ip::make_address(address.host, named);
  if (!named) {
    Resolved resolved;
    resolved.endpoints.emplace_back(numeric, address.port);
    co_return resolved;
  }
  if (abandoned_) {
    Resolved resolved;
    resolved.error = "stopped";
    co_return resolved;
  }
  const auto lookup = std::make_shared<Lookup>(io_);
  asio::steady_timer waiting(io_, asio::steady_timer::time_point::max());
  lookup->waiting = &waiting;
  pending_.insert(lookup);
  start(lookup, std::move(address));
  while (!lookup->done) co_await waiting.async_wait(as_result);
  lookup->waiting = nullptr;
  pending_.erase(lookup);
  Resolved resolved = std::move(lookup->result);
  co_return resolved;
}

void Resolver::abandon() {
  abandoned_ = true;  // a dialler may be about to try its next address
  for (const auto& lookup : pending_) {
    {
      const std::scoped_lock lock(lookup->mutex);
      if (lookup->io == nullptr) continue;
      lookup->io = nullptr;
    }
    lookup->result.error = "stopped";
    lookup->done = true;
    if (lookup->waiting != nullptr) lookup->waiting->cancel();
  }
}

}  // namespace starling
