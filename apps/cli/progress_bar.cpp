#include "apps/cli/progress_bar.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "apps/common/byte_text.h"

namespace starling::apps {
namespace {

constexpr auto kPlainEvery = std::chrono::seconds(2);
constexpr std::size_t kBarWidth = 30;
constexpr char kClearLine[] = "\r\x1b[K";

std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80U;
}

}  // namespace

ProgressBar::ProgressBar(std::string label) : label_(std::move(label)), terminal_(::isatty(STDERR_FILENO) == 1) {}

ProgressBar::~ProgressBar() {
  if (drawn_) std::fputs(kClearLine, stderr);
}

void ProgressBar::show(const nlohmann::json& progress) {
  const Clock::time_point now = Clock::now();
  if (!terminal_ && now - shown_ < kPlainEvery) return;
  shown_ = now;
  const auto expected = progress.value("expected", std::uint64_t{0});
  const auto entries = progress.value("entries", std::uint64_t{0});
  std::string line = label_ + "  ";
  if (expected == 0) {
    line += "counting: " + grouped(entries);
  } else {
    const double part = std::min(1.0, static_cast<double>(entries) / static_cast<double>(expected));
    const auto full = static_cast<std::size_t>(part * kBarWidth);
    if (terminal_) line += "[" + std::string(full, '#') + std::string(kBarWidth - full, '.') + "] ";
    const double seconds = std::chrono::duration<double>(now - start_).count();
    const double rate = seconds > 0 ? static_cast<double>(entries) / seconds : 0;
    line += std::to_string(static_cast<int>(part * 100)) + " %  " + grouped(entries) + " of " + grouped(expected) +
            ", " + grouped(static_cast<std::uint64_t>(rate)) + "/s";
  }
  if (terminal_) {
    line = kClearLine + line.substr(0, terminal_width() - 1);
    drawn_ = true;
  } else {
    line += "\n";
  }
  std::fputs(line.c_str(), stderr);
  std::fflush(stderr);
}

}  // namespace starling::apps
