// A SQL value that owns its bytes: what queries return and what callers pass as arguments.
//
// Blob is a string of bytes that is not text: SQLite keeps the two apart, and so do we.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/base/value.h"

namespace starling {

struct Blob {
  Bytes bytes;
  friend bool operator==(const Blob&, const Blob&) = default;
};

using SqlValue = std::variant<std::monostate, std::int64_t, double, std::string, Blob>;  // monostate: NULL

[[nodiscard]] inline SqlValue to_sql_value(const ValueView& v) {
  switch (v.type) {
    case Type::null: return std::monostate{};
    case Type::integer: return v.integer;
    case Type::real: return v.real;
    case Type::text: return std::string(v.bytes);
    case Type::blob: return Blob{Bytes(v.bytes)};
  }
  return std::monostate{};
}

struct Rows {
  std::vector<std::string> columns;
  std::vector<std::vector<SqlValue>> rows;

  [[nodiscard]] bool empty() const { return rows.empty(); }
  [[nodiscard]] std::size_t size() const { return rows.size(); }
  // The cell as an integer or text; 0 or empty when it is of another type.
  [[nodiscard]] std::int64_t integer(std::size_t row, std::size_t column = 0) const {
    const auto* v = std::get_if<std::int64_t>(&rows.at(row).at(column));
    return v != nullptr ? *v : 0;
  }
  [[nodiscard]] std::string text(std::size_t row, std::size_t column = 0) const {
    const SqlValue& cell = rows.at(row).at(column);
    if (const auto* t = std::get_if<std::string>(&cell)) return *t;
    if (const auto* b = std::get_if<Blob>(&cell)) return b->bytes;
    return {};
  }
  // The cell as a blob, which is what a query with it as an argument must be given again; empty when it is none.
  [[nodiscard]] Blob blob(std::size_t row, std::size_t column = 0) const {
    const auto* b = std::get_if<Blob>(&rows.at(row).at(column));
    return b != nullptr ? *b : Blob();
  }
};

// Arguments of a statement, not owning: what the caller passes must live until the call returns.
[[nodiscard]] inline ValueView sql_arg(std::nullptr_t) { return ValueView::null(); }
[[nodiscard]] inline ValueView sql_arg(std::int64_t v) { return ValueView::of(v); }
[[nodiscard]] inline ValueView sql_arg(int v) { return ValueView::of(std::int64_t{v}); }
[[nodiscard]] inline ValueView sql_arg(double v) { return ValueView::of(v); }
[[nodiscard]] inline ValueView sql_arg(std::string_view v) { return ValueView::text(v); }
[[nodiscard]] inline ValueView sql_arg(const std::string& v) { return ValueView::text(v); }
[[nodiscard]] inline ValueView sql_arg(const char* v) { return ValueView::text(v); }
[[nodiscard]] inline ValueView sql_arg(const Blob& v) { return ValueView::blob(v.bytes); }
[[nodiscard]] inline ValueView sql_arg(const ValueView& v) { return v; }
[[nodiscard]] inline ValueView sql_arg(const SqlValue& v) {
  struct {
    ValueView operator()(std::monostate) const { return ValueView::null(); }
    ValueView operator()(std::int64_t i) const { return ValueView::of(i); }
    ValueView operator()(double d) const { return ValueView::of(d); }
    ValueView operator()(const std::string& s) const { return ValueView::text(s); }
    ValueView operator()(const Blob& b) const { return ValueView::blob(b.bytes); }
  } visitor;
  return std::visit(visitor, v);
}

}  // namespace starling
