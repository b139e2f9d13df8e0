// The data folder of one device, and what stands in it.
//
//   starlingd.toml  the configuration (config_file.h); `starling init` writes it
//   starling.db     the database; device.key, lock: see net/node.h
//   control.sock    where a running daemon takes commands (docs/control.md)
// The folder belongs to its user alone (0700, net/folder.h): the device's private key stands in it.
#pragma once

#include <filesystem>

#include "core/base/expected.h"

namespace starling::apps {

[[nodiscard]] std::filesystem::path config_path(const std::filesystem::path& folder);
[[nodiscard]] std::filesystem::path database_path(const std::filesystem::path& folder);
[[nodiscard]] std::filesystem::path socket_path(const std::filesystem::path& folder);

// Where a user's data stands when nobody says: $STARLING_FOLDER, else $XDG_DATA_HOME/starling, else
// ~/.local/share/starling.
[[nodiscard]] Expected<std::filesystem::path> default_folder();

[[nodiscard]] Expected<std::string> read_text(const std::filesystem::path& file);
// All of it or nothing: a temporary file beside it, synced, then renamed over it. Mode 0600.
[[nodiscard]] Expected<void> write_text(const std::filesystem::path& file, const std::string& text);

}  // namespace starling::apps
