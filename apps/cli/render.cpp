#include "apps/cli/render.h"

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>

#include "apps/common/byte_text.h"
#include "apps/common/text_table.h"

namespace starling::apps {
namespace {

using nlohmann::json;

// A text of an answer: a string, or bytes as {"hex": …}.
std::string shown(const json& value) {
  const Expected<Bytes> bytes = bytes_from_json(value, "");
  return bytes ? printable(*bytes) : std::string();
}

std::string count_of(const json& object, const char* name) { return grouped(object.value(name, std::uint64_t{0})); }

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

std::string right(const std::string& text, std::size_t width) {
  return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}

std::string date_of(std::int64_t ms) {
  const auto seconds = static_cast<std::time_t>(ms / 1000);
  std::tm local{};
  char text[32] = "";
  if (::localtime_r(&seconds, &local) != nullptr) std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &local);
  return text;
}

std::string tags_of(const json& entry) {
  std::string text;
  for (const json& tag : entry["tags"]) text += "  #" + shown(tag);
  return text;
}

std::string entry_line(const json& entry, const std::string& name) {
  const std::string kind = shown(entry["kind"]);
  const std::string size = kind == "file" ? human_size(entry.value("size", std::uint64_t{0})) : "-";
  return padded(kind, 6) + right(size, 11) + "  " + date_of(entry.value("modified_ms", std::int64_t{0})) + "  " + name +
         (kind == "folder" ? "/" : "") + tags_of(entry) + "\n";
}

std::string render_init(const json& answer) {
  const std::string folder = shown(answer["folder"]);
  const bool join = answer["join"];
  std::string text = "Made " + folder + " for the workspace \"" + shown(answer["workspace"]) + "\".\n" +
                     "This device is " + shown(answer["device"]) + "\n\nNext:\n";
  const std::string command = "  starling --folder " + folder;
  text += command + " peer add DEVICE" + (join ? " HOST:PORT   the device that has the workspace\n"
                                               : "             for each other device\n");
  text += "  starlingd --config " + shown(answer["config"]) + "\n";
  return text;
}

std::string render_index(const json& answer) {
  const bool same = answer["added"] == 0 && answer["changed"] == 0 && answer["removed"] == 0;
  std::string text = shown(answer["path"]) + ": " + count_of(answer, "entries") + " entries in " +
                     count_of(answer, "folders") + " folders, " + human_size(answer.value("bytes", std::uint64_t{0})) + "\n";
  text += same ? "nothing has changed" : count_of(answer, "added") + " new, " + count_of(answer, "changed") + " changed, " +
                                             count_of(answer, "removed") + " gone";
  char seconds[32];
  std::snprintf(seconds, sizeof(seconds), " (%.1f s)\n", answer.value("seconds", 0.0));
  text += seconds;
  const json& list = answer["unreadable_list"];
  const std::size_t shown_most = 10;
  if (!list.empty()) text += count_of(answer, "unreadable") + " could not be read:\n";
  for (std::size_t i = 0; i < std::min(list.size(), shown_most); ++i) {
    text += "  " + shown(list[i]["path"]) + ": " + shown(list[i]["why"]) + "\n";
  }
  if (list.size() > shown_most) text += "  … (--json lists more)\n";
  return text;
}

std::string render_ls(const json& answer) {
  std::string text;
  if (answer.contains("locations")) {
    for (const json& location : answer["locations"]) {
      text += shown(location["device"]) + (location["own"] ? " (this one)  " : "              ") +
              right(count_of(location, "entries"), 10) + " entries " +
              right(human_size(location.value("bytes", std::uint64_t{0})), 11) + "  " + shown(location["path"]) + "\n";
    }
    return text.empty() ? "Nothing is indexed yet; begin with 'starling index FOLDER'.\n" : text;
  }
  if (answer.contains("tag")) {
    for (const json& entry : answer["entries"]) text += entry_line(entry, shown(entry["path"]));
    return text.empty() ? "No entry has the tag \"" + shown(answer["tag"]) + "\".\n" : text;
  }
  const json& self = answer["entry"];
  if (!self.is_null() && (shown(self["kind"]) != "folder" || !self["tags"].empty())) {
    text += entry_line(self, shown(answer["path"]));
  }
  for (const json& entry : answer["entries"]) text += entry_line(entry, shown(entry["name"]));
  return text;
}

std::string render_tags(const json& answer) {
  std::string text;
  for (const json& tag : answer["tags"]) {
    text += padded(shown(tag["name"]), 20) + right(count_of(tag, "entries"), 8) + " entries  " +
            padded(shown(tag["color"]), 9) + "  " + shown(tag["description"]) + "\n";
  }
  return text.empty() ? "There are no tags yet; begin with 'starling tag PATH TAG'.\n" : text;
}

std::string render_peer(const json& peer) {
  std::string text = "  " + shown(peer["device"]) + "  " + padded(shown(peer["state"]), 12) + " in " +
                     human_size(peer.value("bytes_in", std::uint64_t{0})) + ", out " +
                     human_size(peer.value("bytes_out", std::uint64_t{0}));
  if (peer["we_lack"] != 0) text += ", we lack " + count_of(peer, "we_lack");
  if (peer["it_lacks"] != 0) text += ", it lacks " + count_of(peer, "it_lacks");
  const std::string why = shown(peer["why"]);
  return text + (why.empty() ? "" : "\n    " + why) + "\n";
}

// Its members, and what of its history is kept here.
std::string render_workspace(const json& answer) {
  std::string text = "Members    " + (answer["members"] == 0 ? "nobody but this device" : count_of(answer, "members")) + "\n";
  text += "Log        " + count_of(answer, "log_entries") + " shared transactions kept";
  if (answer["entries_dropped"] != 0) text += ", " + count_of(answer, "entries_dropped") + " dropped";
  if (answer["tombstones_dropped"] != 0) text += ", " + count_of(answer, "tombstones_dropped") + " deleted rows forgotten";
  text += "\n";
  if (answer["snapshots_taken"] != 0) text += "Snapshots  " + count_of(answer, "snapshots_taken") + " taken in\n";
  if (answer["merging"] == true) text += "Snapshot   is being merged\n";
  return text;
}

std::string render_status(const json& answer, bool has_daemon) {
  const json& listening = answer["listening"];
  std::string daemon = "no daemon runs: changes travel when it does";
  if (has_daemon) daemon = listening.is_null() ? "daemon runs, not listening" : "daemon listens on " + shown(listening);
  std::string text = "Workspace  " + shown(answer["workspace"]["name"]) + " (" + shown(answer["workspace"]["id"]) + ")\n";
  text += "Device     " + shown(answer["device"]) + "\n";
  text += "Folder     " + shown(answer["folder"]) + "\n";
  if (answer["doubled"] == true)
    text += "Identity   another machine lives under it: nothing is written here ('starling identity keep' on the one that goes on)\n";
  text += "State      " + shown(answer["readiness"]) + "; " + daemon + "\n";
  if (const std::string failed = shown(answer["failed"]); !failed.empty()) text += "Failed     " + failed + "\n";
  text += render_workspace(answer);
  text += answer["peers"].empty() ? "Peers      none\n" : "Peers\n";
  for (const json& peer : answer["peers"]) text += render_peer(peer);
  text += answer["vector"].empty() ? "Streams    none\n" : "Streams (device/history: row changes, shared transactions)\n";
  for (const auto& [origin, position] : answer["vector"].items()) {
    text += "  " + printable(origin) + ": " + count_of(position, "rev") + ", " + count_of(position, "seq") + "\n";
  }
  for (const json& one : answer["waiting"]) {
    const std::int64_t until = one.value("until_ms", std::int64_t{0});
    text += "Waiting    " + shown(one["origin"]) + ": " + shown(one["why"]) + (until == 0 ? "" : ", until " + date_of(until)) + "\n";
  }
  text += "Conflicts  " + count_of(answer, "conflicts") +
          (answer["conflicts"] == 0 ? "\n" : " ('starling conflicts' lists them)\n");
  if (answer["quarantined"] != 0) text += "Quarantine " + count_of(answer, "quarantined") + " changes ('starling quarantine list' lists them)\n";
  if (answer["hidden"] != 0) text += "Hidden     " + count_of(answer, "hidden") + " rows ('starling references' lists them)\n";
  if (answer["dangling"].is_number() && answer["dangling"] != 0)
    text += "Dangling   " + count_of(answer, "dangling") + " references ('starling references' lists them)\n";
  if (answer["damaged"] != 0) text += "Damaged    " + count_of(answer, "damaged") + " rows ('starling verify' lists them)\n";
  return text;
}

std::string render_peers(const json& answer) {
  TextTable table;
  table.row({"device", "name", "platform", "state", "we lack", "it lacks"});
  for (const json& peer : answer["peers"]) {
    table.row({shown(peer["device"]), shown(peer["name"]), shown(peer["platform"]), shown(peer["state"]),
               count_of(peer, "we_lack"), count_of(peer, "it_lacks")});
  }
  return answer["peers"].empty() ? "There are no peers yet; begin with 'starling peer add'.\n" : table.text({4, 5});
}

// Who holds back what, and since when.
std::string held_back(const json& member) {
  if (member["lacks"] == 0) return "";
  const std::string text = count_of(member, "lacks") + (member["lacks"] == 1 ? " change" : " changes");
  return member["oldest_ms"].is_null() ? text : text + " since " + date_of(member.value("oldest_ms", std::int64_t{0}));
}

std::string render_members(const json& answer) {
  TextTable table;
  table.row({"device", "name", "state", "since", "holds back"});
  for (const json& member : answer["members"]) {
    table.row({shown(member["device"]).substr(0, 4), shown(member["name"]), shown(member["state"]),
               date_of(member.value("since_ms", std::int64_t{0})), held_back(member)});
  }
  return answer["members"].empty() ? "Nobody is a member yet; who joins becomes one.\n" : table.text();
}

std::string render_digest(const json& answer) {
  std::string text;
  for (const json& model : answer["models"]) {
    text += padded(shown(model["model"]), 16) + padded(shown(model["kind"]), 14) + right(count_of(model, "rows"), 12) +
            " rows  " + shown(model["sha256"]).substr(0, 32) + "\n";
  }
  return text;
}

std::string value_text(const json& value) {
  if (value.is_null()) return "nothing";
  if (value.is_string()) return "\"" + shown(value) + "\"";
  if (value.is_object()) return "x'" + value.value("hex", std::string()) + "'";
  return value.dump();
}

std::string row_name(const json& row) {
  std::string key;
  for (const json& part : row["key"]) key += (key.empty() ? "" : ", ") + value_text(part);
  return shown(row["model"]) + " " + key;
}

std::string side_text(const json& values) {
  if (values.is_null()) return "no row";
  std::string text;
  for (const json& value : values) text += (text.empty() ? "" : ", ") + value_text(value);
  return text;
}

std::string render_comparison(const json& answer) {
  std::string text;
  for (const json& row : answer["differences"])
    text += row_name(row) + "\n  here   " + side_text(row["here"]) + "\n  there  " + side_text(row["there"]) + "\n";
  return text + (answer["different"] == 0 ? count_of(answer, "rows") + " rows, the same in " + shown(answer["against"]) + "\n"
                                          : count_of(answer, "different") + " rows differ from " + shown(answer["against"]) + "\n");
}

std::string render_verify(const json& answer) {
  if (answer.contains("against")) return render_comparison(answer);
  std::string text;
  for (const json& row : answer["list"]) text += row_name(row) + " " + shown(row["what"]) + "\n";
  for (const json& line : answer["file"]) text += "the file itself: " + shown(line) + "\n";
  if (!answer["digests"]) text += "the digests are not those of the rows; they are mended when a peer's differ\n";
  text += count_of(answer, "rows") + " rows of " + count_of(answer, "models") + " models, ";
  if (answer["well"]) return text + "all well\n";
  return text + count_of(answer, "damaged") + " damaged; a running daemon takes those from its peers\n";
}

std::string render_conflicts(const json& answer) {
  std::string text;
  for (const json& one : answer["conflicts"]) {
    text += date_of(one.value("at_ms", std::int64_t{0})) + "  " + row_name(one);
    if (one["field"].is_string()) text += ", " + shown(one["field"]);
    text += ": lost " + value_text(one["lost_value"]) + " of " + shown(one["loser"]).substr(0, 4) + " to " +
            shown(one["winner"]).substr(0, 4) + " (" + shown(one["why"]) + "); now " +
            (one["row_exists"] ? value_text(one["value_now"]) : "deleted") + "\n";
  }
  return text.empty() ? "No conflicts.\n" : text;
}

std::string values_text(const json& values) {
  std::string text;
  for (const json& value : values) text += (text.empty() ? "" : ", ") + value_text(value);
  return text;
}

std::string render_references(const json& answer) {
  std::string text;
  for (const json& one : answer["dangling"])
    text += row_name(one) + ", " + shown(one["columns"]) + ": there is no " + shown(one["parent"]) + " (" +
            values_text(one["missing"]) + ")\n";
  for (const json& one : answer["hidden"]) {
    const bool nulled = one["kind"] == "nulled";
    text += row_name(one) + (nulled ? " is shown with NULL: " : " is hidden: ") + shown(one["why"]) + "\n";
  }
  if (answer["more"] == true || answer["more_hidden"] == true) text += "and more\n";
  return text.empty() ? "Every reference leads to a row, and no row is hidden.\n" : text;
}

std::string render_quarantine(const json& answer) {
  TextTable table;
  table.row({"id", "row", "change", "of", "why"});
  for (const json& one : answer["quarantine"])
    table.row({shown(one["id"]), row_name(one), shown(one["change"]), shown(one["device"]).substr(0, 4), shown(one["why"])});
  std::string text = answer["quarantine"].empty() ? "Nothing is in quarantine.\n" : table.text();
  if (answer["more"]) text += "There are more.\n";
  if (answer["kept"] != 0) text += count_of(answer, "kept") + " values of fields that this version does not know are kept beside their rows.\n";
  return text;
}

std::string render_quarantined(const json& one) {
  std::string text = shown(one["change"]) + " of " + row_name(one) + " by " + shown(one["device"]) + "\n  waits: " + shown(one["why"]) + "\n";
  for (std::size_t i = 0; i < one["values"].size(); ++i) {
    const json& field = one["fields"][i];
    text += "  " + (field.is_null() ? std::string("(a field that is not known here)") : shown(field)) + ": " + value_text(one["values"][i]) + "\n";
  }
  return text;
}

std::string render_albums(const json& answer) {
  TextTable table;
  table.row({"album", "entries", "id", "description"});
  for (const json& album : answer["albums"]) {
    table.row({shown(album["name"]), count_of(album, "entries"), shown(album["id"]), shown(album["description"])});
  }
  return answer["albums"].empty() ? "There are no albums yet; begin with 'starling album add ALBUM PATH'.\n"
                                  : table.text({1});
}

std::string render_album(const json& answer) {
  std::string text;
  for (const json& entry : answer["entries"]) text += entry_line(entry, shown(entry["path"]));
  return text.empty() ? "The album \"" + shown(answer["name"]) + "\" is empty.\n" : text;
}

std::string cell_text(const json& value) {
  constexpr std::size_t kCellMax = 80;  // characters; --json has them all
  if (value.is_null()) return "NULL";
  return shortened(value.is_string() ? shown(value) : value_text(value), kCellMax);
}

std::string render_sql(const json& answer) {
  TextTable table;
  std::vector<std::string> names;
  for (const json& name : answer["columns"]) names.push_back(shown(name));
  table.row(names);
  std::vector<bool> number(names.size(), true);
  for (const json& row : answer["rows"]) {
    std::vector<std::string> cells;
    for (std::size_t i = 0; i < row.size(); ++i) {
      cells.push_back(cell_text(row[i]));
      number[i] = number[i] && (row[i].is_number() || row[i].is_null());
    }
    table.row(std::move(cells));
  }
  std::vector<std::size_t> right_aligned;
  for (std::size_t i = 0; i < number.size(); ++i) {
    if (number[i]) right_aligned.push_back(i);
  }
  const bool more = answer.value("more", false);
  return table.text(right_aligned) + (more ? "There are more rows than one answer holds; use LIMIT and OFFSET.\n" : "");
}

std::string render_commit(const json& answer, const std::string& done) {
  return answer["commit"]["rows"] == 0 ? "Nothing to do: it is so already.\n" : done + "\n";
}

}  // namespace

std::string render(const Invocation& typed, const json& answer, bool has_daemon) {
  switch (typed.verb) {
    case Verb::init: return render_init(answer);
    case Verb::id: return shown(answer["device"]) + "\n";
    case Verb::peer_add: return "Added " + shown(answer["device"]) + ".\n";
    case Verb::index: return render_index(answer);
    case Verb::tag: return render_commit(answer, "Tagged.");
    case Verb::untag: return render_commit(answer, "Untagged.");
    case Verb::tag_list: return render_tags(answer);
    case Verb::tag_set: return render_commit(answer, "Set.");
    case Verb::tag_rm: return render_commit(answer, "Deleted.");
    case Verb::ls: return render_ls(answer);
    case Verb::peer_remove: return answer["device"].get<std::string>() + " is no longer let in.\n";
    case Verb::peer_list: return render_peers(answer);
    case Verb::member_list: return render_members(answer);
    case Verb::member_remove:
      return "Removed " + shown(answer["device"]) + ": nothing is kept for it any more. 'member admit' lets it come back.\n";
    case Verb::identity_keep:
      return "This device goes on. The other machine writes nothing as it any more: let it begin with an empty folder.\n";
    case Verb::member_admit:
      return "Admitted " + shown(answer["device"]) + ": it comes back under a new incarnation, once it is a peer again.\n";
    case Verb::backup: return "Copied " + human_size(answer["bytes"]) + " into " + shown(answer["path"]) + ".\n";
    case Verb::pause: return "Paused: changes travel again after 'starling resume'.\n";
    case Verb::resume: return "Changes travel again.\n";
    case Verb::leave: return "Synchronising has ended here. The data stays in " + shown(answer["database"]) + ".\n";
    case Verb::album_add: return render_commit(answer, "Added.");
    case Verb::album_remove: return render_commit(answer, typed.whole ? "Deleted." : "Removed.");
    case Verb::album_ls: return render_albums(answer);
    case Verb::album_show: return render_album(answer);
    case Verb::sql: return render_sql(answer);
    case Verb::status: return render_status(answer, has_daemon);
    case Verb::digest: return render_digest(answer);
    case Verb::verify: return render_verify(answer);
    case Verb::conflicts: return render_conflicts(answer);
    case Verb::references: return render_references(answer);
    case Verb::quarantine_list: return render_quarantine(answer);
    case Verb::quarantine_show: return render_quarantined(answer);
    case Verb::quarantine_retry: return count_of(answer, "released") + " applied, " + count_of(answer, "left") + " still wait\n";
  }
  return {};
}

}  // namespace starling::apps
