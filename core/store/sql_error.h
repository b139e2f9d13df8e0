// Whose fault a failed statement is: the user's (an Error) or the machine's (an exception).
//
// The one place where SQLite's result codes are sorted into our error channels.
#pragma once

#include "core/base/expected.h"

namespace SQLite {
class Exception;
}

namespace starling {

// Constraints, syntax, refusals, wrong types and sizes are the user's; all else (disk, memory, a damaged file, a lock
// that nobody of ours holds) is the machine's and is thrown on.
[[nodiscard]] bool is_user_error(const SQLite::Exception&);
// `sql` is quoted, shortened, in Error::where. `refusal`: what the authorizer said, if it did.
[[nodiscard]] Error sql_error(const SQLite::Exception&, std::string_view sql, const std::string& refusal);

}  // namespace starling
