#include "core/store/touched_rows.h"

#include <cstring>

#include "core/base/assert.h"

namespace starling {
namespace {

constexpr std::size_t kIndexFirst = 128;
constexpr std::size_t kRowsKept = 1024;  // memory of a larger transaction is given back
constexpr std::size_t kArenaKept = limits::MiB;

// Multiply and fold, eight bytes at a time. Not a defence against crafted keys: those would be the application's own.
std::uint32_t hash_of(ModelIndex model, BytesView key) {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15ULL;
  std::uint64_t h = (model + 1 + key.size()) * kOdd;
  while (!key.empty()) {
    std::uint64_t word = 0;
    const std::size_t n = key.size() < sizeof word ? key.size() : sizeof word;
    std::memcpy(&word, key.data(), n);
    h = (h ^ word) * kOdd;
    h ^= h >> 32;
    key.remove_prefix(n);
  }
  return static_cast<std::uint32_t>(h);
}

}  // namespace

TouchedRows::Found TouchedRows::touch(ModelIndex model, BytesView key) {
  if (rows_.size() * 2 >= index_.size()) grow_index();
  const std::uint32_t hash = hash_of(model, key);
  const std::size_t mask = index_.size() - 1;
  std::size_t slot = hash & mask;
  for (; index_[slot] != 0; slot = (slot + 1) & mask) {
    const std::size_t row = index_[slot] - 1;
    const TouchedRow& r = rows_[row];
    if (r.hash == hash && r.model == model && bytes(r.key) == key) return {row, false};
  }
  index_[slot] = static_cast<std::uint32_t>(rows_.size() + 1);
  TouchedRow& r = rows_.emplace_back();
  r.model = model;
  r.hash = hash;
  r.key = store(key);
  return {rows_.size() - 1, true};
}

void TouchedRows::grow_index() {
  index_.assign(index_.size() * 2, 0);
  const std::size_t mask = index_.size() - 1;
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    std::size_t slot = rows_[row].hash & mask;
    while (index_[slot] != 0) slot = (slot + 1) & mask;
    index_[slot] = static_cast<std::uint32_t>(row + 1);
  }
}

Extent TouchedRows::store(BytesView image) {
  const Extent extent{arena_.size(), image.size()};
  arena_.append(image);
  return extent;
}

void TouchedRows::overwrite(Extent place, BytesView image) {
  ASSERT(image.size() <= place.size);
  if (!image.empty()) std::memcpy(arena_.data() + place.at, image.data(), image.size());
}

void TouchedRows::clear() {
  if (rows_.empty() && !index_.empty()) return;
  if (rows_.size() > kRowsKept) {
    rows_ = {};
    index_ = {};
  }
  if (arena_.capacity() > kArenaKept) arena_ = {};
  rows_.clear();
  arena_.clear();
  index_.assign(index_.empty() ? kIndexFirst : index_.size(), 0);
}

}  // namespace starling
