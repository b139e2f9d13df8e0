// The whole protocol as one synchronous state machine.
//
// step() takes a batch of events and the time, works in at most one IMMEDIATE transaction, commits it, and only then
// gives effects: nothing is promised to a peer that a crash could forget. It knows no socket, thread, clock or random
// device. A peer's bad message closes that peer's session and rolls back nothing of another's; a failing machine
// throws, and the host stops the node. An empty batch means that time has passed.
//
// How rows travel (docs/protocol.md, Sessions):
//   - Hello first, in both directions; workspace, schema, clock and identity are checked before anything else.
//   - Positions, not payloads, are retried. What a peer lacks follows from its vector. We push our own commits to
//     sessions that stand at our position before them; what does not continue a position is ignored and pulled.
//   - One pull for each stream at a time, from the stream's author where it is connected, else from whoever shows
//     more than we have; pages are bounded by credit.
//   - An entry that comes before what its author had seen waits in memory (waiting_entries.h), a stream that must not be
//     applied yet is held: nothing of it is acknowledged, and the other streams go on.
//   - An entry beyond limits::kPartMax comes in parts, is staged on disk, and is applied at once (part_taker.h).
//   - Acknowledgements are vectors of what is on disk, at most one every 200 ms for each session.
// Not thread-safe: the caller holds the writer lock while step() runs.
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "core/replica/event.h"
#include "core/replica/status.h"

namespace starling {

class Store;

class Replica {
 public:
  // The store outlives it. `scrub_pass`: within which every row is read again.
  explicit Replica(Store&, Duration scrub_pass = limits::kScrubPass);
  ~Replica();
  Replica(const Replica&) = delete;
  Replica& operator=(const Replica&) = delete;

  [[nodiscard]] std::vector<Effect> step(std::span<const Event>, Now);
  // When step() wants to run again without an event; nullopt: never.
  [[nodiscard]] std::optional<MonoTime> next_deadline() const;
  // The peers are those with a session; the shell adds those it dials in vain.
  [[nodiscard]] Status status() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace starling
