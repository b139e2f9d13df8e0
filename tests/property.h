// Properties: what must hold for every input of a kind. rapidcheck tries it with random inputs, small ones first, and
// cuts an input that fails down to a small one.
//
// A property stands in a doctest case of the suite "property". By default it runs as often as it asks for, from one
// fixed seed, so that a run is the same on every machine. STARLING_RUNS=n runs it n times as often; STARLING_SEED=n
// begins elsewhere, STARLING_SEED=random anywhere. A failure prints the line that replays it (docs/testing.md).
// Inside a property use RC_ASSERT, not doctest's CHECK: rapidcheck must see the failure to make it small.
#pragma once

#include <rapidcheck.h>

#include <utility>

namespace starling {

void check_property(const rc::detail::Property&, int runs);

// `holds`: a function whose arguments are generated, or that takes none and generates with `*gen`.
template <class Testable>
void property(int runs, Testable&& holds) {
  check_property(rc::detail::toProperty(std::forward<Testable>(holds)), runs);
}

}  // namespace starling
