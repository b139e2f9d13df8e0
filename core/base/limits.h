// Every bound of the engine, in one place.
//
// Back-pressure is designed, not discovered: each queue, page, message and table has a limit here, and the relations
// between them are checked by the compiler. Sizes are bytes unless the name says otherwise.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace starling::limits {

using namespace std::chrono_literals;

inline constexpr std::size_t KiB = 1024;
inline constexpr std::size_t MiB = 1024 * KiB;

// Models
inline constexpr std::size_t kModelsMax = 256;
inline constexpr std::size_t kFieldsMax = 64;    // fields of one model: a change names them by a 64-bit mask
inline constexpr std::size_t kNameMax = 128;     // a table or column name
inline constexpr std::size_t kKeyMax = 1 * KiB;  // canonical bytes of one primary key
inline constexpr std::size_t kValueMax = 2 * MiB;

// Transactions and the log
inline constexpr std::size_t kRowMax = 3 * MiB;           // all values of one row
inline constexpr std::size_t kEntryMax = 64 * MiB;        // one shared transaction, encoded; and its keys and values
inline constexpr std::size_t kChangesPerEntryMax = 1'000'000;
inline constexpr std::size_t kPartMax = 256 * KiB;        // a larger entry is kept in parts of this size, and travels so
inline constexpr std::size_t kStagedMax = 4 * kEntryMax;  // parts on disk of entries that are not applied yet, of all logs
inline constexpr std::size_t kStagedEntriesMax = 64;      // such entries
inline constexpr std::size_t kPendingRows = 2000;         // merged rows of models with rules that await settling
inline constexpr std::size_t kConflictRing = 10'000;      // rows of sync_conflict that are kept
inline constexpr std::size_t kQuarantinedMax = 1'000'000;  // changes in quarantine; then: what would join them waits
inline constexpr std::size_t kMembersMax = 1024;          // devices in a workspace, removed ones included

// Quarantine
inline constexpr std::size_t kReleaseRows = 2000;         // tried again in one transaction
inline constexpr auto kRetryRefusedFirst = 1min;          // between tries of what SQLite refuses; doubled up to the cap
inline constexpr auto kRetryRefusedCap = 1h;
inline constexpr std::size_t kCarefulSteps = 4096;        // after a life that did not end well: marked before they are tried

// Forgetting. What every member has acknowledged goes at once; the log goes by age and size whoever has it
inline constexpr auto kPruneEvery = 10s;
inline constexpr std::size_t kPruneRows = 2000;           // entries or tombstones of one origin in one transaction
inline constexpr auto kLogAgeMax = 30 * 24h;
inline constexpr std::size_t kLogSizeMax = 256 * MiB;

// Snapshots
inline constexpr std::size_t kSnapshotPageMin = 64 * KiB;   // a page ends at the first key after so much that says so,
inline constexpr std::size_t kSnapshotPageMax = 512 * KiB;  // here at last
inline constexpr std::size_t kSnapshotPagesMax = 65'536;
inline constexpr std::size_t kSpooledPerStep = 1 * MiB;
inline constexpr auto kSpoolKept = 10min;                   // that nobody asks for any more

// The wire
inline constexpr std::size_t kFrameMax = 4 * MiB;         // payload of one frame, before and after decompression
inline constexpr std::size_t kFrameBeforeHelloMax = 1 * MiB;  // a Hello with kVectorMax origins
inline constexpr std::size_t kCompressAbove = 2 * KiB;
inline constexpr std::size_t kWholeEntryMax = 3 * MiB;    // an entry that travels in one message
inline constexpr std::size_t kPageTarget = 256 * KiB;     // a page is closed once it holds this much
inline constexpr std::size_t kPushMax = 256 * KiB;        // a larger commit is announced and pulled, not pushed
inline constexpr std::size_t kPullCredit = 1 * MiB;       // bytes of pages in flight for one pull
inline constexpr std::int64_t kServedMax = 4 * MiB;       // bytes of pages for one session in one step
inline constexpr std::size_t kServingMax = 256;           // pulls that one session may have open with us
inline constexpr std::size_t kHoldsMax = 10'000;          // streams that wait for something
inline constexpr std::uint64_t kCountMax = 1ULL << 47;    // a revision or sequence number
inline constexpr std::size_t kBatchPagesMax = 1024;       // pages of one StateBatch
inline constexpr std::size_t kPullsMax = 8;               // pulls from one session that are not waiting
inline constexpr std::size_t kWaitingMax = 16 * MiB;      // entries in memory that wait for what they depend on
inline constexpr std::size_t kVectorMax = 10'000;         // origins in one message
inline constexpr std::size_t kRelayedMax = 10'000;        // positions relayed in one message, or one member's
inline constexpr std::size_t kOutboxMax = 16 * MiB;       // bytes queued for one session
inline constexpr std::size_t kInboxMax = 1 * MiB;         // bytes of one session that await the replica; then: not read
inline constexpr std::size_t kSessionsMax = 64;
inline constexpr std::size_t kQueueMax = kSessionsMax * kInboxMax;  // bytes that await the replica, from all sessions
inline constexpr std::size_t kHandshakesMax = 32;         // unauthenticated connections at once
inline constexpr std::size_t kEventBatchMax = 256;        // events in one step
inline constexpr std::size_t kCommitsMax = 1024;          // local commits that await the replica; then: told as one
inline constexpr std::size_t kChangeEventRowsMax = 10'000;  // rows named in one change event
inline constexpr std::size_t kEventsMax = 256;            // events that await the application; then: the oldest go
inline constexpr std::size_t kScrubRows = 200;            // read again in one slice of a scrub
inline constexpr std::size_t kScrubBytes = 256 * KiB;     // likewise
inline constexpr std::size_t kDamagedMax = 1000;          // damaged rows that are named; others wait for the next scrub
inline constexpr std::size_t kRepairScan = 20'000;        // versions looked through for one answer to a repair
inline constexpr std::size_t kDigestsMax = 10'000;        // (model, owner) in one message

inline constexpr std::size_t kTouchyRowsMax = 1000;       // rows over which SQLite rolls everything back, remembered
inline constexpr std::size_t kSeedsMax = 1000;            // declared rows of one model

// Deadlines
inline constexpr auto kHandshakeDeadline = 5s;            // TLS, and then the Hello
inline constexpr auto kSendDeadline = 30s;
inline constexpr auto kHeartbeatEvery = 30s;              // when idle
inline constexpr auto kSilenceMax = 75s;                  // then the session is closed
inline constexpr auto kLingerMax = 2s;                    // a closing session still sends what was queued
inline constexpr auto kAckEvery = 200ms;
inline constexpr auto kRelayEvery = 1s;                   // of other members' acknowledgements
inline constexpr auto kScrubPass = 24h;                   // every row is read again within
inline constexpr auto kRepairDeadline = 30s;              // then another peer is asked
inline constexpr auto kRepairBackoffFirst = 30s;          // between repairs that did not help; doubled up to the cap
inline constexpr auto kRepairBackoffCap = 1h;
inline constexpr auto kBackoffFirst = 200ms;              // first reconnect window; doubled up to the cap
inline constexpr auto kBackoffCap = 30s;

// The database
inline constexpr auto kBusyPatience = 5s;                 // a write waits so long for another program's transaction
inline constexpr auto kLongTransaction = 5s;              // whoever holds the database longer is reported

// Clocks
inline constexpr std::int64_t kDriftMaxMs = 5LL * 60 * 1000;             // stamps further ahead wait
inline constexpr std::int64_t kHelloClockMaxMs = 24LL * 60 * 60 * 1000;  // peers further apart are refused

static_assert(kWholeEntryMax + 64 * KiB <= kFrameMax, "an entry and its envelope fit a frame");
static_assert(kPartMax <= kWholeEntryMax && kPartMax <= kPageTarget, "what is not in parts fits a message, and a page");
static_assert(kPushMax <= kPartMax, "what is pushed is whole");
static_assert(kPartMax <= kPullCredit / 2, "one part is under way while another is taken in");
static_assert(kEntryMax <= kStagedMax && kEntryMax < (1ULL << 32), "the largest entry can be staged; offsets have 32 bits");
static_assert(kRowMax + 64 * KiB <= kFrameMax, "a row of a state page fits a frame");
static_assert(kPageTarget + kRowMax <= kFrameMax, "a page that was nearly full still takes the largest row");
static_assert(kPushMax <= kPullCredit && kPullCredit <= kOutboxMax);
static_assert(kValueMax < kRowMax);
static_assert(kSnapshotPageMax + kRowMax + kKeyMax <= kFrameMax, "the largest row ends a page that was nearly full");
static_assert(kSnapshotPagesMax * 16 <= kFrameMax, "a joiner names all that it has");
static_assert(kVectorMax * 64 + kModelsMax * (8 * kFieldsMax + kNameMax + 64) <= kFrameBeforeHelloMax,
              "a Hello names every origin that a workspace may have, and its models");

}  // namespace starling::limits
