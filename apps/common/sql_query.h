// A query that a user typed: `starling sql` and the control request "sql".
//
// It reads, and nothing else: a statement that could write is refused (core/store/reader.h). It is bounded: by time, so
// that it holds no worker of the daemon and no snapshot for long; and by the size of the answer, which ends with
// "more" where it was cut. Values stand in JSON as they do everywhere: bytes that are no UTF-8 as {"hex": "…"}.
#pragma once

#include <chrono>
#include <nlohmann/json_fwd.hpp>

#include "apps/common/control_server.h"
#include "net/node.h"

namespace starling::apps {

struct SqlBounds {
  std::chrono::milliseconds time = std::chrono::seconds(30);
  std::size_t answer_bytes = 4 * 1024 * 1024;  // of rows, as JSON: half of a reply
};

// {"columns", "rows", "more"}. Tells "rows" as its progress.
[[nodiscard]] Expected<nlohmann::json> run_sql(const Reader&, const std::string& query, const ProgressFn&,
                                               const SqlBounds& = {});

}  // namespace starling::apps
