// What synchronising costs a local write, and what applying costs: ratios to plain SQLite in the same run.
//
// The standard rows: tag(id BLOB PRIMARY KEY NOT NULL, name, color, created_at, note), ids UUID version 7, notes of
// about 60 bytes. Both sides: WAL, synchronous=FULL, the same cache and checkpoint settings, prepared statements.
//   store_bench [rounds]
#include <sqlite3.h>

#include <cstdlib>
#include <memory>

#include "bench/rounds.h"
#include "core/replica/applier.h"
#include "core/replica/transaction_manager.h"
#include "core/store/origin_table.h"
#include "core/store/statement.h"
#include "core/store/store.h"

namespace starling::bench {
namespace {

constexpr char kTable[] =
    "CREATE TABLE tag(id BLOB PRIMARY KEY NOT NULL, name TEXT, color TEXT, created_at INTEGER, note TEXT)";
constexpr char kInsert[] = "INSERT INTO tag(id, name, color, created_at, note) VALUES(?,?,?,?,?)";
constexpr char kUpdate[] = "UPDATE tag SET note=? WHERE id=?";
constexpr std::size_t kSingles = 2'000;
constexpr std::size_t kRows = 100'000;
constexpr std::size_t kUpdates = 20'000;
constexpr std::size_t kBatch = 1'000;

struct Row {
  Blob id;
  std::string name, color, note;
  std::int64_t created;
};

std::vector<Row> make_rows(std::size_t count) {
  const char* words[] = {"river", "stone", "green", "winter", "letter", "garden", "paper", "silver", "morning", "cloud"};
  Prng prng(7);
  std::vector<Row> rows;
  std::uint64_t ms = 1'700'000'000'000;
  for (std::size_t i = 0; i < count; ++i) {
    ByteWriter id;
    id.be64(((ms += prng.below(3)) << 16) | 0x7000 | (prng.next() & 0xfff));
    id.be64(prng.next());
    Row row{{id.take()}, "tag " + std::to_string(i), i % 3 == 0 ? "red" : "blue", "", static_cast<std::int64_t>(ms)};
    while (row.note.size() < 56) row.note += std::string(words[prng.below(10)]) + " ";
    rows.push_back(std::move(row));
  }
  return rows;
}

const std::vector<Row>& rows() {
  static const std::vector<Row> all = make_rows(kRows);
  return all;
}

struct Plain {
  explicit Plain(const std::string& file) {
    sqlite3_open(file.c_str(), &db);
    run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536; PRAGMA wal_autocheckpoint=4000;");
    run(kTable);
    insert = Statement(db, kInsert);
    update = Statement(db, kUpdate);
  }
  ~Plain() {
    insert = Statement();
    update = Statement();
    sqlite3_close(db);
  }
  void run(const char* sql) const { sqlite3_exec(db, sql, nullptr, nullptr, nullptr); }
  void put(const Row& r) { insert.blob(r.id.bytes).text(r.name).text(r.color).integer(r.created).text(r.note).run(); }

  sqlite3* db = nullptr;
  Statement insert, update;
};

std::unique_ptr<Store> open_store(const std::string& file, std::uint8_t device) {
  StoreConfig config;
  config.file = file;
  config.models = {Model::from_sql(kTable, Kind::shared)};
  config.workspace_name = "bench";
  config.create = true;
  config.device.raw[0] = device;
  Prng prng(device);
  return Store::open(config, WallTime{1'800'000'000'000}, prng).value();
}

template <class Fn>
void write(Store& store, Fn&& fn) {
  TransactionManager manager(store);
  const auto done = manager.write(WriteScope::any, fn, WallTime{1'800'000'000'000});
  if (!done) std::fprintf(stderr, "%s\n", done.error().text().c_str()), std::exit(1);
}

void insert_rows(Store& store, std::size_t from, std::size_t count) {
  write(store, [&](Transaction& tx) -> Expected<void> {
    for (std::size_t i = from; i < from + count; ++i) {
      const Row& r = rows()[i];
      if (auto put = tx.exec(kInsert, r.id, r.name, r.color, r.created, r.note); !put) return put.error();
    }
    return {};
  });
}

double insert_plain(TempFolder& folder, std::size_t count, std::size_t batch) {
  Plain plain(folder.fresh("plain"));
  return seconds([&] {
    for (std::size_t i = 0; i < count; i += batch) {
      plain.run("BEGIN IMMEDIATE");
      for (std::size_t j = i; j < i + batch; ++j) plain.put(rows()[j]);
      plain.run("COMMIT");
    }
  });
}

double insert_ours(TempFolder& folder, std::size_t count, std::size_t batch) {
  const auto store = open_store(folder.fresh("ours"), 1);
  return seconds([&] {
    for (std::size_t i = 0; i < count; i += batch) insert_rows(*store, i, batch);
  });
}

double update_plain(TempFolder& folder) {
  Plain plain(folder.fresh("plain"));
  plain.run("BEGIN");
  for (const Row& r : rows()) plain.put(r);
  plain.run("COMMIT");
  Prng prng(3);
  return seconds([&] {
    for (std::size_t i = 0; i < kUpdates; i += kBatch) {
      plain.run("BEGIN IMMEDIATE");
      for (std::size_t j = 0; j < kBatch; ++j)
        plain.update.text("a new note number " + std::to_string(i + j)).blob(rows()[prng.below(kRows)].id.bytes).run();
      plain.run("COMMIT");
    }
  });
}

double update_ours(TempFolder& folder) {
  const auto store = open_store(folder.fresh("ours"), 1);
  for (std::size_t i = 0; i < kRows; i += 10 * kBatch) insert_rows(*store, i, 10 * kBatch);
  Prng prng(3);
  return seconds([&] {
    for (std::size_t i = 0; i < kUpdates; i += kBatch) {
      write(*store, [&](Transaction& tx) -> Expected<void> {
        for (std::size_t j = 0; j < kBatch; ++j) {
          const auto put = tx.exec(kUpdate, "a new note number " + std::to_string(i + j), rows()[prng.below(kRows)].id);
          if (!put) return put.error();
        }
        return {};
      });
    }
  });
}

double apply_ours(TempFolder& folder) {
  const auto author = open_store(folder.fresh("author"), 1);
  std::vector<Bytes> entries;
  for (std::size_t i = 0; i < kRows; i += kBatch) {
    write(*author, [&](Transaction& tx) -> Expected<void> {
      for (std::size_t j = i; j < i + kBatch; ++j) {
        const Row& r = rows()[j];
        if (auto put = tx.exec(kInsert, r.id, r.name, r.color, r.created, r.note); !put) return put.error();
      }
      return {};
    });
  }
  Statement log(author->handle(), "SELECT entry FROM sync_log ORDER BY seq, offset");
  while (log.step()) entries.emplace_back(log.column_bytes(0));
  log.reset();
  const auto store = open_store(folder.fresh("ours"), 2);
  return seconds([&] {
    Seq seq;
    Applier applier(*store);
    for (const Bytes& entry : entries) {
      seq = seq.next();
      store->begin(TransactionKind::apply);
      const auto applied = applier.entry(author->self(), seq, entry, WallTime{1'800'000'000'000});
      if (!applied || applied->outcome != Applied::done) std::fprintf(stderr, "not applied\n"), std::exit(1);
      store->commit();
    }
  });
}

}  // namespace
}  // namespace starling::bench

int main(int argc, char** argv) {
  using namespace starling::bench;
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 5;
  TempFolder folder;
  std::printf("median of %d rounds, synchronous=FULL, rows of about 110 bytes\n", rounds);
  run({{"insert, 1 row a transaction", 0.90, kSingles, [&] { return insert_plain(folder, kSingles, 1); },
        [&] { return insert_ours(folder, kSingles, 1); }},
       {"insert, 1,000 rows a transaction", 0.48, kRows, [&] { return insert_plain(folder, kRows, kBatch); },
        [&] { return insert_ours(folder, kRows, kBatch); }},
       {"update of one column, 1,000", 0.50, kUpdates, [&] { return update_plain(folder); },
        [&] { return update_ours(folder); }},
       {"apply, 1,000 rows a transaction", 0.50, kRows, [&] { return insert_plain(folder, kRows, kBatch); },
        [&] { return apply_ours(folder); }}},
      rounds);
}
