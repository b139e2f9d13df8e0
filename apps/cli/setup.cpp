#include "apps/cli/setup.h"

#include <nlohmann/json.hpp>

#include "apps/common/built_in.h"
#include "apps/common/byte_text.h"
#include "apps/common/config_file.h"
#include "apps/common/data_folder.h"
#include "net/folder.h"

namespace starling::apps {

using nlohmann::json;

Expected<json> init_folder(const std::filesystem::path& folder, const Invocation& typed) {
  if (Expected<void> ok = check_workspace_name(typed.workspace); !ok) return ok.error();
  if (!typed.listen.empty()) {
    if (Expected<void> ok = check_address(typed.listen, true); !ok) return ok.error();
  }
  const std::filesystem::path file = config_path(folder);
  std::error_code ignored;
  if (std::filesystem::exists(file, ignored)) {
    return Error{Errc::invalid_argument, "this folder has a configuration already", printable(file.string()),
                 "edit it, or name another folder"};
  }
  if (Expected<void> ok = prepare_folder(folder); !ok) return ok.error();
  const Expected<DeviceId> device = device_id(folder);
  if (!device) return device.error();
  std::string text = with_value(sample_config(), "workspace", typed.workspace);
  if (typed.join) text = with_value(text, "start", "join");
  if (!typed.listen.empty()) text = with_value(text, "listen", typed.listen);
  const Expected<AppConfig> config = parse_config(text, file);
  if (!config) return config.error();
  if (Expected<void> ok = write_text(file, text); !ok) return ok.error();
  return json{{"device", to_string(*device)},
              {"workspace", config->workspace},
              {"join", typed.join},
              {"folder", bytes_to_json(std::filesystem::absolute(folder).string())},
              {"config", bytes_to_json(std::filesystem::absolute(file).string())},
              {"listen", config->listen}};
}

Expected<json> show_id(const std::filesystem::path& folder) {
  const Expected<AppConfig> config = load_config(config_path(folder));
  if (!config) return config.error();
  const Expected<DeviceId> device = device_id(config->folder);
  if (!device) return device.error();
  return json{{"device", to_string(*device)}};
}

}  // namespace starling::apps
