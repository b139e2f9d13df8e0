// The core's only randomness: a seeded generator that whoever drives the core passes in.
//
// splitmix64 (Steele, Lea and Flood 2014): 64 bits of state, passes BigCrush, same sequence on every machine. Not for
// secrets: keys come from OpenSSL, outside the core.
#pragma once

#include <cstdint>

namespace starling {

class Prng {
 public:
  explicit Prng(std::uint64_t seed) : state_(seed) {}

  [[nodiscard]] std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  // Uniform in [0, bound); bound > 0. The bias of the modulus is below 2^-32 for every bound used here.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  [[nodiscard]] bool chance(unsigned percent) { return below(100) < percent; }
  [[nodiscard]] Prng fork() { return Prng(next()); }  // an independent stream

 private:
  std::uint64_t state_;
};

}  // namespace starling
