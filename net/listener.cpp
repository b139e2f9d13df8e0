#include "net/listener.h"

#include <asio/co_spawn.hpp>
#include <asio/ip/v6_only.hpp>
#include <map>

namespace starling {

using asio::ip::tcp;
using namespace std::chrono_literals;

// One connection on its way to become a link.
class Listener::Handshake : public std::enable_shared_from_this<Handshake> {
 public:
  Handshake(tcp::socket socket, Listener& listener, asio::ip::address from)
      : listener_(listener.shared_from_this()),
        from_(std::move(from)),
        deadline_(socket.get_executor()),
        stream_(std::make_unique<TlsStream>(std::move(socket), listener.context_)) {}

  [[nodiscard]] const asio::ip::address& from() const { return from_; }

  void start() {
    const auto self = shared_from_this();
    deadline_.arm(limits::kHandshakeDeadline, [self] { self->drop("no handshake in time"); });
    asio::co_spawn(
        stream_->get_executor(), [self] { return self->run(); },
        [self](const std::exception_ptr& thrown) { on_exit(thrown); });
  }

  void drop(std::string why) {
    if (why_.empty()) why_ = std::move(why);
    asio::error_code ignored;
    if (stream_) stream_->lowest_layer().close(ignored);
  }

 private:
  asio::awaitable<void> run() {
    const auto self = shared_from_this();
    const auto shown = std::make_shared<std::optional<DeviceId>>();
    admit_only(
        *stream_, [&book = listener_->book_](const DeviceId& device) { return book.admits(device); }, shown);
    const auto [failed] = co_await stream_->async_handshake(asio::ssl::stream_base::server, as_result);
    deadline_.lift();
    listener_->on_handshake(self, failed ? Expected<Link>(why(failed, *shown)) : link());
  }

  [[nodiscard]] Expected<Link> link() {
    const Expected<DeviceId> device = authenticated_peer(*stream_);
    if (!device) return device.error();
    return Link{std::move(stream_), *device, false, {}};
  }

  [[nodiscard]] Error why(const asio::error_code& failed, const std::optional<DeviceId>& shown) const {
    Error error = explain(failed);
    if (!why_.empty()) error.what = why_;
    if (error.code == Errc::not_member && shown) {
      error.what = "device " + to_string(*shown) + " is not a peer";
      error.remedy = "add it as a peer if it is yours";
    }
    return error;
  }

  const std::shared_ptr<Listener> listener_;
  const asio::ip::address from_;
  Deadline deadline_;
  std::unique_ptr<TlsStream> stream_;
  std::string why_;
};

Listener::Listener(asio::io_context& io, asio::ssl::context context, const PeerBook& book, Log log, OnLink on_link)
    : io_(io),
      context_(std::move(context)),
      book_(book),
      log_(std::move(log)),
      on_link_(std::move(on_link)),
      acceptor_(io),
      retry_(io) {}

bool Listener::bind(const tcp::endpoint& endpoint, asio::error_code& failed) {
  const bool any_v6 = endpoint.address().is_v6() && endpoint.address().is_unspecified();
  asio::error_code ignored;
  acceptor_.close(ignored);
  failed = {};
  acceptor_.open(endpoint.protocol(), failed);
  if (!failed) acceptor_.set_option(asio::socket_base::reuse_address(true), failed);
  if (!failed && any_v6) acceptor_.set_option(asio::ip::v6_only(false), failed);
  if (!failed) acceptor_.bind(endpoint, failed);
  if (!failed) acceptor_.listen(asio::socket_base::max_listen_connections, failed);
  return !failed;
}

Expected<std::uint16_t> Listener::open(const Address& address) {
  Resolved resolved = resolve_now(address);
  if (address.host.empty()) {  // one socket for both families where there is IPv6, else IPv4
    resolved.endpoints = {tcp::endpoint(tcp::v6(), address.port), tcp::endpoint(tcp::v4(), address.port)};
  } else if (!resolved.error.empty()) {
    return Error{Errc::invalid_argument, resolved.error, "listen = " + address.text(),
                 "name an address of this machine"};
  }
  asio::error_code failed;
  for (const tcp::endpoint& endpoint : resolved.endpoints) {
    if (bind(endpoint, failed)) return acceptor_.local_endpoint().port();
  }
  return Error{failed == asio::error::address_in_use ? Errc::busy : Errc::invalid_argument,
               "cannot listen: " + failed.message(), "listen = " + address.text(),
               "choose a free port and an address of this machine"};
}

void Listener::start() {
  const auto self = shared_from_this();
  asio::co_spawn(
      io_, [self] { return self->accept_loop(); }, [self](const std::exception_ptr& thrown) { on_exit(thrown); });
}

void Listener::stop() {
  stopped_ = true;
  asio::error_code ignored;
  acceptor_.close(ignored);
  retry_.cancel();
  for (const auto& handshake : handshakes_) handshake->drop("stopped");
}

asio::awaitable<void> Listener::accept_loop() {
  while (!stopped_) {
    tcp::socket socket(io_);
    const auto [failed] = co_await acceptor_.async_accept(socket, as_result);
    if (stopped_) break;
    if (!failed) {
      admit(std::move(socket));
      continue;
    }
    if (failed == asio::error::connection_aborted) continue;
    refused("cannot take connections: " + failed.message());  // no descriptors or memory left: others will end
    retry_.expires_after(200ms);
    co_await retry_.async_wait(as_result);
  }
}

void Listener::admit(tcp::socket socket) {
  asio::error_code gone;
  const tcp::endpoint from = socket.remote_endpoint(gone);
  if (gone) return;
  socket.set_option(tcp::no_delay(true), gone);
  if (handshakes_.size() >= limits::kHandshakesMax) push_out();
  handshakes_.push_back(std::make_shared<Handshake>(std::move(socket), *this, from.address()));
  handshakes_.back()->start();
}

void Listener::push_out() {
  std::map<asio::ip::address, std::size_t> places;
  for (const auto& handshake : handshakes_) ++places[handshake->from()];
  auto oldest = handshakes_.begin();
  for (auto it = handshakes_.begin(); it != handshakes_.end(); ++it) {
    if (places[(*it)->from()] > places[(*oldest)->from()]) oldest = it;
  }
  const auto victim = *oldest;
  handshakes_.erase(oldest);
  victim->drop("pushed out by newer connections");
}

void Listener::on_handshake(const std::shared_ptr<Handshake>& handshake, Expected<Link> link) {
  handshakes_.remove(handshake);
  if (stopped_) return;
  if (link) return on_link_(std::move(*link));
  refused("refused a connection from " + handshake->from().to_string() + ": " + link.error().text());
}

void Listener::refused(const std::string& text) {
  const auto now = std::chrono::steady_clock::now();
  if (last_refusal_ != std::chrono::steady_clock::time_point() && now - last_refusal_ < 1s) {
    ++unlogged_refusals_;
    return;
  }
  log_.info(unlogged_refusals_ == 0 ? text : text + " (and " + std::to_string(unlogged_refusals_) + " more before)");
  last_refusal_ = now;
  unlogged_refusals_ = 0;
}

}  // namespace starling
