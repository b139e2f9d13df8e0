#include "core/replica/waiting_entries.h"

#include <doctest/doctest.h>

#include "core/base/limits.h"
#include "tests/core/causal/some_ids.h"

namespace starling {

TEST_CASE("WaitingEntries: gives back what was kept, each log's in the order in which it came, and forgets it") {
  WaitingEntries waiting;
  CHECK(waiting.keep(origin(1), {7, Seq{3}, {"a", "b"}, 10, true}));
  CHECK(waiting.keep(origin(2), {7, Seq{1}, {"c"}, 1, std::nullopt}));
  CHECK(waiting.keep(origin(1), {8, Seq{5}, {"d"}, 1, std::nullopt}));
  CHECK(waiting.origins() == std::set<Origin>{origin(1), origin(2)});
  const std::vector<EntryRun> runs = waiting.take(origin(1));
  REQUIRE(runs.size() == 2);
  CHECK(runs[0].from == Seq{3});
  CHECK(runs[0].entries == std::vector<Bytes>{"a", "b"});
  CHECK(runs[0].last == true);
  CHECK(runs[1].session == 8);
  CHECK(waiting.take(origin(1)).empty());
  CHECK(waiting.origins() == std::set<Origin>{origin(2)});
}

TEST_CASE("WaitingEntries: holds a bounded number of bytes, and has room again for what was taken") {
  WaitingEntries waiting;
  const EntryRun run{1, Seq{1}, {Bytes(1 * limits::MiB, 'x')}, 0, std::nullopt};
  std::size_t kept = 0;
  while (waiting.keep(origin(1), run)) ++kept;
  CHECK(kept == limits::kWaitingMax / limits::MiB - 1);
  CHECK_FALSE(waiting.keep(origin(2), run));
  CHECK(waiting.take(origin(1)).size() == kept);
  CHECK(waiting.keep(origin(2), run));
}

}  // namespace starling
