// What a user can ask of a node: one function for each request of the control protocol.
//
// The daemon answers its socket with these, and `starling` runs the same ones itself when no daemon is there: one
// meaning, two ways to it. Requests and answers are JSON objects, described in docs/control.md. Thread-safe: requests
// come from several threads; index runs come one at a time.
#pragma once

#include <atomic>
#include <nlohmann/json_fwd.hpp>
#include <semaphore>
#include <string>

#include "apps/common/arguments.h"
#include "apps/common/config_file.h"
#include "apps/common/control_server.h"

namespace starling::apps {

class Commands {
 public:
  // The node outlives it. `config`: where it came from, so that a new peer is written down. `daemon`: whether this is
  // starlingd, which speaks to peers; the commands' own process does not.
  Commands(Node& node, AppConfig config, bool daemon) : node_(node), config_(std::move(config)), daemon_(daemon) {}

  // Errors: an unknown request or argument, and what the command finds wrong.
  [[nodiscard]] Expected<nlohmann::json> run(const nlohmann::json& request, const ProgressFn& progress);
  [[nodiscard]] static bool takes_long(const nlohmann::json& request);
  [[nodiscard]] bool left() const { return left_; }  // by request: there is no node any more

 private:
  using Answer = Expected<nlohmann::json>;
  Answer status(Arguments&);
  Answer index(Arguments&, const ProgressFn&);
  Answer ls(Arguments&);
  Answer tag(Arguments&, bool on);
  Answer tag_list(Arguments&);
  Answer tag_set(Arguments&);
  Answer tag_rm(Arguments&);
  Answer peer_add(Arguments&);
  Answer peer_remove(Arguments&);
  Answer peer_list(Arguments&);
  Answer member_remove(Arguments&);
  Answer backup(Arguments&);
  Answer pause(Arguments&, bool on);
  Answer leave(Arguments&);
  Answer digest(Arguments&);
  Answer verify(Arguments&);
  Answer conflicts(Arguments&);
  Answer references(Arguments&);
  Answer sql(Arguments&, const ProgressFn&);

  Node& node_;
  AppConfig config_;
  bool daemon_;
  std::mutex config_file_;  // one edit at a time
  std::atomic<bool> left_ = false;
  std::counting_semaphore<2> queries_{2};  // of users' SQL at a time: the third quick worker stays free
};

// Adds a peer to the configuration file, or takes it out; what is running does not notice.
[[nodiscard]] Expected<void> write_peer(const std::filesystem::path& config_file, const Peer&);
[[nodiscard]] Expected<void> erase_peer(const std::filesystem::path& config_file, const DeviceId&);

}  // namespace starling::apps
