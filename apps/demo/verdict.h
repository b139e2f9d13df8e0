// Are the two devices equal? The table at the end, and the answer.
#pragma once

#include "apps/demo/story.h"

namespace starling::demo {

// Prints the table; true if everything is equal: vectors, rows and digests of each model, by starling's own account and
// by the sqlite3 shell, nothing in quarantine, and the edits of both where they did not exclude each other.
[[nodiscard]] bool give_verdict(Story&, Voice&);

}  // namespace starling::demo
