#include "core/store/row_store.h"

#include <array>
#include <bit>

#include "core/base/assert.h"
#include "core/store/schema_reader.h"

namespace starling {
namespace {

constexpr char kSelect[] = "SELECT origin, hlc, fields, dead_origin, dead_seq, rev, sum FROM sync_row WHERE model=? AND key=?";
constexpr char kScan[] =
    "SELECT origin, hlc, fields, dead_origin, dead_seq, rev, sum, key FROM sync_row WHERE model=? AND key>? ORDER BY key";
constexpr char kPut[] =
    "INSERT INTO sync_row(model, key, origin, hlc, fields, dead_origin, dead_seq, sum) VALUES(?1,?2,?3,?4,?5,?6,?7,?8)"
    " ON CONFLICT(model, key) DO UPDATE SET origin=?3, hlc=?4, fields=?5, dead_origin=?6, dead_seq=?7, sum=?8, seed=coalesce(seed, iif(hlc=0, 1, NULL))";
constexpr char kMarkSeed[] = "UPDATE sync_row SET seed=1 WHERE model=? AND key=? AND seed IS NULL";
constexpr char kPutOwned[] =
    "INSERT INTO sync_row(model, key, origin, rev, dead_seq, sum) VALUES(?1,?2,?3,?4,?5,?6)"
    " ON CONFLICT(model, key) DO UPDATE SET origin=?3, rev=?4, dead_seq=?5, sum=?6";
constexpr char kReadShared[] =
    "SELECT origin, hlc, fields, dead_origin, dead_seq, key, seed FROM sync_row WHERE model=?1 AND key>?2 ORDER BY key";
constexpr char kDropTombstones[] =
    "DELETE FROM sync_row WHERE (model, key) IN (SELECT model, key FROM sync_row"
    " WHERE dead_origin=?1 AND dead_seq<=?2 AND hlc<>0 AND seed IS NULL AND NOT EXISTS (SELECT 1 FROM sync_held h JOIN sync_model m"
    " ON m.name=h.model WHERE m.number=sync_row.model AND h.key=sync_row.key) LIMIT ?3)";  // not where changes still wait
constexpr char kFindGone[] =  // the last of the first so many
    "SELECT max(rev) FROM (SELECT rev FROM sync_row WHERE origin=?1 AND rev<=?2 AND rev IS NOT NULL"
    " AND dead_seq IS NOT NULL ORDER BY rev LIMIT ?3)";
constexpr char kDropGone[] =
    "DELETE FROM sync_row WHERE origin=?1 AND rev<=?2 AND rev IS NOT NULL AND dead_seq IS NOT NULL";
constexpr char kForget[] = "DELETE FROM sync_row WHERE model=? AND key=?";
std::string joined(const std::vector<std::string>& parts, const char* separator) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : separator) + part;
  return text;
}

// OR FAIL leaves the rows before the one that fails, and spares the journal by which SQLite undoes one statement; a
// failure here always rolls the transaction back, or is an answer (put_new).
constexpr char kInsertOrFail[] = "INSERT OR FAIL INTO ";

// `group`, `count` times.
std::string many(const char* insert, const std::string& head, const std::string& group, std::size_t count) {
  return std::string(insert) + head + " VALUES " + joined(std::vector<std::string>(count, group), ",");
}

std::string put_new_sql(std::size_t count) { return many(kInsertOrFail, "sync_row(model, key, origin, hlc, sum)", "(?,?,?,?,?)", count); }
std::string put_new_owned_sql(std::size_t count) {
  return many(kInsertOrFail, "sync_row(model, key, origin, rev, sum)", "(?,?,?,?,?)", count);
}

// Stamps of single fields: field, HLC as difference to the generation's, origin ordinal; ascending by field.
void write_fields(ByteWriter& w, const RowVersion& v, OriginTable& origins) {
  for (const FieldStamp& f : v.fields) {
    w.varint(f.field);
    w.zigzag(static_cast<std::int64_t>(f.stamp.hlc.packed - v.generation.hlc.packed));
    w.varint(static_cast<std::uint64_t>(origins.ordinal(f.stamp.origin)));
  }
}

void read_fields(BytesView packed, RowVersion& v, const OriginTable& origins) {
  for (ByteReader r(packed); !r.rest().empty();) {
    FieldStamp f;
    f.field = static_cast<FieldIndex>(r.varint());
    f.stamp.hlc = Hlc{v.generation.hlc.packed + static_cast<std::uint64_t>(r.zigzag())};
    const auto ordinal = static_cast<Ordinal>(r.varint());
    if (r.failed()) throw std::runtime_error("sync_row.fields does not decode: the database is damaged");
    f.stamp.origin = origins.origin(ordinal);
    v.fields.push_back(f);
  }
}

// What is shown of a row in place of its merged values: NULL for some of them.
bool is_nulled(const ModelSchema& m, BytesView shown, BytesView merged) {
  ByteReader here(shown);
  ByteReader there(merged);
  for (FieldMask left = m.all_fields() & ~m.key_fields(); left != 0; left &= left - 1) {
    const BytesView value = read_value_bytes(here);
    ByteReader null(value);
    if (read_value_bytes(there) != value && read_value(null).type != Type::null) return false;
  }
  return true;
}

}  // namespace

void pick_fields(BytesView row, FieldMask all, FieldMask mask, ByteWriter& out) {
  if (mask == all) {
    out.raw(row);
    return;
  }
  ByteReader r(row);
  for (FieldMask left = all; left != 0; left &= left - 1) {
    const BytesView value = read_value_bytes(r);
    if ((mask & left & (~left + 1)) != 0) out.raw(value);
  }
  ASSERT(!r.failed());
}

Bytes overlay_fields(BytesView row, FieldMask all, BytesView values, FieldMask fields, FieldMask mask) {
  ByteReader under(row);
  ByteReader over(values);
  ByteWriter out;
  for (FieldMask left = all; left != 0; left &= left - 1) {
    const FieldMask bit = left & (~left + 1);
    const BytesView held = read_value_bytes(under);
    const BytesView fresh = (fields & bit) != 0 ? read_value_bytes(over) : BytesView();
    out.raw((mask & bit) != 0 ? fresh : held);
  }
  ASSERT(!under.failed() && !over.failed());
  return out.take();
}

const char* damage_of(const ScannedRow& row) {
  if (row.deleted) return "is there though it was deleted";
  return row.values ? "has other values than were written" : "is gone";
}

RowSum sum_of(const ModelSchema& m, const ScannedRow& row) {
  const BytesView values = row.values.value_or(BytesView());
  return m.kind == Kind::shared ? sum_of(m, row.key, row.version, values) : sum_of(m, row.key, row.owner, row.rev, values);
}

RowStore::RowStore(sqlite3* db, const Schema& schema, OriginTable& origins, DigestTable& digests)
    : db_(db), schema_(schema), origins_(origins), digests_(digests), rules_(schema), shown_(db, rules_),
      hidden_(db, rules_), kept_(db), select_(db, kSelect), put_(db, kPut), put_new_(db, put_new_sql(1)),
      put_new_many_(db, put_new_sql(kMany)), put_owned_(db, kPutOwned), put_new_owned_(db, put_new_owned_sql(1)),
      put_new_owned_many_(db, put_new_owned_sql(kMany)), read_owned_(db, kReadOwned), scan_(db, kScan),
      read_shared_(db, kReadShared), drop_(db, kDropTombstones), find_gone_(db, kFindGone), drop_gone_(db, kDropGone),
      forget_(db, kForget) {
  Statement number(db, "SELECT number FROM sync_model WHERE name=?");
  for (const ModelSchema& m : schema.models) {
    const ResetGuard guard(number);
    ASSERT(number.text(m.name).step());
    numbers_.push_back(number.column_integer(0));
    by_number_[numbers_.back()] = schema.index_of(m);
  }
}

std::int64_t RowStore::number(ModelIndex m) const {
  ASSERT(m < numbers_.size());
  return numbers_[m];
}

DigestTable::Key RowStore::group(ModelIndex m, Ordinal owner) const {
  return {number(m), schema_.models[m].kind == Kind::shared ? DigestTable::kShared : owner};
}

DigestTable::Key RowStore::group_of(ModelIndex m, const Origin& owner) const {
  return group(m, origins_.find(owner).value_or(DigestTable::kShared));
}

bool RowStore::look_up(ModelIndex m, BytesView key) {
  held_ = {true, m, std::move(held_.key), std::nullopt, 0};
  held_.key.assign(key);
  if (!select_.integer(number(m)).blob(key).step()) return false;
  held_.origin = select_.column_integer(0);
  if (!select_.column_is_null(6)) held_.sum = static_cast<RowSum>(select_.column_integer(6));
  return true;
}

const RowStore::Held& RowStore::held(ModelIndex m, BytesView key) {
  if (!held_.valid || held_.model != m || held_.key != key) {
    const ResetGuard guard(select_);
    (void)look_up(m, key);
  }
  return held_;
}

// After the version was written: what it stood for until now leaves the digests, what it stands for joins them.
void RowStore::replace_sum(ModelIndex m, BytesView key, Ordinal owner, std::optional<RowSum> sum) {
  const std::uint8_t range = range_of(key);
  if (held_.sum) digests_.remove(group(m, held_.origin), range, *held_.sum);
  if (sum) digests_.add(group(m, owner), range, *sum);
  held_.valid = false;
}

RowVersion RowStore::read_version(const Statement& row) const {
  RowVersion v;
  v.generation.origin = origins_.origin(row.column_integer(0));
  v.generation.hlc = Hlc{static_cast<std::uint64_t>(row.column_integer(1))};
  if (!row.column_is_null(3)) {
    v.death = Death{origins_.origin(row.column_integer(3)), Seq{static_cast<std::uint64_t>(row.column_integer(4))}};
  }
  read_fields(row.column_bytes(2), v, origins_);
  return v;
}

std::optional<RowVersion> RowStore::version(ModelIndex m, BytesView key) {
  const ResetGuard guard(select_);
  return look_up(m, key) ? std::optional(read_version(select_)) : std::nullopt;
}

void RowStore::read_shared(ModelIndex m, BytesView after, const std::function<bool(BytesView, const RowVersion&)>& take) {
  const ResetGuard guard(read_shared_);
  read_shared_.integer(number(m)).blob(after);
  while (read_shared_.step()) {
    RowVersion version = read_version(read_shared_);
    version.seeded = !read_shared_.column_is_null(6);
    if (!take(read_shared_.column_bytes(5), version)) break;
  }
}

void RowStore::mark_seed(ModelIndex m, BytesView key) {
  Statement(db_, kMarkSeed).integer(number(m)).blob(key).run();
}

std::size_t RowStore::drop_tombstones(Ordinal origin, Seq through, std::size_t most) {
  held_.valid = false;
  drop_.integer(origin).integer(static_cast<std::int64_t>(through.value)).integer(static_cast<std::int64_t>(most)).run();
  return static_cast<std::size_t>(sqlite3_changes64(db_));
}

std::pair<Rev, std::size_t> RowStore::drop_owned_tombstones(Ordinal owner, Rev through, std::size_t most) {
  Rev last;
  {
    const ResetGuard guard(find_gone_);
    find_gone_.integer(owner).integer(static_cast<std::int64_t>(through.value)).integer(static_cast<std::int64_t>(most));
    if (!find_gone_.step() || find_gone_.column_is_null(0)) return {};
    last = Rev{static_cast<std::uint64_t>(find_gone_.column_integer(0))};
  }
  held_.valid = false;
  drop_gone_.integer(owner).integer(static_cast<std::int64_t>(last.value)).run();
  return {last, static_cast<std::size_t>(sqlite3_changes64(db_))};
}

void RowStore::forget(ModelIndex m, BytesView key) {
  (void)held(m, key);
  erase_row(m, key);
  built_in_changed_ |= schema_.models[m].built_in;
  forget_.integer(number(m)).blob(key).run();
  kept_.drop(number(m), key);
  replace_sum(m, key, held_.origin, std::nullopt);
}

bool RowStore::is_intact(ModelIndex m, BytesView key, const RowVersion& v, BytesView values) {
  return held(m, key).sum == sum_of(schema_.models[m], key, v, values);
}

void RowStore::put(ModelIndex m, BytesView key, const RowVersion& v, std::optional<BytesView> values, bool intact) {
  built_in_changed_ |= schema_.models[m].built_in;
  (void)held(m, key);
  std::optional<RowSum> sum;
  if (!v.death) sum = sum_of(schema_.models[m], key, v, values.value_or(BytesView()));
  if (sum && (!values || !intact)) sum = spoiled(*sum);
  const Ordinal generation = origins_.ordinal(v.generation.origin);
  put_.integer(number(m)).blob(key).integer(generation);
  put_.integer(static_cast<std::int64_t>(v.generation.hlc.packed));
  ByteWriter fields;
  if (v.fields.empty()) {
    put_.null();
  } else {
    write_fields(fields, v, origins_);
    put_.blob(fields.bytes());
  }
  if (v.death) {
    put_.integer(origins_.ordinal(v.death->origin)).integer(static_cast<std::int64_t>(v.death->seq.value)).null();
  } else {
    put_.null().null().integer(static_cast<std::int64_t>(*sum));
  }
  put_.run();
  if (v.death) kept_.drop(number(m), key);
  replace_sum(m, key, generation, sum);
}

template <class Sum, class Bind>
std::size_t RowStore::put_all_new(ModelIndex m, std::span<const NewRow> rows, Ordinal owner, Statement& one,
                                  Statement& many, const Sum& sum_of_row, const Bind& bind) {
  held_.valid = false;
  const DigestTable::Key key = group(m, owner);
  std::array<RowSum, kMany> sums{};
  std::size_t done = 0;
  for (bool good = true; good && done < rows.size();) {
    const std::size_t count = rows.size() - done >= kMany ? kMany : 1;
    Statement& put = count == kMany ? many : one;
    for (std::size_t i = 0; i < count; ++i) {
      const NewRow& row = rows[done + i];
      sums[i] = sum_of_row(row);
      bind(put, row);
      put.integer(static_cast<std::int64_t>(sums[i]));
    }
    good = put.try_run();
    const std::size_t taken = good ? count : static_cast<std::size_t>(sqlite3_changes64(db_));
    for (std::size_t i = 0; i < taken; ++i) digests_.add(key, range_of(rows[done + i].key), sums[i]);
    done += taken;
  }
  return done;
}

std::size_t RowStore::put_new(ModelIndex m, std::span<const NewRow> rows, const Stamp& generation) {
  built_in_changed_ |= schema_.models[m].built_in;
  const auto stamp_of = [&](const NewRow& row) -> const Stamp& { return row.generation != nullptr ? *row.generation : generation; };
  return put_all_new(
      m, rows, DigestTable::kShared, put_new_, put_new_many_,
      [&](const NewRow& row) { return sum_of(schema_.models[m], row.key, RowVersion{stamp_of(row), std::nullopt, {}}, row.values); },
      [&](Statement& put, const NewRow& row) {
        put.integer(number(m)).blob(row.key).integer(origins_.ordinal(stamp_of(row).origin));
        put.integer(static_cast<std::int64_t>(stamp_of(row).hlc.packed));
      });
}

std::optional<OwnedVersion> RowStore::owned(ModelIndex m, BytesView key) {
  const ResetGuard guard(select_);
  if (!look_up(m, key)) return std::nullopt;
  return OwnedVersion{select_.column_integer(0), Rev{static_cast<std::uint64_t>(select_.column_integer(5))},
                      !select_.column_is_null(4)};
}

bool RowStore::is_intact(ModelIndex m, BytesView key, const OwnedVersion& v, BytesView values) {
  return held(m, key).sum == sum_of(schema_.models[m], key, origins_.origin(v.owner), v.rev, values);
}

void RowStore::put_owned(ModelIndex m, BytesView key, const OwnedVersion& v, std::optional<BytesView> values, bool intact) {
  (void)held(m, key);
  std::optional<RowSum> sum;
  if (!v.deleted) sum = sum_of(schema_.models[m], key, origins_.origin(v.owner), v.rev, values.value_or(BytesView()));
  if (sum && (!values || !intact)) sum = spoiled(*sum);
  put_owned_.integer(number(m)).blob(key).integer(v.owner).integer(static_cast<std::int64_t>(v.rev.value));
  if (v.deleted) put_owned_.integer(1).null();
  else put_owned_.null().integer(static_cast<std::int64_t>(*sum));
  put_owned_.run();
  if (v.deleted) kept_.drop(number(m), key);
  replace_sum(m, key, v.owner, sum);
}

std::size_t RowStore::put_new_owned(ModelIndex m, std::span<const NewRow> rows, Ordinal owner) {
  const Origin& origin = origins_.origin(owner);
  return put_all_new(
      m, rows, owner, put_new_owned_, put_new_owned_many_,
      [&](const NewRow& row) { return sum_of(schema_.models[m], row.key, origin, row.rev, row.values); },
      [&](Statement& put, const NewRow& row) {
        put.integer(number(m)).blob(row.key).integer(owner).integer(static_cast<std::int64_t>(row.rev.value));
      });
}

ScannedRow RowStore::read_scanned(ModelIndex m, BytesView key, const Statement& version) {
  const ModelSchema& model = schema_.models[m];
  ScannedRow row;
  row.key = key;
  row.deleted = !version.column_is_null(4);
  row.values = read_row(m, key);
  if (model.kind == Kind::shared) {
    row.version = read_version(version);
  } else {
    row.owner = origins_.origin(version.column_integer(0));
    row.rev = Rev{static_cast<std::uint64_t>(version.column_integer(5))};
  }
  row.good = row.deleted ? !row.values
                         : row.values && !version.column_is_null(6) && sum_of(model, row) == static_cast<RowSum>(version.column_integer(6));
  if (!row.good || hidden_.empty() || !has_rules(m)) return row;
  const std::optional<HiddenRow> hidden = find_hidden({m, Bytes(key)});
  if (!hidden) return row;
  const std::optional<BytesView> shown = shown_.read(m, key);
  row.good = hidden->kind == HiddenKind::nulled ? shown && is_nulled(model, *shown, *row.values) : !shown;
  return row;
}

void RowStore::scan(ModelIndex m, BytesView after, const std::function<Look(BytesView key, Ordinal)>& look,
                    const std::function<bool(const ScannedRow&)>& take) {
  const ResetGuard guard(scan_);
  scan_.integer(number(m)).blob(after);
  while (scan_.step()) {
    const BytesView key = scan_.column_bytes(7);
    const Look wanted = look(key, scan_.column_integer(0));
    if (wanted == Look::end) return;
    if (wanted == Look::read && !take(read_scanned(m, key, scan_))) return;
  }
}

void RowStore::scan(ModelIndex m, BytesView after, const std::function<bool(const ScannedRow&)>& take) {
  scan(m, after, [](BytesView, Ordinal) { return Look::read; }, take);
}

bool RowStore::recount(ModelIndex m, const Origin& owner) {
  const DigestTable::Key key = group_of(m, owner);
  GroupDigest digest;
  Statement sums(db_, "SELECT key, sum FROM sync_row WHERE model=?1 AND (?2=0 OR origin=?2) AND sum IS NOT NULL");
  sums.integer(key.first).integer(key.second);
  for (; sums.step(); ++digest.rows) digest.ranges[range_of(sums.column_bytes(0))] += static_cast<RowSum>(sums.column_integer(1));
  return digests_.replace(key, digest);
}

bool RowStore::is_known(ModelIndex m, BytesView key) {
  const ResetGuard guard(select_);
  return look_up(m, key);
}

bool RowStore::is_good(ModelIndex m, BytesView key) {
  const ResetGuard guard(select_);
  if (!look_up(m, key)) return !read_row(m, key);
  return read_scanned(m, key, select_).good;
}

// ---- Rows

void RowStore::insert_row(ModelIndex m, BytesView key, BytesView values) {
  if (has_rules(m)) note({m, Bytes(key)}, values);
  else shown_.insert(m, key, values);
}

void RowStore::insert_rows(ModelIndex m, std::span<const NewRow> rows) {
  if (!has_rules(m)) return shown_.insert_all(m, rows);
  for (const NewRow& row : rows) note({m, Bytes(row.key)}, row.values);
}

void RowStore::upsert_row(ModelIndex m, BytesView key, BytesView values) {
  if (has_rules(m)) note({m, Bytes(key)}, values);
  else shown_.upsert(m, key, values);
}

// Fields that no rule names are written where the row stands, if it stands in the table as it is.
void RowStore::update_row(ModelIndex m, BytesView key, FieldMask mask, BytesView values) {
  if (!has_rules(m)) return shown_.update(m, key, mask, values);
  const RowName name{m, Bytes(key)};
  const bool plain = (mask & rules_.fields_in_rules(m)) == 0 && pending_.find(name) == nullptr && !hidden_.find(name);
  if (plain) return shown_.update(m, key, mask, values);
  const std::optional<BytesView> row = read_row(m, key);
  if (!row) return;
  const FieldMask all = schema_.models[m].all_fields() & ~schema_.models[m].key_fields();
  note(name, overlay_fields(Bytes(*row), all, values, mask, mask));
}

void RowStore::erase_row(ModelIndex m, BytesView key) {
  if (has_rules(m)) note({m, Bytes(key)}, std::nullopt);
  else shown_.erase(m, key);
}

std::optional<BytesView> RowStore::read_row(ModelIndex m, BytesView key) {
  if (pending_.empty() && hidden_.empty()) return shown_.read(m, key);  // a model that has no rules any more may have hidden rows yet
  const RowName name{m, Bytes(key)};
  if (const PendingRow* pending = pending_.find(name)) {
    if (!pending->values) return std::nullopt;
    row_ = *pending->values;
    return row_;
  }
  std::optional<HiddenRow> hidden = find_hidden(name);
  if (!hidden) return shown_.read(m, key);
  row_ = std::move(hidden->values);
  return row_;
}

std::optional<HiddenRow> RowStore::find_hidden(const RowName& name) {
  std::optional<HiddenRow> row = hidden_.find(name);
  if (!row) return row;
  std::optional<Bytes> whole = completed(schema_.models[name.model], row->values);
  if (!whole) return std::nullopt;  // it is damaged: a row that is gone, until a peer's takes its place
  row->values = std::move(*whole);
  return row;
}

void RowStore::reload() {
  held_.valid = false;
  pending_.clear();
  hidden_.reload();
}

// ---- What waits to be settled

void RowStore::release(const RowName& name, BytesView values) {
  for (std::size_t i = 0; i < rules_.uniques(name.model); ++i) {
    std::optional<Bytes> value = rules_.value({name.model, i}, name.key, values);
    if (value) pending_.release({{name.model, i}, std::move(*value)});
  }
}

// At the first touch: what it was.
PendingRow& RowStore::note(const RowName& name) {
  if (PendingRow* known = pending_.find(name)) return *known;
  const std::optional<HiddenRow> hidden = find_hidden(name);
  const std::optional<BytesView> shown = shown_.read(name.model, name.key);
  if (hidden) release(name, hidden->values);
  else if (shown) release(name, *shown);
  PendingRow& row = pending_.add(name);
  row.was = hidden ? hidden->kind : HiddenKind::none;
  row.was_visible = shown.has_value();
  return row;
}

void RowStore::note(const RowName& name, std::optional<BytesView> values) {
  PendingRow& row = note(name);
  row.values = values ? std::optional(Bytes(*values)) : std::nullopt;
}

void RowStore::note_anew(const RowName& name) {
  const std::optional<BytesView> values = read_row(name.model, name.key);
  const std::optional<Bytes> held = values ? std::optional(Bytes(*values)) : std::nullopt;  // note() reads, too
  note(name, held);
}

RowStore::Written RowStore::note_written(ModelIndex m, Op op, BytesView key, FieldMask changed, BytesView values,
                                         BytesView before) {
  const RowName name{m, Bytes(key)};
  const bool anew = op == Op::insert && before.empty();  // it did not see any row of that key
  std::optional<HiddenRow> hidden = find_hidden(name);
  if (PendingRow* known = pending_.find(name); known != nullptr && known->values) hidden = {known->was, {}, *known->values};
  PendingRow* row = pending_.find(name);
  if (row == nullptr) {
    row = &pending_.add(name);
    row->was = hidden ? hidden->kind : HiddenKind::none;
    row->was_visible = hidden ? hidden->kind == HiddenKind::nulled : op != Op::insert;
    if (hidden) {
      release(name, hidden->values);
    } else if (!before.empty()) {
      release(name, before);
    } else if (const std::optional<BytesView> shown = op == Op::erase ? shown_.read(m, key) : std::nullopt) {
      release(name, *shown);  // of a rebase: the row goes only when it is settled
    }
  }
  if (hidden && anew) {
    const std::optional<RowVersion> version = this->version(m, key);
    if (version && !version->death) row->overwritten = {*version, hidden->values};
  }
  Written written{hidden && !anew ? hidden->values : Bytes(before), {}};
  const FieldMask all = schema_.models[m].all_fields() & ~schema_.models[m].key_fields();
  if (op == Op::insert) written.after = values;
  if (op == Op::update) written.after = overlay_fields(written.before, all, values, changed, changed);
  row->values = op == Op::erase ? std::nullopt : std::optional(written.after);
  return written;
}

}  // namespace starling
