#include "core/store/row_image.h"

#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>

#include <bit>
#include <string>

#include "core/base/assert.h"

namespace starling {
namespace {

ValueView read(sqlite3* db, ReadValue read_value_at, const ImageColumn& column) {
  sqlite3_value* value = nullptr;
  const int code = read_value_at(db, column.storage, &value);
  ASSERT(code != SQLITE_MISUSE && code != SQLITE_RANGE);
  if (code != SQLITE_OK) throw SQLite::Exception("a row that changes cannot be read", code);  // long values are read only now
  return stored_form(view_of(value), column.affinity);
}

}  // namespace

ValueView view_of(sqlite3_value* value) {
  const auto bytes = [value] {  // of text as of a blob: asking for text would copy it for a terminator
    const void* data = sqlite3_value_blob(value);
    return BytesView(static_cast<const char*>(data), static_cast<std::size_t>(sqlite3_value_bytes(value)));
  };
  switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER: return ValueView::of(std::int64_t{sqlite3_value_int64(value)});
    case SQLITE_FLOAT: return ValueView::of(sqlite3_value_double(value));
    case SQLITE_TEXT: return ValueView::text(bytes());
    case SQLITE_BLOB: return ValueView::blob(bytes());
    default: return ValueView::null();
  }
}

ValueView stored_form(ValueView v, Affinity affinity) {
  if (affinity == Affinity::real && v.type == Type::integer) return ValueView::of(static_cast<double>(v.integer));
  return v;
}

bool append_value(ByteWriter& out, const ValueView& v) {
  if (v.bytes.size() > limits::kValueMax) {
    out.u8(kOversized);
    return false;
  }
  write_value(out, v);
  return true;
}

bool append_image(ByteWriter& out, sqlite3* db, ReadValue read_value_at, std::span<const ImageColumn> columns) {
  bool fits = true;
  for (const ImageColumn& c : columns) fits = append_value(out, read(db, read_value_at, c)) && fits;
  return fits;
}

void append_key(ByteWriter& out, sqlite3* db, ReadValue read_value_at, std::span<const ImageColumn> columns) {
  for (const ImageColumn& c : columns) write_value(out, read(db, read_value_at, c));
}

Expected<void> check_key(const ModelSchema& m, BytesView key) {
  if (key.size() > limits::kKeyMax)
    return Error{Errc::too_large,
                 "a key of " + std::to_string(key.size()) + " bytes; the most is " + std::to_string(limits::kKeyMax),
                 m.name, "use a shorter key, for instance a UUID"};
  ByteReader values(key);
  for (const FieldIndex i : m.key) {
    const FieldSchema& f = m.fields[i];
    const Type type = read_value(values).type;
    const bool bytes = f.affinity == Affinity::text || f.affinity == Affinity::blob;
    if (values.failed() || (bytes ? type != Type::text && type != Type::blob : type != Type::integer))
      return Error{Errc::constraint,
                   std::string("a key column that takes ") + (bytes ? "text or a blob" : "integers") +
                       " holds another type: " + describe_values(key),
                   m.name + "." + f.name, "store it as that type"};
  }
  if (!values.done()) return Error{Errc::constraint, "a key of too many values: " + describe_values(key), m.name, ""};
  return {};
}

namespace {

bool is_of(Affinity affinity, Type type) {  // in a STRICT table; ANY takes every type
  switch (affinity) {
    case Affinity::integer: return type == Type::integer;
    case Affinity::real: return type == Type::real;
    case Affinity::text: return type == Type::text;
    case Affinity::blob:  // BLOB or ANY
    case Affinity::numeric: break;
  }
  return true;
}

}  // namespace

Expected<void> check_values(const ModelSchema& m, FieldMask fields, BytesView values) {
  if (!m.constrains_values) return {};
  ByteReader r(values);
  for (FieldMask left = fields; left != 0; left &= left - 1) {
    const FieldSchema& f = m.fields[static_cast<std::size_t>(std::countr_zero(left))];
    const Type type = read_value(r).type;
    const bool good = type == Type::null ? !f.not_null : !m.strict || is_of(f.affinity, type);
    if (!good)
      return Error{Errc::constraint, "a value that the table's declaration does not allow", m.name + "." + f.name, ""};
  }
  return {};
}

BytesView next_value(BytesView& image) {
  constexpr std::uint64_t kLongLength = 31;
  ByteReader r(image);
  const auto length = static_cast<std::uint64_t>(r.u8() >> 3);
  (void)r.raw(length < kLongLength ? length : kLongLength + r.varint());
  ASSERT(!r.failed());
  const BytesView value = image.substr(0, image.size() - r.rest().size());
  image.remove_prefix(value.size());
  return value;
}

}  // namespace starling
