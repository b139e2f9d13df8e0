// Columns for people: cells aligned by characters, not bytes.
//
// What is in a cell must be printable already. A column of numbers stands to the right.
#pragma once

#include <string>
#include <vector>

namespace starling::apps {

class TextTable {
 public:
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  // `right_aligned`: which columns hold numbers.
  [[nodiscard]] std::string text(const std::vector<std::size_t>& right_aligned = {}) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// The text, or as many characters of it as fit, with an ellipsis.
[[nodiscard]] std::string shortened(const std::string& text, std::size_t characters);

}  // namespace starling::apps
