// Names that may be any bytes: how they stand in SQLite, in JSON and on a terminal.
//
// A file name is bytes; most are valid UTF-8, some are not. In a table the first are TEXT and the others BLOB, so that
// SQL stays pleasant and nothing is lost. In JSON (control protocol, --json) the first are strings and the others
// {"hex": "…"}. On a terminal what could move the cursor or is no UTF-8 is escaped: a hostile name must not control
// the screen of whoever lists it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "core/base/bytes.h"
#include "core/base/expected.h"
#include "core/base/value.h"

namespace starling::apps {

[[nodiscard]] bool is_utf8(BytesView);                    // strict: no overlong forms, no surrogates
[[nodiscard]] ValueView name_value(BytesView name);       // TEXT or BLOB; a view of `name`
[[nodiscard]] std::string printable(BytesView);           // control characters and stray bytes as \n, \xNN
[[nodiscard]] nlohmann::json bytes_to_json(BytesView);
[[nodiscard]] Expected<Bytes> bytes_from_json(const nlohmann::json&, const std::string& what);  // what: for the error

// People's numbers: 66,091 and 1.3 GiB.
[[nodiscard]] std::string grouped(std::uint64_t);
[[nodiscard]] std::string human_size(std::uint64_t bytes);

}  // namespace starling::apps
