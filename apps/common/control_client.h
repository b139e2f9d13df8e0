// The other side of the control socket: one request at a time, blocking.
//
// For the command line, the demo and the tests. A reply that does not come in time is an Error, and so is a daemon that
// ends; afterwards the connection is of no use.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>

#include "apps/common/control_frame.h"
#include "apps/common/control_server.h"
#include "net/file_descriptor.h"

namespace starling::apps {

class ControlClient {
 public:
  // Errc::unreachable: no daemon runs on that folder.
  [[nodiscard]] static Expected<ControlClient> connect(const std::filesystem::path& data_folder);

  // What the daemon answers ("ok"), or its error. A progress call that returns false ends the connection, and with it
  // the request. `silence_max`: the longest wait for the next frame; zero: for ever.
  [[nodiscard]] Expected<nlohmann::json> call(const nlohmann::json& request, const ProgressFn& progress = {},
                                              std::chrono::milliseconds silence_max = std::chrono::seconds(60));

 private:
  explicit ControlClient(FileDescriptor socket) : socket_(std::move(socket)), in_(kControlReplyMax) {}
  [[nodiscard]] Expected<void> send(const Bytes& frame);
  [[nodiscard]] Expected<nlohmann::json> receive(std::chrono::milliseconds silence_max);

  FileDescriptor socket_;
  FrameReader in_;
};

}  // namespace starling::apps
