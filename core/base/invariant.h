// A bug, and what it does: stops the node, not the program that embeds it.
//
// A broken invariant throws InvariantBroken, which only the node's host catches. In our own files ASSERT (assert.h) says
// it; this header is for those that applications see, which must not bring a macro along.
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
