// The seeds of a model as its table holds them: what became of the values that the application has declared.
//
// SQLite is asked, for it knows affinities, defaults and collations: each seed is inserted, read back and taken out again.
// In a transaction of the engine's own (nothing is captured), with the application's triggers off; nothing stays.
#pragma once

#include <vector>

#include "core/base/expected.h"
#include "core/base/schema.h"

namespace SQLite {
class Database;
}

namespace starling {

struct SeedRow {
  Bytes key;     // canonical
  Bytes values;  // typed bytes of every field that is not in the key
};

// In the order of their declaration. Errc::schema: a seed is no row of that table, too large, or has another's key.
[[nodiscard]] Expected<std::vector<SeedRow>> read_seeds(SQLite::Database&, const ModelSchema&);

}  // namespace starling
