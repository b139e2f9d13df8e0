#include "apps/common/control_server.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "apps/common/control_frame.h"
#include "apps/common/unix_socket.h"
#include "apps/common/work_queue.h"

namespace starling::apps {
namespace {

using nlohmann::json;
using SteadyTime = std::chrono::steady_clock::time_point;
using namespace std::chrono_literals;

constexpr std::size_t kConnectionsMax = 32;
constexpr std::size_t kQuickThreads = 3;
constexpr std::size_t kQueueMax = kConnectionsMax;  // each connection has one request at a time
constexpr std::size_t kProgressMax = 64 * 1024;     // bytes of unsent progress, then it is dropped
constexpr auto kStandstillMax = 30s;                // in the middle of a frame
constexpr auto kIdleMax = 10min;                    // between requests
constexpr auto kPollEvery = 1s;
constexpr auto kAcceptPause = 10ms;

// What the I/O thread and the one worker of a connection share.
struct Session {
  std::mutex mutex;
  Bytes from_worker;       // guarded by mutex: frames to send
  bool replied = false;    // guarded by mutex: the last frame is among them
  std::atomic<bool> gone = false;
};

struct Connection {
  FileDescriptor socket;
  FrameReader in{kControlRequestMax};
  Bytes out;
  std::shared_ptr<Session> session = std::make_shared<Session>();
  bool busy = false;             // a request runs
  bool close_when_sent = false;  // after an error of framing
  SteadyTime moved = std::chrono::steady_clock::now();
};

}  // namespace

struct ControlServer::Impl {
  Impl(std::filesystem::path path_, FileDescriptor listener_, FileDescriptor wake_, Handler handler_, TakesLong long_)
      : path(std::move(path_)),
        listener(std::move(listener_)),
        wake(std::move(wake_)),
        handler(std::move(handler_)),
        takes_long(std::move(long_)),
        quick(kQuickThreads, kQueueMax),
        slow(1, kQueueMax),
        thread([this] { serve(); }) {}

  void serve();
  void poll_once();
  void accept_all();
  void receive(Connection&);
  void dispatch(Connection&);
  void run(const json& request, const std::shared_ptr<Session>&);
  void collect(Connection&);
  void send(Connection&);
  void reap();
  void wake_up() { (void)!::eventfd_write(wake.get(), 1); }

  const std::filesystem::path path;
  const FileDescriptor listener;
  const FileDescriptor wake;
  const Handler handler;
  const TakesLong takes_long;
  std::atomic<bool> cancelling = false;  // progress calls give up
  std::atomic<bool> stopping = false;    // the I/O thread ends, when the last replies are there
  std::map<int, Connection> connections;  // by descriptor; the I/O thread's alone
  WorkQueue quick;
  WorkQueue slow;
  std::thread thread;  // last: it uses all above
};

void ControlServer::Impl::serve() {
  while (!stopping) poll_once();
  for (auto& [fd, connection] : connections) {  // replies of what was cancelled
    collect(connection);
    send(connection);
  }
  connections.clear();
}

void ControlServer::Impl::poll_once() {
  std::vector<pollfd> polled{{wake.get(), POLLIN, 0}};
  if (connections.size() < kConnectionsMax) polled.push_back({listener.get(), POLLIN, 0});
  for (const auto& [fd, connection] : connections) {
    short events = POLLRDHUP;
    if (!connection.out.empty()) events |= POLLOUT;
    else if (!connection.busy) events |= POLLIN;
    polled.push_back({fd, events, 0});
  }
  const int timeout = static_cast<int>(std::chrono::milliseconds(kPollEvery).count());
  if (::poll(polled.data(), polled.size(), timeout) < 0) return;
  eventfd_t ignored = 0;
  if ((polled[0].revents & POLLIN) != 0) (void)!::eventfd_read(wake.get(), &ignored);
  for (const pollfd& one : polled) {
    if (one.fd == listener.get() && (one.revents & POLLIN) != 0) accept_all();
    const auto at = connections.find(one.fd);
    if (at == connections.end()) continue;
    Connection& connection = at->second;
    if ((one.revents & POLLIN) != 0) receive(connection);
    else if ((one.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0) connection.session->gone = true;
  }
  for (auto& [fd, connection] : connections) {
    collect(connection);
    send(connection);
    dispatch(connection);
  }
  reap();
}

void ControlServer::Impl::accept_all() {
  while (connections.size() < kConnectionsMax) {
    FileDescriptor socket(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket.valid()) {
      const bool spent = errno != EAGAIN && errno != EINTR && errno != ECONNABORTED;
      if (spent) std::this_thread::sleep_for(kAcceptPause);  // no descriptors: poll() would come back at once
      return;
    }
    const int fd = socket.get();
    connections[fd].socket = std::move(socket);
  }
}

void ControlServer::Impl::receive(Connection& connection) {
  std::array<char, 16 * 1024> part{};  // once for each turn: the others come first
  const ssize_t got = ::recv(connection.socket.get(), part.data(), part.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    connection.session->gone = true;
    return;
  }
  connection.moved = std::chrono::steady_clock::now();
  connection.in.feed(BytesView(part.data(), static_cast<std::size_t>(got)));
}

// Starts the next request that has come whole.
void ControlServer::Impl::dispatch(Connection& connection) {
  if (connection.busy || connection.close_when_sent || !connection.out.empty() || connection.session->gone) return;
  Expected<std::optional<Bytes>> frame = connection.in.next();
  Expected<json> request = json();
  if (!frame) {
    request = frame.error();
  } else if (!*frame) {
    return;
  } else {
    request = parse_json(**frame);
  }
  if (!request) {  // what comes after cannot be trusted
    connection.out += encode_frame(json{{"error", error_to_json(request.error())}});
    connection.close_when_sent = true;
    return;
  }
  connection.busy = true;
  WorkQueue& queue = takes_long(*request) ? slow : quick;
  const std::shared_ptr<Session> session = connection.session;
  if (!queue.post([this, session, body = std::move(*request)] { run(body, session); })) {
    connection.busy = false;
    const Error busy{Errc::busy, "too many requests are waiting", "", "try again"};
    connection.out += encode_frame(json{{"error", error_to_json(busy)}});
  }
}

// On a worker's thread.
void ControlServer::Impl::run(const json& request, const std::shared_ptr<Session>& session) {
  json reply;
  if (request.contains("id")) reply["id"] = request["id"];
  const ProgressFn progress = [this, &reply, &session](const json& how_far) {
    if (cancelling || session->gone) return false;
    json note = reply;
    note["progress"] = how_far;
    {
      const std::lock_guard lock(session->mutex);
      if (session->from_worker.size() < kProgressMax) session->from_worker += encode_frame(note);
    }
    wake_up();
    return true;
  };
  try {
    Expected<json> result = handler(request, progress);
    if (result) reply["ok"] = std::move(*result);
    else reply["error"] = error_to_json(result.error());
  } catch (const std::exception& e) {
    reply["error"] = error_to_json({Errc::internal, e.what(), "", "see the daemon's log"});
  }
  Bytes frame = encode_frame(reply);
  if (frame.size() > kControlHeader + kControlReplyMax) {
    reply.erase("ok");
    reply["error"] = error_to_json({Errc::too_large, "the reply is too large", "", "ask for fewer rows"});
    frame = encode_frame(reply);
  }
  {
    const std::lock_guard lock(session->mutex);
    session->from_worker += frame;
    session->replied = true;
  }
  wake_up();
}

void ControlServer::Impl::collect(Connection& connection) {
  const std::lock_guard lock(connection.session->mutex);
  if (connection.out.size() >= kProgressMax && !connection.session->replied) return;  // the client does not read
  connection.out += connection.session->from_worker;
  connection.session->from_worker.clear();
  if (!connection.session->replied) return;
  connection.session->replied = false;
  connection.busy = false;
}

void ControlServer::Impl::send(Connection& connection) {
  while (!connection.out.empty() && !connection.session->gone) {
    const ssize_t put = ::send(connection.socket.get(), connection.out.data(), connection.out.size(), MSG_NOSIGNAL);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && errno == EAGAIN) return;
    if (put <= 0) {
      connection.session->gone = true;
      return;
    }
    connection.moved = std::chrono::steady_clock::now();
    connection.out.erase(0, static_cast<std::size_t>(put));
  }
}

// Closes what has gone, has stood still or is done.
void ControlServer::Impl::reap() {
  const SteadyTime now = std::chrono::steady_clock::now();
  for (auto at = connections.begin(); at != connections.end();) {
    Connection& connection = at->second;
    const auto still = now - connection.moved;
    const bool midway = !connection.out.empty() || !connection.in.empty();
    const bool done = connection.close_when_sent && connection.out.empty();
    if (!connection.busy && midway && still > kStandstillMax) connection.session->gone = true;
    if (connection.busy && !connection.out.empty() && still > kStandstillMax) connection.session->gone = true;
    if (!connection.busy && !midway && still > kIdleMax) connection.session->gone = true;
    at = (connection.session->gone || done) ? connections.erase(at) : std::next(at);
  }
}

ControlServer::ControlServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

ControlServer::~ControlServer() { stop(); }

Expected<std::unique_ptr<ControlServer>> ControlServer::start(const std::filesystem::path& socket, Handler handler,
                                                              TakesLong takes_long) {
  Expected<FileDescriptor> listener = listen_unix(socket);
  if (!listener) return listener.error();
  FileDescriptor wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake.valid()) return Error{Errc::internal, "cannot make an eventfd", socket.string(), ""};
  auto impl = std::make_unique<Impl>(socket, std::move(*listener), std::move(wake), std::move(handler),
                                     std::move(takes_long));
  return std::unique_ptr<ControlServer>(new ControlServer(std::move(impl)));
}

void ControlServer::stop() {
  if (!impl_->thread.joinable()) return;
  impl_->cancelling = true;  // so the workers end soon
  impl_->quick.stop();
  impl_->slow.stop();
  impl_->stopping = true;
  impl_->wake_up();
  impl_->thread.join();
  std::error_code ignored;
  std::filesystem::remove(impl_->path, ignored);
}

}  // namespace starling::apps
