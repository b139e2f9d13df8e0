#include "tests/e2e/proxy.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>

namespace starling::test {
namespace {

using namespace std::chrono_literals;

constexpr auto kTurn = 20ms;  // nobody waits longer for a change of what is set
constexpr int kKernelBuffer = 64 * 1024;
constexpr std::size_t kPieceMax = 64 * 1024;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

FileDescriptor new_socket() {
  FileDescriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) throw std::runtime_error("a proxy gets no socket");
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &kKernelBuffer, sizeof(kKernelBuffer));
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUF, &kKernelBuffer, sizeof(kKernelBuffer));
  return fd;
}

void set_turns(int fd) {
  const timeval turn{0, std::chrono::microseconds(kTurn).count()};
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &turn, sizeof(turn));
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &turn, sizeof(turn));
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

bool only_late() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

}  // namespace

Proxy::Proxy(std::uint16_t target) : listener_(new_socket()), target_(target) {
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof(address);
  if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      ::listen(listener_.get(), 64) != 0 ||
      ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("a proxy cannot listen");
  }
  port_ = ntohs(address.sin_port);
  set_turns(listener_.get());
  acceptor_ = std::thread([this] { accept_all(); });
}

Proxy::~Proxy() {
  stopping_ = true;
  acceptor_.join();
  cut();
}

void Proxy::limit(Way way, std::uint64_t bytes_per_second) { ways_[index(way)].per_second = bytes_per_second; }
void Proxy::delay(Way way, std::chrono::milliseconds time) { ways_[index(way)].delay_ms = time.count(); }
void Proxy::stall(Way way, bool on) { ways_[index(way)].stalled = on; }
void Proxy::stall_behind_handshake() { stall_behind_handshake_ = true; }

void Proxy::end(Connection& connection) {
  connection.over = true;
  ::shutdown(connection.dialler.get(), SHUT_RDWR);
  ::shutdown(connection.target.get(), SHUT_RDWR);
}

void Proxy::cut() {
  std::vector<std::unique_ptr<Connection>> ended;
  {
    const std::scoped_lock lock(mutex_);
    ended.swap(connections_);
    for (const auto& connection : ended) end(*connection);
  }
  for (const auto& connection : ended)
    for (std::thread& thread : connection->threads) thread.join();
}

void Proxy::close(bool on) {
  closed_ = on;
  if (on) cut();
}

void Proxy::accept_all() {
  while (!stopping_) {
    FileDescriptor dialler(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (dialler.valid() && !closed_) serve(std::move(dialler));
  }
}

void Proxy::serve(FileDescriptor dialler) {
  auto connection = std::make_unique<Connection>();
  connection->dialler = std::move(dialler);
  connection->target = new_socket();
  const sockaddr_in address = loopback(target_);
  if (::connect(connection->target.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) return;
  set_turns(connection->dialler.get());
  set_turns(connection->target.get());
  const std::scoped_lock lock(mutex_);
  if (closed_) return;
  Connection& c = *connections_.emplace_back(std::move(connection));
  c.threads[0] = std::thread([this, &c] { pass_on(c, Way::there); });
  c.threads[1] = std::thread([this, &c] { pass_on(c, Way::back); });
}

void Proxy::pass_on(Connection& connection, Way way) {
  Line& line = ways_[index(way)];
  const int from = way == Way::there ? connection.dialler.get() : connection.target.get();
  const int to = way == Way::there ? connection.target.get() : connection.dialler.get();
  std::vector<char> piece(kPieceMax);
  while (!connection.over) {
    if (line.stalled) {
      std::this_thread::sleep_for(kTurn);
      continue;
    }
    const std::uint64_t per_second = line.per_second;
    const std::size_t most = per_second == 0 ? kPieceMax : std::clamp<std::size_t>(per_second / 20, 1, kPieceMax);
    const ssize_t got = ::recv(from, piece.data(), most, 0);
    if (got < 0 && only_late()) continue;
    if (got <= 0) break;
    if (way == Way::there && stall_behind_handshake_ && connection.answered) stall(Way::back, true);
    std::this_thread::sleep_for(std::chrono::milliseconds(line.delay_ms));
    while (line.stalled && !connection.over) std::this_thread::sleep_for(kTurn);
    if (way == Way::back) connection.answered = true;
    if (!write_all(connection, to, piece.data(), static_cast<std::size_t>(got), per_second)) break;
    line.bytes += static_cast<std::uint64_t>(got);
  }
  end(connection);
}

bool Proxy::write_all(const Connection& connection, int to, const char* data, std::size_t size, std::uint64_t per_second) {
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t at = 0; at < size && !connection.over;) {
    const ssize_t put = ::send(to, data + at, size - at, MSG_NOSIGNAL);
    if (put < 0 && !only_late()) return false;
    if (put > 0) at += static_cast<std::size_t>(put);
  }
  if (per_second == 0) return true;
  const auto until = start + std::chrono::microseconds(1'000'000 * size / per_second);
  while (!connection.over && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_until(std::min(until, std::chrono::steady_clock::now() + kTurn));
  }
  return true;
}

}  // namespace starling::test
