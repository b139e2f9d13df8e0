#include "apps/common/albums.h"

#include <map>
#include <nlohmann/json.hpp>

#include "apps/common/byte_text.h"
#include "apps/common/tagging.h"
#include "apps/common/uuid.h"

namespace starling::apps {
namespace {

using nlohmann::json;

// All albums that `album` may mean. `source`: a Reader or a Transaction.
template <class Source>
Expected<std::vector<AlbumInfo>> candidates(Source& source, const std::string& album) {
  Bytes id;
  if (!from_hex(album, id)) id.clear();
  const Expected<Rows> rows = source.query(
      "SELECT id, name, description FROM album WHERE name = ? OR id = ? ORDER BY id", album, ValueView::blob(id));
  if (!rows) return rows.error();
  std::vector<AlbumInfo> found;
  for (std::size_t i = 0; i < rows->size(); ++i)
    found.push_back({rows->text(i, 0), rows->text(i, 1), rows->text(i, 2)});
  return found;
}

Error ambiguous(const std::string& album, const std::vector<AlbumInfo>& found) {
  std::string ids;
  for (const AlbumInfo& one : found) ids += (ids.empty() ? "" : ", ") + to_hex(one.id);
  return {Errc::invalid_argument, std::to_string(found.size()) + " albums have this name", printable(album),
          "name one by its id: " + ids};
}

template <class Source>
Expected<AlbumInfo> the_album(Source& source, const std::string& album) {
  Expected<std::vector<AlbumInfo>> found = candidates(source, album);
  if (!found) return found.error();
  if (found->size() > 1) return ambiguous(album, *found);
  if (!found->empty()) return std::move(found->front());
  return Error{Errc::invalid_argument, "no such album", printable(album), "'starling album ls' lists them"};
}

Expected<Bytes> find_or_make(Transaction& t, const std::string& album) {
  Expected<std::vector<AlbumInfo>> found = candidates(t, album);
  if (!found) return found.error();
  if (found->size() > 1) return ambiguous(album, *found);
  if (!found->empty()) return std::move(found->front().id);
  if (Expected<void> ok = check_label(album, "an album"); !ok) return ok.error();
  Bytes id = new_uuid();
  const auto made =
      t.exec("INSERT INTO album(id, name, created_ms) VALUES(?, ?, ?)", ValueView::blob(id), album, wall_clock_ms());
  if (!made) return made.error();
  return id;
}

Expected<void> put(Transaction& t, const Bytes& album, const Bytes& entry) {
  const auto linked = t.exec("INSERT INTO album_entry(album, entry, added_ms) VALUES(?, ?, ?) ON CONFLICT DO NOTHING",
                             ValueView::blob(album), ValueView::blob(entry), wall_clock_ms());
  if (!linked) return linked.error();
  return {};
}

}  // namespace

Expected<AlbumInfo> find_album(const Reader& reader, const std::string& album) { return the_album(reader, album); }

Expected<CommitInfo> add_to_album(Node& node, const std::string& album, const std::vector<Bytes>& entries,
                                  const std::optional<std::string>& description) {
  if (Expected<void> ok = check_description(description, "description"); !ok) return ok.error();
  return node.commit_shared([&](Transaction& t) -> Expected<void> {
    const Expected<Bytes> id = find_or_make(t, album);
    if (!id) return id.error();
    if (description) {
      const ValueView text = description->empty() ? ValueView::null() : ValueView::text(*description);
      const auto done = t.exec("UPDATE album SET description = ? WHERE id = ?", text, ValueView::blob(*id));
      if (!done) return done.error();
    }
    for (const Bytes& entry : entries) {
      if (Expected<void> done = put(t, *id, entry); !done) return done;
    }
    return {};
  });
}

Expected<CommitInfo> remove_from_album(Node& node, const std::string& album, const std::vector<Bytes>& entries) {
  return node.commit_shared([&](Transaction& t) -> Expected<void> {
    const Expected<AlbumInfo> found = the_album(t, album);
    if (!found) return found.error();
    for (const Bytes& entry : entries) {
      const auto gone = t.exec("DELETE FROM album_entry WHERE album = ? AND entry = ?", ValueView::blob(found->id),
                               ValueView::blob(entry));
      if (!gone) return gone.error();
    }
    return {};
  });
}

Expected<CommitInfo> delete_album(Node& node, const std::string& album) {
  return node.commit_shared([&](Transaction& t) -> Expected<void> {
    const Expected<AlbumInfo> found = the_album(t, album);
    if (!found) return found.error();
    for (const char* sql : {"DELETE FROM album_entry WHERE album = ?", "DELETE FROM album WHERE id = ?"}) {
      const auto gone = t.exec(sql, ValueView::blob(found->id));
      if (!gone) return gone.error();
    }
    return {};
  });
}

Expected<json> list_albums(const Reader& reader, std::size_t limit, const std::optional<Bytes>& after) {
  const Expected<Rows> counts = reader.query("SELECT album, count(*) FROM album_entry GROUP BY album");
  if (!counts) return counts.error();
  std::map<Bytes, std::int64_t> count_of;
  for (std::size_t i = 0; i < counts->size(); ++i) count_of[counts->text(i, 0)] = counts->integer(i, 1);
  const Expected<Rows> rows =
      reader.query("SELECT id, name, description, created_ms FROM album WHERE id > ? ORDER BY id LIMIT ?",
                   ValueView::blob(after ? *after : BytesView("")), static_cast<std::int64_t>(limit) + 1);
  if (!rows) return rows.error();
  json albums = json::array();
  for (std::size_t i = 0; i < std::min(rows->size(), limit); ++i) {
    albums.push_back({{"id", to_hex(rows->text(i, 0))},
                      {"name", bytes_to_json(rows->text(i, 1))},
                      {"description", bytes_to_json(rows->text(i, 2))},
                      {"created_ms", rows->integer(i, 3)},
                      {"entries", count_of[rows->text(i, 0)]}});
  }
  return json{{"albums", std::move(albums)}, {"more", rows->size() > limit}};
}

}  // namespace starling::apps
