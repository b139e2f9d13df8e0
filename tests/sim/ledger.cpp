#include "tests/sim/ledger.h"

#include <algorithm>

#include "core/base/sha256.h"
#include "core/store/ack_store.h"
#include "core/store/origin_table.h"
#include "core/store/snapshot_stage.h"
#include "core/store/sync_state.h"
#include "tests/sim/edit.h"
#include "tests/sim/node.h"

namespace starling::sim {
namespace {

constexpr std::size_t kComplaintsMax = 20;

std::string at(const Origin& origin, std::uint64_t number) { return short_string(origin.device) + ":" + std::to_string(number); }

// What is left of a row where a model has so many fields.
reference::VisibleRow as_here(reference::VisibleRow row, const ModelSchema& m) {
  std::erase_if(row, [&](const auto& field) { return field.first >= m.fields.size(); });
  return row;
}

Bytes joined(const reference::VisibleRow& row) {
  Bytes all;
  for (const auto& [field, value] : row) all += value;
  return all;
}

std::string describe(const std::optional<reference::VisibleRow>& row) { return row ? describe_values(joined(*row)) : "nothing"; }

// Its owner may have been upgraded since, and have more fields.
bool same_where_both_have(const std::optional<reference::VisibleRow>& a, const std::optional<reference::VisibleRow>& b) {
  if (a.has_value() != b.has_value()) return false;
  return !a || std::all_of(a->begin(), a->end(), [&](const auto& field) { return !b->contains(field.first) || b->at(field.first) == field.second; });
}

// The row as a model here shows it: fields that its owner did not have read as their defaults.
reference::VisibleRow as_shown(const reference::VisibleRow& row, const ModelSchema& m) {
  reference::VisibleRow here;
  for (FieldIndex i = 0; i < m.fields.size(); ++i) {
    if (m.fields[i].key_position != 0) continue;
    const auto held = row.find(i);
    here[i] = held != row.end() ? held->second : m.fields[i].default_value;
  }
  return here;
}

// What it may have told: not what has no number yet.
VersionVector numbered(const SimNode& node) {
  VersionVector vector = node.vector();
  if (node.store().state().provisional()) vector.put_back(node.store().self(), {vector.at(node.store().self()).rev, Seq{}, Hlc{}});
  return vector;
}

// The seeds of a model: of texts and NULL, the first of them the key.
void plant_seeds(const Schema& schema, reference::State& state) {
  for (const ModelSchema& m : schema.models) {
    for (const std::string& seed : m.seeds) {
      ByteWriter values;
      Bytes key;
      for (std::size_t at = 0; at < seed.size();) {
        const std::size_t end = std::min(seed.find(", ", at), seed.size());
        const BytesView value = BytesView(seed).substr(at, end - at);
        write_value(values, value == "NULL" ? ValueView::null() : ValueView::text(value.substr(1, value.size() - 2)));
        if (key.empty()) key = values.take();
        at = end + 2;
      }
      state.apply(m.name, {schema.index_of(m), Op::insert, Stamp{}, key, m.all_fields() & ~m.key_fields(), values.bytes()}, Stamp{});
    }
  }
}

bool reads_anew(const SimNode& node) {
  const OriginTable& origins = node.store().origins();
  return std::any_of(origins.vector().begin(), origins.vector().end(),
                     [&](const auto& one) { return origins.restart(*origins.find(one.first)) != Rev{}; });
}

}  // namespace

reference::Row Ledger::Watch::row(const RowName& name) const {
  reference::Row row = state.at(name);
  if (drafted.contains(name)) row.join(drafts.at(name));
  return row;
}

bool Ledger::Watch::rules_open() const {
  const auto has_rules = [&](const RowName& name) {
    const ModelSchema* m = rows->schema().find(name.first);
    return m != nullptr && m->has_rules();
  };
  return std::any_of(drafted.begin(), drafted.end(), has_rules) || std::any_of(waiting.begin(), waiting.end(), has_rules);
}

naive::ShownRows Ledger::Watch::shown_by_rules() const {
  naive::LiveRows live;
  for (const ModelSchema& m : rows->schema().models) {
    if (!m.has_rules()) continue;
    state.for_each_of(m.name, [&](const RowName& name, const Stamp& generation, reference::VisibleRow fields) {
      live[name] = {generation, as_here(std::move(fields), m)};
    });
  }
  return naive::shown(rows->schema(), live);
}

std::map<reference::RowName, reference::VisibleRow> Ledger::visible(const SimNode& node) const {
  const Watch& w = watches_.at(&node);
  auto rows = w.state.visible();
  std::erase_if(rows, [&](const auto& row) { return w.rows->schema().find(row.first.first)->has_rules(); });
  for (auto& [name, row] : rows) row = as_here(std::move(row), *w.rows->schema().find(name.first));
  rows.merge(w.shown_by_rules());
  for (const RowName& name : w.drafted) {
    const auto now = shown(w, name);
    if (now) rows[name] = *now;
    else rows.erase(name);
  }
  return rows;
}

Ledger::Shown Ledger::shown(const Watch& w, const RowName& name) {
  const reference::Row row = w.row(name);
  return row.visible() ? std::optional(as_here(row.values(), *w.rows->schema().find(name.first))) : std::nullopt;
}

void Ledger::complain(const SimNode& node, const std::string& what) {
  if (complaints_.size() < kComplaintsMax) complaints_.push_back(node.name() + " " + what);
}

// ---- What is heard ----

void Ledger::opened(SimNode& node) {
  Watch& w = watches_[&node];
  if (w.distrusted) {
    w.self = node.store().self();
    w.rows = std::make_unique<RowReader>(node.store().handle(), node.store().shared_schema());
    return;
  }
  if (w.was_open && w.in_doubt && is_renamed(node, w)) {  // it died as it began another life
    w.in_doubt = false;
    return;
  }
  if (!numbered(node).covers(w.seen)) complain(node, "lost what it had committed");
  if (!numbered(node).covers(w.told)) complain(node, "lost what it had acknowledged");
  const bool adopts = node.store().schema().digest() != w.schema;  // rows of new models are entries from now on
  if (w.was_open && !w.in_doubt && !adopts && !w.merging && numbered(node) != w.seen) complain(node, "begins with what no write had left");
  w.was_open = true;
  w.self = node.store().self();
  w.in_doubt = false;
  read_anew(node, w);
}

// It goes on under a new life: what it had under the former one may be drafts now, or rows of the new one.
bool Ledger::is_renamed(SimNode& node, Watch& w) {
  if (w.self == node.store().self()) return false;
  w.self = node.store().self();
  w.distrusted = false;
  w.schema = {};
  w.told = {};
  read_anew(node, w);
  return true;
}

// Under other models entries read otherwise: all of them are judged again.
void Ledger::read_anew(SimNode& node, Watch& w) {
  const Disk::Calm calm(node.disk());
  w.rows = std::make_unique<RowReader>(node.store().handle(), node.store().shared_schema());
  const Hash128 schema = node.store().schema().digest();
  if (std::exchange(w.schema, schema) != schema) {
    w.seen = {};
    w.state = {};
  }
  plant_seeds(node.store().schema(), w.state);
  w.drafts = {};
  w.drafted.clear();
  w.draft_clocks.clear();
  w.drafts_read = {};
  w.opening = true;
  observe(node, {});
  w.opening = false;
}

void Ledger::migrated(SimNode& node) { read_anew(node, watches_[&node]); }

void Ledger::closing(SimNode& node) { watches_[&node].rows.reset(); }

void Ledger::in_doubt(SimNode& node) { watches_[&node].in_doubt = true; }

void Ledger::committed(SimNode& node, const LocalCommit& commit) {
  if (watches_[&node].distrusted) return;
  if (commit.rows > 0 && !node.vector().at(commit.origin).covers({commit.rev_after, commit.seq, commit.hlc}))
    complain(node, "does not hold what it has just committed");
  Named named;
  named.add(commit.changes);
  observe(node, named);
}

void Ledger::stepped(SimNode& node, const std::vector<Effect>& effects) {
  Watch& w = watches_[&node];
  const auto hear_all = [&] {
    for (const Effect& effect : effects)
      if (const auto* send = std::get_if<Send>(&effect)) hear(node, w, *send);
    check_acknowledgements(node);
  };
  if (is_renamed(node, w)) return hear_all();
  if (w.distrusted) {  // a peer that knows it knows no more of it than it does: nothing was lost
    const bool trusted = std::any_of(effects.begin(), effects.end(), [](const Effect& e) { return std::holds_alternative<Accepted>(e); });
    if (!trusted) return;
    w.distrusted = false;
    w.schema = {};
    read_anew(node, w);
    return hear_all();
  }
  const bool news = numbered(node) != w.seen || !w.waiting.empty() || w.merging || w.anew || reads_anew(node) || node.store().snapshot().merging();
  w.anew = reads_anew(node);
  Named named;
  for (const Effect& effect : effects)
    if (const auto* changed = std::get_if<Changed>(&effect)) named.add(changed->event);
  if (!news && !w.damaged && !named.rows.empty()) complain(node, "changed " + named.rows.begin()->first + " " + describe_values(named.rows.begin()->second) + " although nothing new had come");
  observe(node, named);
  hear_all();
}

void Ledger::hear(SimNode& node, Watch& w, const Send& send) {
  const auto holds = [&](const VersionVector& vector) {
    if (!numbered(node).covers(vector)) complain(node, "tells others of what it does not hold");
    w.told.join(vector);
  };
  const Origin& self = node.store().self();
  for (const SessionId session : send.sessions) {
    if (const auto* hello = std::get_if<Hello>(send.message.get())) {
      holds(hello->vector);
      given_[{self.device, hello->incarnation, hello->ack_version}] = said_[session] = hello->vector;
    } else if (const auto* acks = std::get_if<AckSharedChanges>(send.message.get())) {
      for (const AckSharedChanges::One& one : acks->acks) {
        if (one.ack.member != self.device) {  // compared where it arrives
          ++relayed_;
          continue;
        }
        holds(one.ack.vector);
        if (!one.delta) said_[session] = {};
        said_[session].join(one.ack.vector);
        given_[{one.ack.member, one.ack.incarnation, one.ack.version}] = said_[session];
      }
    } else if (const auto* heartbeat = std::get_if<Heartbeat>(send.message.get()); heartbeat != nullptr && heartbeat->vector) {
      holds(*heartbeat->vector);
    }
  }
}

void Ledger::check_acknowledgements(SimNode& node) {
  for (const auto& [member, ack] : node.store().acks().table().all()) {
    if (ack.vector.empty() || put_back_.contains({member, ack.incarnation})) continue;
    const auto given = given_.find({member, ack.incarnation, ack.version});
    if (given == given_.end() || given->second != ack.vector)
      complain(node, "has another acknowledgement of " + short_string(member) + " than was given");
  }
}

void Ledger::replaced(SimNode& node) {
  put_back_.insert(watches_[&node].self);
  watches_[&node] = {};
}

// ---- What is read ----

void Ledger::Named::add(const Named& other) {
  everything = everything || other.everything;
  rows.insert(other.rows.begin(), other.rows.end());
}

void Ledger::Named::add(const ChangeSet& changes) {
  everything = everything || changes.overflow;
  for (const ChangedRow& row : changes.rows) rows.emplace(changes.schema->models[row.model].name, row.key);
}

void Ledger::observe(SimNode& node, const Named& named) {
  Watch& w = watches_[&node];
  const Disk::Calm calm(node.disk());
  w.latest_ms = std::max(w.taking ? w.latest_ms : 0, node.wall().ms);
  w.taking = node.store().snapshot().listed() > 0;
  if (node.store().snapshot().merging()) {
    w.merging = true;
    w.named.add(named);
    w.named.everything |= w.opening;  // the application that was told before is gone
    Touched later;  // what rows show is compared when the snapshot is merged
    read_drafts(node, w, later);
    return record_own(node, w);
  }
  w.named.add(named);
  w.merging = false;
  Named all = std::exchange(w.named, {});
  Touched touched;
  const bool had_drafts = !w.drafted.empty();
  read_drafts(node, w, touched);
  read_waiting(node, w, touched);
  all.everything |= had_drafts && w.drafted.empty();  // what met a draft was told when it came, and compared with it here
  if (numbered(node) == w.seen && touched.empty()) return;
  if (!numbered(node).covers(w.seen)) complain(node, "goes back behind what it held");
  const VersionVector news = numbered(node).changed_since(w.seen);
  for (const auto& [origin, position] : news) {
    const Position before = w.seen.at(origin);
    if (position.seq > before.seq) read_log(node, w, origin, before.seq, touched);
  }
  check_shared(node, w, touched, all);
  const VersionVector old = std::exchange(w.seen, numbered(node));
  for (const auto& [origin, position] : news) {
    if (position.rev > old.at(origin).rev) read_state(node, w, origin, old.at(origin).rev);
  }
}

// What has come out of quarantine is compared.
void Ledger::read_waiting(SimNode& node, Watch& w, Touched& touched) {
  const std::set<RowName> before = std::exchange(w.waiting, w.rows->waiting());
  for (const RowName& name : before) {
    const ModelSchema* m = w.rows->schema().find(name.first);
    if (m == nullptr || w.waiting.contains(name)) continue;
    if (m->kind == Kind::shared) {
      touched.try_emplace(name, shown(w, name));
      continue;
    }
    for (const auto& [of, versions] : owned_)
      if (of.second == name) check_owned(node, w, name, versions);
  }
}

void Ledger::forget_drafts(Watch& w, Touched& touched) {
  for (const RowName& name : w.drafted)
    if (!touched.contains(name)) touched[name] = shown(w, name);
  w.drafts = {};
  w.drafted.clear();
  w.draft_clocks.clear();
  w.drafts_read = {};
}

// What has no number yet, and is this device's alone.
void Ledger::read_drafts(SimNode& node, Watch& w, Touched& touched) {
  const bool provisional = node.store().state().provisional();
  const Seq written = provisional ? node.vector().at(node.store().self()).seq : Seq{};
  if (written == w.drafts_read) return;
  if (written < w.drafts_read) {
    if (provisional) complain(node, "lost what it had committed");
    forget_drafts(w, touched);
  }
  const Schema& schema = w.rows->schema();
  w.rows->log(node.store().self_ordinal(), w.drafts_read, [&](Seq seq, const Bytes& bytes) {
    if (seq > written) return;
    const Expected<DecodedEntry> entry = decode_entry(bytes, schema);
    if (!entry) return complain(node, "holds an entry that it cannot read: " + entry.error().text());
    w.draft_clocks.insert(entry->header.hlc);
    const auto now = [&](Stamp stamp) {  // of an earlier life, which had told nobody of it: it is this one's, then
      return stamp.origin.device == node.device() && w.draft_clocks.contains(stamp.hlc) ? Stamp{stamp.hlc, node.store().self()} : stamp;
    };
    for (Change c : entry->changes) {
      if (c.model >= schema.models.size()) continue;
      const RowName name(schema.models[c.model].name, Bytes(c.key));
      if (!touched.contains(name)) touched[name] = shown(w, name);
      c.generation = now(c.generation);
      w.drafts.apply(name.first, c, now(entry->header.stamp()));
      w.drafted.insert(name);
    }
  });
  w.drafts_read = written;
}

// Peers may hear of it before the snapshot is merged.
void Ledger::record_own(SimNode& node, Watch& w) {
  const Origin& self = node.store().self();
  const std::map<Rev, RowName>& revisions = revisions_[self];
  record_state(node, w, revisions.empty() ? Rev{} : revisions.rbegin()->first);
  if (node.store().state().provisional()) return;
  w.rows->log(node.store().self_ordinal(), Seq{logs_[self].size()}, [&](Seq seq, Bytes bytes) { record(node, self, seq, std::move(bytes)); });
}

// Below its horizon a node holds no entries: there, what their authors wrote counts.
void Ledger::read_log(SimNode& node, Watch& w, const Origin& origin, Seq from, Touched& touched) {
  const Ordinal ordinal = *node.store().origins().find(origin);
  const Seq horizon = node.store().origins().horizon(ordinal).seq;
  std::deque<Entry>& written = logs_[origin];
  Seq last = from;
  for (; last < horizon; last = last.next()) {
    if (last.value >= written.size()) return complain(node, "has a horizon beyond what was written: " + at(origin, horizon.value));
    read_entry(node, w, origin, written[last.value], touched);
  }
  w.rows->log(ordinal, last, [&](Seq seq, Bytes bytes) {
    if (seq != last.next()) complain(node, "has a gap in its log before " + at(origin, seq.value));
    last = seq;
    if (Entry* entry = record(node, origin, seq, std::move(bytes))) read_entry(node, w, origin, *entry, touched);
  });
  if (last != node.vector().at(origin).seq) complain(node, "has a log that does not end where its vector says");
}

void Ledger::read_entry(SimNode& node, Watch& w, const Origin& origin, Entry& entry, Touched& touched) {
  const Schema& schema = w.rows->schema();
  const EntryHeader& h = entry.header;
  const std::string name_of_entry = at(origin, h.seq.value);
  if (!node.vector().covers(h.dependencies)) complain(node, "applied " + name_of_entry + " before what its author had seen");
  if (!w.opening && origin != node.store().self() && h.hlc.ms() > w.latest_ms + limits::kDriftMaxMs)
    complain(node, "applied " + name_of_entry + ", whose clock is beyond the drift limit");
  auto decoded = entry.under.find(schema.digest());
  if (decoded == entry.under.end()) {
    Expected<DecodedEntry> now = decode_entry(entry.bytes, schema);
    if (!now) return complain(node, "holds an entry that it cannot read: " + now.error().text());
    decoded = entry.under.emplace(schema.digest(), std::move(*now)).first;
  }
  for (const Change& c : decoded->second.changes) {
    if (c.model >= schema.models.size()) continue;  // it waits for an upgrade
    const RowName name(schema.models[c.model].name, Bytes(c.key));
    if (!touched.contains(name)) touched[name] = shown(w, name);
    w.state.apply(name.first, c, stamp_of(c, h.stamp()));
  }
}

Ledger::Entry* Ledger::record(SimNode& node, const Origin& origin, Seq seq, Bytes bytes) {
  std::deque<Entry>& log = logs_[origin];
  if (seq.value <= log.size()) {
    Entry& known = log[seq.value - 1];
    if (known.bytes == bytes) return &known;
    complain(node, "holds other bytes under the name " + at(origin, seq.value));
    return nullptr;
  }
  if (origin != node.store().self() || seq.value != log.size() + 1) {
    complain(node, "holds " + at(origin, seq.value) + ", which its author never wrote");
    return nullptr;
  }
  const Expected<EntryHeader> header = decode_entry_header(bytes);
  if (!header) {
    complain(node, "wrote an entry that does not decode");
    return nullptr;
  }
  Entry entry{std::move(bytes), *header, {}, {}};
  entry.hash = hash128(entry.bytes);
  check_author(node, origin, entry);
  ++entries_written_;
  return &log.emplace_back(std::move(entry));
}

void Ledger::check_author(SimNode& node, const Origin& origin, const Entry& entry) {
  const std::deque<Entry>& log = logs_[origin];
  const EntryHeader& h = entry.header;
  if (h.origin != origin || h.seq.value != log.size() + 1) complain(node, "wrote an entry under another name");
  if (h.previous != (log.empty() ? Hash128() : log.back().hash)) complain(node, "broke the chain of its entries");
  if (!log.empty() && h.hlc <= log.back().header.hlc) complain(node, "stamped an entry before its last one");
  if (h.hlc.counter() == 0 && h.hlc.ms() > node.wall().ms + 30'000) ++run_over_;  // the millisecond before had no room
  if (h.hlc <= watches_[&node].seen.greatest_hlc()) complain(node, "stamped an entry before what it had seen");
}

void Ledger::read_state(SimNode& node, Watch& w, const Origin& origin, Rev from) {
  if (origin == node.store().self()) record_state(node, w, from);
  std::map<Rev, RowName>& revisions = revisions_[origin];
  for (auto i = revisions.upper_bound(from); i != revisions.end() && i->first <= node.vector().at(origin).rev; ++i)
    check_owned(node, w, i->second, owned_[{origin.device, i->second}]);
}

// What this device shows of its own is what it says.
void Ledger::record_state(SimNode& node, Watch& w, Rev from) {
  const Origin& self = node.store().self();
  w.rows->owned(node.store().self_ordinal(), from, [&](std::string model, Bytes key, Rev rev, bool deleted) {
    RowName name(std::move(model), std::move(key));
    const ModelSchema& m = *w.rows->schema().find(name.first);
    auto row = w.rows->row(m, name.second);
    if (row) row->merge(w.rows->kept(m, name.second));
    if (row.has_value() == deleted) complain(node, "has a row of its own that is " + std::string(deleted ? "deleted and there" : "not there"));
    Version version{self, rev, row};
    std::vector<Version>& versions = owned_[{self.device, name}];
    const auto place = std::lower_bound(versions.begin(), versions.end(), version);
    if (place == versions.end() || version < *place) versions.insert(place, version);
    else if (!same_where_both_have(place->values, version.values)) complain(node, "wrote two things under the revision " + at(self, rev.value));
    revisions_[self][rev] = std::move(name);
  });
}

// ---- What is compared ----

void Ledger::check_shared(SimNode& node, Watch& w, const Touched& touched, const Named& named) {
  bool transfers = false;
  bool ruled = w.opening;
  for (const auto& [name, before] : touched) {
    const ModelSchema& model = *w.rows->schema().find(name.first);
    ruled = ruled || model.has_rules();
    if (model.has_rules() || w.waiting.contains(name)) continue;
    if (w.drafted.contains(name)) continue;  // what it meets may be forgotten: compared once it is told
    ++rows_compared_;
    transfers = transfers || name.first == "posting";
    const std::string row = name.first + " " + describe_values(name.second);
    const Shown expected = shown(w, name);
    const Shown here = w.rows->row(model, name.second);
    if (here != expected && !w.damaged) complain(node, "shows " + row + " as " + describe(here) + ", the reference merge as " + describe(expected));
    const bool built_in = name.first.starts_with("sync_");
    if (!w.opening && !built_in && before != expected && !named.everything && !named.rows.contains(name))
      complain(node, "changed " + row + " from " + describe(before) + " to " + describe(expected) + " and did not say so");
  }
  if (ruled) check_ruled(node, w, named);
  const bool in_part = std::any_of(w.waiting.begin(), w.waiting.end(), [](const RowName& name) { return name.first == "posting"; });
  if (transfers && !in_part && w.rows->number(kTransfersSql) != 0) complain(node, "shows a part of a transaction: transfers do not add up to nothing");
}

// A row that was touched may have hidden or shown any other.
void Ledger::check_ruled(SimNode& node, Watch& w, const Named& named) {
  naive::ShownRows here;
  for (const ModelSchema& m : w.rows->schema().models) {
    if (!m.has_rules()) continue;
    for (auto& [key, row] : w.rows->table(m)) here[{m.name, key}] = row;
  }
  const naive::ShownRows before = std::exchange(w.ruled, here);
  if (w.rules_open()) return;  // compared once they are told, or released
  const naive::ShownRows wanted = w.shown_by_rules();
  std::set<RowName> names;
  for (const naive::ShownRows& side : {before, wanted, here})
    for (const auto& [name, row] : side) names.insert(name);
  const auto of = [](const naive::ShownRows& rows, const RowName& name) {
    const auto at = rows.find(name);
    return at == rows.end() ? Shown() : Shown(at->second);
  };
  for (const RowName& name : names) {
    ++rows_compared_;
    const std::string row = name.first + " " + describe_values(name.second);
    const Shown expected = of(wanted, name);
    if (of(here, name) != expected && !w.damaged)
      complain(node, "shows " + row + " as " + describe(of(here, name)) + ", a naive reading of all rows as " + describe(expected));
    if (!w.opening && of(before, name) != of(here, name) && !named.everything && !named.rows.contains(name))
      complain(node, "changed " + row + " from " + describe(of(before, name)) + " to " + describe(of(here, name)) + " and did not say so");
  }
}

// State has no history: a row that its owner has written again since, beyond our position, may be missing here.
void Ledger::check_owned(SimNode& node, Watch& w, const RowName& name, const std::vector<Version>& versions) {
  const Version& newest = versions.back();
  const ModelSchema* m = w.rows->schema().find(name.first);
  if (m == nullptr || w.waiting.contains(name) || w.seen.at(newest.origin).rev < newest.rev) return;
  ++rows_compared_;
  const auto row = w.rows->row(*m, name.second);
  if (row.has_value() != newest.values.has_value() || (row && *row != as_shown(*newest.values, *m)))
    complain(node, std::string(row ? "shows " : "does not show ") + name.first + " " + describe_values(name.second) + ", unlike its owner");
}

}  // namespace starling::sim
