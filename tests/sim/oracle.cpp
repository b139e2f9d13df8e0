#include "tests/sim/oracle.h"

#include <algorithm>

#include "core/base/sha256.h"
#include "core/store/origin_table.h"
#include "core/store/digest_table.h"
#include "core/store/peer_log.h"
#include "core/store/quarantine.h"
#include "core/store/schema_reader.h"
#include "core/store/statement.h"
#include "core/store/sync_state.h"
#include "proto/entry.h"
#include "tests/core/store/digests_anew.h"
#include "tests/sim/ledger.h"

namespace starling::sim {
namespace {

constexpr std::size_t kDifferencesShown = 5;

class Complaints {
 public:
  Complaints(const SimNode& node, std::vector<std::string>& all) : node_(node), all_(all) {}
  void check(bool ok, const std::string& otherwise) {
    if (!ok) all_.push_back(node_.name() + ": " + otherwise);
  }

 private:
  const SimNode& node_;
  std::vector<std::string>& all_;
};

std::int64_t number(const SimNode& node, std::string_view sql) { return node.query(sql).integer(0); }

// What is not shown, or not as it is, with its merged values.
std::vector<std::vector<SqlValue>> hidden_rows(const SimNode& node) {
  return node.query("SELECT m.name, h.key, h.kind, h.row FROM sync_hidden h JOIN sync_model m ON m.number=h.model ORDER BY 1, 2").rows;
}

std::string show(const reference::VisibleRow& row) {
  std::string text;
  for (const auto& [field, value] : row) text += (text.empty() ? "" : ", ") + std::to_string(field) + "=" + describe_values(value);
  return "{" + text + "}";
}

void compare(const Table& here, const Table& there, const std::string& table, const std::string& what,
             Complaints& complaints) {
  std::size_t shown = 0;
  Table all = here;
  all.insert(there.begin(), there.end());
  for (const auto& [key, row] : all) {
    const auto a = here.find(key);
    const auto b = there.find(key);
    if (a != here.end() && b != there.end() && a->second == b->second) continue;
    if (++shown > kDifferencesShown) return;
    complaints.check(false, table + " " + describe_values(key) + ": " + (a == here.end() ? "no row" : show(a->second)) + ", but " +
                                what + ": " + (b == there.end() ? "no row" : show(b->second)));
  }
}

// Walks the log as its authors wrote it: no gap, chained, clocks growing, causes before effects.
class LogWalk {
 public:
  LogWalk(const SimNode& node, Complaints& complaints) : node_(node), complaints_(complaints) {}

  void run() {
    for (const auto& [origin, position] : node_.vector())
      if (origin != node_.store().self() || !node_.store().state().provisional()) walk(origin, position);  // drafts are no log yet
  }

 private:
  void walk(const Origin& origin, const Position& position) {
    Statement select(node_.store().handle(), "SELECT DISTINCT seq FROM sync_log WHERE origin=? ORDER BY seq");
    const ResetGuard guard(select);
    const Ordinal ordinal = *node_.store().origins().find(origin);
    select.integer(ordinal);
    Seq seq = node_.store().origins().horizon(ordinal).seq;
    Hlc hlc;
    std::optional<Hash128> previous;
    if (seq == Seq{}) previous = Hash128();
    bool any = false;
    while (select.step()) {
      any = true;
      const Bytes bytes = *node_.store().log().find(ordinal, Seq{static_cast<std::uint64_t>(select.column_integer(0))});
      const Expected<DecodedEntry> entry = decode_entry(bytes, node_.store().schema());
      complaints_.check(entry.has_value(), "an entry does not decode");
      if (!entry) return;
      const EntryHeader& h = entry->header;
      seq = seq.next();
      complaints_.check(h.seq == seq && h.origin == origin, "the log has a gap or a stranger's entry");
      complaints_.check(h.hlc > hlc, "the clock of an author goes back");
      complaints_.check(!previous || h.previous == *previous, "the chain of entries is broken");
      complaints_.check(node_.store().known().covers(h.dependencies), "an entry is here before what it depends on");
      for (const auto& [other, seen] : h.dependencies)
        complaints_.check(seen.hlc < h.hlc, "a stamp does not exceed what its author had seen");
      hlc = h.hlc;
      previous = hash128(bytes);
    }
    complaints_.check(seq == position.seq && (!any || hlc == position.hlc), "the vector does not say where the log ends");
  }

  const SimNode& node_;
  Complaints& complaints_;
};

void check_shared_rows(const SimNode& node, const Ledger& ledger, Complaints& complaints) {
  LogWalk(node, complaints).run();
  if (ledger.merging(node)) return;  // a snapshot: its rows are of no vector yet
  const auto visible = ledger.visible(node);
  for (const ModelSchema& model : node.store().schema().models) {
    if (model.kind != Kind::shared) continue;
    if (model.has_rules() && ledger.rules_open(node)) continue;
    Table expected;
    for (const auto& [name, row] : visible)
      if (name.first == model.name) expected[name.second] = row;
    Table here = read_table(node, model);
    for (Table* table : {&here, &expected})  // what a draft meets may be forgotten: compared once it is told
      std::erase_if(*table, [&](const auto& row) {
        return ledger.drafted(node, {model.name, row.first}) || ledger.waits(node, {model.name, row.first});
      });
    compare(here, expected, model.name, "the reference merge says", complaints);
  }
}

// Every row has its version, and every version that says so has its row.
void check_versions(const SimNode& node, Complaints& complaints) {
  for (const ModelSchema& model : node.store().schema().models) {
    const std::string alive = "SELECT count(*) FROM sync_row WHERE dead_seq IS NULL AND model=(SELECT number FROM"
                              " sync_model WHERE name='" + model.name + "')";
    const std::string hidden = "SELECT count(*) FROM sync_hidden WHERE kind<>3 AND model=(SELECT number FROM sync_model"
                               " WHERE name='" + model.name + "')";
    complaints.check(number(node, alive) == node.count(model.name) + number(node, hidden),
                     model.name + " has rows without versions, or versions without rows");
  }
  complaints.check(number(node, "SELECT count(*) FROM (SELECT 1 FROM sync_row WHERE rev IS NOT NULL"
                                " GROUP BY origin, rev HAVING count(*)>1)") == 0, "two rows with one revision");
  complaints.check(number(node, "SELECT count(*) FROM sync_row r JOIN sync_origin o ON o.ordinal=r.origin"
                                " WHERE r.rev>o.rev") == 0, "a row beyond its owner's position");
  VersionVector on_disk;
  const Rows rows = node.query("SELECT device, birth, random, rev, seq, hlc FROM sync_origin");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto at = [&](std::size_t column) { return static_cast<std::uint64_t>(rows.integer(i, column)); };
    on_disk.join({DeviceId::from(rows.text(i, 0)), {Hlc{at(1)}, static_cast<std::uint32_t>(at(2))}},
                 {Rev{at(3)}, Seq{at(4)}, Hlc{at(5)}});
  }
  complaints.check(on_disk == node.vector(), "the vector in memory is not the one on disk");
}

// What grows while nobody looks (promise 9): the WAL, and the ring of conflicts.
void check_bounds(const SimNode& node, Complaints& complaints) {
  constexpr std::size_t kWalMax = 64 * limits::MiB;  // journal_size_limit
  const std::shared_ptr<DiskFile> wal = node.disk().find(std::string(kDatabaseFile) + "-wal");
  complaints.check(!wal || wal->data().size() <= kWalMax, "its WAL has grown beyond its limit");
  complaints.check(number(node, "SELECT count(*) FROM sync_conflict") <= static_cast<std::int64_t>(limits::kConflictRing),
                   "more conflicts are kept than the ring holds");
}

}  // namespace

Table read_table(const SimNode& node, const ModelSchema& model) {
  const Disk::Calm calm(node.disk());
  return RowReader(node.store().handle(), node.store().shared_schema()).table(model);
}

std::string digest_of(const SimNode& node) {
  ByteWriter w;
  for (const ModelSchema& model : node.store().schema().models) {
    w.blob(model.name);
    for (const auto& [key, row] : read_table(node, model)) {
      w.blob(key);
      for (const auto& [field, value] : row) w.blob(value);
    }
  }
  return to_hex(hash128(w.bytes()).view());
}

void complain_of_node(const SimNode& node, const Ledger& ledger, std::vector<std::string>& all) {
  const Disk::Calm calm(node.disk());
  Complaints complaints(node, all);
  const std::string integrity = node.query("PRAGMA integrity_check").text(0);
  complaints.check(integrity == "ok", "integrity_check: " + integrity);
  check_bounds(node, complaints);
  check_versions(node, complaints);
  check_shared_rows(node, ledger, complaints);
  complaints.check(node.status().damaged == 0, "has rows that are not as they were written");
  complaints.check(node.store().digests().list() == digests_anew(node.store()), "its digests are not those of its rows");
}

void complain_of_differences(const std::vector<SimNode*>& nodes, std::vector<std::string>& all) {
  for (const SimNode* node : nodes) {
    Complaints complaints(*node, all);
    const Status status = node->status();
    complaints.check(status.readiness == Readiness::ready, std::string("is ") + to_string(status.readiness) + ", not ready");
    complaints.check(status.initial_sync_completed, "has not completed its initial sync");
    for (const WaitingOrigin& waiting : status.waiting) complaints.check(false, "waits: " + waiting.why);
    for (const PeerStatus& peer : status.peers)
      complaints.check(peer.vector == node->vector(), "a peer has not acknowledged all");
    complaints.check(node->vector() == nodes.front()->vector(), "its vector differs from that of " + nodes.front()->name());
    if (node->store().quarantined() + nodes.front()->store().quarantined() == 0)
      complaints.check(node->store().digests().hash() == nodes.front()->store().digests().hash(),
                       "its digests differ from those of " + nodes.front()->name());
    complaints.check(hidden_rows(*node) == hidden_rows(*nodes.front()), "its hidden rows differ from those of " + nodes.front()->name());
    if (digest_of(*node) == digest_of(*nodes.front())) continue;
    complaints.check(false, "its rows differ from those of " + nodes.front()->name());
    for (const ModelSchema& model : node->store().schema().models)
      compare(read_table(*node, model), read_table(*nodes.front(), model), model.name, nodes.front()->name(), complaints);
  }
}

}  // namespace starling::sim
