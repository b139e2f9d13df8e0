// The device's row about itself: written once, and again only when it says something new.
#include "apps/common/own_device.h"

#include <doctest/doctest.h>

#include "apps/common/byte_text.h"
#include "models/models.h"
#include "tests/apps/temp_folder.h"

namespace starling::test {

TEST_CASE("own device: one row, written only if it differs") {
  TempFolder temp;
  Config config;
  config.folder = temp / "data";
  Expected<std::unique_ptr<Node>> node = Node::open(config, models::built_in());
  REQUIRE(node.has_value());
  const auto write = [&](const apps::HostFacts& facts) {
    const Expected<CommitInfo> info = apps::write_own_device(**node, facts);
    REQUIRE_MESSAGE(info.has_value(), (info ? "" : info.error().text()));
    return info->rows;
  };
  CHECK(write({"desk", "Linux x86_64"}) == 1);
  CHECK(write({"desk", "Linux x86_64"}) == 0);
  CHECK(write({"lap", "Linux x86_64"}) == 1);
  const Expected<Rows> rows = (*node)->reader()->query("SELECT id, name, platform, created_ms > 0 FROM device");
  REQUIRE(rows.has_value());
  REQUIRE(rows->size() == 1);
  CHECK(rows->text(0, 0) == (*node)->device().view());
  CHECK(rows->text(0, 1) == "lap");
  CHECK(rows->text(0, 2) == "Linux x86_64");
  CHECK(rows->integer(0, 3) == 1);
}

TEST_CASE("own device: what the machine is called can be shown") {
  const apps::HostFacts facts = apps::host_facts();
  CHECK(facts.name != "");
  CHECK(facts.platform.find(' ') != std::string::npos);
  CHECK(apps::printable(facts.name) == facts.name);
}

}  // namespace starling::test
