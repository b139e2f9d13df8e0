#include "core/replica/part_taker.h"

#include <algorithm>

#include "core/store/origin_table.h"
#include "core/store/store.h"

namespace starling {
namespace {

constexpr Duration kRoomAgain = std::chrono::seconds(1);

StreamKey log_of(const Origin& origin) { return {origin, Stream::log}; }

std::string stream_name(const Origin& origin) { return "stream of device " + to_string(origin.device); }

}  // namespace

Expected<bool> PartTaker::take(const EntryPart& part, SessionId from, MonoTime now) {
  const StreamKey key = log_of(part.origin);
  const Seq held = store_.origins().vector().at(part.origin).seq;
  if (part.origin == store_.self() && part.seq > held) return own_stream(part.origin);
  if (!puller_.pulls_from(from, key)) return false;
  if (part.seq <= held) return true;
  std::optional<StagedEntry> staged = store_.stage().find(part.origin);
  if (staged && staged->seq != part.seq) {
    drop(part.origin);
    staged.reset();
  }
  if (staged && staged->total != part.total) {
    drop(part.origin);
    return Error{Errc::corrupt, "entry " + std::to_string(part.seq.value) + " has two sizes", stream_name(part.origin), ""};
  }
  const StagedEntry entry = staged.value_or(StagedEntry{part.origin, part.seq, part.total, 0});
  const std::size_t end = part.offset + part.bytes.size();
  if (part.seq != held.next() || part.offset > entry.bytes || puller_.held(key)) {
    puller_.stop(key);
    return false;
  }
  if (end <= entry.bytes) return true;
  if (!make_room(part, end - entry.bytes)) {
    puller_.hold(key, {"no room for a large transaction of device " + to_string(part.origin.device) + " among others that are under way",
                       {}, {}, now + kRoomAgain, 0});
    return false;
  }
  store_.stage().append(entry, BytesView(part.bytes).substr(entry.bytes - part.offset));
  senders_[part.origin] = from;
  return true;
}

bool PartTaker::make_room(const EntryPart& part, std::size_t bytes) {
  std::vector<StagedEntry> others = store_.stage().all();
  std::size_t entries = 1;
  for (const StagedEntry& entry : others) {
    bytes += entry.bytes;
    entries += entry.origin == part.origin ? 0 : 1;
  }
  std::erase_if(others, [&](const StagedEntry& entry) {
    const StreamKey key = log_of(entry.origin);
    return entry.origin == part.origin || (puller_.pulls(key) && !puller_.held(key));
  });
  std::stable_partition(others.begin(), others.end(), [](const StagedEntry& entry) { return !entry.whole(); });
  for (const StagedEntry& entry : others) {
    if (bytes <= staged_max_ && entries <= limits::kStagedEntriesMax) break;
    drop(entry.origin);
    bytes -= entry.bytes;
    --entries;
  }
  return bytes <= staged_max_ && entries <= limits::kStagedEntriesMax;
}

void PartTaker::complete(Message& request) {
  auto* const log = std::get_if<SharedChangeRequest>(&request);
  if (log == nullptr || !log->open) return;
  const std::optional<StagedEntry> staged = store_.stage().find(log->origin);
  if (staged && staged->seq == log->from.next()) log->offset = static_cast<std::uint32_t>(staged->bytes);
}

const PartTaker::Wait* PartTaker::wait_of(const StagedEntry& entry, WallTime now) const {
  const auto wait = waits_.find(entry.origin);
  if (wait == waits_.end() || wait->second.seq != entry.seq) return nullptr;
  const bool over = now >= wait->second.until && store_.origins().vector().covers(wait->second.dependencies);
  return over ? nullptr : &wait->second;
}

std::vector<StagedEntry> PartTaker::due(WallTime now) {
  std::vector<StagedEntry> entries = store_.stage().all();
  std::erase_if(entries, [&](const StagedEntry& entry) {
    if (store_.origins().vector().at(entry.origin).seq >= entry.seq) return false;  // it came in another way
    return !entry.whole() || puller_.held(log_of(entry.origin)) || wait_of(entry, now) != nullptr;
  });
  return entries;
}

Expected<ApplyResult> PartTaker::apply(const StagedEntry& entry, WallTime now) {
  Expected<ApplyResult> result = applier_.entry(entry.origin, entry.seq, store_.stage().assemble(entry), now);
  if (result && (result->outcome == Applied::wait_clock || result->outcome == Applied::wait_deps))
    waits_[entry.origin] = {entry.seq, result->until, result->dependencies};
  else if (!result || result->outcome != Applied::wait_room)
    drop(entry.origin);
  return result;
}

void PartTaker::hold(std::map<SessionId, PeerSession>& sessions, WallTime now) {
  if (waits_.empty()) return;
  for (const StagedEntry& entry : store_.stage().all()) {
    const StreamKey key = log_of(entry.origin);
    const Wait* const wait = wait_of(entry, now);
    if (wait == nullptr || puller_.held(key)) continue;
    if (now < wait->until) {
      puller_.hold(key, {"its clock is ahead of ours: the log of device " + to_string(key.first.device) + " waits", wait->until, {}, {}, 0});
      continue;
    }
    for (auto& [id, s] : sessions) {
      if (!s.accepted || s.vector.at(entry.origin).seq < entry.seq) continue;
      s.vector.join(wait->dependencies);  // whoever has an entry holds what it depends on
      puller_.hold(key, {"waits for changes that its author had seen", {}, wait->dependencies, {}, id});
      break;
    }
  }
}

SessionId PartTaker::sender(const Origin& origin) const {
  const auto at = senders_.find(origin);
  return at == senders_.end() ? 0 : at->second;
}

void PartTaker::drop(const Origin& origin) {
  store_.stage().drop(origin);
  waits_.erase(origin);
  senders_.erase(origin);
}

}  // namespace starling
