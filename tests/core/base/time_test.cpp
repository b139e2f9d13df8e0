#include "core/base/time.h"

#include <doctest/doctest.h>

using namespace starling;

TEST_CASE("Hlc: packs 48 bits of milliseconds and 16 bits of counter, and gives them back") {
  const Hlc hlc = Hlc::of(1'700'000'000'123, 65'535);
  CHECK(hlc.ms() == 1'700'000'000'123);
  CHECK(hlc.counter() == 65'535);
  const Hlc greatest = Hlc::of((std::int64_t{1} << 48) - 1, Hlc::kCounterMax);
  CHECK(greatest.packed == ~std::uint64_t{0});
  CHECK(greatest.ms() == (std::int64_t{1} << 48) - 1);
}

TEST_CASE("Hlc: compares by time, then counter; zero is before all") {
  CHECK(Hlc{} < Hlc::of(0, 1));
  CHECK(Hlc::of(0, 65'535) < Hlc::of(1, 0));
  CHECK(Hlc::of(1, 1) < Hlc::of(1, 2));
  CHECK(Hlc::of(1, 2) == Hlc::of(1, 2));
}
