// A reader: a read-only connection of its own, for the application's queries.
//
// Readers never wait for the writer and never see half a transaction. Each query is a snapshot of its own; while a
// Snapshot lives all queries of its reader see the database as it was when that was taken (do not hold one for long: it
// keeps the WAL from being checkpointed). A reader may move to another thread, but serves one at a time. What is wrong
// with a query, and a statement that could write, is an Error; a failing machine throws std::exception.
#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/base/typed.h"

namespace starling {

struct TableDigest {
  std::string table;
  std::uint64_t rows = 0;
  std::string digest;  // SHA-256 in hexadecimal over all visible rows, in the order of their keys
};

struct DanglingReference {  // a row that is shown, and refers to one that is not there
  std::string table;
  std::vector<SqlValue> key;  // of the row
  std::string columns;        // of the foreign key, with commas
  std::string parent;         // table
  std::vector<SqlValue> missing;  // what the columns hold
};

struct HiddenReference {  // a row that is not shown, or shown with NULL, and why (core/store/visibility.h)
  std::string table;
  Bytes key;  // typed bytes
  int kind = 0;  // core/store/hidden_rows.h
  std::string why;
};

class Snapshot;

class Reader {
 public:
  explicit Reader(const std::filesystem::path& database);
  ~Reader();
  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) noexcept;

  template <class... Args>
  [[nodiscard]] Expected<Rows> query(std::string_view sql, const Args&... args) const {
    const std::array<ValueView, sizeof...(Args)> values{sql_arg(args)...};
    return query_values(sql, values);
  }
  [[nodiscard]] Expected<Rows> query_values(std::string_view sql, std::span<const ValueView> args) const;

  // Rows of a typed model (core/base/typed.h); `rest` follows the table's name: all<Task>("WHERE done=?", true).
  template <class T, class... Args>
  [[nodiscard]] Expected<std::vector<T>> all(std::string_view rest = "", const Args&... args) const {
    return typed_model::all<T>(*this, rest, args...);
  }
  // The row with this key, its columns in order; nullopt: there is none.
  template <class T, class... Key>
  [[nodiscard]] Expected<std::optional<T>> find(const Key&... key) const {
    return typed_model::find<T>(*this, key...);
  }

  // Errors: the reader holds one already.
  [[nodiscard]] Expected<Snapshot> snapshot();

  // For queries that somebody else wrote: rows one at a time, until `row` says false; `go_on` is asked again and again
  // while SQLite works, and false ends the query with Errc::busy. Gives the names of the columns.
  struct Visit {
    std::function<bool(std::vector<SqlValue>&&)> row;
    std::function<bool()> go_on;
  };
  [[nodiscard]] Expected<std::vector<std::string>> visit(std::string_view sql, const Visit&) const;

  // Rows of the models that refer to what is not there, `most` of them; found now, by reading the tables that have foreign
  // keys. And rows that are hidden, or not shown as they are.
  [[nodiscard]] Expected<std::vector<DanglingReference>> dangling(std::size_t most) const;
  [[nodiscard]] Expected<std::vector<HiddenReference>> hidden(std::size_t most) const;

  // The digest of a model's visible rows: typed bytes of key and fields. Equal digests, equal tables.
  [[nodiscard]] TableDigest digest(const ModelSchema&) const;

 private:
  friend class Snapshot;
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

// Ends the stable view of the reader that gave it, which may go first. Movable.
class Snapshot {
 public:
  ~Snapshot();
  Snapshot(Snapshot&&) noexcept = default;
  Snapshot& operator=(Snapshot&&) = delete;

 private:
  friend class Reader;
  explicit Snapshot(std::shared_ptr<Reader::Impl> reader) : reader_(std::move(reader)) {}

  std::shared_ptr<Reader::Impl> reader_;
};

}  // namespace starling
