// A node in a process of its own, which does what it is told on standard input: for benchmarks of several devices.
//
// One request a line, one line back. run_flow_node() is the process; FlowNode starts it and asks. Figures of time are
// microseconds: p50, p99 and the greatest.
#pragma once

#include <cstdint>
#include <string>

#include "net/file_descriptor.h"

namespace starling::bench {

// The process: folder, and "create" or "join". Ends with its standard input.
int run_flow_node(const std::string& folder, bool create);

struct Times {
  double p50 = 0, p99 = 0, most = 0;
};

class FlowNode {
 public:
  FlowNode(std::string folder, bool create) : folder_(std::move(folder)), create_(create) { start(); }
  ~FlowNode() { end(9); }
  FlowNode(const FlowNode&) = delete;
  FlowNode& operator=(const FlowNode&) = delete;

  void start();
  void end(int signal);        // and waits until it is gone
  void signal(int number) const;

  void send(const std::string& request) const;
  [[nodiscard]] std::string answer();
  std::string ask(const std::string& request) {
    send(request);
    return answer();
  }
  Times ask_times(const std::string& request);
  double ask_number(const std::string& request) { return std::stod(ask(request)); }

  [[nodiscard]] std::string id() { return ask("id"); }
  [[nodiscard]] std::uint16_t port() { return static_cast<std::uint16_t>(ask_number("port")); }
  void add_peer(FlowNode& other, std::uint16_t port = 0);  // 0: it dials
  [[nodiscard]] double memory(const char* what) const;  // MiB: "VmRSS", "VmHWM"
  void reset_peak() const;
  [[nodiscard]] double processor_seconds() const;

 private:
  std::string folder_;
  bool create_;
  int pid_ = -1;
  FileDescriptor in_, out_;
  std::string unread_;
};

}  // namespace starling::bench
