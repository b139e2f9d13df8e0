// Models and their schema: which tables are synchronised, and how.
//
// A Model is what an application declares: a table, by DDL or already there, and its kind. A ModelSchema is what the
// store found when it read that table; it is validated, immutable while the store is open, and has a digest that two
// peers compare before they exchange rows. A field's number is its position among the stored, non-generated columns
// in declaration order: a model grows only by appending columns, so numbers keep their meaning.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/base/limits.h"

namespace starling {

enum class Kind : std::uint8_t {
  device_owned = 0,  // only the device that inserted a row may change it; travels as state
  shared = 1,        // everyone may change everything; travels through the log and merges by field
};

enum class Op : std::uint8_t { insert = 0, update = 1, erase = 2 };

// What becomes of a shared row whose parent, by one of its foreign keys, is not there: it has not come, has been deleted,
// or is hidden itself. The same on every device, whatever came first (docs/adr/0015-unique-and-references.md).
enum class Dangling : std::uint8_t {
  keep = 0,      // it is shown as it is, and counted
  cascade = 1,   // it is hidden as long as its parent is
  set_null = 2,  // it is shown, with NULL in the columns of that key, as long as its parent is not there
};

struct Model {
  std::string table;
  std::string ddl;  // CREATE TABLE …; empty: the table exists already
  Kind kind = Kind::shared;
  bool unique_integers = false;  // the application vouches that its INTEGER PRIMARY KEY is unique across devices
  struct OnDangling {
    std::string column;
    Dangling policy = Dangling::keep;
  };
  std::vector<OnDangling> dangling = {};  // foreign keys, each by one of its columns; one that is not named: keep

  std::vector<std::string> seeds = {};  // see seed()

  // A row that every device creates on its own, such as a default: one row on all of them, whoever was first; edits merge by
  // field, and what was deleted stays deleted. `values`: of all columns in order, as SQL: "'inbox', 'Inbox', 0". Shared models only.
  [[nodiscard]] Model seed(std::string values) const {
    Model model = *this;
    model.seeds.push_back(std::move(values));
    return model;
  }

  // Names a foreign key of this table by a column that is in no other, and says what happens while it dangles.
  [[nodiscard]] Model on_dangling(std::string column, Dangling policy) const {
    Model model = *this;
    model.dangling.push_back({std::move(column), policy});
    return model;
  }

  // The table's name is read from the DDL when the store opens; errors are reported there.
  [[nodiscard]] static Model from_sql(std::string ddl, Kind kind) { return {"", std::move(ddl), kind}; }
  [[nodiscard]] static Model existing(std::string table, Kind kind) { return {std::move(table), "", kind}; }
};

enum class Affinity : std::uint8_t { text, numeric, integer, real, blob };

using FieldIndex = std::uint32_t;  // 0 .. kFieldsMax-1
using ModelIndex = std::uint32_t;  // position in Schema.models
using FieldMask = std::uint64_t;   // bit i: field i
static_assert(limits::kFieldsMax <= 64);

struct FieldSchema {
  std::string name;
  Affinity affinity = Affinity::blob;
  bool not_null = false;
  std::string default_sql;        // as declared; empty: none
  Bytes default_value;            // typed bytes of the default, NULL where none is declared; empty: it is no constant
  int key_position = 0;           // 1, 2, … in the primary key; 0: not part of it
  int column = 0;                 // position in PRAGMA table_xinfo
  int storage = 0;                // position in the stored record: what the pre-update hook counts by
};

using UniqueFields = std::vector<FieldIndex>;  // of a UNIQUE index besides the key, ascending

struct Reference {  // a foreign key of a shared model to the key of a shared model that is not merely kept
  std::vector<FieldIndex> fields;  // in the order of the parent's key
  std::string parent;              // its model
  Dangling policy = Dangling::cascade;
};

struct ModelSchema {
  std::string name;               // the table
  Kind kind = Kind::shared;
  std::vector<FieldSchema> fields;
  std::vector<FieldIndex> key;    // fields of the primary key, in key order
  bool without_rowid = false;
  bool strict = false;            // a STRICT table: each field holds its type or NULL
  bool constrains_values = false;  // it is, or a field that is not in the key is NOT NULL
  bool integer_key = false;       // the key is the rowid (INTEGER PRIMARY KEY, declared unique)
  bool has_foreign_keys = false;  // a foreign key of any table starts or ends here
  bool has_checks = false;        // a CHECK constraint, or at least the word in its declaration
  std::vector<UniqueFields> uniques;  // ascending: their numbers are the same on every device
  std::vector<Reference> references;  // likewise
  bool has_dependents = false;        // a reference of a model leads here
  std::vector<std::string> seeds;     // as declared; peers need not agree on them
  bool built_in = false;          // the engine's own (core/store/member_table.h): not the application's to see
  Hash128 digest;                 // over all that two peers must agree on

  // Whether what it shows is more than its merged rows: a row may be hidden, or hide or show another (visibility.h).
  [[nodiscard]] bool has_rules() const { return !uniques.empty() || !references.empty() || has_dependents; }
  [[nodiscard]] FieldMask all_fields() const {
    return fields.size() == 64 ? ~FieldMask{0} : (FieldMask{1} << fields.size()) - 1;
  }
  [[nodiscard]] FieldMask key_fields() const {
    FieldMask mask = 0;
    for (const FieldIndex i : key) mask |= FieldMask{1} << i;
    return mask;
  }
  // What a row written before these fields were added holds in them: typed bytes, ascending. `had`: the fields that it
  // was written with; nullopt: it is no such row.
  [[nodiscard]] std::optional<Bytes> values_added_since(FieldMask had) const;
};

struct Schema {
  std::vector<ModelSchema> models;  // the application's ordered by name, then the built-in ones

  [[nodiscard]] const ModelSchema* find(std::string_view name) const;
  [[nodiscard]] ModelIndex index_of(const ModelSchema& m) const { return static_cast<ModelIndex>(&m - models.data()); }
  [[nodiscard]] Hash128 digest() const;  // over name and digest of each model
};

// Quotes an identifier for SQL: "name" with inner quotes doubled.
[[nodiscard]] std::string quote_identifier(std::string_view);

// The hash of all that two peers must agree on: name, kind, each field's name, affinity, NOT NULL, default and place in
// the key, UNIQUE indexes, and foreign keys that are not merely kept.
[[nodiscard]] Hash128 schema_digest(const ModelSchema&);

}  // namespace starling
