#include "apps/cli/backend.h"

#include <nlohmann/json.hpp>

#include "apps/common/data_folder.h"
#include "models/models.h"

namespace starling::apps {

Expected<Backend> Backend::open(const std::filesystem::path& folder) {
  Expected<AppConfig> config = load_config(config_path(folder));
  if (!config) return config.error();
  Backend backend;
  Expected<ControlClient> client = ControlClient::connect(config->folder);
  if (client) {
    backend.client_ = std::move(*client);
    return backend;
  }
  if (client.error().code != Errc::unreachable) return client.error();
  Expected<std::unique_ptr<Node>> node = Node::open(config->node_config(), models::built_in());
  if (!node) return node.error();
  backend.node_ = std::move(*node);
  backend.commands_ = std::make_unique<Commands>(*backend.node_, std::move(*config), false);
  return backend;
}

Expected<nlohmann::json> Backend::call(const nlohmann::json& request, const ProgressFn& progress) {
  if (client_) return client_->call(request, progress, std::chrono::milliseconds(0));  // the user may interrupt
  return commands_->run(request, progress);
}

}  // namespace starling::apps
