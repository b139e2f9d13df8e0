// What a reader tells of references that dangle and of rows that are hidden.
#include "core/base/schema.h"
#include "core/store/reader.h"

namespace starling {
namespace {

struct ForeignKey {
  std::string child, parent;
  std::vector<std::string> from, to;
};

std::vector<std::string> texts(const Rows& rows) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < rows.size(); ++i) all.push_back(rows.text(i));
  return all;
}

Expected<std::vector<std::string>> key_columns(const Reader& reader, const std::string& table) {
  const Expected<Rows> rows = reader.query("SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk", table);
  if (!rows) return rows.error();
  return texts(*rows);
}

Expected<std::vector<ForeignKey>> foreign_keys(const Reader& reader) {
  const Expected<Rows> rows = reader.query(
      "SELECT m.name, f.id, f.\"table\", f.\"from\", coalesce(f.\"to\", '') FROM sync_model m, "
      "pragma_foreign_key_list(m.name) f"
      " ORDER BY m.name, f.id, f.seq");
  if (!rows) return rows.error();
  std::vector<ForeignKey> keys;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    const bool goes_on =
        i > 0 && rows->text(i, 0) == rows->text(i - 1, 0) && rows->integer(i, 1) == rows->integer(i - 1, 1);
    if (!goes_on) keys.push_back({rows->text(i, 0), rows->text(i, 2), {}, {}});
    keys.back().from.push_back(rows->text(i, 3));
    if (!rows->text(i, 4).empty()) keys.back().to.push_back(rows->text(i, 4));
  }
  for (ForeignKey& key : keys) {
    if (!key.to.empty()) continue;
    Expected<std::vector<std::string>> columns = key_columns(reader, key.parent);
    if (!columns) return columns.error();
    key.to = std::move(*columns);
  }
  return keys;
}

std::string listed(const char* prefix, const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + (prefix + quote_identifier(name));
  return list;
}

// Children whose reference is whole (no column of it is NULL) and leads to nothing. A parent table that does not exist has
// no rows.
std::string dangling_sql(const ForeignKey& key, const std::vector<std::string>& child_key, bool has_parent) {
  std::string whole, same;
  for (std::size_t i = 0; i < key.from.size(); ++i) {
    whole += " AND c." + quote_identifier(key.from[i]) + " IS NOT NULL";
    same += (i == 0 ? "" : " AND ") + ("p." + quote_identifier(key.to[i])) + " = c." + quote_identifier(key.from[i]);
  }
  std::string sql = "SELECT " + listed("c.", child_key) + ", " + listed("c.", key.from) + " FROM " +
                    quote_identifier(key.child) + " c WHERE 1" + whole;
  if (has_parent) sql += " AND NOT EXISTS (SELECT 1 FROM " + quote_identifier(key.parent) + " p WHERE " + same + ")";
  return sql + " LIMIT ?";
}

}  // namespace

Expected<std::vector<DanglingReference>> Reader::dangling(std::size_t most) const {
  const Expected<std::vector<ForeignKey>> keys = foreign_keys(*this);
  if (!keys) return keys.error();
  std::vector<DanglingReference> found;
  for (const ForeignKey& key : *keys) {
    const Expected<std::vector<std::string>> child_key = key_columns(*this, key.child);
    if (!child_key) return child_key.error();
    const Expected<Rows> parent = query("SELECT 1 FROM pragma_table_info(?) LIMIT 1", key.parent);
    if (!parent) return parent.error();
    const bool has_parent = !parent->empty() && key.to.size() == key.from.size();
    const Expected<Rows> rows =
        query(dangling_sql(key, *child_key, has_parent), static_cast<std::int64_t>(most - found.size()));
    if (!rows) return rows.error();
    std::string columns;
    for (const std::string& column : key.from) columns += (columns.empty() ? "" : ", ") + column;
    for (const std::vector<SqlValue>& row : rows->rows) {
      const auto end_of_key = row.begin() + static_cast<std::ptrdiff_t>(child_key->size());
      found.push_back({key.child, {row.begin(), end_of_key}, columns, key.parent, {end_of_key, row.end()}});
    }
    if (found.size() >= most) break;
  }
  return found;
}

Expected<std::vector<HiddenReference>> Reader::hidden(std::size_t most) const {
  const Expected<Rows> rows = query(
      "SELECT m.name, h.key, h.kind, h.why FROM sync_hidden h JOIN sync_model m ON m.number=h.model ORDER BY m.name, "
      "h.key LIMIT ?",
      static_cast<std::int64_t>(most));
  if (!rows) return rows.error();
  std::vector<HiddenReference> found;
  for (std::size_t i = 0; i < rows->size(); ++i)
    found.push_back({rows->text(i, 0), rows->text(i, 1), static_cast<int>(rows->integer(i, 2)), rows->text(i, 3)});
  return found;
}

}  // namespace starling
