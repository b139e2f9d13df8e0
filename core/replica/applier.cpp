#include "core/replica/applier.h"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>

#include <algorithm>
#include <bit>

#include "core/base/planted_bug.h"
#include "core/base/sha256.h"
#include "core/replica/conflict_recorder.h"
#include "core/replica/obstacle.h"
#include "core/store/conflict_log.h"
#include "core/store/held_changes.h"
#include "core/store/origin_table.h"
#include "core/store/peer_log.h"
#include "core/store/quarantine.h"
#include "core/store/row_image.h"
#include "core/store/row_store.h"
#include "core/store/sql_error.h"
#include "core/store/store.h"
#include "core/store/sync_state.h"
#include "core/store/visibility.h"
#include "proto/entry.h"
#include "proto/model_table.h"
#include "proto/state_page.h"

namespace starling {
namespace {

std::string stream_name(const Origin& origin) { return "stream of device " + to_string(origin.device); }

// An update or a delete names a row that its author had seen, so its insert lies within what we hold by now. At HLC 0 stand
// seeds alone, under nobody's name.
bool names_an_unknown_row(const DecodedEntry& entry, const VersionVector& held) {
  return std::any_of(entry.changes.begin(), entry.changes.end(), [&](const Change& c) {
    if (c.generation.hlc == Hlc{}) return c.generation.origin != Origin{};
    return c.op != Op::insert && !held.covers(c.generation);
  });
}

// One place is kept for ourselves, who may not have written yet.
bool is_one_too_many(const Origin& origin, const VersionVector& held) {
  return held.at(origin) == Position{} && held.size() + 1 >= limits::kVectorMax;
}

Error too_many_origins(const Origin& origin) {
  return {Errc::too_large, "more origins than a workspace may have", stream_name(origin), "remove devices that are gone"};
}

void note_row(ChangeSet& event, ModelIndex model, Op op, FieldMask fields, BytesView key) {
  if (event.overflow || event.schema->models[model].built_in) return;
  if (event.rows.size() >= limits::kChangeEventRowsMax) {
    event.overflow = true;
    event.rows.clear();
    return;
  }
  event.rows.push_back({model, op, fields, Bytes(key)});
}

FieldMask fields_of(const Change& c, const ModelSchema& m) { return c.fields & m.all_fields(); }
FieldMask fields_of(const StateRow& row, const ModelSchema& m) { return row.deleted ? 0 : m.all_fields() & ~m.key_fields(); }

// A key in any other form would name a row that we then know under two keys. The engine's own models are the same
// everywhere, so what their declaration forbids is made up; with the application's, versions may differ (obstacle.h).
template <class Rows>
Expected<void> check_rows(const Schema& schema, const Rows& rows, const Origin& origin) {
  for (const auto& row : rows) {
    if (row.model >= schema.models.size()) continue;
    const ModelSchema& m = schema.models[row.model];
    Expected<void> good = check_key(m, row.key);
    if (good && m.built_in) good = check_values(m, fields_of(row, m), row.values);
    if (!good) return Error{Errc::corrupt, good.error().what, stream_name(origin), ""};
  }
  return {};
}

// Equal stamps (seeds): the greater typed bytes win. Gives the fields of `tied` where theirs are greater.
FieldMask greater_values(const ModelSchema& model, const Change& c, BytesView row, FieldMask tied) {
  FieldMask greater = 0;
  ByteReader ours(row);
  ByteReader theirs(c.values);
  for (FieldMask left = model.all_fields() & ~model.key_fields(); left != 0; left &= left - 1) {
    const FieldMask bit = left & (~left + 1);
    const BytesView held = read_value_bytes(ours);
    if ((c.fields & bit) == 0) continue;
    if (read_value_bytes(theirs) > held) greater |= bit;
  }
  return greater & tied;
}

}  // namespace

Error own_stream(const Origin& origin) {
  return {Errc::not_owner, "a peer sent changes as if this device had made them", stream_name(origin),
          "two devices may be using one identity"};
}

Expected<ApplyResult> Applier::entry(const Origin& origin, Seq seq, BytesView bytes, WallTime wall) {
  ApplyResult result;
  result.event.schema = store_.shared_schema();
  result.event.origin = origin;
  if (origin == store_.self() && seq > store_.origins().position(store_.self_ordinal()).seq) return own_stream(origin);
  const Position position = store_.origins().vector().at(origin);
  if (seq <= position.seq) {
    result.outcome = Applied::duplicate;
    return result;
  }
  if (seq != position.seq.next()) {
    result.outcome = Applied::gap;
    return result;
  }
  Expected<DecodedEntry> decoded = decode_entry(bytes, store_.schema());
  if (!decoded) return decoded.error();
  const EntryHeader& header = decoded->header;
  if (header.origin != origin || header.seq != seq || header.hlc <= position.hlc)
    return Error{Errc::corrupt, "entry " + std::to_string(seq.value) + " does not carry its own place", stream_name(origin), ""};
  if (!HlcClock::acceptable(header.hlc, wall)) {
    result.outcome = Applied::wait_clock;
    result.until = HlcClock::acceptable_at(header.hlc);
    return result;
  }
  const std::optional<Ordinal> known = store_.origins().find(origin);
  if (header.previous != (known ? store_.origins().last_hash(*known) : Hash128{})) {
    return Error{Errc::identity_conflict, "entry " + std::to_string(seq.value) + " does not follow the one that we hold",
                 stream_name(origin), "that device may have been cloned or restored"};
  }
  if (!store_.origins().vector().covers(header.dependencies) && !planted(PlantedBug::dependency_ignored)) {
    result.outcome = Applied::wait_deps;
    result.dependencies = header.dependencies;
    return result;
  }
  if (names_an_unknown_row(*decoded, store_.origins().vector()))
    return Error{Errc::corrupt, "entry " + std::to_string(seq.value) + " changes a row that nobody inserted", stream_name(origin), ""};
  if (is_one_too_many(origin, store_.origins().vector())) return too_many_origins(origin);
  const Expected<void> rows = check_rows(store_.schema(), decoded->changes, origin);
  if (!rows) return rows.error();
  const Obstacles obstacles(store_, decoded->unknown);
  const std::optional<Seq> draft = draft_of(*decoded, bytes);
  const auto stuck = [&](const Change& c) { return care_ != Care::none || !obstacles.of(c).empty(); };
  if (!draft && !has_room(decoded->changes, stuck)) {
    result.outcome = Applied::wait_room;
    return result;
  }
  const Ordinal ordinal = store_.origins().ordinal(origin);
  store_.origins().advance_seq(ordinal, seq, header.hlc, hash128(bytes), header.dependencies);
  store_.clock().observe(header.hlc);
  if (draft) {
    take_back(*decoded, ordinal, *draft);
    store_.log().append(ordinal, seq, bytes);
    return result;
  }
  ConflictRecorder recorder(store_, header, store_.origins().seen(ordinal), wall);
  const std::uint64_t lost_before = store_.conflicts().added();
  changes_of(*decoded, obstacles, recorder, result);
  result.event.conflicts = store_.conflicts().added() > lost_before;
  store_.log().append(ordinal, seq, bytes);
  return result;
}

// An entry of an earlier life of this device that we hold as a draft, byte for byte: we could not prove that it had been told
// (hello.h), and it comes back.
std::optional<Seq> Applier::draft_of(const DecodedEntry& entry, BytesView bytes) {
  const EntryHeader& header = entry.header;
  if (!store_.state().provisional()) drafts_.reset();
  if (header.origin.device != store_.self().device || !store_.state().provisional()) return std::nullopt;
  const Ordinal self = store_.self_ordinal();
  if (!drafts_ || drafts_->first != store_.self()) {
    drafts_.emplace(store_.self(), std::map<Hlc, Seq>());
    const Seq end = store_.origins().position(self).seq;
    for (Seq seq{1}; seq <= end; seq = seq.next())
      if (const std::optional<EntryHeader> draft = store_.log().header(self, seq)) drafts_->second.emplace(draft->hlc, seq);
  }
  const auto draft = drafts_->second.find(header.hlc);
  if (draft == drafts_->second.end() || store_.log().find(self, draft->second) != bytes) return std::nullopt;
  return draft->second;
}

// Its rows are as they should be: only what they name as their author changes, and what waits of them.
void Applier::take_back(const DecodedEntry& entry, Ordinal origin, Seq draft) {
  RowStore& rows = store_.rows();
  const Stamp ours{entry.header.hlc, store_.self()};
  const auto name_author = [&](Stamp& stamp) {
    if (stamp == ours) stamp.origin = entry.header.origin;
  };
  for (const Change& c : entry.changes) {
    std::optional<RowVersion> version = rows.version(c.model, c.key);
    if (!version) continue;
    name_author(version->generation);
    for (FieldStamp& f : version->fields) name_author(f.stamp);
    if (version->death == Death{ours.origin, draft}) version->death = Death{store_.origins().origin(origin), entry.header.seq};
    rows.restamp(c.model, c.key, *version);
  }
  const Position before{Rev{}, Seq{draft.value - 1}, Hlc{ours.hlc.packed - 1}};
  store_.held().rename(store_.self_ordinal(), {before, {Rev{}, draft, ours.hlc}}, origin, Seq{entry.header.seq.value - 1});
  store_.log().remove(store_.self_ordinal(), draft);
}

bool Applier::has_room(std::size_t changes) { return store_.quarantined() + changes <= limits::kQuarantinedMax; }

// For those of them that are stuck.
template <class Rows, class Stuck>
bool Applier::has_room(const Rows& rows, const Stuck& stuck) {
  return has_room(rows.size()) || has_room(static_cast<std::size_t>(std::count_if(rows.begin(), rows.end(), stuck)));
}

void Applier::changes_of(const DecodedEntry& entry, const Obstacles& obstacles, ConflictRecorder& recorder, ApplyResult& result) {
  const Place place{entry.header.stamp(), entry.header.seq};
  for (std::span<const Change> left = entry.changes; !left.empty();) {
    if (store_.rows().pending().size() >= limits::kPendingRows) settle(recorder.wall(), result);
    if (const std::size_t taken = new_rows(left, place.stamp, obstacles, result); taken > 0) {
      left = left.subspan(taken);
      continue;
    }
    const Change& c = left.front();
    change_or_hold(c, place, obstacles.of(c), obstacles.name_of(c.model), recorder, result);
    left = left.subspan(1);
  }
  settle(recorder.wall(), result);
}

// The common case, taken in many at a time: inserts of one model whose keys were never seen. Gives how many stood at
// the front of `changes`.
std::size_t Applier::new_rows(std::span<const Change> changes, const Stamp& stamp, const Obstacles& obstacles, ApplyResult& result) {
  if (care_ != Care::none) return 0;
  const ModelIndex model = changes.front().model;
  std::vector<NewRow> rows;
  for (const Change& c : changes) {
    if (c.op != Op::insert || is_seed(c) || c.model != model || rows.size() == RowStore::kMany || !obstacles.of(c).empty()) break;
    rows.push_back({c.key, known_values(store_.schema().models[model], c.fields, c.values), {}});
  }
  if (rows.empty()) return 0;
  const ModelSchema& m = store_.schema().models[model];
  rows.resize(store_.rows().put_new(model, rows, stamp));
  store_.rows().insert_rows(model, rows);
  for (const Change& c : changes.first(rows.size())) keep_beyond(c, c.fields, c.values);
  result.rows += rows.size();
  if (store_.rows().has_rules(model)) return rows.size();  // settle() tells what is shown
  for (const Change& c : changes.first(rows.size())) note_row(result.event, c.model, c.op, fields_of(c, m), c.key);
  return rows.size();
}

void Applier::settle(WallTime wall, ApplyResult& result) {
  for (const ShownChange& c : store_.settle(wall)) note_row(result.event, c.model, c.op, c.fields, c.key);
}

// What a change says of fields that the model does not have here, of those in `won`.
void Applier::keep_beyond(const Change& c, FieldMask won, BytesView values) {
  const FieldMask beyond = won & ~store_.schema().models[c.model].all_fields();
  if (beyond == 0 || planted(PlantedBug::unknown_field_dropped)) return;
  ByteWriter kept;
  pick_fields(values, c.fields, beyond, kept);
  store_.rows().keep(c.model, c.key, beyond, kept.bytes());
}

void Applier::note_taken(ModelIndex model, Op op, FieldMask fields, BytesView key, ApplyResult& result) {
  note_row(result.event, model, op, fields, key);
  ++result.rows;
}

// What is shown of models with rules is decided with it, and undone with it: what SQLite refuses of that may be another row.
// A row over which SQLite rolls everything back (RAISE(ROLLBACK)) is refused at the next attempt, before it is tried.
std::optional<std::string> Applier::try_alone(const Named& row, WallTime wall, ApplyResult& result, const std::function<void()>& apply) {
  if (rolls_back_.contains(row)) return "SQLite refuses it, and rolls the whole transaction back";
  settle(wall, result);
  SQLite::Database& db = store_.database();
  const bool has_rules = store_.has_rules();
  if (has_rules) store_.digests().flush();
  db.exec("SAVEPOINT sync_change");
  try {
    apply();
    settle(wall, result);
  } catch (const SQLite::Exception& e) {
    if (!is_user_error(e)) throw;
    if (sqlite3_get_autocommit(store_.handle()) != 0) {
      if (rolls_back_.size() < limits::kTouchyRowsMax) rolls_back_.insert(row);
      throw;
    }
    db.exec("ROLLBACK TO sync_change; RELEASE sync_change");
    if (has_rules) store_.take_back_rows();
    return std::string("SQLite refuses it: ") + e.what();
  }
  db.exec("RELEASE sync_change");
  return std::nullopt;
}

std::optional<std::string> Applier::try_change(const Change& c, const Place& place, ConflictRecorder& recorder, ApplyResult& result) {
  (void)store_.origins().ordinal(c.generation.origin);  // both stay, whatever becomes of the change
  (void)store_.origins().ordinal(place.stamp.origin);
  const Named row{store_.schema().models[c.model].name, Bytes(c.key)};
  return try_alone(row, recorder.wall(), result, [&] { change(c, place, recorder, result); });
}

void Applier::change_or_hold(const Change& c, const Place& place, std::string why, const std::string& model,
                             ConflictRecorder& recorder, ApplyResult& result) {
  const bool built_in = why.empty() && store_.schema().models[c.model].built_in;  // no application had a hand in that
  if (care_ == Care::hold_all && !built_in) why = kEndedTheProcess;
  if (why.empty() && care_ == Care::none) return change(c, place, recorder, result);
  if (why.empty()) {
    std::optional<std::string> refused = try_change(c, place, recorder, result);
    if (!refused) return;
    why = std::move(*refused);
  }
  store_.held().add(model, c, place.stamp, place.seq, why);
  ++result.held;
}

void Applier::change(const Change& c, const Place& place, ConflictRecorder& recorder, ApplyResult& result) {
  RowStore& rows = store_.rows();
  const ModelSchema& m = store_.schema().models[c.model];
  const Stamp& stamp = stamp_of(c, place.stamp);
  const std::optional<RowVersion> held = rows.version(c.model, c.key);
  const RowVersion* mine = held ? &*held : nullptr;
  MergeResult merged = merge(mine, c.op, c.generation, c.fields, stamp);
  if (merged.tied != 0) {
    const std::optional<BytesView> row = rows.read_row(c.model, c.key);
    if (row) merged.won |= greater_values(m, c, *row, merged.tied);
  }
  if (c.op == Op::update && merged.verdict == Verdict::insert_row) return;  // of a seed that nobody has told: it lacks fields
  recorder.record(c, mine, merged);
  ++result.rows;
  if (is_seed(c) && mine != nullptr) rows.mark_seed(c.model, c.key);
  if (merged.verdict == Verdict::superseded) return;

  const BytesView known = known_values(m, c.fields, c.values);
  const FieldMask won_here = merged.won & m.all_fields();
  std::optional<BytesView> values = known;  // of the whole row, as it will be
  ByteWriter won;
  Bytes updated;
  bool intact = true;
  switch (merged.verdict) {
    case Verdict::superseded: return;
    case Verdict::insert_row: rows.insert_row(c.model, c.key, known); break;
    case Verdict::replace_row:
      rows.upsert_row(c.model, c.key, known);
      rows.drop_kept(c.model, c.key);  // of the generation before
      break;
    case Verdict::update_row:
      values = rows.read_row(c.model, c.key);
      intact = values && rows.is_intact(c.model, c.key, *mine, *values);
      if (values) {
        updated = overlay_fields(*values, plain_fields(m), known, c.fields & m.all_fields(), won_here);
        values = updated;
      }
      pick_fields(known, c.fields & m.all_fields(), won_here, won);
      rows.update_row(c.model, c.key, won_here, won.bytes());
      break;
    case Verdict::erase_row: rows.erase_row(c.model, c.key); break;
  }
  rows.put(c.model, c.key, merged_version(mine, merged, c.op, c.generation, stamp, place.seq), values, intact);
  if (c.op != Op::erase) keep_beyond(c, merged.won, c.values);
  rows.drop_kept(c.model, c.key, won_here);  // what waited of these fields is older
  const bool told_later = rows.pending().find({c.model, Bytes(c.key)}) != nullptr;  // by settle()
  if (told_later || (c.op == Op::update && won_here == 0)) return;
  note_row(result.event, c.model, c.op, c.op == Op::update ? won_here : fields_of(c, m), c.key);
}

void Applier::new_rows_of_snapshot(ModelIndex model, std::span<const NewRow> rows, ApplyResult& result) {
  if (rows.empty()) return;
  const std::size_t put = store_.rows().put_new(model, rows, {});
  ASSERT(put == rows.size());
  store_.rows().insert_rows(model, rows);
  const ModelSchema& m = store_.schema().models[model];
  result.rows += rows.size();
  if (m.has_rules()) return;
  for (const NewRow& row : rows) note_row(result.event, model, Op::insert, m.all_fields() & ~m.key_fields(), row.key);
}

bool Applier::sweep(ModelIndex model, BytesView key, const RowVersion& mine, ConflictRecorder& recorder, ApplyResult& result) {
  const auto forget = [&] {
    recorder.lost_to_sweep(model, key, mine);
    store_.rows().forget(model, key);
  };
  const Named row{store_.schema().models[model].name, Bytes(key)};
  if (const std::string why = do_or_explain(row, recorder.wall(), result, forget); !why.empty()) {
    // Nobody says any more who deleted it: it dies by its own generation.
    store_.held().add(row.first, {model, Op::erase, mine.generation, key, 0, {}}, {Hlc{}, mine.generation.origin}, Seq{1}, why);
    ++result.held;
    return false;
  }
  ++result.rows;
  if (!store_.rows().has_rules(model)) note_row(result.event, model, Op::erase, 0, key);
  return true;
}

// At once, or with the care that is asked for; empty: it was done.
std::string Applier::do_or_explain(const Named& row, WallTime wall, ApplyResult& result, const std::function<void()>& apply) {
  if (care_ == Care::hold_all) return kEndedTheProcess;
  if (care_ == Care::one_by_one) return try_alone(row, wall, result, apply).value_or("");
  apply();
  return {};
}

// What a page may be, given where we stand in its stream. Reading it anew, we stand where we have come so far.
std::optional<Applied> Applier::out_of_turn(const StatePage& page, bool begins_anew) {
  const std::optional<Ordinal> known = store_.origins().find(page.origin);
  const Rev restart = known ? store_.origins().restart(*known) : Rev{};
  const Rev held = restart != Rev{} ? restart : store_.origins().vector().at(page.origin).rev;
  if (begins_anew) return std::nullopt;
  if (page.to <= held) return Applied::duplicate;
  if (page.from > held && !planted(PlantedBug::page_accepted_past_gap)) return Applied::gap;
  return std::nullopt;
}

Expected<ApplyResult> Applier::page(const StatePage& page) {
  ApplyResult result;
  result.event.schema = store_.shared_schema();
  result.event.origin = page.origin;
  if (page.origin == store_.self() && page.to > store_.origins().position(store_.self_ordinal()).rev)
    return own_stream(page.origin);
  if (std::max(page.to, page.horizon).value > limits::kCountMax)
    return Error{Errc::corrupt, "a revision that nobody reaches", stream_name(page.origin), ""};
  const Rev held = store_.origins().vector().at(page.origin).rev;
  const bool begins_anew = page.from == Rev{} && page.horizon > held && held != Rev{};
  if (const std::optional<Applied> not_now = out_of_turn(page, begins_anew)) {
    result.outcome = *not_now;
    return result;
  }
  Expected<DecodedStatePage> decoded = decode_state_page(page.body, page.from, page.to, store_.schema());
  if (!decoded) return decoded.error();
  if (is_one_too_many(page.origin, store_.origins().vector())) return too_many_origins(page.origin);
  const Expected<void> rows = check_rows(store_.schema(), decoded->rows, page.origin);
  if (!rows) return rows.error();
  const Obstacles obstacles(store_, decoded->unknown);
  const auto stuck = [&](const StateRow& row) { return care_ != Care::none || !obstacles.of(row).empty(); };
  if (!has_room(decoded->rows, stuck)) {
    result.outcome = Applied::wait_room;
    return result;
  }
  const Ordinal ordinal = store_.origins().ordinal(page.origin);
  const bool anew = begins_anew || store_.origins().restart(ordinal) != Rev{};
  if (anew) sweep_owned(ordinal, page, decoded->rows, obstacles, result);
  owned_rows(decoded->rows, anew ? Rev{} : held, ordinal, obstacles, result);
  store_.origins().raise_horizon(ordinal, {page.horizon, Seq{}, Hlc{}});
  if (page.opening != 0) store_.origins().set_opening(ordinal, page.opening);
  const bool caught_up = page.to >= held && page.to >= store_.origins().horizon(ordinal).rev;
  if (anew) store_.origins().set_restart(ordinal, caught_up ? Rev{} : page.to);
  if (!anew || caught_up) store_.origins().advance_rev(ordinal, page.to);
  return result;
}

// The horizon has passed us: what an owner deleted meanwhile is told nowhere. Of the page's range we keep what it lists.
void Applier::sweep_owned(Ordinal ordinal, const StatePage& page, std::span<const StateRow> listed, const Obstacles& obstacles,
                          ApplyResult& result) {
  struct Gone {
    std::optional<ModelIndex> model;
    std::string name;
    Bytes key;
    Rev rev;
  };
  std::vector<Gone> gone;
  store_.rows().read_owned(ordinal, page.from, [&](const OwnedRow& row) {
    if (row.rev > page.to) return false;
    const std::string name = row.name.empty() ? store_.schema().models[row.model].name : std::string(row.name);
    const auto at = std::lower_bound(listed.begin(), listed.end(), row.rev, [](const StateRow& l, Rev rev) { return l.rev < rev; });
    const bool stays = at != listed.end() && at->rev == row.rev && obstacles.name_of(at->model) == name && at->key == row.key;
    if (!stays) gone.push_back({row.name.empty() ? std::optional(row.model) : std::nullopt, name, Bytes(row.key), row.rev});
    return true;
  });
  for (const Gone& row : gone) {
    store_.quarantine().drop(row.name, row.key, ordinal);
    const std::optional<OwnedVersion> version = row.model ? store_.rows().owned(*row.model, row.key) : std::nullopt;
    if (!version || version->owner != ordinal || version->rev != row.rev) continue;
    const std::string why = do_or_explain({row.name, row.key}, {}, result, [&] { store_.rows().forget(*row.model, row.key); });
    if (!why.empty()) {
      store_.quarantine().put(row.name, row.key, ordinal, row.rev, why, true, {});
      ++result.held;
      continue;
    }
    ++result.rows;
    note_row(result.event, *row.model, Op::erase, 0, row.key);
  }
}

// Those beyond `held`.
void Applier::owned_rows(std::span<const StateRow> left, Rev held, Ordinal ordinal, const Obstacles& obstacles, ApplyResult& result) {
  while (!left.empty() && left.front().rev <= held) left = left.subspan(1);
  while (!left.empty()) {
    const std::size_t fresh = new_owned_rows(left, ordinal, obstacles);
    for (const StateRow& row : left.first(fresh)) note_state_row(row, Op::insert, result);
    left = left.subspan(fresh);
    if (left.empty()) break;
    if (fresh > 0) continue;
    const StateRow& row = left.front();
    std::string why = care_ == Care::hold_all ? std::string(kEndedTheProcess) : obstacles.of(row);
    if (why.empty()) why = try_owned(row, ordinal, result).value_or("");
    if (!why.empty()) {
      store_.quarantine().put(obstacles.name_of(row.model), row.key, ordinal, row.rev, why, row.deleted, row.values);
      ++result.held;
    }
    left = left.subspan(1);
  }
}

// Alone where that is asked for; else what SQLite refuses throws.
std::optional<std::string> Applier::try_owned(const StateRow& row, Ordinal ordinal, ApplyResult& result) {
  bool taken = false;
  const auto take = [&] {
    store_.quarantine().drop(store_.schema().models[row.model].name, row.key, ordinal);  // an earlier revision, or this one
    taken = owned_row(row, ordinal);
  };
  if (care_ == Care::none) take();
  else if (std::optional<std::string> refused = try_alone({store_.schema().models[row.model].name, Bytes(row.key)}, {}, result, take)) return refused;
  if (taken) note_state_row(row, row.deleted ? Op::erase : Op::update, result);
  return std::nullopt;
}

void Applier::note_state_row(const StateRow& row, Op op, ApplyResult& result) {
  const ModelSchema& model = store_.schema().models[row.model];
  ++result.rows;
  note_row(result.event, row.model, op, fields_of(row, model), row.key);
}

// As new_rows(), of an owner's state.
std::size_t Applier::new_owned_rows(std::span<const StateRow> state, Ordinal origin, const Obstacles& obstacles) {
  if (care_ != Care::none) return 0;
  const ModelIndex model = state.front().model;
  std::vector<NewRow> rows;
  for (const StateRow& row : state) {
    if (row.deleted || row.model != model || rows.size() == RowStore::kMany || !obstacles.of(row).empty()) break;
    rows.push_back({row.key, known_part(row), row.rev});
  }
  if (rows.empty()) return 0;
  rows.resize(store_.rows().put_new_owned(model, rows, origin));
  store_.rows().insert_rows(model, rows);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    keep_beyond(state[i]);
    store_.quarantine().drop(store_.schema().models[model].name, state[i].key, origin);
  }
  return rows.size();
}

// Of a row whose owner has more fields than we: those that we have.
BytesView Applier::known_part(const StateRow& row) const {
  const ModelSchema& m = store_.schema().models[row.model];
  return row.columns ? known_values(m, plain_fields(m) | ~m.all_fields(), row.values) : row.values;
}

// Of a row whose owner has more fields than we: the others. They take the place of what was kept.
void Applier::keep_beyond(const StateRow& row) {
  const ModelSchema& m = store_.schema().models[row.model];
  store_.rows().drop_kept(row.model, row.key);
  const BytesView known = known_part(row);
  if (known.size() == row.values.size() || planted(PlantedBug::unknown_field_dropped)) return;
  const auto count = static_cast<std::size_t>(*row.columns) - static_cast<std::size_t>(std::popcount(plain_fields(m)));
  const FieldMask fields = ((FieldMask{1} << count) - 1) << m.fields.size();
  store_.rows().keep(row.model, row.key, fields, row.values.substr(known.size()));
}

// Takes one row of an owner's state in. False: a newer revision, or another owner's row of that key, stands.
bool Applier::owned_row(const StateRow& row, Ordinal origin) {
  RowStore& rows = store_.rows();
  const std::optional<OwnedVersion> known = rows.owned(row.model, row.key);
  if (!known || known->owner == origin) {
    const bool dies = known && known->rev == row.rev && row.deleted && !known->deleted;  // its sweep was refused (sweep_owned)
    if (known && known->rev >= row.rev && !dies) return false;
    put_over(row, origin);
    return true;
  }
  const Origin& ours = store_.origins().origin(known->owner);
  const Origin& theirs = store_.origins().origin(origin);
  const std::string& model = store_.schema().models[row.model].name;
  if (ours.device != theirs.device) {  // two owners of one key: our own row stands, or else the lesser device's
    const DeviceId& self = store_.self().device;
    const bool known_stands = theirs.device != self && (ours.device == self || ours.device < theirs.device);
    if (known_stands) {
      store_.quarantine().put(model, row.key, origin, row.rev, kKeyCollision + to_string(ours.device), row.deleted, row.values);
      return false;
    }
    // A trigger of the application's may have taken the loser away: a live row without values would fit no page.
    const std::optional<BytesView> loser = rows.read_row(row.model, row.key);
    const Bytes whole = loser ? Bytes(*loser) + rows.kept_beyond(row.model, row.key).values : Bytes();
    store_.quarantine().put(model, row.key, known->owner, known->rev, kKeyCollision + to_string(theirs.device),
                            known->deleted || !loser, whole);
  } else if (theirs.incarnation < ours.incarnation) {
    return false;  // an older life of the same device
  }
  put_over(row, origin);
  return true;
}

// The row first: what SQLite refuses of it leaves no version behind.
void Applier::put_over(const StateRow& row, Ordinal origin) {
  RowStore& rows = store_.rows();
  const BytesView known = row.deleted ? BytesView() : known_part(row);
  const bool fresh = !rows.is_known(row.model, row.key);
  if (row.deleted && !fresh) rows.erase_row(row.model, row.key);
  else if (!row.deleted && fresh) rows.insert_row(row.model, row.key, known);
  else if (!row.deleted) rows.upsert_row(row.model, row.key, known);
  rows.put_owned(row.model, row.key, {origin, row.rev, row.deleted}, known);
  if (!row.deleted) keep_beyond(row);
}

}  // namespace starling
