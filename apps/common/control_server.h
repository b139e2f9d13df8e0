// The daemon's side of the control socket (docs/control.md).
//
// One thread does all I/O with poll(), so that no client can delay another; four run requests: three quick ones (status,
// ls, tag, …) and one for what takes long (index). A connection has one request at a time; the next is read when the
// reply has been sent, so a client that asks much and reads little only fills its own socket. Every buffer is bounded:
// request and reply by control_frame.h, progress is dropped while the client does not read, and a connection that stands
// still for too long in the middle of a frame is closed.
// A client that goes away in the middle of a long request cancels it: its progress call then returns false.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>

#include "core/base/expected.h"

namespace starling::apps {

// Tells the client how far a request is; false: nobody waits for it any more, give up.
using ProgressFn = std::function<bool(const nlohmann::json&)>;
inline constexpr auto kProgressEvery = std::chrono::milliseconds(100);  // no oftener

class ControlServer {
 public:
  using Handler = std::function<Expected<nlohmann::json>(const nlohmann::json& request, const ProgressFn&)>;
  using TakesLong = std::function<bool(const nlohmann::json& request)>;

  // Listens and serves at once. `handler` is called from several threads.
  [[nodiscard]] static Expected<std::unique_ptr<ControlServer>> start(const std::filesystem::path& socket, Handler handler,
                                                                      TakesLong takes_long);
  ~ControlServer();  // stops
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  void stop();  // cancels what runs, waits for it, removes the socket; idempotent

 private:
  struct Impl;
  explicit ControlServer(std::unique_ptr<Impl>);
  std::unique_ptr<Impl> impl_;
};

}  // namespace starling::apps
