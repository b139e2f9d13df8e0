// The configuration file: TOML, read strictly.
//
// A typing error must not pass in silence: an unknown key, a value of the wrong type or outside its range is an Error
// that names the file, the line and the key, and says what would be right. apps/daemon/starlingd.sample.toml explains
// each key; a test holds that file and the defaults here together. `starling init` and `starling peer add` edit the
// file as text, so that the user's comments stay.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "net/node.h"

namespace starling::apps {

enum class LogFormat { text, json };

struct LogConfig {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::text;
};

struct AppConfig {
  std::filesystem::path file;    // where it was read from
  std::filesystem::path folder;  // the data folder, absolute
  std::string workspace = "default";
  Start start = Start::create;
  std::string listen = "*:7734";
  LogConfig log;
  std::vector<Peer> peers;

  [[nodiscard]] Config node_config() const;  // without clock and log
};

[[nodiscard]] Expected<AppConfig> load_config(const std::filesystem::path& file);
// `file` is for the errors and for relative paths.
[[nodiscard]] Expected<AppConfig> parse_config(const std::string& text, const std::filesystem::path& file);

// The text with the value of a top-level key replaced; the key's line must be there.
[[nodiscard]] std::string with_value(const std::string& text, const std::string& key, const std::string& value);
// The text with one more [[peer]] block. Errors: the device is there already.
[[nodiscard]] Expected<std::string> with_peer(const std::string& text, const std::filesystem::path& file, const Peer&);

// The text without that device's [[peer]] block, whatever else stands between it and the next block goes along. Errors:
// there is no such block.
[[nodiscard]] Expected<std::string> without_peer(const std::string& text, const std::filesystem::path& file, const DeviceId&);

[[nodiscard]] Expected<void> check_address(const std::string& address, bool to_listen);  // as net/address.h reads it
[[nodiscard]] Expected<void> check_workspace_name(const std::string& name);

}  // namespace starling::apps
