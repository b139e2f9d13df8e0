// Columns stand below each other, whatever the characters.
#include "apps/common/text_table.h"

#include <doctest/doctest.h>

namespace starling::apps {

TEST_CASE("text table: aligned by characters, numbers to the right, no blanks at the end") {
  TextTable table;
  table.row({"name", "n", "end"});
  table.row({"Zürich", "7", ""});
  table.row({"x", "1,234", "y"});
  CHECK(table.text({1}) == "name        n  end\nZürich      7\nx       1,234  y\n");
}

TEST_CASE("text table: a text is shortened between characters, or left alone") {
  CHECK(shortened("Zürich", 6) == "Zürich");
  CHECK(shortened("Zürich", 2) == "Z…");
  CHECK(shortened("Zürich", 3) == "Zü…");
  CHECK(shortened("", 3) == "");
}

}  // namespace starling::apps
