// One file of a simulated disk: what the process sees, and how to get back to what is certain to be on the platter.
//
// The bytes stand once. Beside them is an undo log: what each write since the last sync replaced. A sync that succeeds
// only empties the log; a power cut plays it backwards, and then forwards again those writes that the caller's chance
// lets live. Rules:
//   1. Each write that was not synced is lost, whole, or there in some of its sectors of 512 bytes; truncations are
//      lost or whole. Each has a fate of its own: no order holds between writes.
//   2. What a lost write leaves open below a later one that lives reads as zeros.
//   3. A sync that fails leaves its sectors stale: the kernel takes them for written, so that no later sync writes
//      them, and a power cut may show what they held before. Only a new write to the sector, synced, ends that.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/prng.h"

namespace starling::sim {

class DiskFile {
 public:
  static constexpr std::size_t kSector = 512;

  DiskFile() = default;
  explicit DiskFile(Bytes data, std::uint64_t number = 0) : number_(number), data_(std::move(data)) {}

  [[nodiscard]] std::uint64_t number() const { return number_; }

  [[nodiscard]] const Bytes& data() const { return data_; }
  void write(std::size_t offset, BytesView);
  void truncate(std::size_t size);
  void sync();
  void fail_to_sync();
  void flip_bit(std::size_t at, unsigned bit) { data_[at] = static_cast<char>(data_[at] ^ (1U << bit)); }
  // Gives how many sectors were lost.
  std::uint64_t lose_power(Prng&);

  std::vector<std::unique_ptr<char[]>> shared_memory;  // of the WAL; it dies with the process

 private:
  struct Undo {
    std::size_t offset = 0;
    std::size_t size = 0;      // of what was written; a truncation: none
    std::size_t old_size = 0;  // of the file
    std::size_t replaced = 0;  // where in replaced_ begins what stood there
    bool truncation = false;
  };
  struct Redo {
    std::size_t offset = 0;
    Bytes bytes;
    bool truncation = false;
  };

  void note(std::size_t offset, std::size_t size, bool truncation);
  [[nodiscard]] std::vector<Redo> undo_all();
  void redo(const Redo&);
  [[nodiscard]] std::uint64_t lose_part(const Redo&, Prng&);

  std::uint64_t number_ = 0;
  Bytes data_;
  std::vector<Undo> log_;
  Bytes replaced_;                      // the bytes of the whole log, one after the other: no allocation for each write
  std::map<std::size_t, Bytes> stale_;  // by sector: what the platter holds of it
};

}  // namespace starling::sim
