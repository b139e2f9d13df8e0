#include "core/base/sha256.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <new>

#include "core/base/assert.h"

namespace starling {

struct Sha256::Impl {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~Impl() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : impl_(std::make_unique<Impl>()) {
  if (impl_->context == nullptr || EVP_DigestInit_ex(impl_->context, EVP_sha256(), nullptr) != 1)
    throw std::bad_alloc();
}

Sha256::~Sha256() = default;

void Sha256::update(BytesView bytes) { ASSERT(EVP_DigestUpdate(impl_->context, bytes.data(), bytes.size()) == 1); }

Sha256Sum Sha256::finish() {
  Sha256Sum sum{};
  ASSERT(EVP_DigestFinal_ex(impl_->context, sum.data(), nullptr) == 1);
  return sum;
}

Sha256Sum sha256(BytesView bytes) {
  Sha256Sum sum{};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), sum.data());
  return sum;
}

Hash128 hash128(BytesView bytes) {
  const Sha256Sum sum = sha256(bytes);
  return Hash128::from({reinterpret_cast<const char*>(sum.data()), 16});
}

}  // namespace starling
