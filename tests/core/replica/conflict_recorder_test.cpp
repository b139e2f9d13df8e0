#include "core/replica/conflict_recorder.h"

#include "core/store/conflict_log.h"
#include "proto/entry.h"
#include "tests/core/replica/test_node.h"

namespace starling {
namespace {

// Two devices that know one note, apart; each test lets them write and meet again.
struct Meeting {
  TestNode a{1};
  TestNode b{2, false};
  Exchange exchange{a, b};

  Meeting() { exchange.run({a.write("INSERT INTO note VALUES ('n', 't', 'b', 1)")}); }

  void write(TestNode& node, const char* sql) {
    node.now.wall.ms += 10;
    (&node == &a ? of_a_ : of_b_).emplace_back(node.write(sql));
  }
  void meet() { exchange.run(std::exchange(of_a_, {}), std::exchange(of_b_, {})); }

  // What a node recorded: "field why winner>loser value", oldest first.
  static std::string recorded(const TestNode& node) {
    Statement select(node.store->handle(), "SELECT coalesce(field, '(row)'), why, winner_device, loser_device, value FROM sync_conflict ORDER BY id");
    std::string text;
    while (select.step()) {
      const auto device_of = [&](int column) { return std::to_string(static_cast<int>(select.column_bytes(column)[0])); };
      text += (text.empty() ? "" : "; ") + std::string(select.column_bytes(0)) + " " + std::string(select.column_bytes(1)) + " " +
              device_of(2) + ">" + device_of(3) + " " + describe_values(select.column_bytes(4));
    }
    return text;
  }
  void both_recorded(const std::string& expected) {
    CHECK(recorded(a) == expected);
    CHECK(recorded(b) == expected);
  }

 private:
  std::vector<Event> of_a_, of_b_;
};

}  // namespace

TEST_CASE("ConflictRecorder: of concurrent updates the lesser's value is recorded, field by field, alike on both") {
  Meeting m;
  m.write(m.a, "UPDATE note SET title='A', body='A'");
  m.write(m.b, "UPDATE note SET title='B', stars=2");
  m.b.now.wall.ms += 100;
  m.meet();
  m.both_recorded("title update 2>1 'A'");
}

TEST_CASE("ConflictRecorder: a value that its successor's author had seen is history") {
  Meeting m;
  m.write(m.a, "UPDATE note SET title='A'");
  m.meet();
  m.write(m.b, "UPDATE note SET title='B'");
  m.meet();
  m.write(m.b, "UPDATE note SET title='B2'");
  m.write(m.b, "DELETE FROM note");
  m.meet();
  m.both_recorded("");
}

TEST_CASE("ConflictRecorder: a value that a delete did not know is recorded, one that it knew is not") {
  Meeting m;
  m.write(m.a, "UPDATE note SET title='unknown to B'");
  m.write(m.b, "DELETE FROM note");
  m.meet();
  m.both_recorded("title delete 2>1 'unknown to B'");
}

TEST_CASE("ConflictRecorder: a row that a concurrent insert of the same key replaced is recorded, but not what is equal") {
  Meeting m;
  m.write(m.a, "INSERT INTO note VALUES ('k', 'A', 'same', NULL)");
  m.write(m.b, "INSERT INTO note VALUES ('k', 'B', 'same', 3)");
  m.b.now.wall.ms += 100;
  m.meet();
  m.both_recorded("title insert 2>1 'A'; stars insert 2>1 NULL");
}

TEST_CASE("ConflictRecorder: a delete that did not know of the row's newer life is recorded, one that it followed is not") {
  Meeting m;
  m.write(m.a, "DELETE FROM note");
  m.write(m.b, "DELETE FROM note");
  m.write(m.b, "INSERT INTO note(id, title) VALUES ('n', 'again')");
  m.meet();
  CHECK(m.a.text("SELECT title FROM note") == "again");
  m.both_recorded("(row) insert 2>1 ");
}

TEST_CASE("ConflictRecorder: an update of a life that is over is recorded against the one that replaced it") {
  Meeting m;
  m.write(m.a, "UPDATE note SET title='of the earlier life'");
  m.write(m.b, "DELETE FROM note");
  m.write(m.b, "INSERT INTO note(id, title) VALUES ('n', 'again')");
  m.b.now.wall.ms += 100;
  m.meet();
  CHECK(m.a.text("SELECT title FROM note") == "again");
  CHECK(Meeting::recorded(m.a).find("'of the earlier life'") != std::string::npos);
  CHECK(Meeting::recorded(m.b).find("'of the earlier life'") != std::string::npos);
}

}  // namespace starling
