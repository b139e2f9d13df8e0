// What the WAL holds when we open it, written once more.
//
// Where the last process died after it had written to the WAL, SQLite takes for committed what it finds there. If a
// sync had failed before, the kernel holds those pages for clean, and no later sync writes them: we would show and tell
// what the next power cut takes away, and with it every commit behind it, for the chain of checksums breaks there. The
// same bytes in the same place are dirty again, and a sync covers them. Until it has, nothing may be copied from the WAL
// into the database: of a copy whose WAL then comes back shorter, pages of two times would be left.
//
// Frames behind the first whose salts are not the header's are of an earlier round: SQLite reads none of them, nor do we.
// Checksums are not worked out: frames with the right salts behind one that is torn are written again for nothing.
#pragma once

struct sqlite3;

namespace starling {

// Written and synced when it returns. Inside a write transaction: nobody else writes to the WAL meanwhile.
void rewrite_wal(sqlite3*);

}  // namespace starling
