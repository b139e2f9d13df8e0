#include "tests/sim/story.h"

#include <SQLiteCpp/Database.h>
#include <doctest/doctest.h>

#include <exception>

#include "core/store/tables.h"

namespace starling::sim {
namespace {

constexpr std::size_t kBulkRow = 100 * limits::KiB;
constexpr std::size_t kFirstPages = 2 * limits::kPullCredit;
static_assert(kFirstPages + limits::kPageTarget < kBulk * kBulkRow);

// From one device alone, and not from the one that has the workspace from its beginning.
void let_a_newcomer_join(Cluster& cluster) {
  SimNode* host = nullptr;
  for (std::size_t i = 0; i < cluster.size(); ++i)
    if (cluster.node(i).alive()) host = &cluster.node(i);
  SimNode& newcomer = cluster.add("newcomer", DeviceId{{0xee}}, false, host->models());
  cluster.let_meet(*host, newcomer);
}

// What is wrong once the story has been told; nothing is good.
std::vector<std::string> complaints_of(const Story& story, std::uint64_t seed) {
  std::vector<std::string> complaints;
  try {
    Cluster cluster(seed);
    const std::string expected = story(cluster);
    let_a_newcomer_join(cluster);
    complaints = cluster.complaints();
    for (std::size_t i = 0; i < cluster.size(); ++i) {
      const SimNode& node = cluster.node(i);
      if (!node.alive()) continue;
      const std::string shown = shown_by(node);
      if (shown != expected) complaints.push_back(node.name() + " shows '" + shown + "', not '" + expected + "'");
    }
  } catch (const std::exception& e) {
    complaints.push_back(std::string("threw: ") + e.what());
  }
  return complaints;
}

std::string joined(const std::vector<std::string>& complaints) {
  std::string text;
  for (const std::string& complaint : complaints) text += "\n  " + complaint;
  return text;
}

void append_rows(const SimNode& node, const std::string& table, const std::string& value, std::string& text) {
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  const std::string id = "CAST(id AS TEXT)";
  const Rows rows = node.query("SELECT '" + table + " ' || " + id + " || '=' || " + value + " FROM " + table + " WHERE " + id +
                               " NOT LIKE 'bulk%' ORDER BY id");
  for (std::size_t i = 0; i < rows.size(); ++i) add(rows.text(i));
  const std::int64_t bulk = node.count(table + " WHERE " + id + " LIKE 'bulk%'");
  if (bulk != 0) add(std::to_string(bulk) + " bulk " + table + "s");
}

template <class Visit>
void for_each_pair(Cluster& cluster, const Visit& visit) {
  for (std::size_t i = 0; i < cluster.size(); ++i)
    for (std::size_t k = i + 1; k < cluster.size(); ++k) visit(cluster.node(i), cluster.node(k));
}

}  // namespace

void tell(std::string_view tag, const Story& story, std::uint64_t times) {
  for (std::uint64_t seed = 1; seed <= times; ++seed) {
    CAPTURE(seed);
    const std::string complaints = joined(complaints_of(story, seed));
    CHECK_MESSAGE(complaints.empty(), "[" << tag << "]" << complaints);
  }
}

void tell_of_each_copy(std::string_view tag, const std::function<std::string(Cluster&, Copy)>& story) {
  for (const Copy copy : {Copy::by_hand, Copy::by_image, Copy::by_backup}) {
    CAPTURE(static_cast<int>(copy));
    tell(tag, [&](Cluster& cluster) { return story(cluster, copy); });
  }
}

std::string shown_by(const SimNode& node) {
  std::string text;
  append_rows(node, "note", "coalesce(title, 'NULL') || coalesce('/' || body, '')", text);
  append_rows(node, "file", "path", text);
  return text;
}

void write_bulk_notes(SimNode& node) {
  for (unsigned i = 0; i < kBulk; ++i)
    node.write("INSERT INTO note(id, body) VALUES (?, ?)", numbered("bulk", i), noise(kBulkRow, i));
}

void write_bulk_files(SimNode& node) {
  for (unsigned i = 0; i < kBulk; ++i)
    node.write("INSERT INTO file(id, path) VALUES (?, ?)", Blob{numbered("bulk", i)}, noise(kBulkRow, i));
}

Disk::Image image_of(SimNode& node) {
  node.kill();
  Disk::Image image = node.disk().image();
  node.restart();
  return image;
}

void put_back(SimNode& node, const Disk::Image& image, Copy copy) {
  node.put_in(image, copy == Copy::by_image ? Disk::PutBack::rolled_back : Disk::PutBack::copied);
  if (copy == Copy::by_backup) {
    node.disk().revive();
    SQLite::Database file(std::string(kDatabaseFile), SQLite::OPEN_READWRITE, 0, node.disk().vfs());
    file.exec(std::string("INSERT OR REPLACE INTO sync_meta(name, value) VALUES('") + kBackupMark + "', 1)");
  }
  node.restart();
}

void everybody_meets(Cluster& cluster) {
  for_each_pair(cluster, [&](SimNode& a, SimNode& b) {
    if (a.alive() && b.alive()) cluster.connect(a, b);
  });
  cluster.run_until_quiet();
}

void everybody_parts(Cluster& cluster) {
  for_each_pair(cluster, [&](SimNode& a, SimNode& b) { cluster.disconnect(a, b); });
}

void begin_transfer(Cluster& cluster, SimNode& from, SimNode& to) {
  const WireCount before = cluster.wire();
  cluster.connect(from, to);
  while (cluster.wire().since(before).total.bytes < kFirstPages) cluster.run_for(1ms);
}

Three::Three(Cluster& cluster) : a(cluster.create("A")), b(cluster.join("B")), c(cluster.join("C")) {
  everybody_meets(cluster);
  everybody_parts(cluster);
}

}  // namespace starling::sim
