#include "tests/sim/disk.h"

#include <algorithm>

#include "tests/sim/vfs.h"

namespace starling::sim {

Disk::Disk() : name_("disk-" + std::to_string(reinterpret_cast<std::uintptr_t>(this))), vfs_(vfs_of(*this, name_)) {
  sqlite3_vfs_register(&vfs_, 0);
}

Disk::~Disk() { sqlite3_vfs_unregister(&vfs_); }

// ---- What may happen ----

bool Disk::operate() {
  if (calm_ > 0) return !dead_;
  if (!dead_ && (++operations_ == dies_at_ || operations_ == doom_)) {
    ++count_.deaths;
    dead_ = true;
  }
  return !dead_;
}

void Disk::fail(DiskFault fault, std::uint64_t after, std::uint64_t times) {
  plans_[static_cast<std::size_t>(fault)] = {after, times};
}

bool Disk::strikes(DiskFault fault) {
  if (calm_ > 0) return false;
  Plan& plan = plans_[static_cast<std::size_t>(fault)];
  if (plan.times == 0 || dead_) return false;
  if (plan.after != 0) {
    --plan.after;
    return false;
  }
  --plan.times;
  ++count_.faults[static_cast<std::size_t>(fault)];
  return failed_ = true;
}

void Disk::forget_plans() {
  dies_at_ = 0;
  plans_ = {};
}

void Disk::mend() {
  plans_ = {};
  room_.reset();
  failed_ = false;
}

std::size_t Disk::room_for(const DiskFile& file, std::size_t offset, std::size_t size) {
  if (!room_ || calm_ > 0) return size;
  std::uint64_t used = 0;
  for (const auto& [name, states] : names_)
    if (states.back()) used += states.back()->data().size();
  const std::size_t end = std::max<std::uint64_t>(*room_, used) - used + file.data().size();
  if (offset + size <= end) return size;
  ++count_.full;
  failed_ = true;
  return end > offset ? end - offset : 0;
}

bool Disk::flip_byte(Prng& prng, Part part) {
  for (const auto& [name, states] : names_) {
    if (name.ends_with("-wal") != (part == Part::wal) || name.ends_with("-journal")) continue;
    if (!states.back() || states.back()->data().empty()) continue;
    const std::size_t at = prng.below(states.back()->data().size());
    states.back()->flip_bit(at, static_cast<unsigned>(prng.below(8)));
    ++count_.flips;
    return true;
  }
  return false;
}

void Disk::revive() {
  for (auto& [name, states] : names_)
    if (states.back()) states.back()->shared_memory.clear();
  dead_ = failed_ = false;
  dies_at_ = 0;
}

void Disk::revive_after_power_cut(Prng& prng) {
  ++count_.power_cuts;
  for (auto& [name, states] : names_) {
    const std::size_t survives = prng.below(states.size());
    count_.names_lost += survives + 1 == states.size() ? 0 : 1;
    states = {states[survives]};
    if (states.back()) count_.sectors_lost += states.back()->lose_power(prng);
  }
  std::erase_if(names_, [](const auto& name) { return name.second.back() == nullptr; });
  revive();
}

// ---- Names ----

std::shared_ptr<DiskFile> Disk::find(const std::string& name) const {
  const auto found = names_.find(name);
  return found == names_.end() ? nullptr : found->second.back();
}

std::shared_ptr<DiskFile> Disk::create(const std::string& name) {
  Name& states = names_[name];
  if (states.empty()) states.push_back(nullptr);
  states.push_back(std::make_shared<DiskFile>(Bytes(), ++last_number_));
  return states.back();
}

void Disk::remove(const std::string& name) { names_.at(name).push_back(nullptr); }

void Disk::sync_directory() {
  for (auto& [name, states] : names_) states.erase(states.begin(), states.end() - 1);
  std::erase_if(names_, [](const auto& name) { return name.second.back() == nullptr; });
}

Disk::Image Disk::image() const {
  Image image;
  for (const auto& [name, states] : names_)
    if (states.back()) image[name] = states.back()->data();
  return image;
}

void Disk::restore(const Image& image, PutBack how) {
  std::map<std::string, Name> names;
  for (const auto& [name, data] : image) {
    const std::uint64_t number = how == PutBack::rolled_back ? number_of(name) : 0;
    names[name] = {std::make_shared<DiskFile>(data, number != 0 ? number : ++last_number_)};
  }
  names_ = std::move(names);
}

std::uint64_t Disk::number_of(const std::string& name) const {
  const std::shared_ptr<DiskFile> file = find(name);
  return file ? file->number() : 0;
}

void make_sqlite_deterministic(std::uint32_t seed) {
  sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, static_cast<int>(seed), static_cast<sqlite3*>(nullptr));
  sqlite3_randomness(0, nullptr);
}

}  // namespace starling::sim
