// A file of its own: where the compiler sees both ends, it takes malloc() behind new for a mistake.
//
// AddressSanitizer tells of every allocation, whoever asks for it. Elsewhere only new is counted: it is all that
// decoding takes, but for exceptions and zstd's one context.
#include <algorithm>
#include <cstdlib>
#include <new>

#include "tests/proto/samples.h"

#if defined(__SANITIZE_ADDRESS__)  // g++
#define UNDER_ASAN
#elif defined(__has_feature)  // clang
#if __has_feature(address_sanitizer)
#define UNDER_ASAN
#endif
#endif

namespace {

bool counting = false;
std::size_t taken = 0;
std::ptrdiff_t live = 0, most = 0;

void take(std::size_t size) {
  if (!counting) return;
  taken += size;
  live += static_cast<std::ptrdiff_t>(size);
  most = std::max(most, live);
}

void give(std::size_t size) {
  if (counting) live -= static_cast<std::ptrdiff_t>(size);
}

}  // namespace

#ifdef UNDER_ASAN

extern "C" {  // g++ has the functions, but not their header
int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void*, std::size_t),
                                              void (*)(const volatile void*));
std::size_t __sanitizer_get_allocated_size(const volatile void*);
}

namespace {

[[maybe_unused]] const int hooks = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void*, std::size_t size) { take(size); },
    [](const volatile void* p) { give(counting ? __sanitizer_get_allocated_size(p) : 0); });

}  // namespace

#else

#include <malloc.h>

void* operator new(std::size_t size, const std::nothrow_t&) noexcept {  // std::stable_sort's
  void* p = std::malloc(size == 0 ? 1 : size);
  take(counting ? malloc_usable_size(p) : 0);
  return p;
}
void* operator new(std::size_t size) {
  if (void* p = operator new(size, std::nothrow)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept {
  give(counting ? malloc_usable_size(p) : 0);
  std::free(p);
}
void operator delete(void* p, std::size_t) noexcept { operator delete(p); }
void operator delete(void* p, const std::nothrow_t&) noexcept { operator delete(p); }

#endif

namespace starling::samples {

Allocations::Allocations() {
  taken = 0;
  live = most = 0;
  counting = true;
}
Allocations::~Allocations() { counting = false; }
std::size_t Allocations::total() const { return taken; }
std::size_t Allocations::peak() const { return static_cast<std::size_t>(most); }

}  // namespace starling::samples
