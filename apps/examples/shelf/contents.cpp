#include "apps/examples/shelf/contents.h"

#include <map>
#include <nlohmann/json.hpp>

#include "apps/common/conflict_list.h"

namespace starling::shelf {
namespace {

constexpr std::size_t kConflictsShown = 50;

// A table's row as a struct: core/base/typed.h. It is only read, with the columns that are wanted; the model itself is
// models/tag.h.
struct TagRow {
  std::string name;
  std::optional<std::string> color;

  static constexpr const char* kTable = "tag";
  template <class F>
  static void fields(F&& f) {
    f.key("name", &TagRow::name);
    f("color", &TagRow::color);
  }
};

QString text(const std::string& bytes) { return QString::fromStdString(bytes); }  // what is not UTF-8 is shown as �

DeviceId device(const Bytes& bytes) { return bytes.size() == 16 ? DeviceId::from(bytes) : DeviceId(); }

constexpr char kFromWhere[] = R"( FROM entry e LEFT JOIN location l ON l.id = e.location LEFT JOIN entry p ON p.id = e.parent
  WHERE e.kind <> 'folder'
    AND (?1 = '' OR EXISTS (SELECT 1 FROM entry_tag t WHERE t.entry = e.id AND t.tag = ?1))
    AND (?2 = '' OR instr(lower(CAST(e.name AS TEXT)), ?2) > 0))";

Expected<void> read_entries(Reader& reader, const Filter& filter, Contents& contents) {
  const std::string tag = filter.tag.toStdString();
  const std::string words = filter.words.toLower().toStdString();
  const Expected<Rows> count = reader.query(std::string("SELECT count(*)") + kFromWhere, tag, words);
  if (!count) return count.error();
  contents.matching = count->integer(0);
  const Expected<Rows> rows = reader.query(
      std::string("SELECT e.id, e.name, iif(e.parent = e.location, l.path, p.name), e.size, e.modified_ms, l.device") +
          kFromWhere + " ORDER BY e.name COLLATE NOCASE, e.id LIMIT ?3",
      tag, words, filter.limit);
  if (!rows) return rows.error();
  for (std::size_t i = 0; i < rows->size(); ++i) {
    const QString folder = text(rows->text(i, 2));  // a name, or the path of the folder that was indexed
    Entry entry{Blob{rows->text(i, 0)}, text(rows->text(i, 1)), folder.section('/', -1), rows->integer(i, 3),
                rows->integer(i, 4), device(rows->text(i, 5)), {}};
    const Expected<Rows> tags = reader.query("SELECT tag FROM entry_tag WHERE entry = ? ORDER BY tag", entry.id);
    if (!tags) return tags.error();
    for (std::size_t j = 0; j < tags->size(); ++j) entry.tags.append(text(tags->text(j)));
    contents.entries.push_back(std::move(entry));
  }
  return {};
}

Expected<void> read_tags(Reader& reader, Contents& contents) {
  const Expected<Rows> counts = reader.query("SELECT tag, count(*) FROM entry_tag GROUP BY tag");
  if (!counts) return counts.error();
  std::map<std::string, qint64> entries;
  for (std::size_t i = 0; i < counts->size(); ++i) entries[counts->text(i, 0)] = counts->integer(i, 1);
  const Expected<std::vector<TagRow>> rows = reader.all<TagRow>("ORDER BY name COLLATE NOCASE");
  if (!rows) return rows.error();
  for (const TagRow& row : *rows)
    contents.tags.push_back({text(row.name), text(row.color.value_or("")), entries[row.name]});
  return {};
}

QString shown(const nlohmann::json& value) {
  if (value.is_null()) return "nothing";
  return text(value.is_string() ? value.get<std::string>() : value.dump());
}

DeviceId device_of(const nlohmann::json& id) {
  const Expected<DeviceId> parsed = parse_device_id(id.is_string() ? id.get<std::string>() : "");
  return parsed ? *parsed : DeviceId();
}

Expected<void> read_conflicts(Reader& reader, Contents& contents) {
  const Expected<nlohmann::json> answer = apps::list_conflicts(reader, kConflictsShown);
  if (!answer) return answer.error();
  for (const nlohmann::json& one : (*answer)["conflicts"]) {
    QString row = shown(one["model"]);
    for (const nlohmann::json& part : one["key"]) row += " “" + shown(part) + "”";
    contents.conflicts.push_back({row, one["field"].is_null() ? "whole row" : shown(one["field"]), shown(one["lost_value"]),
                                  one["row_exists"] ? shown(one["value_now"]) : "deleted", device_of(one["loser"]),
                                  device_of(one["winner"])});
  }
  return {};
}

}  // namespace

Expected<Contents> read_contents(Reader& reader, const Filter& filter) {
  const Expected<Snapshot> one = reader.snapshot();
  if (!one) return one.error();
  Contents contents;
  if (const Expected<void> read = read_entries(reader, filter, contents); !read) return read.error();
  if (const Expected<void> read = read_tags(reader, contents); !read) return read.error();
  if (const Expected<void> read = read_conflicts(reader, contents); !read) return read.error();
  return contents;
}

}  // namespace starling::shelf
