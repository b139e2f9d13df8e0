#include "core/replica/waiting_entries.h"

#include "core/base/limits.h"

namespace starling {
namespace {

std::size_t bytes_of(const EntryRun& run) {
  std::size_t bytes = sizeof(EntryRun);
  for (const Bytes& entry : run.entries) bytes += sizeof(Bytes) + entry.size();
  return bytes;
}

}  // namespace

bool WaitingEntries::keep(const Origin& origin, EntryRun run) {
  const std::size_t bytes = bytes_of(run);
  if (bytes_ + bytes > limits::kWaitingMax) return false;
  bytes_ += bytes;
  runs_[origin].push_back(std::move(run));
  return true;
}

std::vector<EntryRun> WaitingEntries::take(const Origin& origin) {
  const auto at = runs_.find(origin);
  if (at == runs_.end()) return {};
  std::vector<EntryRun> runs = std::move(at->second);
  runs_.erase(at);
  for (const EntryRun& run : runs) bytes_ -= bytes_of(run);
  return runs;
}

std::set<Origin> WaitingEntries::origins() const {
  std::set<Origin> origins;
  for (const auto& [origin, runs] : runs_) origins.insert(origin);
  return origins;
}

}  // namespace starling
