// A deadline: a function that runs on the network thread unless the deadline is moved or lifted first.
//
// Used instead of racing an operation against a timer, which loses what the loser has already read (Asio issue 1041):
// the function closes the socket, and the operation then fails by itself. A handler that was already on its way when
// the deadline was lifted does nothing. The function must keep alive what holds the Deadline. Network thread only.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <utility>

namespace starling {

class Deadline {
 public:
  explicit Deadline(const asio::any_io_executor& executor) : timer_(executor) {}

  template <class Function>
  void arm(std::chrono::steady_clock::duration after, Function expired) {
    timer_.expires_after(after);
    timer_.async_wait([this, turn = ++turn_, expired = std::move(expired)](const asio::error_code& lifted) {
      if (!lifted && turn == turn_) expired();
    });
  }
  void lift() {
    ++turn_;
    timer_.cancel();
  }

 private:
  asio::steady_timer timer_;
  std::uint64_t turn_ = 0;
};

}  // namespace starling
