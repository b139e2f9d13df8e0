#include "apps/common/catalog.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "apps/common/byte_text.h"
#include "models/entry.h"

namespace starling::apps {
namespace {

using nlohmann::json;

constexpr char kEntryColumns[] = "e.id, e.name, e.kind, e.size, e.modified_ms, e.mode, e.location";
constexpr std::size_t kDepthMax = 10'000;  // of a chain of parents: a loop would come from a faulty peer

// What remains of `path` below `folder`; nullopt: it does not lie there.
std::optional<Bytes> below(const Bytes& path, const Bytes& folder) {
  if (path == folder) return Bytes();
  const Bytes start = folder.back() == '/' ? folder : folder + "/";
  if (path.compare(0, start.size(), start) != 0) return std::nullopt;
  return path.substr(start.size());
}

Bytes id_below(const Bytes& location, const Bytes& relative) {
  Bytes id = location;
  for (std::size_t at = 0; at < relative.size();) {
    const std::size_t end = std::min(relative.find('/', at), relative.size());
    id = models::entry_id(id, models::folder_prefix(id), BytesView(relative).substr(at, end - at));
    at = end + 1;
  }
  return id;
}

}  // namespace

// Our own first, then the longest path: the innermost of nested locations.
Expected<std::vector<LocationInfo>> Catalog::locations() const {
  const Expected<Rows> rows = reader_.query("SELECT id, device, path FROM location ORDER BY id");
  if (!rows) return rows.error();
  std::vector<LocationInfo> list;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    const Bytes device = rows->text(i, 1);
    if (device.size() != 16 || rows->text(i, 2).empty()) continue;  // a faulty peer's
    list.push_back({rows->text(i, 0), DeviceId::from(device), rows->text(i, 2)});
  }
  std::stable_sort(list.begin(), list.end(), [this](const LocationInfo& a, const LocationInfo& b) {
    if ((a.device == self_) != (b.device == self_)) return a.device == self_;
    return a.path.size() > b.path.size();
  });
  return list;
}

Expected<EntryPlace> Catalog::find(const Bytes& path, const std::optional<DeviceId>& device) const {
  const Expected<std::vector<LocationInfo>> list = locations();
  if (!list) return list.error();
  bool inside = false;
  for (const LocationInfo& location : *list) {
    const std::optional<Bytes> relative = below(path, location.path);
    if (!relative || (device && *device != location.device)) continue;
    inside = true;
    const Bytes id = id_below(location.id, *relative);
    const Expected<Rows> row = reader_.query("SELECT 1 FROM entry WHERE id = ?", ValueView::blob(id));
    if (!row) return row.error();
    if (!row->empty()) return EntryPlace{id, location};
  }
  return Error{Errc::invalid_argument, inside ? "no such entry" : "it lies in no location that is indexed",
               printable(path), inside ? "if it is new, index its location again" : "'starling ls' lists the locations"};
}

Expected<json> Catalog::list_locations() const {
  const Expected<std::vector<LocationInfo>> list = locations();
  if (!list) return list.error();
  const Expected<Rows> counts =
      reader_.query("SELECT location, count(*), coalesce(sum(size), 0) FROM entry GROUP BY location");
  if (!counts) return counts.error();
  std::map<Bytes, std::size_t> row_of;
  for (std::size_t i = 0; i < counts->size(); ++i) row_of[counts->text(i, 0)] = i;
  json result = json::array();
  for (const LocationInfo& location : *list) {
    const auto row = row_of.find(location.id);
    const bool known = row != row_of.end();
    result.push_back({{"id", to_hex(location.id)},
                      {"device", to_string(location.device)},
                      {"own", location.device == self_},
                      {"path", bytes_to_json(location.path)},
                      {"entries", known ? counts->integer(row->second, 1) : 0},
                      {"bytes", known ? counts->integer(row->second, 2) : 0}});
  }
  return json{{"locations", std::move(result)}};
}

Expected<json> Catalog::list_entry(const EntryPlace& place, const Bytes& path, std::size_t limit,
                                   const std::optional<Bytes>& after) const {
  const ValueView id = ValueView::blob(place.id);
  const Expected<Rows> self =
      reader_.query(std::string("SELECT ") + kEntryColumns + " FROM entry e WHERE e.id = ?", id);
  if (!self) return self.error();
  Expected<json> entry = rows_to_json(*self);
  if (!entry) return entry.error();
  const Bytes first = models::folder_prefix(place.id);
  const Bytes last = first + Bytes(models::kEntryIdBytes - models::kFolderPrefixBytes, '\xFF');
  // SQLite puts TEXT before BLOB, so "after" is compared as the type that the name is stored with.
  const Expected<Rows> rows = reader_.query(
      std::string("SELECT ") + kEntryColumns +
          " FROM entry e WHERE e.id >= ? AND e.id <= ? AND e.parent = ? AND (? OR e.name > ?) ORDER BY e.name LIMIT ?",
      ValueView::blob(first), ValueView::blob(last), id, after ? 0 : 1, name_value(after ? *after : BytesView("")),
      static_cast<std::int64_t>(limit) + 1);
  if (!rows) return rows.error();
  Expected<json> entries = rows_to_json(*rows);
  if (!entries) return entries.error();
  const bool more = entries->size() > limit;
  if (more) entries->erase(entries->size() - 1);
  return json{{"path", bytes_to_json(path)},
              {"device", to_string(place.location.device)},
              {"entry", entry->empty() ? json() : std::move((*entry)[0])},
              {"entries", std::move(*entries)},
              {"more", more}};
}

Expected<json> Catalog::list_tagged(const std::string& tag, std::size_t limit, const std::optional<Bytes>& after) const {
  return list_linked("entry_tag", "tag", ValueView::text(tag), limit, after);
}

Expected<json> Catalog::list_album(const Bytes& album, std::size_t limit, const std::optional<Bytes>& after) const {
  return list_linked("album_entry", "album", ValueView::blob(album), limit, after);
}

Expected<json> Catalog::list_linked(const std::string& table, const std::string& column, ValueView what,
                                    std::size_t limit, const std::optional<Bytes>& after) const {
  const Expected<Rows> rows = reader_.query(
      std::string("SELECT ") + kEntryColumns + ", l.device FROM " + table +
          " t JOIN entry e ON e.id = t.entry LEFT JOIN location l ON l.id = e.location WHERE t." + column +
          " = ? AND t.entry > ? ORDER BY t.entry LIMIT ?",
      what, ValueView::blob(after ? *after : BytesView("")), static_cast<std::int64_t>(limit) + 1);
  if (!rows) return rows.error();
  Expected<json> entries = rows_to_json(*rows);
  if (!entries) return entries.error();
  const bool more = entries->size() > limit;
  if (more) entries->erase(entries->size() - 1);
  for (std::size_t i = 0; i < entries->size(); ++i) {
    const Expected<Bytes> path = path_of(rows->text(i, 0));
    if (!path) return path.error();
    const Bytes device = rows->text(i, 7);
    (*entries)[i]["path"] = bytes_to_json(*path);
    (*entries)[i]["device"] = device.size() == 16 ? json(to_string(DeviceId::from(device))) : json();
  }
  return json{{"entries", std::move(*entries)}, {"more", more}};
}

Expected<json> Catalog::rows_to_json(const Rows& rows) const {
  json list = json::array();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Bytes id = rows.text(i, 0);
    const Expected<Rows> links =
        reader_.query("SELECT tag FROM entry_tag WHERE entry = ? ORDER BY tag", ValueView::blob(id));
    if (!links) return links.error();
    json tags = json::array();
    for (std::size_t j = 0; j < links->size(); ++j) tags.push_back(bytes_to_json(links->text(j)));
    list.push_back({{"id", to_hex(id)},
                    {"name", bytes_to_json(rows.text(i, 1))},
                    {"kind", bytes_to_json(rows.text(i, 2))},
                    {"size", rows.integer(i, 3)},
                    {"modified_ms", rows.integer(i, 4)},
                    {"mode", rows.integer(i, 5)},
                    {"tags", std::move(tags)}});
  }
  return list;
}

// From the location's folder down; entries whose ancestors have not arrived yet begin with "…".
Expected<Bytes> Catalog::path_of(Bytes id) const {
  Bytes path;
  for (std::size_t depth = 0; depth < kDepthMax; ++depth) {
    const Expected<Rows> row =
        reader_.query("SELECT e.name, e.parent, l.path FROM entry e LEFT JOIN location l ON l.id = e.id WHERE e.id = ?",
                      ValueView::blob(id));
    if (!row) return row.error();
    if (row->empty()) break;
    const Bytes parent = row->text(0, 1);
    const Bytes root = row->text(0, 2);
    if (!root.empty()) return path.empty() ? root : (root == "/" ? root : root + "/") + path;
    path = path.empty() ? row->text(0, 0) : row->text(0, 0) + "/" + path;
    if (parent.empty()) break;
    id = parent;
  }
  return "…/" + path;
}

}  // namespace starling::apps
