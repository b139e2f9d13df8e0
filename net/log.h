// Log lines on their way to the application.
//
// A node has no logger of its own: it hands facts to the function in Config::log, or to nobody. That function may be
// called from any thread of the node; what it throws is dropped, for a log must not decide what a node does.
#pragma once

#include <string>

#include "net/config.h"

namespace starling {

class Log {
 public:
  explicit Log(LogFn write = {}) : write_(std::move(write)) {}

  void operator()(LogLevel level, const std::string& text) const {
    if (!write_) return;
    try {
      write_(level, text);
    } catch (...) {  // see above
    }
  }
  void debug(const std::string& text) const { (*this)(LogLevel::debug, text); }
  void info(const std::string& text) const { (*this)(LogLevel::info, text); }
  void warning(const std::string& text) const { (*this)(LogLevel::warning, text); }
  void error(const std::string& text) const { (*this)(LogLevel::error, text); }

 private:
  LogFn write_;
};

}  // namespace starling
