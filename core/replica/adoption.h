// Adoption: rows that stood in a table before it became a model.
//
// They are adopted as ordinary inserts of this device, in key order and in bounded transactions; rows that already have
// a version are left alone, so an adoption that was interrupted goes on when the store is opened again. A model is
// marked as adopted in the transaction of its last rows.
#pragma once

#include "core/base/expected.h"
#include "core/base/time.h"

namespace starling {

class Store;

// Adopts what every model that is not marked yet holds; gives the number of rows. Errors: a key that cannot be
// canonical (NULL, or neither text nor blob), a value or row beyond limits.h; what was adopted before stays.
[[nodiscard]] Expected<std::uint64_t> adopt_existing_rows(Store&, WallTime);

}  // namespace starling
