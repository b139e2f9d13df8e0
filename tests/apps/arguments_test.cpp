// Arguments of requests: each mistake is an error that names the argument.
#include "apps/common/arguments.h"

#include <doctest/doctest.h>

#include "apps/common/uuid.h"

namespace starling::apps {
namespace {

using nlohmann::json;

// Reads all that a request could hold; gives what was wrong.
std::string wrong(const json& request) {
  Arguments arguments(request);
  (void)arguments.path("path");
  (void)arguments.texts("tags");
  (void)arguments.maybe_text("name");
  (void)arguments.maybe_device("device");
  (void)arguments.paths("paths");
  (void)arguments.flag("whole");
  (void)arguments.limit();
  (void)arguments.after();
  const Expected<void> done = arguments.done();
  return done ? "" : done.error().where;
}

}  // namespace

TEST_CASE("arguments: what is right arrives") {
  const json request{{"op", "x"},         {"id", 1},    {"path", {{"hex", "2fff"}}},
                     {"tags", {"a", "b"}}, {"limit", 5}, {"paths", {"/b", {{"hex", "2fff"}}}}, {"whole", true},
                     {"device", "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF-GA"}};
  Arguments arguments(request);
  CHECK(arguments.path("path") == "/\xFF");
  CHECK(arguments.texts("tags") == std::vector<std::string>{"a", "b"});
  CHECK(arguments.limit() == 5);
  CHECK(arguments.paths("paths") == std::vector<Bytes>{"/b", "/\xFF"});
  CHECK(arguments.paths("others").empty());
  CHECK(arguments.flag("whole"));
  CHECK_FALSE(arguments.flag("half"));
  CHECK(arguments.maybe_device("device").has_value());
  CHECK_FALSE(arguments.maybe_text("name").has_value());
  CHECK_FALSE(arguments.after().has_value());
  CHECK(arguments.done().has_value());
}

TEST_CASE("arguments: what is missing, mistyped or unknown is named") {
  const json good{{"op", "x"}, {"path", "/a"}};
  CHECK(wrong(good) == "");
  CHECK(wrong({{"op", "x"}}) == "\"path\"");
  const auto with = [&](const char* name, const json& value) {
    json request = good;
    request[name] = value;
    return wrong(request);
  };
  CHECK(with("path", "relative") == "\"path\"");
  CHECK(with("path", "") == "\"path\"");
  CHECK(with("path", std::string("/a\0b", 4)) == "\"path\"");
  CHECK(with("path", 3) == "\"path\"");
  CHECK(with("tags", "a") == "\"tags\"");
  CHECK(with("tags", {1}) == "\"tags\"");
  CHECK(with("name", 1) == "\"name\"");
  CHECK(with("device", "ABC") == "\"device\"");
  CHECK(with("paths", "/a") == "\"paths\"");
  CHECK(with("paths", {"a"}) == "\"paths\"");
  CHECK(with("whole", 1) == "\"whole\"");
  CHECK(with("limit", 0) == "\"limit\"");
  CHECK(with("limit", 1001) == "\"limit\"");
  CHECK(with("limit", -1) == "\"limit\"");
  CHECK(with("limit", "5") == "\"limit\"");
  CHECK(with("after", 1) == "\"after\"");
  CHECK(with("pth", "/a") == "\"pth\"");
}

TEST_CASE("uuid: version 7, in the order of making, never twice") {
  const Bytes first = new_uuid();
  REQUIRE(first.size() == 16);
  CHECK((static_cast<unsigned char>(first[6]) >> 4) == 7);
  CHECK((static_cast<unsigned char>(first[8]) >> 6) == 2);
  std::set<Bytes> seen;
  for (int i = 0; i < 10'000; ++i) seen.insert(new_uuid());
  CHECK(seen.size() == 10'000);
  CHECK(first.compare(0, 6, *seen.rbegin(), 0, 6) <= 0);
}

}  // namespace starling::apps
