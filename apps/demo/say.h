// The demo's voice: numbered steps, and lines below them.
//
// Headings are bold on a terminal, plain elsewhere. Each line is written at once, so that one can watch. The table
// aligns its columns by characters, not bytes.
#pragma once

#include <string>
#include <vector>

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

class Table {
 public:
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  // `right_aligned`: which columns hold numbers.
  [[nodiscard]] std::string text(const std::vector<std::size_t>& right_aligned = {}) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

[[nodiscard]] std::string fixed(double value, int decimals);

}  // namespace starling::demo
