// One device of the demo: a data folder and the starlingd that runs on it.
//
// Everything is done through the two programs and the control socket, as a user or a script would do it.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "apps/common/child_process.h"
#include "apps/common/control_client.h"
#include "apps/demo/options.h"
#include "apps/demo/scratch.h"

namespace starling::demo {

using nlohmann::json;

class Device {
 public:
  Device(std::string name, std::size_t slot, Bytes content, const Options&, Scratch&);

  void init(bool join);
  void add_peer(const Device& other, bool dial);
  void start(bool offline);  // returns when it is ready
  void kill();               // SIGKILL
  double stop();             // SIGTERM; seconds until it had ended

  [[nodiscard]] json call(const json& request);                               // on the main thread
  [[nodiscard]] apps::ControlClient connect() const;                          // for another thread
  [[nodiscard]] std::vector<std::string> command(std::vector<std::string> words) const;  // of the starling program
  void set_tag(const std::string& name, const std::string& field, const std::string& value);
  void tag(const Bytes& entry, const std::string& name, bool on = true);
  // A status is published a moment after a commit: does this one show what call() has written here?
  [[nodiscard]] bool shows_our_writes(const json& status) const;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] const Bytes& content() const { return content_; }
  [[nodiscard]] std::filesystem::path database() const;

 private:
  std::string name_;
  std::size_t slot_;
  Bytes content_;
  const Options& options_;
  Scratch& scratch_;
  std::filesystem::path folder_;
  std::string id_;
  std::uint64_t last_seq_ = 0;  // of our shared transactions
  std::optional<apps::ChildProcess> daemon_;
  std::optional<apps::ControlClient> client_;
};

// What a status says of a stream: how many row changes of `author` are held.
[[nodiscard]] std::uint64_t rows_held(const json& status, const std::string& author);

}  // namespace starling::demo
