// A subscription: the callback is called for as long as this lives.
//
// Once it is gone (or after cancel()) the callback is not running and will not run again, so what it refers to may go
// too. Only from inside the callback itself does cancel() return while it runs. May outlive the node. Movable; any
// thread.
#pragma once

#include <functional>
#include <utility>

namespace starling {

class [[nodiscard]] Subscription {
 public:
  Subscription() = default;
  explicit Subscription(std::function<void()> cancel) : cancel_(std::move(cancel)) {}
  ~Subscription() { cancel(); }
  Subscription(Subscription&& other) noexcept : cancel_(std::exchange(other.cancel_, nullptr)) {}
  Subscription& operator=(Subscription&& other) noexcept {
    if (this != &other) {
      cancel();
      cancel_ = std::exchange(other.cancel_, nullptr);
    }
    return *this;
  }

  void cancel() {
    if (const auto call = std::exchange(cancel_, nullptr)) call();
  }

 private:
  std::function<void()> cancel_;
};

}  // namespace starling
