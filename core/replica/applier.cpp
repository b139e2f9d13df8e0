#include "core/replica/applier.h"

#include <algorithm>
#include <bit>

#include "core/base/planted_bug.h"
#include "core/base/sha256.h"
#include "core/replica/conflict_recorder.h"
#include "core/store/conflict_log.h"
#include "core/store/origin_table.h"
#include "core/store/peer_log.h"
#include "core/store/quarantine.h"
#include "core/store/row_image.h"
#include "core/store/row_store.h"
#include "core/store/store.h"
#include "core/store/sync_state.h"
#include "core/store/visibility.h"
#include "proto/entry.h"
#include "proto/state_page.h"

namespace starling {
namespace {

std::string stream_name(const Origin& origin) { return "stream of device " + to_string(origin.device); }

// An update or a delete names a row that its author had seen, so its insert lies within what we hold by now. Seeds (rows
// at HLC 0) are not declared by anybody yet: a change of one would open a row that lacks fields.
bool names_an_unknown_row(const DecodedEntry& entry, const VersionVector& held) {
  return std::any_of(entry.changes.begin(), entry.changes.end(), [&](const Change& c) {
    return c.op != Op::insert && (c.generation.hlc == Hlc{} || !held.covers(c.generation));
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

FieldMask fields_of(const Change& c, const ModelSchema&) { return c.fields; }
FieldMask fields_of(const StateRow& row, const ModelSchema& m) { return row.deleted ? 0 : m.all_fields() & ~m.key_fields(); }

// A key in any other form would name a row that we then know under two keys; what the declaration forbids, our SQLite
// would refuse, and an honest peer's has.
template <class Rows>
Expected<void> check_rows(const Schema& schema, const Rows& rows, const Origin& origin) {
  for (const auto& row : rows) {
    const ModelSchema& m = schema.models[row.model];
    Expected<void> good = check_key(m, row.key);
    if (good) good = check_values(m, fields_of(row, m), row.values);
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
  const Ordinal ordinal = store_.origins().ordinal(origin);
  store_.origins().advance_seq(ordinal, seq, header.hlc, hash128(bytes), header.dependencies);
  store_.clock().observe(header.hlc);
  if (const std::optional<Seq> draft = draft_of(*decoded, bytes)) {
    take_back(*decoded, ordinal, *draft);
    store_.log().append(ordinal, seq, bytes);
    return result;
  }
  ConflictRecorder recorder(store_, header, store_.origins().seen(ordinal), wall);
  const std::uint64_t lost_before = store_.conflicts().added();
  for (std::span<const Change> left = decoded->changes; !left.empty();) {
    left = left.subspan(new_rows(left, header.stamp(), result));
    if (left.empty()) break;
    change(left.front(), {header.stamp(), header.seq}, recorder, result);
    left = left.subspan(1);
    if (store_.rows().pending().size() >= limits::kPendingRows) settle(wall, result);
  }
  settle(wall, result);
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
  if (!drafts_) {
    drafts_.emplace();
    const Seq end = store_.origins().position(self).seq;
    for (Seq seq{1}; seq <= end; seq = seq.next())
      if (const std::optional<EntryHeader> draft = store_.log().header(self, seq)) drafts_->emplace(draft->hlc, seq);
  }
  const auto draft = drafts_->find(header.hlc);
  if (draft == drafts_->end() || store_.log().find(self, draft->second) != bytes) return std::nullopt;
  return draft->second;
}

// Its rows are as they should be: only what they name as their author changes.
void Applier::take_back(const DecodedEntry& entry, Ordinal origin, Seq draft) {
  RowStore& rows = store_.rows();
  const Stamp ours{entry.header.hlc, store_.self()};
  const auto name_author = [&](Stamp& stamp) {
    if (stamp == ours) stamp.origin = entry.header.origin;
  };
  for (const Change& c : entry.changes) {
    std::optional<RowVersion> version = rows.version(c.model, c.key);
    if (!version) continue;
    const std::optional<BytesView> values = version->death ? std::nullopt : rows.read_row(c.model, c.key);
    const bool intact = !values || rows.is_intact(c.model, c.key, *version, *values);
    name_author(version->generation);
    for (FieldStamp& f : version->fields) name_author(f.stamp);
    if (version->death == Death{ours.origin, draft}) version->death = Death{store_.origins().origin(origin), entry.header.seq};
    rows.put(c.model, c.key, *version, values, intact);
    if (rows.has_rules(c.model)) rows.note_anew({c.model, Bytes(c.key)});
  }
  store_.log().remove(store_.self_ordinal(), draft);
}

// The common case, taken in many at a time: inserts of one model whose keys were never seen. Gives how many stood at
// the front of `changes`.
std::size_t Applier::new_rows(std::span<const Change> changes, const Stamp& stamp, ApplyResult& result) {
  const ModelIndex model = changes.front().model;
  std::vector<NewRow> rows;
  for (const Change& c : changes) {
    if (c.op != Op::insert || c.model != model || rows.size() == RowStore::kMany) break;
    rows.push_back({c.key, c.values, {}});
  }
  rows.resize(store_.rows().put_new(model, rows, stamp));
  store_.rows().insert_rows(model, rows);
  result.rows += rows.size();
  if (store_.rows().has_rules(model)) return rows.size();  // settle() tells what is shown
  for (const Change& c : changes.first(rows.size())) note_row(result.event, c.model, c.op, c.fields, c.key);
  return rows.size();
}

void Applier::settle(WallTime wall, ApplyResult& result) {
  for (const ShownChange& c : store_.settle(wall)) note_row(result.event, c.model, c.op, c.fields, c.key);
}

void Applier::change(const Change& c, const Place& place, ConflictRecorder& recorder, ApplyResult& result) {
  RowStore& rows = store_.rows();
  const Stamp& stamp = place.stamp;
  ++result.rows;
  const std::optional<RowVersion> held = rows.version(c.model, c.key);
  const RowVersion* mine = held ? &*held : nullptr;
  MergeResult merged = merge(mine, c.op, c.generation, c.fields, stamp);
  if (merged.tied != 0) {
    const std::optional<BytesView> row = rows.read_row(c.model, c.key);
    if (row) merged.won |= greater_values(store_.schema().models[c.model], c, *row, merged.tied);
  }
  recorder.record(c, mine, merged);
  if (merged.verdict == Verdict::superseded) return;

  std::optional<BytesView> values = c.values;  // of the whole row, as it will be
  ByteWriter won;
  Bytes updated;
  bool intact = true;
  switch (merged.verdict) {
    case Verdict::superseded: return;
    case Verdict::insert_row: rows.insert_row(c.model, c.key, c.values); break;
    case Verdict::replace_row: rows.upsert_row(c.model, c.key, c.values); break;
    case Verdict::update_row:
      values = rows.read_row(c.model, c.key);
      intact = values && rows.is_intact(c.model, c.key, *mine, *values);
      if (values) {
        const ModelSchema& m = store_.schema().models[c.model];
        updated = overlay_fields(*values, m.all_fields() & ~m.key_fields(), c.values, c.fields, merged.won);
        values = updated;
      }
      pick_fields(c.values, c.fields, merged.won, won);
      rows.update_row(c.model, c.key, merged.won, won.bytes());
      break;
    case Verdict::erase_row: rows.erase_row(c.model, c.key); break;
  }
  rows.put(c.model, c.key, merged_version(mine, merged, c.op, c.generation, stamp, place.seq), values, intact);
  const bool told_later = rows.pending().find({c.model, Bytes(c.key)}) != nullptr;  // by settle()
  if (!told_later) note_row(result.event, c.model, c.op, c.op == Op::update ? merged.won : c.fields, c.key);
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

void Applier::sweep(ModelIndex model, BytesView key, const RowVersion& mine, ConflictRecorder& recorder, ApplyResult& result) {
  recorder.lost_to_sweep(model, key, mine);
  store_.rows().forget(model, key);
  ++result.rows;
  if (!store_.rows().has_rules(model)) note_row(result.event, model, Op::erase, 0, key);
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
  const Ordinal ordinal = store_.origins().ordinal(page.origin);
  const bool anew = begins_anew || store_.origins().restart(ordinal) != Rev{};
  if (anew) sweep_owned(ordinal, page, decoded->rows, result);
  owned_rows(decoded->rows, anew ? Rev{} : held, ordinal, result);
  store_.origins().raise_horizon(ordinal, {page.horizon, Seq{}});
  if (page.opening != 0) store_.origins().set_opening(ordinal, page.opening);
  const bool caught_up = page.to >= held && page.to >= store_.origins().horizon(ordinal).rev;
  if (anew) store_.origins().set_restart(ordinal, caught_up ? Rev{} : page.to);
  if (!anew || caught_up) store_.origins().advance_rev(ordinal, page.to);
  return result;
}

// The horizon has passed us: what an owner deleted meanwhile is told nowhere. Of the page's range we keep what it lists.
void Applier::sweep_owned(Ordinal ordinal, const StatePage& page, std::span<const StateRow> listed, ApplyResult& result) {
  struct Gone {
    ModelIndex model;
    Bytes key;
    Rev rev;
  };
  std::vector<Gone> gone;
  store_.rows().read_owned(ordinal, page.from, [&](const OwnedRow& row) {
    if (row.rev > page.to) return false;
    const auto at = std::lower_bound(listed.begin(), listed.end(), row.rev, [](const StateRow& l, Rev rev) { return l.rev < rev; });
    const bool stays = at != listed.end() && at->rev == row.rev && at->model == row.model && at->key == row.key;
    if (!stays) gone.push_back({row.model, Bytes(row.key), row.rev});
    return true;
  });
  for (const Gone& row : gone) {
    store_.quarantine().drop(store_.schema().models[row.model].name, row.key, ordinal);
    const std::optional<OwnedVersion> version = store_.rows().owned(row.model, row.key);
    if (!version || version->owner != ordinal || version->rev != row.rev) continue;
    store_.rows().forget(row.model, row.key);
    ++result.rows;
    note_row(result.event, row.model, Op::erase, 0, row.key);
  }
}

// Those beyond `held`.
void Applier::owned_rows(std::span<const StateRow> left, Rev held, Ordinal ordinal, ApplyResult& result) {
  while (!left.empty() && left.front().rev <= held) left = left.subspan(1);
  while (!left.empty()) {
    const std::size_t fresh = new_owned_rows(left, ordinal);
    for (const StateRow& row : left.first(fresh)) note_state_row(row, Op::insert, result);
    left = left.subspan(fresh);
    if (left.empty()) break;
    const StateRow& row = left.front();
    if (owned_row(row, ordinal)) note_state_row(row, row.deleted ? Op::erase : Op::update, result);
    left = left.subspan(1);
  }
}

void Applier::note_state_row(const StateRow& row, Op op, ApplyResult& result) {
  const ModelSchema& model = store_.schema().models[row.model];
  ++result.rows;
  note_row(result.event, row.model, op, fields_of(row, model), row.key);
}

// As new_rows(), of an owner's state.
std::size_t Applier::new_owned_rows(std::span<const StateRow> state, Ordinal origin) {
  const ModelIndex model = state.front().model;
  std::vector<NewRow> rows;
  for (const StateRow& row : state) {
    if (row.deleted || row.model != model || rows.size() == RowStore::kMany) break;
    rows.push_back({row.key, row.values, row.rev});
  }
  rows.resize(store_.rows().put_new_owned(model, rows, origin));
  store_.rows().insert_rows(model, rows);
  return rows.size();
}

// Takes one row of an owner's state in. False: a newer revision, or another owner's row of that key, stands.
bool Applier::owned_row(const StateRow& row, Ordinal origin) {
  RowStore& rows = store_.rows();
  const OwnedVersion fresh{origin, row.rev, row.deleted};
  const std::optional<OwnedVersion> known = rows.owned(row.model, row.key);
  if (!known) {
    rows.put_owned(row.model, row.key, fresh, row.values);
    if (!row.deleted) rows.insert_row(row.model, row.key, row.values);
    return true;
  }
  if (known->owner == origin && known->rev >= row.rev) return false;
  const Origin& ours = store_.origins().origin(known->owner);
  const Origin& theirs = store_.origins().origin(origin);
  const std::string& model = store_.schema().models[row.model].name;
  if (ours.device != theirs.device) {  // two owners of one key: our own row stands, or else the lesser device's
    const DeviceId& self = store_.self().device;
    const bool known_stands = theirs.device != self && (ours.device == self || ours.device < theirs.device);
    if (known_stands) {
      store_.quarantine().put(model, row.key, origin, row.rev, "key collision with device " + to_string(ours.device),
                              row.deleted, row.values);
      return false;
    }
    // A trigger of the application's may have taken the loser away: a live row without values would fit no page.
    const std::optional<BytesView> loser = rows.read_row(row.model, row.key);
    store_.quarantine().put(model, row.key, known->owner, known->rev, "key collision with device " + to_string(theirs.device),
                            known->deleted || !loser, loser ? *loser : BytesView{});
  } else if (theirs.incarnation < ours.incarnation) {
    return false;  // an older life of the same device
  }
  rows.put_owned(row.model, row.key, fresh, row.values);
  if (row.deleted) rows.erase_row(row.model, row.key);
  else rows.upsert_row(row.model, row.key, row.values);
  return true;
}

}  // namespace starling
