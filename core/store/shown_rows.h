// The application's tables: what is shown of each model.
//
// Reads and writes rows by their canonical key and nothing else, and finds those that hold a value of a rule through the
// table's own indexes. Values are typed bytes of the non-key fields, ascending. Every write happens in the caller's
// transaction, and is the engine's: nobody captures it.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <vector>

#include "core/store/row_rules.h"
#include "core/store/statement.h"

namespace starling {

struct NewRow;

class ShownRows {
 public:
  static constexpr std::size_t kMany = 32;  // rows in one INSERT; more gain nothing (ADR 3)

  ShownRows(sqlite3*, const RowRules&);

  void insert(ModelIndex, BytesView key, BytesView values);
  void insert_all(ModelIndex, std::span<const NewRow>);                 // many at a time
  void upsert(ModelIndex, BytesView key, BytesView values);             // over whatever is there
  void update(ModelIndex, BytesView key, FieldMask, BytesView values);  // of the fields named
  void erase(ModelIndex, BytesView key);
  // nullopt: no such row. Valid until the next call.
  [[nodiscard]] std::optional<BytesView> read(ModelIndex, BytesView key);

  // Keys of the rows whose columns of that rule hold that value (RowRules::value).
  [[nodiscard]] std::vector<Bytes> holders(const RuleName&, BytesView value);

 private:
  struct Sql {  // the statements of one model
    Statement insert, insert_many, upsert, erase, select;
    std::map<FieldMask, Statement> updates;
    std::vector<Statement> holders;  // by rule
  };
  Sql& sql(ModelIndex);
  Statement& update_statement(ModelIndex, FieldMask);

  sqlite3* db_;
  const Schema& schema_;
  std::vector<Sql> models_;
  ByteWriter row_;
};

}  // namespace starling
