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
    " ON CONFLICT(model, key) DO UPDATE SET origin=?3, hlc=?4, fields=?5, dead_origin=?6, dead_seq=?7, sum=?8";
constexpr char kPutOwned[] =
    "INSERT INTO sync_row(model, key, origin, rev, dead_seq, sum) VALUES(?1,?2,?3,?4,?5,?6)"
    " ON CONFLICT(model, key) DO UPDATE SET origin=?3, rev=?4, dead_seq=?5, sum=?6";
constexpr char kReadShared[] =
    "SELECT origin, hlc, fields, dead_origin, dead_seq, key FROM sync_row WHERE model=?1 AND key>?2 ORDER BY key";
constexpr char kDropTombstones[] =
    "DELETE FROM sync_row WHERE (model, key) IN (SELECT model, key FROM sync_row"
    " WHERE dead_origin=?1 AND dead_seq<=?2 AND hlc<>0 AND NOT EXISTS (SELECT 1 FROM sync_held h JOIN sync_model m"
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

bool has_triggers(sqlite3* db) {
  int on = 0;
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, -1, &on);
  return on != 0;
}

std::string where_key(const ModelSchema& m) {
  std::vector<std::string> terms;
  for (const FieldIndex i : m.key) terms.push_back(quote_identifier(m.fields[i].name) + "=?");
  return " WHERE " + joined(terms, " AND ");
}

// Key columns first, then the others: the order of our arguments.
std::string insert_sql(const char* insert, const ModelSchema& m, std::size_t count) {
  std::vector<std::string> names;
  for (const FieldIndex i : m.key) names.push_back(quote_identifier(m.fields[i].name));
  for (const FieldSchema& f : m.fields)
    if (f.key_position == 0) names.push_back(quote_identifier(f.name));
  const std::string marks = "(" + joined(std::vector<std::string>(names.size(), "?"), ",") + ")";
  return many(insert, "main." + quote_identifier(m.name) + "(" + joined(names, ",") + ")", marks, count);
}

std::string upsert_sql(const ModelSchema& m, std::size_t count) {
  std::vector<std::string> keys, sets;
  for (const FieldIndex i : m.key) keys.push_back(quote_identifier(m.fields[i].name));
  for (const FieldSchema& f : m.fields)
    if (f.key_position == 0) sets.push_back(quote_identifier(f.name) + "=excluded." + quote_identifier(f.name));
  return insert_sql("INSERT INTO ", m, count) + " ON CONFLICT(" + joined(keys, ",") + ") DO " +
         (sets.empty() ? "NOTHING" : "UPDATE SET " + joined(sets, ","));
}

std::string select_sql(const ModelSchema& m) {
  std::vector<std::string> names;
  for (const FieldSchema& f : m.fields)
    if (f.key_position == 0) names.push_back(quote_identifier(f.name));
  if (names.empty()) names.emplace_back("NULL");
  return "SELECT " + joined(names, ",") + " FROM main." + quote_identifier(m.name) + where_key(m);
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
    : db_(db), schema_(schema), origins_(origins), digests_(digests), kept_(db), select_(db, kSelect), put_(db, kPut), put_new_(db, put_new_sql(1)),
      put_new_many_(db, put_new_sql(kMany)), put_owned_(db, kPutOwned), put_new_owned_(db, put_new_owned_sql(1)),
      put_new_owned_many_(db, put_new_owned_sql(kMany)), read_owned_(db, kReadOwned), scan_(db, kScan),
      read_shared_(db, kReadShared), drop_(db, kDropTombstones), find_gone_(db, kFindGone), drop_gone_(db, kDropGone),
      forget_(db, kForget) {
  Statement number(db, "SELECT number FROM sync_model WHERE name=?");
  // Triggers of the application: a conflict clause of ours would override those inside them, so that an INSERT OR IGNORE
  // of theirs fails; and they may have made a row before its insert comes from the peer.
  const bool triggers = has_triggers(db);
  const auto insert = [&](const ModelSchema& m, std::size_t count) {
    return triggers ? upsert_sql(m, count) : insert_sql(kInsertOrFail, m, count);
  };
  for (const ModelSchema& m : schema.models) {
    Sql sql;
    const ResetGuard guard(number);
    ASSERT(number.text(m.name).step());
    sql.number = number.column_integer(0);
    sql.insert = Statement(db, insert(m, 1));
    sql.insert_many = Statement(db, insert(m, kMany));
    sql.upsert = Statement(db, upsert_sql(m, 1));
    sql.erase = Statement(db, "DELETE FROM main." + quote_identifier(m.name) + where_key(m));
    sql.select = Statement(db, select_sql(m));
    by_number_[sql.number] = schema.index_of(m);
    models_.push_back(std::move(sql));
  }
}

RowStore::Sql& RowStore::sql(ModelIndex m) {
  ASSERT(m < models_.size());
  return models_[m];
}

DigestTable::Key RowStore::group(ModelIndex m, Ordinal owner) const {
  return {models_[m].number, schema_.models[m].kind == Kind::shared ? DigestTable::kShared : owner};
}

DigestTable::Key RowStore::group_of(ModelIndex m, const Origin& owner) const {
  return group(m, origins_.find(owner).value_or(DigestTable::kShared));
}

bool RowStore::look_up(ModelIndex m, BytesView key) {
  held_ = {true, m, std::move(held_.key), std::nullopt, 0};
  held_.key.assign(key);
  if (!select_.integer(sql(m).number).blob(key).step()) return false;
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
  read_shared_.integer(sql(m).number).blob(after);
  while (read_shared_.step() && take(read_shared_.column_bytes(5), read_version(read_shared_))) {}
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

void RowStore::reassign(Ordinal from, Ordinal to) {
  Statement(db_, "UPDATE sync_row SET origin=?2 WHERE origin=?1 AND rev IS NULL").integer(from).integer(to).run();
  Statement(db_, "UPDATE sync_row SET dead_origin=?2 WHERE dead_origin=?1").integer(from).integer(to).run();
  Statement select(db_, "SELECT model, key, fields FROM sync_row WHERE fields IS NOT NULL");
  Statement update(db_, "UPDATE sync_row SET fields=?3 WHERE model=?1 AND key=?2");
  while (select.step()) {  // rows are changed in place: none moves
    ByteWriter fields;
    bool named = false;
    for (ByteReader r(select.column_bytes(2)); !r.rest().empty() && !r.failed();) {
      fields.varint(r.varint());
      fields.zigzag(r.zigzag());
      const auto ordinal = static_cast<Ordinal>(r.varint());
      named = named || ordinal == from;
      fields.varint(static_cast<std::uint64_t>(ordinal == from ? to : ordinal));
    }
    if (named) update.integer(select.column_integer(0)).blob(select.column_bytes(1)).blob(fields.bytes()).run();
  }
  sum_anew(to);
}

// Stamps are part of a row's sum: those of rows that name this origin.
void RowStore::sum_anew(Ordinal named) {
  held_.valid = false;
  const Origin origin = origins_.origin(named);
  for (ModelIndex m = 0; m < schema_.models.size(); ++m) {
    if (schema_.models[m].kind != Kind::shared) continue;
    std::vector<std::pair<Bytes, RowVersion>> rows;
    read_shared(m, {}, [&](BytesView key, const RowVersion& v) {
      const bool names = v.generation.origin == origin || std::any_of(v.fields.begin(), v.fields.end(), [&](const FieldStamp& f) { return f.stamp.origin == origin; });
      if (names && !v.death) rows.emplace_back(key, v);
      return true;
    });
    for (const auto& [key, v] : rows) {
      put(m, key, v, read_row(m, key));
    }
  }
}

void RowStore::forget(ModelIndex m, BytesView key) {
  (void)held(m, key);
  erase_row(m, key);
  built_in_changed_ |= schema_.models[m].built_in;
  forget_.integer(sql(m).number).blob(key).run();
  kept_.drop(sql(m).number, key);
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
  put_.integer(sql(m).number).blob(key).integer(generation);
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
  if (v.death) kept_.drop(sql(m).number, key);
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
        put.integer(sql(m).number).blob(row.key).integer(origins_.ordinal(stamp_of(row).origin));
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
  put_owned_.integer(sql(m).number).blob(key).integer(v.owner).integer(static_cast<std::int64_t>(v.rev.value));
  if (v.deleted) put_owned_.integer(1).null();
  else put_owned_.null().integer(static_cast<std::int64_t>(*sum));
  put_owned_.run();
  if (v.deleted) kept_.drop(sql(m).number, key);
  replace_sum(m, key, v.owner, sum);
}

std::size_t RowStore::put_new_owned(ModelIndex m, std::span<const NewRow> rows, Ordinal owner) {
  const Origin& origin = origins_.origin(owner);
  return put_all_new(
      m, rows, owner, put_new_owned_, put_new_owned_many_,
      [&](const NewRow& row) { return sum_of(schema_.models[m], row.key, origin, row.rev, row.values); },
      [&](Statement& put, const NewRow& row) {
        put.integer(sql(m).number).blob(row.key).integer(owner).integer(static_cast<std::int64_t>(row.rev.value));
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
  return row;
}

void RowStore::scan(ModelIndex m, BytesView after, const std::function<Look(BytesView key, Ordinal)>& look,
                    const std::function<bool(const ScannedRow&)>& take) {
  const ResetGuard guard(scan_);
  scan_.integer(sql(m).number).blob(after);
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

void RowStore::insert_row(ModelIndex m, BytesView key, BytesView values) {
  sql(m).insert.values(key).values(values).run();
}

void RowStore::insert_rows(ModelIndex m, std::span<const NewRow> rows) {
  while (!rows.empty()) {
    const std::size_t count = rows.size() >= kMany ? kMany : 1;
    Statement& insert = count == kMany ? sql(m).insert_many : sql(m).insert;
    for (const NewRow& row : rows.first(count)) insert.values(row.key).values(row.values);
    insert.run();
    rows = rows.subspan(count);
  }
}

void RowStore::upsert_row(ModelIndex m, BytesView key, BytesView values) {
  sql(m).upsert.values(key).values(values).run();
}

Statement& RowStore::update_statement(ModelIndex m, FieldMask mask) {
  auto& cache = sql(m).updates;
  const auto known = cache.find(mask);
  if (known != cache.end()) return known->second;
  if (cache.size() >= 64) cache.clear();  // field sets are few in practice; a hostile peer must not grow this
  std::vector<std::string> sets;
  for (FieldMask left = mask; left != 0; left &= left - 1)
    sets.push_back(quote_identifier(schema_.models[m].fields[static_cast<FieldIndex>(std::countr_zero(left))].name) + "=?");
  return cache[mask] = Statement(db_, "UPDATE main." + quote_identifier(schema_.models[m].name) + " SET " +
                                          joined(sets, ",") + where_key(schema_.models[m]));
}

void RowStore::update_row(ModelIndex m, BytesView key, FieldMask mask, BytesView values) {
  if (mask == 0) return;
  update_statement(m, mask).values(values).values(key).run();
}

void RowStore::erase_row(ModelIndex m, BytesView key) { sql(m).erase.values(key).run(); }

std::optional<BytesView> RowStore::read_row(ModelIndex m, BytesView key) {
  Statement& select = sql(m).select;
  const ResetGuard guard(select);
  if (!select.values(key).step()) return std::nullopt;
  row_.clear();
  const ModelSchema& model = schema_.models[m];
  int column = 0;
  for (const FieldSchema& f : model.fields)
    if (f.key_position == 0) write_value(row_, select.column_value(column++));
  return row_.bytes();
}

}  // namespace starling
