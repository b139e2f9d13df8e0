// Where commands are done: in the running daemon, or here.
//
// The daemon's control socket comes first. Where nobody answers on it, the folder's lock is taken and the same commands
// run on the store in this process, without network; what they write travels when the daemon runs again.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "apps/common/commands.h"
#include "apps/common/control_client.h"

namespace starling::apps {

class Backend {
 public:
  // Errors: no configuration in that folder, or a folder that is in use.
  [[nodiscard]] static Expected<Backend> open(const std::filesystem::path& folder);

  [[nodiscard]] Expected<nlohmann::json> call(const nlohmann::json& request, const ProgressFn& progress = {});
  [[nodiscard]] bool has_daemon() const { return client_.has_value(); }

 private:
  Backend() = default;

  std::optional<ControlClient> client_;
  std::unique_ptr<Node> node_;
  std::unique_ptr<Commands> commands_;
};

}  // namespace starling::apps
