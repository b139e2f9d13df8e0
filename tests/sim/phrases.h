// Phrases that several scenarios use.
#pragma once

#include <algorithm>
#include <stdexcept>

#include "tests/sim/cluster.h"
#include "tests/sim/oracle.h"

namespace starling::sim {

inline std::string numbered(const char* prefix, std::int64_t n) {
  std::string digits = std::to_string(n);
  return prefix + std::string(6 - std::min<std::size_t>(6, digits.size()), '0') + digits;
}

// Bytes that do not compress.
inline std::string noise(std::size_t size, std::uint64_t seed) {
  Prng prng(seed);
  std::string bytes(size, ' ');
  for (char& c : bytes) c = static_cast<char>(prng.next());
  return bytes;
}

// One transaction that inserts `count` rows, numbered from `from`.
inline void write_notes(SimNode& node, const char* prefix, std::int64_t from, std::int64_t count) {
  node.write([&](Transaction& t) -> Expected<void> {
    for (std::int64_t i = from; i < from + count; ++i) {
      const auto done = t.exec("INSERT INTO note VALUES (?, ?, 'body', ?, ?)", numbered(prefix, i), "title", i, 0.5 * static_cast<double>(i));
      if (!done) return done.error();
    }
    return {};
  });
}

inline void write_files(SimNode& node, const char* prefix, std::int64_t from, std::int64_t count) {
  node.write([&](Transaction& t) -> Expected<void> {
    for (std::int64_t i = from; i < from + count; ++i) {
      const auto done = t.exec("INSERT INTO file VALUES (?, ?, ?, NULL)", Blob{numbered(prefix, i)}, numbered("/home/", i), i);
      if (!done) return done.error();
    }
    return {};
  });
}

// Rows as if they had stood in the tables when those became models.
inline void adopt(SimNode& node, const std::vector<std::string>& statements) {
  for (const std::string& sql : statements) node.execute_behind_the_engine(sql);
  node.execute_behind_the_engine("UPDATE sync_model SET adopted=0");
  if (!node.migrate("CREATE INDEX IF NOT EXISTS note_title ON note(title)", node.models())) throw std::runtime_error("nothing was adopted");
}

// Of all logs that the node holds.
inline std::uint64_t entries_held(const SimNode& node) {
  std::uint64_t entries = 0;
  for (const auto& [origin, position] : node.vector()) entries += position.seq.value;
  return entries;
}

struct Pair {
  Cluster cluster;
  SimNode& a;
  SimNode& b;

  explicit Pair(std::uint64_t seed = 1) : cluster(seed), a(cluster.create("A")), b(cluster.join("B")) { meet(); }
  void meet() { cluster.let_meet(a, b); }
  void part() { cluster.disconnect(a, b); }
  void settle() { cluster.run_until_quiet(); }
};

// A and C have never met: B stands between them.
struct Chain {
  Cluster cluster;
  SimNode& a;
  SimNode& b;
  SimNode& c;

  explicit Chain(std::uint64_t seed = 1) : cluster(seed), a(cluster.create("A")), b(cluster.join("B")), c(cluster.join("C")) {
    cluster.let_meet(a, b);
    cluster.let_meet(b, c);
  }
};

}  // namespace starling::sim
