// Capture against its naive twin: random SQL, and after each transaction the fold must equal the difference between two
// dumps. SQL that fails is part of the game. A run that differs shrinks to the few statements that it takes.
#include "tests/core/store/captured_database.h"
#include "tests/core/store/naive_recorder.h"
#include "tests/core/store/random_sql.h"
#include "tests/property.h"

using namespace starling;

namespace {

// Each statement comes from a seed of its own, so that dropping one leaves the others as they are.
struct Transaction {
  bool calm = false;
  bool commits = true;
  std::vector<std::uint64_t> statements;
};

std::string sql_of(std::uint64_t seed, bool calm) {
  RandomSql random(seed);
  if (!calm && random.chance(5)) return "";  // a blob is written instead
  return calm ? random.calm_statement() : random.statement();
}

void showValue(const Transaction& transaction, std::ostream& out) {
  out << "BEGIN;\n";
  for (const std::uint64_t seed : transaction.statements) {
    const std::string sql = sql_of(seed, transaction.calm);
    out << "  " << (sql.empty() ? "-- a blob is written, seed " + std::to_string(seed) : sql) << ";\n";
  }
  out << (transaction.commits ? "COMMIT;\n" : "ROLLBACK;\n");
}

rc::Gen<std::vector<Transaction>> any_transactions() {
  namespace gen = rc::gen;
  // Whole 64 bits whatever the size: a small seed is no simpler than another.
  const auto seed = gen::noShrink(gen::resize(rc::kNominalSize, gen::arbitrary<std::uint64_t>()));
  const auto statements = gen::resize(8, gen::nonEmpty(gen::container<std::vector<std::uint64_t>>(seed)));
  const auto one = gen::apply(
      [](bool calm, bool commits, std::vector<std::uint64_t> all) {
        return Transaction{calm, commits, std::move(all)};
      },
      gen::weightedElement<bool>({{6, false}, {4, true}}), gen::weightedElement<bool>({{9, true}, {1, false}}),
      statements);
  return gen::container<std::vector<Transaction>>(one);
}

void write_a_byte(CapturedDatabase& t, std::uint64_t seed) {
  sqlite3_blob* blob = nullptr;
  const auto rowid = static_cast<sqlite3_int64>(seed % 8);
  if (sqlite3_blob_open(t.db.getHandle(), "main", "album", "any", rowid, 1, &blob) == SQLITE_OK &&
      sqlite3_blob_bytes(blob) > 0)
    RC_ASSERT(sqlite3_blob_write(blob, "Z", 1, 0) == SQLITE_OK);
  sqlite3_blob_close(blob);
}

struct Tally {
  int transactions = 0, changes = 0, failures = 0, calm = 0;
};

void play(CapturedDatabase& t, const Transaction& transaction, Dump& before, Tally& tally) {
  bool failed = false;
  t.begin();
  for (const std::uint64_t seed : transaction.statements) {
    const std::string sql = sql_of(seed, transaction.calm);
    if (sql.empty()) {
      write_a_byte(t, seed >> 8);
    } else if (!t.run(sql)) {
      failed = true;
    }
  }
  const Expected<std::vector<NetChange>> folded = t.capture->fold();
  const Dump after = dump(t.db, t.schema);
  if (!folded) RC_FAIL(folded.error().text());
  RC_ASSERT((by_row(*folded) == naive_changes(before, after)));
  RC_ASSERT(by_row(*folded).size() == folded->size());
  t.end(transaction.commits);
  if (transaction.commits) before = after;
  ++tally.transactions;
  tally.changes += static_cast<int>(folded->size());
  tally.failures += failed ? 1 : 0;
  tally.calm += transaction.calm && !failed ? 1 : 0;
}

}  // namespace

TEST_SUITE_BEGIN("property");

TEST_CASE("Capture: random transactions fold to what a comparison of dumps finds") {
  Tally tally;
  property(500, [&](bool triggers) {
    CapturedDatabase t(random_sql_models());
    if (triggers) t.engine(kTriggers);
    t.open();
    Dump before;
    for (const Transaction& transaction : *any_transactions()) play(t, transaction, before, tally);
  });
  CHECK(tally.changes > 2 * tally.transactions);  // the game is worth something: changes, failures and the fast way
  CHECK(tally.failures > tally.transactions / 10);
  CHECK(tally.calm > tally.transactions / 5);
}

TEST_SUITE_END();
