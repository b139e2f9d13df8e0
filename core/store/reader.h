// A reader: a read-only connection of its own, for the application's queries.
//
// Readers never wait for the writer and never see half a transaction. Each query is a snapshot of its own; between
// begin() and end() all queries see one (do not hold it for long: it keeps the WAL from being checkpointed). One
// thread at a time. A failing machine throws SQLite::Exception; a wrong query is an Error.
#pragma once

#include <array>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "core/base/expected.h"
#include "core/base/schema.h"
#include "core/base/sql_value.h"

struct sqlite3;

namespace starling {

struct TableDigest {
  std::string table;
  std::uint64_t rows = 0;
  std::string digest;  // SHA-256 in hexadecimal over all visible rows, in the order of their keys
};

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

  void begin();
  void end();

  // The digest of a model's visible rows: typed bytes of key and fields. Equal digests, equal tables.
  [[nodiscard]] TableDigest digest(const ModelSchema&) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace starling
