// Albums: what is done twice is done once, an empty list deletes nothing, two albums of one name are told apart by id.
#include "apps/common/albums.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "apps/common/uuid.h"
#include "models/models.h"
#include "tests/apps/temp_folder.h"

namespace starling::test {
namespace {

using nlohmann::json;

struct Fixture {
  TempFolder temp;
  std::unique_ptr<Node> node = open();
  Bytes one = Bytes(16, '1');
  Bytes two = Bytes(16, '2');

  [[nodiscard]] std::unique_ptr<Node> open() const {
    Config config;
    config.folder = temp / "data";
    Expected<std::unique_ptr<Node>> opened = Node::open(config, models::built_in());
    REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().text()));
    return std::move(*opened);
  }
  std::size_t add(const std::string& album, const std::vector<Bytes>& entries,
                  const std::optional<std::string>& description = {}) const {
    return rows_of(apps::add_to_album(*node, album, entries, description));
  }
  static std::size_t rows_of(const Expected<CommitInfo>& info) {
    REQUIRE_MESSAGE(info.has_value(), (info ? "" : info.error().text()));
    return info->rows;
  }
  [[nodiscard]] json list(std::size_t limit = 1000, const std::optional<Bytes>& after = {}) const {
    const Expected<json> answer = apps::list_albums(*node->reader(), limit, after);
    REQUIRE(answer.has_value());
    return *answer;
  }
  // As another device makes one: with a name that is there already.
  void make(const std::string& name) const {
    (void)rows_of(node->commit_shared([&](Transaction& t) -> Expected<void> {
      const auto done =
          t.exec("INSERT INTO album(id, name, created_ms) VALUES(?, ?, 0)", ValueView::blob(apps::new_uuid()), name);
      if (!done) return done.error();
      return {};
    }));
  }
};

}  // namespace

TEST_CASE("albums: made, filled, emptied and deleted; what is so already changes nothing") {
  const Fixture f;
  CHECK(f.add("Norway", {f.one, f.two}) == 3);
  CHECK(f.add("Norway", {f.one, f.two}) == 0);
  CHECK(f.add("Norway", {}, "in winter") == 1);
  CHECK(f.list()["albums"][0]["entries"] == 2);
  CHECK(f.list()["albums"][0]["description"] == "in winter");
  CHECK(f.rows_of(apps::remove_from_album(*f.node, "Norway", {f.one})) == 1);
  CHECK(f.rows_of(apps::remove_from_album(*f.node, "Norway", {f.one})) == 0);
  CHECK(f.rows_of(apps::remove_from_album(*f.node, "Norway", {})) == 0);
  CHECK(f.add("Norway", {}, "") == 1);
  CHECK(f.list()["albums"][0]["description"] == "");
  CHECK(f.rows_of(apps::delete_album(*f.node, "Norway")) == 2);
  CHECK(f.list()["albums"].empty());
  CHECK(f.node->reader()->query("SELECT count(*) FROM album_entry")->integer(0) == 0);
}

TEST_CASE("albums: two of one name are an error that names both ids, and each id does") {
  const Fixture f;
  f.make("Norway");
  f.make("Norway");
  const Expected<apps::AlbumInfo> both = apps::find_album(*f.node->reader(), "Norway");
  REQUIRE_FALSE(both.has_value());
  const json albums = f.list()["albums"];
  REQUIRE(albums.size() == 2);
  for (const json& album : albums) {
    const std::string id = album["id"];
    CHECK(both.error().remedy.find(id) != std::string::npos);
    CHECK(f.add(id, {f.one}) == 1);
    CHECK(apps::find_album(*f.node->reader(), id)->name == "Norway");
  }
  CHECK_FALSE(apps::add_to_album(*f.node, "Norway", {f.one}, {}).has_value());
  CHECK_FALSE(apps::delete_album(*f.node, "Norway").has_value());
}

TEST_CASE("albums: what is not there, or cannot be a name, is an error that says what to do") {
  const Fixture f;
  for (const Expected<CommitInfo>& done :
       {apps::remove_from_album(*f.node, "none", {f.one}), apps::delete_album(*f.node, "none")}) {
    REQUIRE_FALSE(done.has_value());
    CHECK(done.error().text() == "none: no such album; 'starling album ls' lists them");
  }
  for (const std::string& name : {std::string(), std::string("a\nb"), std::string("\xFF"), std::string(201, 'x')}) {
    const Expected<CommitInfo> made = apps::add_to_album(*f.node, name, {}, {});
    REQUIRE_FALSE(made.has_value());
    CHECK(made.error().remedy != "");
  }
  CHECK_FALSE(apps::add_to_album(*f.node, "x", {}, std::string(5000, 'x')).has_value());
  CHECK(f.list()["albums"].empty());
}

TEST_CASE("albums: a long list comes in pages, each album once") {
  const Fixture f;
  for (int i = 0; i < 7; ++i) f.make("album " + std::to_string(i));
  std::set<std::string> seen;
  std::optional<Bytes> after;
  for (int page = 0; page < 3; ++page) {
    const json answer = f.list(3, after);
    CHECK(answer["more"] == (page < 2));
    for (const json& album : answer["albums"]) seen.insert(album["name"].get<std::string>());
    Bytes last;
    REQUIRE(from_hex(answer["albums"].back()["id"].get<std::string>(), last));
    after = last;
  }
  CHECK(seen.size() == 7);
}

}  // namespace starling::test
