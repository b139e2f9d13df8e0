// The demo's voice: numbered steps, and lines below them.
//
// Headings are bold on a terminal, plain elsewhere. Each line is written at once, so that one can watch.
#pragma once

#include <string>

namespace starling::demo {

class Voice {
 public:
  Voice();
  void title(const std::string& text) const;
  void step(const std::string& text);         // " 3  Both index …"
  void line(const std::string& text) const;   // indented
  void lines(const std::string& text) const;  // each of them

 private:
  const bool bold_;
  int step_ = 0;
};

[[nodiscard]] std::string fixed(double value, int decimals);

}  // namespace starling::demo
