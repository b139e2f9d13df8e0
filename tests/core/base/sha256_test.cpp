#include "core/base/sha256.h"

#include <doctest/doctest.h>

using namespace starling;

namespace {

std::string hex_of(const Sha256Sum& sum) { return to_hex({reinterpret_cast<const char*>(sum.data()), sum.size()}); }

}  // namespace

TEST_CASE("SHA-256: gives the sums of FIPS 180-4") {
  CHECK(hex_of(sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hex_of(sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hex_of(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")) ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(hex_of(sha256(Bytes(1'000'000, 'a'))) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("SHA-256: the sum does not depend on the pieces that bytes arrive in") {
  Bytes bytes;
  for (int i = 0; i < 300; ++i) bytes.push_back(static_cast<char>(i));
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    Sha256 hash;
    for (std::size_t at = 0; at < bytes.size(); at += piece) hash.update(BytesView(bytes).substr(at, piece));
    CHECK(hash.finish() == sha256(bytes));
  }
  CHECK(Sha256().finish() == sha256(""));
}

TEST_CASE("hash128: is the first half of SHA-256") {
  CHECK(to_hex(hash128("abc").view()) == "ba7816bf8f01cfea414140de5dae2223");
}
