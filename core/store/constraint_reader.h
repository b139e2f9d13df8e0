// What a table declares across rows: UNIQUE indexes, and foreign keys with their policies.
//
// Of a shared model a UNIQUE index holds on all devices together (visibility.h); so two devices must mean the same by
// it, and by the same value. Refused, each with the reason:
//   - of a device-owned model: any UNIQUE index besides the key, for nobody may hide another's row;
//   - a partial index, one over an expression or a generated column, one with another collation than BINARY;
//   - a policy for a column that is in no foreign key, or in several;
//   - cascade and set_null: in a device-owned model, to a table that is not a shared model or by other columns than its
//     key, and between columns of different affinity, for then 5 and '5' could be one key here and two there;
//   - set_null of a column that is NOT NULL or in the key.
// A UNIQUE index that holds the whole key says nothing more than the key, and is left to SQLite.
#pragma once

#include <span>

#include "core/base/schema.h"
#include "core/store/table_info.h"

namespace starling {

// The unique indexes of one model whose fields and key are known.
[[nodiscard]] Expected<std::vector<UniqueFields>> read_uniques(const TableInfo&, const ModelSchema&);

// What a model declared of its foreign keys, before its parents are known.
struct DeclaredReference {
  ForeignKeyInfo key;
  std::string column;  // by which it was named
  Dangling policy = Dangling::keep;
};
[[nodiscard]] Expected<std::vector<DeclaredReference>> read_policies(const TableInfo&, const Model&);

// Once all models are read: fills in their references. `declared`: of each model of the schema, by its name.
struct ModelReferences {
  std::string model;
  std::vector<DeclaredReference> references;
};
[[nodiscard]] Expected<void> resolve_references(Schema&, std::span<const ModelReferences> declared);

// An index of ours for each reference, so that the children of a row are found without reading all; those that no model
// needs any more go. In the caller's transaction.
void install_reference_indexes(SQLite::Database&, const Schema&);

}  // namespace starling
