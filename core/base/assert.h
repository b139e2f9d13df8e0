// ASSERT: the channel for bugs, and only for bugs.
//
// A broken invariant stops the node, not the program that embeds it: ASSERT throws InvariantBroken, which only the
// node's host catches. It stays on in release builds. Never use it on input: what a peer or a user can cause is an
// Expected, what the machine can cause (disk, memory) is another exception.
#pragma once

#include <stdexcept>
#include <string>

namespace starling {

class InvariantBroken : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

[[noreturn]] inline void invariant_broken(const char* condition, const char* file, int line) {
  throw InvariantBroken(std::string("invariant broken: ") + condition + " at " + file + ":" + std::to_string(line));
}

}  // namespace starling

#define ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::starling::invariant_broken(#condition, __FILE__, __LINE__))
