#include "core/store/statement.h"

#include <SQLiteCpp/Exception.h>

#include <utility>

#include "core/base/assert.h"

namespace starling {

Statement::Statement(sqlite3* db, std::string_view sql, std::string_view* tail) {
  const char* rest = nullptr;
  const int code = sqlite3_prepare_v3(db, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &handle_,
                                      &rest);
  if (code != SQLITE_OK) throw SQLite::Exception(db, code);
  if (tail != nullptr) *tail = sql.substr(static_cast<std::size_t>(rest - sql.data()));
}

Statement::~Statement() { sqlite3_finalize(handle_); }

Statement::Statement(Statement&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)), next_(std::exchange(other.next_, 0)) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(handle_, other.handle_);
  std::swap(next_, other.next_);
  return *this;
}

void Statement::check(int code) {
  if (code == SQLITE_OK) return;
  const SQLite::Exception error(sqlite3_db_handle(handle_), code);
  reset();
  throw error;
}

Statement& Statement::integer(std::int64_t v) {
  check(sqlite3_bind_int64(handle_, ++next_, v));
  return *this;
}

Statement& Statement::null() {
  check(sqlite3_bind_null(handle_, ++next_));
  return *this;
}

Statement& Statement::blob(BytesView v) {
  // A null pointer would bind NULL: an empty blob needs an address.
  const char* data = v.empty() ? "" : v.data();
  check(sqlite3_bind_blob64(handle_, ++next_, data, v.size(), SQLITE_STATIC));
  return *this;
}

Statement& Statement::text(BytesView v) {
  const char* data = v.empty() ? "" : v.data();
  check(sqlite3_bind_text64(handle_, ++next_, data, v.size(), SQLITE_STATIC, SQLITE_UTF8));
  return *this;
}

Statement& Statement::value(const ValueView& v) {
  switch (v.type) {
    case Type::null: return null();
    case Type::integer: return integer(v.integer);
    case Type::real: check(sqlite3_bind_double(handle_, ++next_, v.real)); return *this;
    case Type::text: return text(v.bytes);
    case Type::blob: return blob(v.bytes);
  }
  return *this;
}

Statement& Statement::values(BytesView typed_bytes) {
  ByteReader r(typed_bytes);
  while (!r.rest().empty()) value(read_value(r));
  ASSERT(!r.failed());
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) check(code);
  return false;
}

void Statement::run() {
  ASSERT(!step());
  reset();
}

bool Statement::try_run() {
  const int code = sqlite3_step(handle_);
  if ((code & 0xff) != SQLITE_CONSTRAINT) check(code == SQLITE_DONE ? SQLITE_OK : code);
  reset();
  return code == SQLITE_DONE;
}

void Statement::reset() {
  sqlite3_reset(handle_);  // repeats the error of the last step, which has been thrown already
  next_ = 0;
}

BytesView Statement::column_bytes(int i) const {
  const void* data = sqlite3_column_blob(handle_, i);
  return {static_cast<const char*>(data), static_cast<std::size_t>(sqlite3_column_bytes(handle_, i))};
}

ValueView Statement::column_value(int i) const {
  switch (sqlite3_column_type(handle_, i)) {
    case SQLITE_INTEGER: return ValueView::of(column_integer(i));
    case SQLITE_FLOAT: return ValueView::of(sqlite3_column_double(handle_, i));
    case SQLITE_TEXT: return ValueView::text(column_bytes(i));
    case SQLITE_BLOB: return ValueView::blob(column_bytes(i));
    default: return ValueView::null();
  }
}

}  // namespace starling
