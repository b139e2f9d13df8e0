// A file of its own: where the compiler sees both ends, it takes malloc() behind new for a mistake.
#include <cstdlib>
#include <new>

#include "tests/proto/samples.h"

namespace {

bool counting = false;
std::size_t taken = 0;

}  // namespace

void* operator new(std::size_t size) {
  if (counting) taken += size;
  if (void* p = std::malloc(size == 0 ? 1 : size)) return p;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {  // std::stable_sort's
  if (counting) taken += size;
  return std::malloc(size == 0 ? 1 : size);
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, const std::nothrow_t&) noexcept { std::free(p); }

namespace starling::samples {

Allocations::Allocations() {
  taken = 0;
  counting = true;
}
Allocations::~Allocations() { counting = false; }
std::size_t Allocations::total() const { return taken; }

}  // namespace starling::samples
