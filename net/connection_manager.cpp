#include "net/connection_manager.h"

#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "net/dialer.h"
#include "net/listener.h"
#include "net/session_table.h"

namespace starling {

// stop() ends every coroutine, so that the loop runs out of work and the thread with it; no frame outlives what it
// refers to. Everything below is the network thread's alone, but for what stands under the mutex.
struct ConnectionManager::Impl {
  Impl(const TlsIdentity& tls, PeerBook& peers, EventSink& sink, Log log_to, std::uint64_t seed);

  Expected<std::uint16_t> start(const std::string& listen);
  void run();
  void stop(std::chrono::milliseconds linger);
  void dial(const DeviceId&);
  void hang_up(const DeviceId&);
  void dial_no_more(const DeviceId&);
  void pause();
  void resume();

  const TlsIdentity& identity;
  PeerBook& book;
  EventSink& events;
  const Log log;
  Prng prng;

  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> open{io.get_executor()};
  asio::ssl::context client_context;
  Resolver resolver;
  SessionTable sessions;
  std::shared_ptr<Listener> listener;
  std::map<DeviceId, std::shared_ptr<Dialer>> dialers;
  bool stopping = false;
  bool paused = false;

  mutable std::mutex mutex;
  mutable std::condition_variable ended;
  bool running = false;  // under the mutex: the thread is there
  std::thread thread;
};

ConnectionManager::Impl::Impl(const TlsIdentity& tls, PeerBook& peers, EventSink& sink, Log log_to, std::uint64_t seed)
    : identity(tls),
      book(peers),
      events(sink),
      log(std::move(log_to)),
      prng(seed),
      client_context(tls.context(TlsRole::client)),
      resolver(io),
      sessions(io, tls.device(), peers, sink, log,
               {[this](const Session& session) {
                  const bool beaten = newer_stays(identity.device(), session.device(), true, session.dialled());
                  const auto found = dialers.find(session.device());
                  if (found != dialers.end()) found->second->session_up(beaten);
                },
                [this](const Session& session) {
                  const auto found = dialers.find(session.device());
                  if (found != dialers.end()) found->second->session_down(session.accepted_for());
                }}) {}

Expected<std::uint16_t> ConnectionManager::Impl::start(const std::string& listen) {
  std::uint16_t port = 0;
  if (!listen.empty()) {
    const Expected<Address> address = parse_address(listen);
    if (!address) return address.error();
    listener = std::make_shared<Listener>(io, identity.context(TlsRole::server), book, log,
                                          [this](Link link) { sessions.take(std::move(link)); });
    const Expected<std::uint16_t> bound = listener->open(*address);
    if (!bound) return bound.error();
    port = *bound;
    log.info("listening on port " + std::to_string(port));
    listener->start();
  }
  for (const DeviceId& device : book.devices()) dial(device);
  running = true;
  thread = std::thread([this] { run(); });
  return port;
}

void ConnectionManager::Impl::run() {
  for (bool ran_out = false; !ran_out;) {
    try {
      io.run();
      ran_out = true;
    } catch (const std::exception& e) {
      events.network_failed(e.what());
      stop(std::chrono::milliseconds(0));  // and run on, until all is closed
    }
  }
  const std::scoped_lock lock(mutex);
  running = false;
  ended.notify_all();
}

void ConnectionManager::Impl::dial(const DeviceId& device) {
  if (stopping || book.addresses(device).empty()) return;
  std::shared_ptr<Dialer>& dialer = dialers[device];
  if (dialer) return dialer->dial_now();
  dialer = std::make_shared<Dialer>(io, client_context, resolver, book, log, device, prng.fork(),
                                    [this](Link link) { sessions.take(std::move(link)); });
  if (paused) dialer->pause();
  dialer->start();
}

void ConnectionManager::Impl::dial_no_more(const DeviceId& device) {
  const auto found = dialers.find(device);
  if (found == dialers.end()) return;
  found->second->stop();
  dialers.erase(found);
}

void ConnectionManager::Impl::hang_up(const DeviceId& device) {
  dial_no_more(device);
  sessions.close(device, {Errc::not_member, "this peer was removed", "", ""});
}

void ConnectionManager::Impl::pause() {
  if (stopping || std::exchange(paused, true)) return;
  for (const auto& [device, dialer] : dialers) dialer->pause();
  sessions.close_all(limits::kLingerMax, {Errc::not_ready, "this node pauses", "", ""});
}

void ConnectionManager::Impl::resume() {
  if (stopping || !std::exchange(paused, false)) return;
  sessions.reopen();
  for (const auto& [device, dialer] : dialers) dialer->resume();
}

void ConnectionManager::Impl::stop(std::chrono::milliseconds linger) {
  if (stopping) return;
  stopping = true;
  if (listener) listener->stop();
  for (const auto& [device, dialer] : dialers) dialer->stop();
  resolver.abandon();
  sessions.close_all(linger, {Errc::stopped, "this node stops", "", ""});
  open.reset();
}

ConnectionManager::ConnectionManager(const TlsIdentity& identity, PeerBook& book, EventSink& events, Log log,
                                     std::uint64_t seed)
    : impl_(std::make_unique<Impl>(identity, book, events, std::move(log), seed)) {}

ConnectionManager::~ConnectionManager() {
  stop(std::chrono::milliseconds(0));
  if (impl_->thread.joinable()) impl_->thread.join();
}

Expected<std::uint16_t> ConnectionManager::start(const std::string& listen) { return impl_->start(listen); }

void ConnectionManager::stop(std::chrono::milliseconds linger) {
  asio::post(impl_->io, [impl = impl_.get(), linger] { impl->stop(linger); });
}

bool ConnectionManager::wait_stopped(std::chrono::steady_clock::time_point until) const {
  if (std::this_thread::get_id() == impl_->thread.get_id()) return false;
  std::unique_lock lock(impl_->mutex);
  return impl_->ended.wait_until(lock, until, [this] { return !impl_->running; });
}

void ConnectionManager::execute(std::vector<NetCommand> commands) {
  asio::post(impl_->io, [impl = impl_.get(), commands = std::move(commands)]() mutable {
    impl->sessions.execute(std::move(commands));
  });
}

void ConnectionManager::pause() {
  asio::post(impl_->io, [impl = impl_.get()] { impl->pause(); });
}

void ConnectionManager::resume() {
  asio::post(impl_->io, [impl = impl_.get()] { impl->resume(); });
}

void ConnectionManager::hang_up(const DeviceId& device) {
  asio::post(impl_->io, [impl = impl_.get(), device] { impl->hang_up(device); });
}

void ConnectionManager::dial_no_more(const DeviceId& device) {
  asio::post(impl_->io, [impl = impl_.get(), device] { impl->dial_no_more(device); });
}

void ConnectionManager::dial(const DeviceId& device) {
  asio::post(impl_->io, [impl = impl_.get(), device] { impl->dial(device); });
}

}  // namespace starling
