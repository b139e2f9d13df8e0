#include "net/dialer.h"

#include <asio/co_spawn.hpp>

#include "core/base/backoff.h"

namespace starling {

using asio::ip::tcp;

namespace {

constexpr std::size_t kFirstRead = 4096;
constexpr auto kLasting = std::chrono::seconds(5);  // of a session, so that nothing is held against the peer
constexpr unsigned kFailuresOfTheAccepted = 4;      // a window of 1.6 seconds

}  // namespace

Dialer::Dialer(asio::io_context& io, asio::ssl::context& context, Resolver& resolver, PeerBook& book, Log log,
               DeviceId peer, Prng prng, OnLink on_link)
    : io_(io),
      context_(context),
      resolver_(resolver),
      book_(book),
      log_(std::move(log)),
      peer_(peer),
      prng_(prng),
      on_link_(std::move(on_link)),
      changed_(io),
      deadline_(io.get_executor()) {}

void Dialer::start() {
  const auto self = shared_from_this();
  asio::co_spawn(
      io_, [self] { return self->run(); }, [self](const std::exception_ptr& thrown) { on_exit(thrown); });
}

void Dialer::stop() {
  stopped_ = true;
  hang_up("stopped");
  changed_.cancel();
}

void Dialer::pause() {
  paused_ = true;
  hang_up("paused");
  changed_.cancel();
}

void Dialer::resume() {
  paused_ = false;
  dial_now();
}

void Dialer::dial_now() {
  failures_ = 0;
  changed_.cancel();
}

void Dialer::session_up(bool call_off) {
  connected_ = true;
  if (call_off) hang_up("the peer connected to us");
  changed_.cancel();
}

void Dialer::session_down(std::chrono::steady_clock::duration accepted_for) {
  connected_ = false;
  if (accepted_for >= kLasting) {
    failures_ = 1;
  } else if (accepted_for > std::chrono::steady_clock::duration::zero()) {
    failures_ = std::min(failures_ + 1, kFailuresOfTheAccepted);
  } else {
    ++failures_;
  }
  changed_.cancel();
}

asio::awaitable<void> Dialer::run() {
  const auto self = shared_from_this();
  while (!stopped_) {
    if (connected_ || paused_) {
      never(changed_);
      co_await changed_.async_wait(as_result);
      continue;
    }
    if (failures_ > 0) {
      changed_.expires_after(backoff_delay(failures_, prng_));
      co_await changed_.async_wait(as_result);
      if (done()) continue;
    }
    book_.connecting(peer_);
    co_await dial_all();
    if (done()) continue;
    ++failures_;
    book_.failed(peer_, last_error_);
    const std::string text = "no connection to " + short_string(peer_) + ": " + last_error_.text();
    log_(text == logged_ ? LogLevel::debug : LogLevel::info, text);
    logged_ = text;
  }
}

asio::awaitable<void> Dialer::dial_all() {
  const std::vector<Address> addresses = book_.addresses(peer_);
  for (const Address& address : addresses) {
    const Resolved resolved = co_await resolver_.resolve(address);
    if (!resolved.error.empty()) last_error_ = Error{Errc::unreachable, resolved.error, address.text(), ""};
    for (const tcp::endpoint& endpoint : resolved.endpoints) {
      if (done()) co_return;
      hung_up_.clear();
      const bool linked = co_await dial(endpoint);
      deadline_.lift();
      if (linked) co_return;
      if (!hung_up_.empty()) last_error_.what = hung_up_;
      last_error_.where = address.text();
      attempt_.reset();
    }
  }
}

// True: there is a connection. False: last_error_ says why not.
asio::awaitable<bool> Dialer::dial(tcp::endpoint endpoint) {
  const auto shown = std::make_shared<std::optional<DeviceId>>();
  attempt_ = std::make_unique<TlsStream>(io_, context_);
  admit_only(
      *attempt_, [peer = peer_](const DeviceId& device) { return device == peer; }, shown);

  allow(limits::kHandshakeDeadline);
  const auto [unreachable] = co_await attempt_->lowest_layer().async_connect(endpoint, as_result);
  if (unreachable) {
    last_error_ = explain(unreachable);
    co_return false;
  }
  asio::error_code ignored;
  attempt_->lowest_layer().set_option(tcp::no_delay(true), ignored);
  const auto [failed] = co_await attempt_->async_handshake(asio::ssl::stream_base::client, as_result);
  if (failed) {
    last_error_ = explain(failed);
    if (*shown && **shown != peer_) last_error_.what = "device " + to_string(**shown) + " answers there";
    co_return false;
  }
  const Expected<DeviceId> device = authenticated_peer(*attempt_);
  if (!device) {
    last_error_ = device.error();
    co_return false;
  }
  if (!connected_) book_.handshaking(peer_);
  allow(limits::kSendDeadline);  // the peer's replica may be in the middle of something
  Bytes first(kFirstRead, '\0');
  const asio::mutable_buffer input = asio::buffer(first);
  const auto [refused, size] = co_await attempt_->async_read_some(input, as_result);
  if (refused) {
    last_error_ = explain(refused);
    co_return false;
  }
  if (stopped_ || !hung_up_.empty()) co_return false;
  first.resize(size);
  book_.count_bytes(peer_, size, 0);
  last_error_ = Error{Errc::busy, "there are too many sessions", "", ""};  // should it not become one
  on_link_(Link{std::move(attempt_), peer_, true, std::move(first)});
  co_return true;
}

void Dialer::allow(std::chrono::steady_clock::duration time) {
  deadline_.arm(time, [self = shared_from_this()] { self->hang_up("no answer in time"); });
}

void Dialer::hang_up(const char* why) {
  deadline_.lift();
  if (!attempt_) return;
  hung_up_ = why;
  asio::error_code ignored;
  attempt_->lowest_layer().close(ignored);
}

}  // namespace starling
