// Adoption: rows that stood in a table before it became a model.
//
// They are adopted as ordinary inserts of this device, in key order and in bounded transactions; rows that already have
// a version are left alone, so an adoption that was interrupted goes on when the store is opened again. A model is
// marked as adopted in the transaction of its last rows.
#pragma once

#include <functional>
#include <string>

#include "core/base/expected.h"
#include "core/base/time.h"

namespace starling {

class Store;

// Called after each transaction. `rows`: of that table so far; `total`: that stood in it at the beginning.
struct Adoption {
  std::string table;
  std::uint64_t rows = 0;
  std::uint64_t total = 0;
};
using AdoptionFn = std::function<void(const Adoption&)>;

// Adopts what every model that is not marked yet holds; gives the number of rows. Errors: a key that cannot be
// canonical (NULL, or neither text nor blob), a value or row beyond limits.h; what was adopted before stays.
[[nodiscard]] Expected<std::uint64_t> adopt_existing_rows(Store&, WallTime, const AdoptionFn& = {});

}  // namespace starling
