// Bad luck that drawn runs leave out, for no engine on SQLite can bear with it, and why.
//
// Each is run, and must do harm: its line goes as soon as it does none.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "tests/sim/scenario.h"

namespace starling::sim {

struct ExpectedFault {
  Verb verb;
  std::string_view why;
};

inline constexpr std::array kExpectedFaults = {
    ExpectedFault{Verb::flip, "Told and mended in a value of a row (repair_test.cpp), but shown until the scrub comes by; in SQLite's"
                              " own pages, our positions or the log nothing is mended: the folder is given up and joins anew."},
    ExpectedFault{Verb::short_read, "SQLite takes a page that is read in part for one that ends in zeros. No kernel does that to it;"
                                    " what it writes then is damage as of a flipped byte."},
};

[[nodiscard]] inline bool is_expected_to_fail(Verb verb) {
  return std::any_of(kExpectedFaults.begin(), kExpectedFaults.end(), [verb](const ExpectedFault& f) { return f.verb == verb; });
}

}  // namespace starling::sim
