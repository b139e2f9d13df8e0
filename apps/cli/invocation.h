// What the user typed, understood.
//
// One definition of the command line parses it and describes it: man page and completion are made from command_tree().
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "apps/common/command_tree.h"

namespace starling::apps {

enum class Verb {
  init, id, peer_add, peer_remove, peer_list, member_list, member_remove, member_admit, identity_keep, index, tag, tag_list, tag_set, tag_rm, untag, ls,
  album_add, album_remove, album_ls, album_show, status, digest, conflicts, references,
  quarantine_list, quarantine_show, quarantine_retry, sql, backup, verify, pause,
  resume, leave
};

struct Invocation {
  Verb verb = Verb::status;
  std::string folder;  // the data folder; empty: the default
  bool json = false;
  bool quiet = false;

  std::string path;                // index, tag, untag, ls, backup, or the other one for verify
  std::vector<std::string> paths;  // of an album's entries
  std::vector<std::string> names;  // tags, or a peer's addresses
  std::string name;                // of one tag or album, a peer's or member's device id, or the id of what is in quarantine
  std::string device;              // whose entries; empty: ours first
  std::string workspace = "default";
  std::string listen;
  std::string query;
  bool join = false;
  bool whole = false;              // the album itself
  bool sure = false;
  std::optional<std::string> color;
  std::optional<std::string> description;
};

// An int: nothing to do but to exit with it (help was asked for, or the error has been printed).
[[nodiscard]] std::variant<Invocation, int> parse_command_line(int count, const char* const* words);

[[nodiscard]] CommandInfo command_tree();

}  // namespace starling::apps
