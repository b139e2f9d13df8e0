#include "apps/daemon/log.h"

#include <fmt/chrono.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

#include "apps/common/byte_text.h"

namespace starling::apps {
namespace {

// spdlog's patterns cannot escape a message, so a JSON line is made here.
class JsonFormatter : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    using std::chrono::milliseconds;
    const auto since = message.time.time_since_epoch();
    const auto ms = std::chrono::duration_cast<milliseconds>(since).count() % 1000;
    const std::time_t seconds = std::chrono::system_clock::to_time_t(message.time);
    const nlohmann::ordered_json line{
        {"time", fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(seconds), ms)},
        {"level", std::string(spdlog::level::to_string_view(message.level).data())},
        {"message", std::string(message.payload.data(), message.payload.size())}};
    const std::string text = line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    out.append(text.data(), text.data() + text.size());
  }
  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<JsonFormatter>(); }
};

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

std::shared_ptr<spdlog::logger> make_log(const LogConfig& config) {
  auto log = std::make_shared<spdlog::logger>("starlingd", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  if (config.format == LogFormat::json) log->set_formatter(std::make_unique<JsonFormatter>());
  else log->set_pattern("%Y-%m-%d %H:%M:%S.%e %l: %v");
  log->set_level(level_of(config.level));
  log->flush_on(spdlog::level::debug);
  return log;
}

LogFn log_function(std::shared_ptr<spdlog::logger> log) {
  return [log = std::move(log)](LogLevel level, const std::string& text) {
    log->log(level_of(level), spdlog::string_view_t(printable(text)));
  };
}

}  // namespace starling::apps
