#include "apps/demo/verdict.h"

#include <algorithm>
#include <map>

#include "apps/common/byte_text.h"
#include "apps/common/text_table.h"
#include "apps/demo/shell_digest.h"
#include "apps/demo/tagger.h"

namespace starling::demo {
namespace {

using apps::grouped;
using apps::printable;
using apps::TextTable;

constexpr std::size_t kDigestShown = 12;  // characters; all of them are compared

const char* yes(bool equal) { return equal ? "equal" : "DIFFERENT"; }

std::string cut(const std::string& digest) { return digest.substr(0, kDigestShown); }

bool show_digests(Story& story, const Voice& voice) {
  const json a = story.a().call({{"op", "digest"}})["models"];
  const json b = story.b().call({{"op", "digest"}})["models"];
  const auto shell_a = shell_digests(story.a().database());
  const auto shell_b = shell_digests(story.b().database());
  bool equal = a.size() == b.size() && a.size() == shell_a.size();
  TextTable table;
  table.row({"model", "kind", "rows A", "rows B", "digest A", "digest B", "sqlite3 A", "sqlite3 B", ""});
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const std::string name = a[i]["model"];
    const ShellDigest shell_of_a = shell_a.contains(name) ? shell_a.at(name) : ShellDigest{};
    const ShellDigest shell_of_b = shell_b.contains(name) ? shell_b.at(name) : ShellDigest{};
    const bool same = a[i] == b[i] && shell_of_a.sha3 == shell_of_b.sha3 && !shell_of_a.sha3.empty() &&
                      shell_of_a.rows == a[i]["rows"] && shell_of_b.rows == b[i]["rows"];
    equal = equal && same;
    if (same && a[i]["rows"] == 0) continue;  // the story has no albums: compared, not shown
    table.row({name, a[i]["kind"], grouped(a[i]["rows"]), grouped(b[i]["rows"]), cut(a[i]["sha256"]), cut(b[i]["sha256"]),
               cut(shell_of_a.sha3), cut(shell_of_b.sha3), yes(same)});
  }
  voice.lines(table.text({2, 3}));
  return equal;
}

std::string value_text(const json& value) {
  if (value.is_null()) return "none";
  return value.is_string() ? printable(value.get<std::string>()) : value.dump();
}

std::string device_name(Story& story, const json& id) {
  if (id == story.a().id()) return "A";
  return id == story.b().id() ? "B" : "?";
}

// All conflicts of one field of one row.
struct Contested {
  std::size_t on_a = 0;  // times that A decided
  std::size_t on_b = 0;
  json last;
};
using ContestedFields = std::map<std::pair<std::string, std::string>, Contested>;

void collect_conflicts(Device& device, std::size_t Contested::*count, ContestedFields& fields) {
  const json answer = device.call({{"op", "conflicts"}});
  for (const json& one : answer["conflicts"]) {  // newest first
    std::string row = one["model"];
    for (const json& part : one["key"]) row += " " + value_text(part);
    Contested& field = fields[{row, one["field"].is_null() ? "whole row" : value_text(one["field"])}];
    field.*count += 1;
    if (field.last.is_null() || one["winner_ms"] > field.last["winner_ms"]) field.last = one;
  }
}

// False: a conflict that must have been is not there.
bool show_conflicts(Story& story, const Voice& voice) {
  ContestedFields fields;
  collect_conflicts(story.a(), &Contested::on_a, fields);
  collect_conflicts(story.b(), &Contested::on_b, fields);
  voice.line("Conflicts, as sync_conflict has them: concurrent changes of one field. The later one wins on every device;");
  voice.line("each device records what it saw lose, so the counts may differ.");
  TextTable table;
  table.row({"row", "field", "on A", "on B", "lost last", "of", "to", "because of", "now on both"});
  for (const auto& [name, field] : fields) {
    const json& last = field.last;
    table.row({name.first, name.second, grouped(field.on_a), grouped(field.on_b), value_text(last["lost_value"]),
               device_name(story, last["loser"]), device_name(story, last["winner"]), "its " + value_text(last["why"]),
               last["row_exists"] ? value_text(last["value_now"]) : "deleted"});
  }
  voice.lines(table.text({2, 3}));
  const Contested color = fields[{"tag " + std::string(kBothTag), "color"}];
  return color.on_a > 0 && color.on_b > 0;
}

// What both wrote to different fields must both be there; of what excluded each other, one and the same.
bool check_edits(Story& story, const Voice& voice) {
  const json a = story.a().call({{"op", "tag_list"}})["tags"];
  const json b = story.b().call({{"op", "tag_list"}})["tags"];
  const auto find = [&a](const std::string& name) {
    const auto at = std::find_if(a.begin(), a.end(), [&](const json& tag) { return tag["name"] == name; });
    return at == a.end() ? json() : *at;
  };
  const json work = find(kFieldsTag);
  const json both = find(kBothTag);
  const bool kept = !work.is_null() && work["color"] == "#bb3333" &&
                    work["description"] == "described on A while B was dead";
  const bool later = !both.is_null() && both["color"] == "#bb2222";
  const bool deleted = find(kDoomedTag).is_null();
  voice.line("different fields of one row: both edits kept ........... " + std::string(kept ? "yes" : "NO"));
  voice.line("the same field: the later edit (B's) stands on both .... " + std::string(later ? "yes" : "NO"));
  voice.line("deleted on B while A described it: gone on both ........ " + std::string(deleted ? "yes" : "NO"));
  return kept && later && deleted && a == b;
}

}  // namespace

bool give_verdict(Story& story, Voice& voice) {
  voice.step("What each of them has now");
  const json a = story.a().call({{"op", "status"}});
  const json b = story.b().call({{"op", "status"}});
  const bool digests = show_digests(story, voice);
  const bool vectors = a["vector"] == b["vector"];
  // NOLINTNEXTLINE(readability-container-size-empty): empty() of a JSON string is never true
  const bool settled = a["quarantined"] == 0 && b["quarantined"] == 0 && a["failed"] == "" && b["failed"] == "";
  voice.line("");
  const Facts& facts = story.facts();
  std::uint64_t changes = 0, transactions = 0;
  for (const auto& [origin, position] : a["vector"].items()) {
    changes += position["rev"].get<std::uint64_t>();
    transactions += position["seq"].get<std::uint64_t>();
  }
  TextTable table;
  table.row({"vectors", yes(vectors), settled ? "nothing in quarantine" : "NOT SETTLED"});
  table.row({"changes", grouped(changes) + " of device-owned rows", grouped(transactions) + " shared transactions"});
  table.row({"on the wire", apps::human_size(facts.bytes_total), "both ways, all day"});
  table.row({"to converge", fixed(facts.seconds_to_converge, 2) + " s", "from B's start with the network"});
  table.row({"one live change", "p50 " + fixed(facts.latencies.percentile(50), 2) + " ms",
             "p99 " + fixed(facts.latencies.percentile(99), 2) + " ms, commit to visible"});
  voice.lines(table.text());
  voice.line("");
  const bool recorded = show_conflicts(story, voice);
  voice.line("");
  const bool edits = check_edits(story, voice);
  return digests && vectors && settled && recorded && edits;
}

}  // namespace starling::demo
