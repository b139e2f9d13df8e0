#include "core/store/capture.h"

#include <sqlite3.h>

#include <cstring>
#include <exception>
#include <utility>

#include "core/base/assert.h"
#include "core/base/planted_bug.h"
#include "core/store/authorizer.h"
#include "core/store/row_image.h"
#include "core/store/schema_reader.h"
#include "core/store/statement.h"
#include "core/store/touched_rows.h"

namespace starling {
namespace {

struct Table {  // what the hook needs to know of a model
  std::string name;
  std::vector<ImageColumn> key, rest;
  Statement select;  // the rest by key; prepared when first needed
};

Table table_of(const ModelSchema& m) {
  Table t;
  t.name = m.name;
  const auto column = [&m](FieldIndex i) { return ImageColumn{i, m.fields[i].storage, m.fields[i].affinity}; };
  for (const FieldIndex i : m.key) t.key.push_back(column(i));
  for (FieldIndex i = 0; i < m.fields.size(); ++i)
    if (m.fields[i].key_position == 0) t.rest.push_back(column(i));
  return t;
}

std::string select_sql(const ModelSchema& m, const Table& t) {
  std::string columns, terms;
  for (const ImageColumn& c : t.rest)
    columns += (columns.empty() ? "" : ", ") + quote_identifier(m.fields[c.field].name);
  for (const ImageColumn& c : t.key)
    terms += (terms.empty() ? "" : " AND ") + quote_identifier(m.fields[c.field].name) + " = ?";
  return "SELECT " + (columns.empty() ? "NULL" : columns) + " FROM main." + quote_identifier(m.name) + " WHERE " +
         terms;
}

}  // namespace

struct Capture::Impl {
  Impl(sqlite3* connection, const Schema& models);
  ~Impl();

  // Called by SQLite: no exception may pass.
  static void on_preupdate(void* self, sqlite3*, int op, const char* database, const char* table, sqlite3_int64,
                           sqlite3_int64) noexcept;
  static int on_commit(void* self) noexcept;
  static void on_rollback(void* self) noexcept;

  Table* find(const char* database, const char* name);
  void inserted(Table&);
  void updated(Table&);
  void erased(Table&, bool blob_write);
  TouchedRows::Found touch_old(Table&);
  void set_after(std::size_t row, Table&);

  void read_again(TouchedRow&);
  Expected<void> check(const TouchedRow&) const;
  void diff(const TouchedRow&, NetChange&);
  Expected<std::vector<NetChange>> net_changes();
  void forget();
  void record(bool on);

  [[nodiscard]] ModelIndex index_of(const Table& t) const { return static_cast<ModelIndex>(&t - tables.data()); }

  sqlite3* db;
  const Schema& schema;
  Authorizer authorizer;
  std::vector<Table> tables;  // as the schema's models
  Table* last_table = nullptr;

  bool recording = false;
  bool distrusted = false;
  bool rolled_back = false;
  bool commit_allowed = false;
  std::exception_ptr failure;  // of the hook

  TouchedRows rows;
  ByteWriter key, new_key, image;  // scratch
  ByteWriter gathered;             // changed fields that do not stand side by side
};

Capture::Impl::Impl(sqlite3* connection, const Schema& models)
    : db(connection), schema(models), authorizer(connection) {
  for (const ModelSchema& m : schema.models) tables.push_back(table_of(m));
  sqlite3_commit_hook(db, on_commit, this);
  sqlite3_rollback_hook(db, on_rollback, this);
}

Capture::Impl::~Impl() {
  record(false);
  sqlite3_commit_hook(db, nullptr, nullptr);
  sqlite3_rollback_hook(db, nullptr, nullptr);
}

// SQLite prepares much for a hook that then looks away, so it is there only while an application writes: every
// statement of an application is prepared and run in that time. (Prepared without a hook, DELETE without WHERE would
// tell nothing.)
void Capture::Impl::record(bool on) {
  recording = on;
  if (on)
    sqlite3_preupdate_hook(db, on_preupdate, this);
  else
    sqlite3_preupdate_hook(db, nullptr, nullptr);
}

// ---- In the hook ----

void Capture::Impl::on_preupdate(void* self, sqlite3* db, int op, const char* database, const char* table,
                                 sqlite3_int64, sqlite3_int64) noexcept {
  auto& capture = *static_cast<Impl*>(self);
  if (capture.failure) return;
  try {
    Table* t = capture.find(database, table);
    if (t == nullptr) return;
    if (op == SQLITE_INSERT)
      capture.inserted(*t);
    else if (op == SQLITE_UPDATE)
      capture.updated(*t);
    else
      capture.erased(*t, sqlite3_preupdate_blobwrite(db) >= 0);
  } catch (...) {
    capture.failure = std::current_exception();
  }
}

int Capture::Impl::on_commit(void* self) noexcept {
  return std::exchange(static_cast<Impl*>(self)->commit_allowed, false) ? 0 : 1;
}

void Capture::Impl::on_rollback(void* self) noexcept {
  auto& capture = *static_cast<Impl*>(self);
  capture.rolled_back = true;
  capture.forget();
}

// Rows come in runs of one table, hence the memory of the last. Its name is compared, not its address: SQLite frees
// names when the schema changes.
Table* Capture::Impl::find(const char* database, const char* name) {
  if (std::strcmp(database, "main") != 0) return nullptr;
  if (last_table != nullptr && last_table->name == name) return last_table;
  const ModelSchema* m = schema.find(name);
  if (m == nullptr) return nullptr;
  return last_table = &tables[schema.index_of(*m)];
}

// The row that the hook calls old; at first touch its image is what stood there when the transaction began.
TouchedRows::Found Capture::Impl::touch_old(Table& t) {
  key.clear();
  append_key(key, db, sqlite3_preupdate_old, t.key);
  const TouchedRows::Found found = rows.touch(index_of(t), key.bytes());
  if (found.first) {
    image.clear();
    const bool fits = append_image(image, db, sqlite3_preupdate_old, t.rest);
    rows[found.row].before = {true, fits, rows.store(image.bytes())};
  }
  return found;
}

void Capture::Impl::set_after(std::size_t row_number, Table& t) {
  TouchedRow& row = rows[row_number];
  row.after.present = true;
  if (distrusted || row.read_again) return;
  image.clear();
  row.after.fits = append_image(image, db, sqlite3_preupdate_new, t.rest);
  Extent& place = row.after.bytes;
  if (place.size == 0) {
    place = rows.store(image.bytes());
  } else if (image.size() <= place.size) {
    rows.overwrite(place, image.bytes());
    place.size = image.size();
  } else {
    row.read_again = true;  // so that a row written again and again takes no more memory each time
  }
}

void Capture::Impl::inserted(Table& t) {
  key.clear();
  append_key(key, db, sqlite3_preupdate_new, t.key);
  set_after(rows.touch(index_of(t), key.bytes()).row, t);
}

void Capture::Impl::updated(Table& t) {
  std::size_t row = touch_old(t).row;
  new_key.clear();
  append_key(new_key, db, sqlite3_preupdate_new, t.key);
  if (new_key.bytes() != key.bytes()) {
    rows[row].after.present = false;
    row = rows.touch(index_of(t), new_key.bytes()).row;
  }
  set_after(row, t);
}

void Capture::Impl::erased(Table& t, bool blob_write) {  // a blob write comes as a delete that shows only the old row
  const std::size_t row = touch_old(t).row;
  if (blob_write)
    rows[row].read_again = true;
  else
    rows[row].after.present = false;
}

// ---- At the end of the transaction ----

void Capture::Impl::read_again(TouchedRow& row) {
  Table& t = tables[row.model];
  if (t.select.handle() == nullptr) t.select = Statement(db, select_sql(schema.models[row.model], t));
  const ResetGuard guard(t.select);
  row.after = {};
  if (!t.select.values(rows.bytes(row.key)).step()) return;
  image.clear();
  row.after.present = true;
  for (std::size_t i = 0; i < t.rest.size(); ++i)
    row.after.fits = append_value(image, t.select.column_value(static_cast<int>(i))) && row.after.fits;
  row.after.bytes = rows.store(image.bytes());
}

Expected<void> Capture::Impl::check(const TouchedRow& row) const {
  const ModelSchema& m = schema.models[row.model];
  const BytesView row_key = rows.bytes(row.key);
  const Expected<void> good = check_key(m, row_key);
  if (!good || !row.after.present) return good;
  if (row.after.fits && row_key.size() + row.after.bytes.size <= limits::kRowMax) return {};
  const std::string what = row.after.fits ? "the row is larger than " + std::to_string(limits::kRowMax) + " bytes"
                                          : "a value is larger than " + std::to_string(limits::kValueMax) + " bytes";
  return Error{Errc::too_large, what, m.name + " " + describe_values(row_key),
               "keep it in a file and store its name, or split it over rows"};
}

// Which fields differ, and their values: a part of the image where they stand side by side, else gathered.
void Capture::Impl::diff(const TouchedRow& row, NetChange& change) {
  BytesView before = rows.bytes(row.before.bytes);
  BytesView after = change.row;
  bool side_by_side = true;
  const std::size_t gathered_from = gathered.size();
  for (const ImageColumn& c : tables[row.model].rest) {
    const BytesView value = next_value(after);
    if (next_value(before) == value) continue;
    change.changed |= FieldMask{1} << c.field;
    side_by_side =
        side_by_side && (change.values.empty() || change.values.data() + change.values.size() == value.data());
    if (change.values.empty())
      change.values = value;
    else if (side_by_side)
      change.values = {change.values.data(), change.values.size() + value.size()};
    gathered.raw(value);
  }
  if (!side_by_side) change.values = BytesView(gathered.bytes()).substr(gathered_from);
}

Expected<std::vector<NetChange>> Capture::Impl::net_changes() {
  std::size_t room = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (distrusted || rows[i].read_again) read_again(rows[i]);
    if (rows[i].before.present) room += rows[i].after.bytes.size;
  }
  gathered.clear();
  gathered.reserve(room);  // from here on neither it nor the arena moves, so views into them hold

  std::vector<NetChange> changes;
  changes.reserve(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const TouchedRow& row = rows[i];
    if (!row.before.present && !row.after.present) continue;
    NetChange change{row.model, Op::erase, rows.bytes(row.key), 0, {}, {}, {}};
    if (row.before.present) change.before = rows.bytes(row.before.bytes);
    if (row.after.present) {
      change.row = rows.bytes(row.after.bytes);
      change.op = row.before.present ? Op::update : Op::insert;
      if (change.op == Op::update) {
        diff(row, change);
        if (change.changed == 0 && row.after.fits) continue;  // of an oversized value we cannot tell
      } else {
        change.changed = schema.models[row.model].all_fields() & ~schema.models[row.model].key_fields();
        change.values = change.row;
      }
    }
    const Expected<void> good = check(row);
    if (!good) return good.error();
    changes.push_back(change);
  }
  return changes;
}

void Capture::Impl::forget() {
  rows.clear();
  for (ByteWriter* scratch : {&key, &new_key, &image, &gathered})
    if (scratch->bytes().capacity() > limits::MiB) *scratch = {};  // memory of an unusual transaction is given back
  failure = nullptr;
}

// ---- The face ----

Capture::Capture(sqlite3* db, const Schema& schema) : impl_(std::make_unique<Impl>(db, schema)) {}

Capture::~Capture() = default;

void Capture::begin(bool migration) {
  ASSERT(!impl_->recording);
  impl_->forget();
  impl_->rolled_back = false;
  impl_->distrusted = false;
  impl_->authorizer.begin_strict(migration);
  impl_->record(true);
}

void Capture::distrust() { impl_->distrusted = true; }

Expected<std::vector<NetChange>> Capture::fold() {
  ASSERT(impl_->recording);
  impl_->record(false);
  impl_->authorizer.end_strict();
  if (impl_->failure) std::rethrow_exception(impl_->failure);
  if (impl_->rolled_back)
    return Error{Errc::constraint, "SQLite has rolled the whole transaction back", "",
                 "look at the statement that failed: RAISE(ROLLBACK), OR ROLLBACK, or a full disk"};
  if (impl_->authorizer.undo_possible()) impl_->distrusted = true;
  if (planted(PlantedBug::fold_forgets_rollback)) impl_->distrusted = false;
  return impl_->net_changes();
}

void Capture::end() {
  impl_->record(false);
  impl_->authorizer.end_strict();
  impl_->commit_allowed = false;
  impl_->forget();
}

void Capture::allow_commit() { impl_->commit_allowed = true; }

bool Capture::touched_anything() const {
  if (impl_->failure) std::rethrow_exception(impl_->failure);
  return impl_->rows.size() != 0;
}

bool Capture::rolled_back() const { return impl_->rolled_back; }

std::string Capture::take_refusal() { return impl_->authorizer.take_refusal(); }

}  // namespace starling
