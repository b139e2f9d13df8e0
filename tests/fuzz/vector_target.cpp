// A version vector in our own encoding: any bytes, and the vector that can be built of the same bytes.
#include "tests/fuzz/built.h"
#include "tests/fuzz/promise.h"
#include "tests/fuzz/target.h"

namespace starling::fuzz {
namespace {

constexpr std::size_t kVectorFactor = 4;  // a node of the map for each 31 bytes

Bytes encoded(const VersionVector& vector) {
  ByteWriter w;
  write_vector(w, vector);
  return w.take();
}

}  // namespace

void check_vector(BytesView bytes) {
  ByteReader r(bytes);
  const auto [vector, peak] = measured([&] { return read_vector(r); });
  promise_memory(peak, kVectorFactor * bytes.size());
  if (r.failed()) {
    promise(vector.empty(), "a part of what was refused");
  } else {
    promise(encoded(vector) == bytes.substr(0, bytes.size() - r.rest().size()), "it has two encodings");
  }
  Choices choices(bytes);
  const VersionVector built = built_vector(choices);
  const Bytes written = encoded(built);
  ByteReader back(written);
  promise(read_vector(back) == built && back.done(), "another came back");
}

std::vector<Bytes> vector_seeds() {
  std::vector<Bytes> seeds;
  Prng prng(500);
  for (const std::size_t origins : {0U, 1U, 2U, 5U}) seeds.push_back(encoded(samples::vector(prng, origins)));
  return seeds;
}

}  // namespace starling::fuzz
