// Answers to a peer that compares its rows with ours: digests of groups, of ranges, rows of some ranges.
//
// Each answer is bounded in bytes and in versions looked through; the peer asks on from where it ended. A row that is
// damaged here is not given: nobody shall take it for good.
#pragma once

#include "core/base/expected.h"
#include "proto/digest_page.h"

namespace starling {

class Store;

[[nodiscard]] std::vector<DigestGroup> digest_groups(Store&);  // of all that is not empty
// Errors: corrupt, the peer's fault.
[[nodiscard]] Expected<DigestResponse> answer_digest(Store&, const DigestRequest&, const Hash128& vector_hash);

}  // namespace starling
