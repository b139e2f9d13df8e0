// Typed models: a struct that lists its fields once is a model, a row to write, and a row to read.
//
//   struct Task {
//     Blob id;                            // BLOB, NOT NULL, the key
//     std::string title;                  // TEXT NOT NULL DEFAULT ''
//     std::optional<std::int64_t> due;    // INTEGER, may be NULL
//     bool done = false;                  // INTEGER NOT NULL DEFAULT 0
//
//     static constexpr const char* kTable = "task";
//     static constexpr Kind kKind = Kind::shared;
//     template <class F> static void fields(F&& f) {
//       f.key("id", &Task::id);
//       f("title", &Task::title), f("due", &Task::due), f("done", &Task::done);
//     }
//   };
//
// A field is an integer, a bool, a double, a std::string (text), a Blob, or an optional of these. model_of<Task>() gives
// its CREATE TABLE; Transaction::put and erase write, Reader::all and find read. A model may only grow by fields at its
// end, optional or with the zero of their type as default, for peers number fields by their place.
#pragma once

#include <concepts>
#include <optional>
#include <type_traits>

#include "core/base/expected.h"
#include "core/base/schema.h"
#include "core/base/sql_value.h"

namespace starling {

namespace typed_model {

template <class T>
struct Field {  // how a C++ type stands in a column
  static_assert(sizeof(T) == 0, "a field is an integer, bool, double, std::string, Blob, or an optional of these");
};

template <std::integral T>
struct Field<T> {
  static constexpr const char* kDeclared = "INTEGER";
  static constexpr const char* kZero = "0";
  static SqlValue to_sql(T v) { return static_cast<std::int64_t>(v); }
  static bool from_sql(const SqlValue& v, T& out) {
    const auto* i = std::get_if<std::int64_t>(&v);
    if (i != nullptr) out = static_cast<T>(*i);
    return i != nullptr;
  }
};

template <class T, const char* declared, const char* zero>
struct PlainField {
  static constexpr const char* kDeclared = declared;
  static constexpr const char* kZero = zero;
  static SqlValue to_sql(const T& v) { return v; }
  static bool from_sql(const SqlValue& v, T& out) {
    const T* held = std::get_if<T>(&v);
    if (held != nullptr) out = *held;
    return held != nullptr;
  }
};
inline constexpr char kReal[] = "REAL", kText[] = "TEXT", kBlob[] = "BLOB";
inline constexpr char kZeroReal[] = "0.0", kZeroText[] = "''", kZeroBlob[] = "x''";
template <>
struct Field<double> : PlainField<double, kReal, kZeroReal> {};
template <>
struct Field<std::string> : PlainField<std::string, kText, kZeroText> {};
template <>
struct Field<Blob> : PlainField<Blob, kBlob, kZeroBlob> {};

template <class T>
struct Field<std::optional<T>> {
  static constexpr const char* kDeclared = Field<T>::kDeclared;
  static constexpr const char* kZero = nullptr;  // may be NULL
  static SqlValue to_sql(const std::optional<T>& v) { return v ? Field<T>::to_sql(*v) : SqlValue(); }
  static bool from_sql(const SqlValue& v, std::optional<T>& out) {
    out.reset();
    return std::holds_alternative<std::monostate>(v) || Field<T>::from_sql(v, out.emplace());
  }
};

template <class T, class Each>
struct Visitor {
  Each& each;
  template <class M>
  void key(const char* name, M T::*member) { each(name, member, true); }
  template <class M>
  void operator()(const char* name, M T::*member) { each(name, member, false); }
};

// Calls `each(name, member, is_key)` for every field of T, in their order.
template <class T, class Each>
void for_each_field(Each each) {
  T::fields(Visitor<T, Each>{each});
}

template <class T>
std::string columns() {
  std::string list;
  for_each_field<T>([&](const char* name, auto, bool) { list += (list.empty() ? "" : ", ") + quote_identifier(name); });
  return list;
}

template <class T>
std::string where_key() {
  std::string terms;
  for_each_field<T>([&](const char* name, auto, bool is_key) {
    if (is_key) terms += (terms.empty() ? " WHERE " : " AND ") + quote_identifier(name) + "=?";
  });
  return terms;
}

template <class T>
std::string put_sql() {
  std::string marks, keys, sets;
  for_each_field<T>([&](const char* name, auto, bool is_key) {
    marks += marks.empty() ? "?" : ", ?";
    std::string& list = is_key ? keys : sets;
    list += (list.empty() ? "" : ", ") + quote_identifier(name) + (is_key ? "" : "=excluded." + quote_identifier(name));
  });
  return "INSERT INTO " + quote_identifier(T::kTable) + " (" + columns<T>() + ") VALUES (" + marks + ") ON CONFLICT (" + keys +
         ") DO " + (sets.empty() ? "NOTHING" : "UPDATE SET " + sets);
}

template <class T>
std::vector<SqlValue> values(const T& row, bool keys_only) {
  std::vector<SqlValue> all;
  for_each_field<T>([&](const char*, auto member, bool is_key) {
    using M = std::remove_cvref_t<decltype(row.*member)>;
    if (is_key || !keys_only) all.push_back(Field<M>::to_sql(row.*member));
  });
  return all;
}

// Errors: a value of a type that the field is not.
template <class T>
Expected<T> row(const std::vector<SqlValue>& cells) {
  T row{};
  std::size_t i = 0;
  const char* wrong = nullptr;
  for_each_field<T>([&](const char* name, auto member, bool) {
    using M = std::remove_cvref_t<decltype(row.*member)>;
    if (!Field<M>::from_sql(cells.at(i++), row.*member) && wrong == nullptr) wrong = name;
  });
  if (wrong == nullptr) return row;
  return Error{Errc::schema, "the column holds a value of another type than the field", std::string(T::kTable) + "." + wrong,
               "declare the field as what the table holds"};
}

// The rows of T's table; `from` is a Reader or a Transaction, `rest` what follows the table's name: "WHERE done=?".
template <class T, class From, class... Args>
Expected<std::vector<T>> all(From& from, std::string_view rest, const Args&... args) {
  const std::string sql = "SELECT " + columns<T>() + " FROM " + quote_identifier(T::kTable) + " " + std::string(rest);
  const Expected<Rows> rows = from.query(sql, args...);
  if (!rows) return rows.error();
  std::vector<T> typed_rows;
  typed_rows.reserve(rows->size());
  for (const std::vector<SqlValue>& cells : rows->rows) {
    Expected<T> one = row<T>(cells);
    if (!one) return one.error();
    typed_rows.push_back(std::move(*one));
  }
  return typed_rows;
}

// The row with this key; nullopt: there is none.
template <class T, class From, class... Key>
Expected<std::optional<T>> find(From& from, const Key&... key) {
  Expected<std::vector<T>> rows = all<T>(from, where_key<T>(), key...);
  if (!rows) return rows.error();
  return rows->empty() ? std::optional<T>() : std::move(rows->front());
}

}  // namespace typed_model

template <class T>
[[nodiscard]] Model model_of() {
  std::string columns, keys;
  typed_model::for_each_field<T>([&]<class M>(const char* name, M T::*, bool is_key) {
    using Field = typed_model::Field<M>;
    columns += quote_identifier(name) + " " + Field::kDeclared;
    if (Field::kZero != nullptr) columns += std::string(" NOT NULL") + (is_key ? "" : std::string(" DEFAULT ") + Field::kZero);
    columns += ", ";
    if (is_key) keys += (keys.empty() ? "" : ", ") + quote_identifier(name);
  });
  return Model::from_sql("CREATE TABLE " + quote_identifier(T::kTable) + " (" + columns + "PRIMARY KEY (" + keys + "))", T::kKind);
}

}  // namespace starling
