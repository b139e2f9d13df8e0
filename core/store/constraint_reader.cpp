#include "core/store/constraint_reader.h"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <algorithm>
#include <map>

namespace starling {
namespace {

constexpr char kPolicies[] =
    "cascade and set_null are for a shared model's foreign key to the key of a shared model; else keep";

Error refuse(std::string where, std::string what, std::string remedy) {
  return {Errc::schema, std::move(what), std::move(where), std::move(remedy)};
}

std::optional<FieldIndex> field_of(const ModelSchema& m, std::string_view column) {
  for (FieldIndex i = 0; i < m.fields.size(); ++i)
    if (equal_ignoring_case(m.fields[i].name, column)) return i;
  return std::nullopt;
}

Expected<UniqueFields> read_unique(const TableInfo& t, const ModelSchema& m, const IndexInfo& index) {
  const std::string where = t.name + " (" + index.name + ")";
  if (m.kind == Kind::device_owned)
    return refuse(where, "UNIQUE besides the primary key: each device owns its rows, and none may hide another's",
                  "make that the key, or drop UNIQUE and look for duplicates in the application");
  if (index.partial) return refuse(where, "a partial UNIQUE index cannot be synchronised", "make it one of all rows");
  if (!index.binary)
    return refuse(where, "a UNIQUE index that compares other than by bytes: two devices may compare otherwise",
                  "keep it BINARY, and store what it compares in a column of its own");
  UniqueFields fields;
  for (const std::string& column : index.columns) {
    const std::optional<FieldIndex> field = field_of(m, column);
    if (!field)
      return refuse(where, "a UNIQUE index over an expression or a generated column cannot be synchronised",
                    "store the value in a column of its own");
    fields.push_back(*field);
  }
  std::sort(fields.begin(), fields.end());
  return fields;
}

// The fields of the child in the order of the parent's key; nullopt: it does not refer to that key.
std::optional<std::vector<FieldIndex>> in_key_order(const ModelSchema& child, const ModelSchema& parent,
                                                    const ForeignKeyInfo& key) {
  std::vector<FieldIndex> fields;
  for (std::size_t k = 0; k < parent.key.size(); ++k) {
    for (std::size_t i = 0; i < key.columns.size(); ++i) {
      const bool here = key.to[i].empty() ? i == k : equal_ignoring_case(key.to[i], parent.fields[parent.key[k]].name);
      const std::optional<FieldIndex> field = here ? field_of(child, key.columns[i]) : std::nullopt;
      if (field) fields.push_back(*field);
    }
  }
  return fields.size() == parent.key.size() && fields.size() == key.columns.size() ? std::optional(fields)
                                                                                   : std::nullopt;
}

Expected<Reference> resolve(const Schema& schema, const ModelSchema& child, const DeclaredReference& declared) {
  const std::string where = child.name + "." + declared.column;
  if (child.kind == Kind::device_owned)
    return refuse(where, "a device-owned row is shown as its owner wrote it", kPolicies);
  const auto parent = std::find_if(schema.models.begin(), schema.models.end(), [&](const ModelSchema& m) {
    return equal_ignoring_case(m.name, declared.key.parent);
  });
  if (parent == schema.models.end() || parent->kind == Kind::device_owned)
    return refuse(
        where, "the parent " + declared.key.parent + " is no shared model, so that devices may differ in what is there",
        kPolicies);
  const std::optional<std::vector<FieldIndex>> fields = in_key_order(child, *parent, declared.key);
  if (!fields) return refuse(where, "the foreign key does not lead to the primary key of " + parent->name, kPolicies);
  for (std::size_t i = 0; i < fields->size(); ++i) {
    const FieldSchema& f = child.fields[(*fields)[i]];
    const FieldSchema& to = parent->fields[parent->key[i]];
    if (f.affinity != to.affinity)
      return refuse(child.name + "." + f.name, "its type is another than that of " + parent->name + "." + to.name,
                    "declare both alike");
    if (declared.policy == Dangling::set_null && (f.not_null || f.key_position != 0))
      return refuse(child.name + "." + f.name, "set_null of a column that may not be NULL", "choose cascade or keep");
  }
  return Reference{*fields, parent->name, declared.policy};
}

std::string columns_of(const ModelSchema& m, const std::vector<FieldIndex>& fields) {
  std::string list;
  for (const FieldIndex i : fields) list += (list.empty() ? "" : ", ") + quote_identifier(m.fields[i].name);
  return list;
}

}  // namespace

Expected<std::vector<UniqueFields>> read_uniques(const TableInfo& t, const ModelSchema& m) {
  std::vector<UniqueFields> uniques;
  for (const IndexInfo& index : t.indexes) {
    if (!index.unique || index.primary) continue;
    Expected<UniqueFields> fields = read_unique(t, m, index);
    if (!fields) return fields.error();
    const bool holds_key = std::all_of(m.key.begin(), m.key.end(), [&](FieldIndex i) {
      return std::find(fields->begin(), fields->end(), i) != fields->end();
    });
    if (!holds_key) uniques.push_back(std::move(*fields));
  }
  std::sort(uniques.begin(), uniques.end());
  uniques.erase(std::unique(uniques.begin(), uniques.end()), uniques.end());
  return uniques;
}

Expected<std::vector<DeclaredReference>> read_policies(const TableInfo& t, const Model& model) {
  std::vector<DeclaredReference> references;
  for (const Model::OnDangling& declared : model.dangling) {
    const ForeignKeyInfo* found = nullptr;
    for (const ForeignKeyInfo& key : t.foreign_keys) {
      const bool names = std::any_of(key.columns.begin(), key.columns.end(), [&](const std::string& column) {
        return equal_ignoring_case(column, declared.column);
      });
      if (!names) continue;
      if (found != nullptr)
        return refuse(t.name + "." + declared.column, "on_dangling names a column of several foreign keys",
                      "name one that is in no other");
      found = &key;
    }
    if (found == nullptr)
      return refuse(t.name + "." + declared.column, "on_dangling names a column that is in no foreign key",
                    "declare REFERENCES for it");
    const bool again = std::any_of(references.begin(), references.end(),
                                   [&](const DeclaredReference& r) { return r.key.columns == found->columns; });
    if (again) return refuse(t.name + "." + declared.column, "on_dangling names one foreign key twice", "keep one");
    references.push_back({*found, declared.column, declared.policy});
  }
  return references;
}

Expected<void> resolve_references(Schema& schema, std::span<const ModelReferences> declared) {
  for (const ModelReferences& of : declared) {
    const auto child = std::find_if(schema.models.begin(), schema.models.end(),
                                    [&](const ModelSchema& m) { return m.name == of.model; });
    for (const DeclaredReference& one : of.references) {
      if (one.policy == Dangling::keep) continue;
      Expected<Reference> reference = resolve(schema, *child, one);
      if (!reference) return reference.error();
      const auto parent = std::find_if(schema.models.begin(), schema.models.end(),
                                       [&](const ModelSchema& m) { return m.name == reference->parent; });
      parent->has_dependents = true;
      child->references.push_back(std::move(*reference));
    }
    std::sort(child->references.begin(), child->references.end(), [](const Reference& a, const Reference& b) {
      return std::tie(a.fields, a.parent) < std::tie(b.fields, b.parent);
    });
  }
  for (ModelSchema& m : schema.models)
    if (m.has_rules()) m.digest = schema_digest(m);
  return {};
}

void install_reference_indexes(SQLite::Database& db, const Schema& schema) {
  std::map<std::string, std::string> missing;  // name → what follows CREATE INDEX
  for (const ModelSchema& m : schema.models) {
    for (std::size_t i = 0; i < m.references.size(); ++i) {
      const std::string name = "sync_reference_" + std::to_string(i) + "_" + m.name;
      missing[name] = quote_identifier(name) + " ON " + quote_identifier(m.name) + "(" +
                      columns_of(m, m.references[i].fields) + ")";
    }
  }
  std::vector<std::string> others;
  {
    SQLite::Statement there(
        db, "SELECT name, sql FROM main.sqlite_schema WHERE type='index' AND name GLOB 'sync_reference_*'");
    while (there.executeStep()) {
      const std::string name = there.getColumn(0).getString();
      const auto wanted = missing.find(name);
      if (wanted != missing.end() && there.getColumn(1).getString() == "CREATE INDEX " + wanted->second)
        missing.erase(wanted);
      else
        others.push_back(name);
    }
  }
  for (const std::string& name : others) db.exec("DROP INDEX main." + quote_identifier(name));
  for (const auto& [name, rest] : missing) db.exec("CREATE INDEX main." + rest);
}

}  // namespace starling
