// A proxy: stands between two devices on loopback, and is what a bad line is.
//
// It takes connections on a port of its own and passes their bytes on to the target's port. Each of the two ways can be
// delayed, limited, or stalled: then it takes nothing more, and TCP holds the sender back, as over a line that is dead in
// one direction. It holds next to nothing itself, so what waits, waits at the sender. Two threads for each connection.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "net/file_descriptor.h"

namespace starling::test {

enum class Way : std::uint8_t { there, back };  // from the dialler to the target, and from the target

class Proxy {
 public:
  explicit Proxy(std::uint16_t target = 0);
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  void set_target(std::uint16_t port) { target_ = port; }  // of the next connections

  void limit(Way, std::uint64_t bytes_per_second);  // 0: no limit
  void delay(Way, std::chrono::milliseconds);       // each piece of at most 64 KiB
  void stall(Way, bool on);
  // Of the next connections: stalls the target's way once the dialler has answered the first of what came on it.
  void stall_behind_handshake();
  void cut();           // ends every connection
  void close(bool on);  // the same, and nobody gets through until it is opened again

  [[nodiscard]] std::uint64_t bytes(Way way) const { return ways_[index(way)].bytes; }

 private:
  struct Line {  // one way, of all connections
    std::atomic<std::uint64_t> per_second = 0;
    std::atomic<std::int64_t> delay_ms = 0;
    std::atomic<bool> stalled = false;
    std::atomic<std::uint64_t> bytes = 0;
  };
  struct Connection {
    FileDescriptor dialler, target;
    std::atomic<bool> over = false, answered = false;  // by the target
    std::thread threads[2];
  };
  static std::size_t index(Way way) { return static_cast<std::size_t>(way); }
  void accept_all();
  void serve(FileDescriptor dialler);
  void pass_on(Connection&, Way);
  bool write_all(const Connection&, int to, const char* data, std::size_t size, std::uint64_t per_second);
  static void end(Connection&);

  FileDescriptor listener_;
  std::uint16_t port_ = 0;
  std::atomic<std::uint16_t> target_;
  std::atomic<bool> closed_ = false, stopping_ = false, stall_behind_handshake_ = false;
  std::array<Line, 2> ways_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::thread acceptor_;
};

}  // namespace starling::test
