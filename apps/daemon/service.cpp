#include "apps/daemon/service.h"

#include <csignal>
#include <iostream>
#include <thread>
#include <nlohmann/json.hpp>

#include <spdlog/spdlog.h>

#include "apps/common/commands.h"
#include "apps/common/data_folder.h"
#include "apps/common/own_device.h"
#include "apps/daemon/log.h"
#include "models/models.h"

namespace starling::apps {
namespace {

using namespace std::chrono_literals;

constexpr auto kEndWithin = 1900ms;
constexpr auto kStopWithin = 1500ms;  // of the 2 s that a stop may take; the rest is for running requests

// Blocked in every thread, so that only wait() takes them.
class StopSignals {
 public:
  StopSignals() {
    ::sigemptyset(&set_);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&set_, signal);
    ::pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
  }
  [[nodiscard]] bool wait(std::chrono::milliseconds most) const {
    const timespec timeout{most.count() / 1000, (most.count() % 1000) * 1'000'000};
    return ::sigtimedwait(&set_, nullptr, &timeout) > 0;
  }

 private:
  sigset_t set_{};
};

// A request that cannot be interrupted (a digest of millions of rows, one folder of a million files) must not hold the end
// up: whatever is committed is safe, and nothing else counts.
void end_by_all_means(ExitCode code) {
  std::thread([code] {
    std::this_thread::sleep_for(kEndWithin);
    std::_Exit(code);
  }).detach();
}

ExitCode complain(const Error& error, ExitCode code) {
  std::cerr << "starlingd: " << error.text() << std::endl;
  return code;
}

void say_ready(const Node& node, const AppConfig& config, bool offline) {
  std::cout << "starlingd: ready, device " << to_string(node.device()) << ", ";
  if (offline) std::cout << "offline";
  else if (node.port() == 0) std::cout << "not listening";
  else std::cout << "listening on port " << node.port();
  std::cout << ", commands at " << socket_path(config.folder).string() << std::endl;
}

}  // namespace

ExitCode run_daemon(const DaemonOptions& options) {
  const StopSignals signals;
  const Expected<AppConfig> config = load_config(options.config);
  if (!config) return complain(config.error(), kWrongUse);
  const std::shared_ptr<spdlog::logger> log = make_log(config->log);
  Config node_config = config->node_config();
  const bool offline = options.offline || node_config.start == Start::offline;
  node_config.log = log_function(log);
  Expected<std::unique_ptr<Node>> opened = Node::open(std::move(node_config), models::built_in());
  if (!opened) return complain(opened.error(), kCannotStart);
  Node& node = **opened;
  if (const auto written = write_own_device(node, host_facts()); !written) log->warn(written.error().text());

  Commands commands(node, *config, true);
  const auto handle = [&commands](const nlohmann::json& request, const ProgressFn& progress) {
    return commands.run(request, progress);
  };
  Expected<std::unique_ptr<ControlServer>> control =
      ControlServer::start(socket_path(config->folder), handle, &Commands::takes_long);
  if (!control) return complain(control.error(), kCannotStart);
  if (!offline) {
    if (const Expected<void> started = node.start(); !started) return complain(started.error(), kCannotStart);
  }
  say_ready(node, *config, offline);

  std::string failed;
  while (!signals.wait(500ms) && failed.empty() && !commands.left()) failed = node.status().failed;
  log->info("stopping");
  end_by_all_means(failed.empty() ? kDone : kFailed);
  (*control)->stop();
  node.stop(kStopWithin);
  if (failed.empty()) return kDone;
  return complain({Errc::internal, failed, "", "see the log, and start it again"}, kFailed);
}

}  // namespace starling::apps
