// What a node tells the application: changes of rows, progress of a sync, and events worth knowing.
//
// Rules:
//   1. After the commit that it tells of, in the order of commits, one call at a time, with no lock held, on
//      Config::executor or, without one, on a thread of the node's own. A callback may call anything of the node's,
//      write() and stop() included; what it throws is logged.
//   2. Nobody waits for a callback. What happens meanwhile is gathered: the next ChangeEvent holds the net changes of
//      all transactions since the last one, the next Progress is the newest. A reader that is opened inside a callback
//      sees at least what the callback tells of.
//   3. Bounded: more rows than limits::kChangeEventRowsMax become `everything`, events beyond limits::kEventsMax push
//      the oldest out. Events wait for the first who listens, and for nobody after: what opening the node had to tell is
//      told then; by an executor that runs tasks at once, before on_event() has returned.
// Plain values; a callback may keep them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/base/schema.h"
#include "core/base/sql_value.h"
#include "core/replica/node_event.h"
#include "core/replica/status.h"

namespace starling {

struct RowChange {
  std::string table;
  Op op = Op::insert;
  bool local = false;               // this node wrote it (last, if peers did so too); else it came from a peer
  std::vector<SqlValue> key;        // the primary key's columns, in key order
  std::vector<std::string> fields;  // that changed; empty for a delete
};

struct ChangeEvent {
  bool everything = false;  // too much to be listed: read again whatever is shown
  std::vector<RowChange> rows;
  bool conflicts = false;  // sync_conflict has grown: something lost, here (then a row has changed too) or a peer's
};

// How far a sync has come, counted in changes (revisions of rows, entries of the log) that peers are known to have.
struct Progress {
  Readiness readiness = Readiness::uninitialized;
  std::uint64_t done = 0;
  std::uint64_t total = 0;  // done == total: this sync is over
};

using ChangeFn = std::function<void(const ChangeEvent&)>;
using ProgressFn = std::function<void(const Progress&)>;
using EventFn = std::function<void(const NodeEvent&)>;

// Where callbacks run: takes a task and runs it, now or later, on any thread, for instance the one that draws the
// windows. The node hands over one task at a time. Tasks may be dropped only once the node is gone.
using Executor = std::function<void(std::function<void()>)>;

}  // namespace starling
