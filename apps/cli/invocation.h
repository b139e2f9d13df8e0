// What the user typed, understood.
//
// parse_command_line() is the only place that knows CLI11 (its headers cost more compile time than all the rest).
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace starling::apps {

enum class Verb { init, id, peer_add, index, tag, tag_list, tag_set, tag_rm, untag, ls, status, digest, conflicts };

struct Invocation {
  Verb verb = Verb::status;
  std::string folder;  // the data folder; empty: the default
  bool json = false;

  std::string path;                // index, tag, untag, ls
  std::vector<std::string> names;  // tags, or a peer's addresses
  std::string name;                // of one tag, or a peer's device id
  std::string device;              // whose entries; empty: ours first
  std::string workspace = "default";
  std::string listen;
  bool join = false;
  std::optional<std::string> color;
  std::optional<std::string> description;
};

// An int: nothing to do but to exit with it (help was asked for, or the error has been printed).
[[nodiscard]] std::variant<Invocation, int> parse_command_line(int count, const char* const* words);

inline constexpr int kExitFailed = 1;    // the command could not be done
inline constexpr int kExitWrongUse = 2;  // the command line

}  // namespace starling::apps
