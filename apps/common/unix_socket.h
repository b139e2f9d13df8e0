// The control socket: a Unix stream socket in the data folder.
//
// Only the folder's user may reach it: the socket is 0600 from its first moment. Its path may be longer than the 107
// bytes that the address of a Unix socket holds; then it is reached through /proc/self/fd.
#pragma once

#include <filesystem>

#include "net/file_descriptor.h"
#include "core/base/expected.h"

namespace starling::apps {

// Non-blocking. What a dead daemon left at that path is replaced: the caller holds the folder's lock.
[[nodiscard]] Expected<FileDescriptor> listen_unix(const std::filesystem::path&);

// Blocking. Errc::unreachable: nobody listens there.
[[nodiscard]] Expected<FileDescriptor> connect_unix(const std::filesystem::path&);

}  // namespace starling::apps
