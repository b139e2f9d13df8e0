// The demo's folder below /tmp, removed at the end, also when the user interrupts.
//
// Signals that end a program are taken by a thread of its own: it ends the children's process group members that are
// known, removes the folder and exits. Make it before any other thread: it blocks those signals for all of them.
#pragma once

#include <atomic>
#include <filesystem>

#include <array>

namespace starling::demo {

class Scratch {
 public:
  explicit Scratch(bool keep);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  // Whom to end on an interrupt; slot 0 and 1 are the daemons. 0: nobody.
  void set_child(std::size_t slot, int pid) { children_.at(slot) = pid; }

 private:
  void await_signal();
  void remove() const;

  std::filesystem::path path_;
  const bool keep_;
  std::array<std::atomic<int>, 2> children_{};
};

}  // namespace starling::demo
