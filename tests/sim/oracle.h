// The oracle: what must be true of one node at any time, and of all nodes once they have said everything.
//
// It knows nothing of the engine's own idea of health: it reads the tables with SQL, walks the log entry by entry, and
// compares with the naive merge of tests/core/causal/reference_merge.h. Everything is equality. Complaints are texts; none
// is good.
#pragma once

#include <string>
#include <vector>

#include "tests/sim/node.h"
#include "tests/sim/row_reader.h"

namespace starling::sim {

class Ledger;

[[nodiscard]] Table read_table(const SimNode&, const ModelSchema&);

// One text over all rows of all models, in key order; equal texts, equal rows.
[[nodiscard]] std::string digest_of(const SimNode&);

// At any time: the database is sound; log, positions and versions agree with each other; and the visible shared rows are
// the reference merge of all that the vector covers.
void complain_of_node(const SimNode&, const Ledger&, std::vector<std::string>&);

// At rest: equal vectors, equal rows, all ready, nothing waits, everything acknowledged.
void complain_of_differences(const std::vector<SimNode*>&, std::vector<std::string>&);

}  // namespace starling::sim
