#include "apps/demo/say.h"

#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <sstream>

namespace starling::demo {

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

std::string fixed(double value, int decimals) {
  char text[64];
  std::snprintf(text, sizeof(text), "%.*f", decimals, value);
  return text;
}

}  // namespace starling::demo
