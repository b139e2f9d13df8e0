#include "tests/sim/disk_file.h"

#include <algorithm>

namespace starling::sim {
namespace {

constexpr std::size_t kSector = DiskFile::kSector;

std::size_t start_of_sector(std::size_t at) { return at / kSector * kSector; }

}  // namespace

void DiskFile::note(std::size_t offset, std::size_t size, bool truncation) {
  log_.push_back({offset, size, data_.size(), replaced_.size(), truncation});
  if (offset < data_.size()) replaced_.append(data_, offset, truncation ? Bytes::npos : size);
}

void DiskFile::write(std::size_t offset, BytesView bytes) {
  std::size_t from = offset;
  std::size_t to = offset + bytes.size();
  if (!stale_.empty()) {  // the kernel writes whole sectors, so that what it forgot beside these bytes is written, too
    from = start_of_sector(from);
    to = std::max(to, std::min(start_of_sector(to - 1) + kSector, data_.size()));
  }
  note(from, to - from, false);
  if (data_.size() < offset + bytes.size()) data_.resize(offset + bytes.size());
  bytes.copy(data_.data() + offset, bytes.size());
}

void DiskFile::truncate(std::size_t size) {
  if (size >= data_.size()) return;
  note(size, 0, true);
  data_.resize(size);
}

void DiskFile::sync() {
  if (!stale_.empty()) {
    for (const Undo& u : log_) {
      const std::size_t end = u.truncation ? Bytes::npos : u.offset + u.size;
      stale_.erase(stale_.lower_bound(u.truncation ? u.offset : start_of_sector(u.offset)), stale_.lower_bound(end));
    }
  }
  log_.clear();
  replaced_.clear();
}

void DiskFile::fail_to_sync() {
  const std::vector<Redo> written = undo_all();
  for (const Redo& w : written)
    for (std::size_t at = start_of_sector(w.offset); at < w.offset + w.bytes.size(); at += kSector)
      stale_.try_emplace(at, at < data_.size() ? data_.substr(at, kSector) : Bytes());
  for (const Redo& w : written) redo(w);
}

// ---- Power cuts ----

// Leaves what was synced, and gives what was written since, first to last.
std::vector<DiskFile::Redo> DiskFile::undo_all() {
  std::vector<Redo> written(log_.size());
  for (std::size_t i = log_.size(); i-- > 0;) {
    const Undo& u = log_[i];
    written[i] = {u.offset, data_.substr(std::min(u.offset, data_.size()), u.size), u.truncation};
    data_.resize(u.old_size);
    const std::size_t end = i + 1 < log_.size() ? log_[i + 1].replaced : replaced_.size();
    replaced_.copy(data_.data() + std::min(u.offset, u.old_size), end - u.replaced, u.replaced);
  }
  log_.clear();
  replaced_.clear();
  return written;
}

void DiskFile::redo(const Redo& w) {
  if (w.truncation) return data_.resize(std::min(data_.size(), w.offset));
  if (data_.size() < w.offset + w.bytes.size()) data_.resize(w.offset + w.bytes.size());
  w.bytes.copy(data_.data() + w.offset, w.bytes.size());
}

std::uint64_t DiskFile::lose_part(const Redo& w, Prng& prng) {
  std::uint64_t lost = 0;
  for (std::size_t at = w.offset; at < w.offset + w.bytes.size();) {
    const std::size_t next = std::min(start_of_sector(at) + kSector, w.offset + w.bytes.size());
    if (prng.chance(50)) redo({at, w.bytes.substr(at - w.offset, next - at)});
    else ++lost;
    at = next;
  }
  return lost;
}

std::uint64_t DiskFile::lose_power(Prng& prng) {
  const std::vector<Redo> written = undo_all();
  std::uint64_t lost = 0;
  for (auto& [at, held] : stale_) {
    if (at >= data_.size() || prng.chance(50)) continue;
    held.resize(std::min(kSector, data_.size() - at));
    held.copy(data_.data() + at, held.size());
    ++lost;
  }
  stale_.clear();
  for (const Redo& w : written) {
    const std::uint64_t fate = prng.below(3);
    if (fate == 0) lost += (w.bytes.size() + kSector - 1) / kSector;
    else if (fate == 1 || w.truncation) redo(w);
    else lost += lose_part(w, prng);
  }
  return lost;
}

}  // namespace starling::sim
