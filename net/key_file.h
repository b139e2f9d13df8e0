// The file that holds a device's private key.
//
// Whoever reads it is the device, so: mode 0600, never through a symbolic link, refused when others may read it. It
// appears under its name complete and on disk, or not at all, and it never replaces one that is there: a lost key is a
// lost identity. Bytes in, bytes out; what they mean is for tls_identity.h.
#pragma once

#include <filesystem>
#include <optional>

#include "core/base/bytes.h"
#include "core/base/expected.h"

namespace starling {

// nullopt: there is none yet.
[[nodiscard]] Expected<std::optional<Bytes>> read_key_file(const std::filesystem::path&);

// False: somebody created one in the meantime; that one is untouched.
[[nodiscard]] Expected<bool> create_key_file(const std::filesystem::path&, BytesView content);

}  // namespace starling
