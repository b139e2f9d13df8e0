#include "apps/demo/say.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <sstream>

namespace starling::demo {
namespace {

std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

}  // namespace

Voice::Voice() : bold_(::isatty(STDOUT_FILENO) == 1) {}

void Voice::title(const std::string& text) const {
  std::cout << (bold_ ? "\x1b[1m" : "") << text << (bold_ ? "\x1b[0m" : "") << std::endl;
}

void Voice::step(const std::string& text) {
  std::cout << "\n";
  title(" " + std::to_string(++step_) + "  " + text);
}

void Voice::line(const std::string& text) const {
  if (!text.empty()) std::cout << "    " << text;
  std::cout << std::endl;
}

void Voice::lines(const std::string& text) const {
  std::istringstream all(text);
  for (std::string one; std::getline(all, one);) line(one);
}

std::string Table::text(const std::vector<std::size_t>& right_aligned) const {
  std::vector<std::size_t> widths;
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string all;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string space(widths[i] - width_of(row[i]), ' ');
      const bool right = std::find(right_aligned.begin(), right_aligned.end(), i) != right_aligned.end();
      line += (i == 0 ? "" : "  ") + (right ? space + row[i] : row[i] + space);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    all += line + "\n";
  }
  return all;
}

std::string fixed(double value, int decimals) {
  char text[64];
  std::snprintf(text, sizeof(text), "%.*f", decimals, value);
  return text;
}

}  // namespace starling::demo
