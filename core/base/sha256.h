// SHA-256 (FIPS 180-4), for the identity of devices, the chain of log entries and digests of rows.
//
// The one place in the core that calls a cryptographic library (libcrypto): a kept implementation rather than ours.
// Pure: no state outside the object.
#pragma once

#include <array>
#include <memory>

#include "core/base/bytes.h"
#include "core/base/ids.h"

namespace starling {

using Sha256Sum = std::array<std::uint8_t, 32>;

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(BytesView);
  [[nodiscard]] Sha256Sum finish();  // once

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

[[nodiscard]] Sha256Sum sha256(BytesView);
[[nodiscard]] Hash128 hash128(BytesView);  // the first 16 bytes of sha256

}  // namespace starling
