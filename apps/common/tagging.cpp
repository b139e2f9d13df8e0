#include "apps/common/tagging.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "apps/common/byte_text.h"
#include "apps/common/uuid.h"

namespace starling::apps {
namespace {

using nlohmann::json;

constexpr std::size_t kLabelMax = 200;  // bytes; a link's key holds it and must stay below limits::kKeyMax
constexpr std::size_t kDescriptionMax = 4096;
static_assert(kLabelMax * 2 < limits::kKeyMax);

Expected<void> check_names(const std::vector<std::string>& tags) {
  if (tags.empty()) return Error{Errc::invalid_argument, "no tag is named", "", "name one or more"};
  for (const std::string& tag : tags) {
    if (Expected<void> ok = check_label(tag, "a tag"); !ok) return ok;
  }
  return {};
}

Expected<std::int64_t> make_tag(Transaction& t, const std::string& name) {
  return t.exec("INSERT INTO tag(name, created_ms) VALUES(?, ?) ON CONFLICT DO NOTHING", name, wall_clock_ms());
}

ValueView text_or_null(const std::string& text) { return text.empty() ? ValueView::null() : ValueView::text(text); }

}  // namespace

Expected<void> check_label(const std::string& label, const std::string& what) {
  const bool fits = !label.empty() && label.size() <= kLabelMax;
  if (fits && is_utf8(label) && printable(label) == label) return {};
  return Error{Errc::invalid_argument, "\"" + printable(label) + "\" is not " + what, "",
               "use 1 to " + std::to_string(kLabelMax) + " bytes of UTF-8 without control characters"};
}

Expected<void> check_description(const std::optional<std::string>& text, const std::string& field) {
  if (!text || (text->size() <= kDescriptionMax && is_utf8(*text))) return {};
  return Error{Errc::invalid_argument, "not UTF-8 of at most " + std::to_string(kDescriptionMax) + " bytes", field,
               "make it shorter"};
}

Expected<CommitInfo> add_tags(Node& node, const Bytes& entry, const std::vector<std::string>& tags) {
  if (Expected<void> ok = check_names(tags); !ok) return ok.error();
  return node.commit_shared([&](Transaction& t) -> Expected<void> {
    for (const std::string& tag : tags) {
      if (const auto made = make_tag(t, tag); !made) return made.error();
      const auto linked = t.exec("INSERT INTO entry_tag(entry, tag, added_ms) VALUES(?, ?, ?) ON CONFLICT DO NOTHING",
                                 ValueView::blob(entry), tag, wall_clock_ms());
      if (!linked) return linked.error();
    }
    return {};
  });
}

Expected<CommitInfo> remove_tags(Node& node, const Bytes& entry, const std::vector<std::string>& tags) {
  if (Expected<void> ok = check_names(tags); !ok) return ok.error();
  return node.commit_shared([&](Transaction& t) -> Expected<void> {
    for (const std::string& tag : tags) {
      const auto gone = t.exec("DELETE FROM entry_tag WHERE entry = ? AND tag = ?", ValueView::blob(entry), tag);
      if (!gone) return gone.error();
    }
    return {};
  });
}

Expected<CommitInfo> set_tag(Node& node, const std::string& name, const TagFields& fields) {
  if (Expected<void> ok = check_label(name, "a tag"); !ok) return ok.error();
  if (Expected<void> ok = check_description(fields.color, "color"); !ok) return ok.error();
  if (Expected<void> ok = check_description(fields.description, "description"); !ok) return ok.error();
  return node.commit_shared([&](Transaction& t) -> Expected<void> {
    if (const auto made = make_tag(t, name); !made) return made.error();
    if (fields.color) {
      const auto done = t.exec("UPDATE tag SET color = ? WHERE name = ?", text_or_null(*fields.color), name);
      if (!done) return done.error();
    }
    if (fields.description) {
      const auto done = t.exec("UPDATE tag SET description = ? WHERE name = ?", text_or_null(*fields.description), name);
      if (!done) return done.error();
    }
    return {};
  });
}

Expected<CommitInfo> delete_tag(Node& node, const std::string& name) {
  if (Expected<void> ok = check_label(name, "a tag"); !ok) return ok.error();
  return node.commit_shared([&](Transaction& t) -> Expected<void> {
    const auto links = t.exec("DELETE FROM entry_tag WHERE tag = ?", name);
    if (!links) return links.error();
    const auto tag = t.exec("DELETE FROM tag WHERE name = ?", name);
    if (!tag) return tag.error();
    if (*links + *tag == 0) return Error{Errc::invalid_argument, "no such tag", printable(name), "see 'starling tag list'"};
    return {};
  });
}

Expected<json> list_tags(const Reader& reader, std::size_t limit, const std::optional<Bytes>& after) {
  const Expected<Rows> counts = reader.query("SELECT tag, count(*) FROM entry_tag GROUP BY tag");
  if (!counts) return counts.error();
  std::map<std::string, std::int64_t> count_of;
  for (std::size_t i = 0; i < counts->size(); ++i) count_of[counts->text(i, 0)] = counts->integer(i, 1);
  const Expected<Rows> rows =
      reader.query("SELECT name, color, description, created_ms FROM tag WHERE name > ? ORDER BY name LIMIT ?",
                   ValueView::text(after ? *after : BytesView("")), static_cast<std::int64_t>(limit) + 1);
  if (!rows) return rows.error();
  json tags = json::array();
  for (std::size_t i = 0; i < std::min(rows->size(), limit); ++i) {
    const std::string name = rows->text(i, 0);
    tags.push_back({{"name", bytes_to_json(name)},
                    {"color", bytes_to_json(rows->text(i, 1))},
                    {"description", bytes_to_json(rows->text(i, 2))},
                    {"created_ms", rows->integer(i, 3)},
                    {"entries", count_of[name]}});
  }
  return json{{"tags", std::move(tags)}, {"more", rows->size() > limit}};
}

}  // namespace starling::apps
