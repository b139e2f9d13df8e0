// Declared seeds: rows that every device creates on its own, such as defaults, and that are one row everywhere.
//
// A seed stands at HLC 0 under no device's name (core/causal/merge.h): whoever creates it creates the same generation, edits of it
// merge by field, and a delete of it is for good, for its tombstone is never dropped. Rows are created when the store is opened,
// before rows that stood in the table are adopted: where such a row has a seed's key, it is the seed, and what differs in it
// was written since. Each device tells its seeds, once it may number entries: a peer whose application declares others, or
// none, has them all the same. Where two declare one key with different values, the greater typed bytes win (docs/adr/0017-seeds.md).
#pragma once

#include <optional>
#include <vector>

#include "core/replica/event.h"

namespace starling {

class Store;

// In transactions of their own, one for each model; none while two machines live as this device. Errc::schema: a seed that is no row of its table.
[[nodiscard]] Expected<void> create_seeds(Store&, WallTime);

// Those that were created before this device could number entries; in a transaction. Before what was written since is told.
[[nodiscard]] std::vector<LocalCommit> tell_seeds(Store&, WallTime);

}  // namespace starling
