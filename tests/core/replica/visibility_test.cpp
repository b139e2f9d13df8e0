// UNIQUE and references on several devices: the same rows are shown whatever came first, and those that a naive reading
// of all merged rows shows.
#include "core/store/visibility.h"

#include "core/base/prng.h"
#include "tests/core/replica/author.h"
#include "tests/core/store/digests_anew.h"
#include "tests/core/store/naive_visibility.h"

namespace starling {
namespace {

std::vector<Model> ruled_models() {
  return {Model::from_sql(
              "CREATE TABLE team (id TEXT PRIMARY KEY NOT NULL, name UNIQUE, parent TEXT REFERENCES team(id) DEFERRABLE"
              " INITIALLY DEFERRED, boss TEXT REFERENCES person(id) DEFERRABLE INITIALLY DEFERRED)",
              Kind::shared)
              .on_dangling("parent", Dangling::cascade)
              .on_dangling("boss", Dangling::set_null),
          Model::from_sql(
              "CREATE TABLE person (id TEXT PRIMARY KEY NOT NULL, email UNIQUE, nick TEXT, year INTEGER, team TEXT"
              " REFERENCES team(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED, note, UNIQUE (year, nick))",
              Kind::shared)
              .on_dangling("team", Dangling::cascade),
          Model::from_sql(
              "CREATE TABLE badge (person TEXT NOT NULL REFERENCES person(id), n TEXT NOT NULL, twin TEXT UNIQUE,"
              " other TEXT REFERENCES badge(twin), PRIMARY KEY (person, n)) WITHOUT ROWID",
              Kind::shared)
              .on_dangling("person", Dangling::cascade)};
}

// One device, and the reference merge of all that it holds.
struct Device : TestNode {
  reference::State state;
  std::vector<Bytes> own;  // entries

  explicit Device(unsigned number, std::vector<Model> models = ruled_models())
      : TestNode(number, true, std::move(models)) {}

  void note(const Bytes& entry) {
    const Expected<DecodedEntry> decoded = decode_entry(entry, store->schema());
    REQUIRE(decoded);
    for (const Change& c : decoded->changes)
      state.apply(store->schema().models[c.model].name, c, decoded->header.stamp());
  }
  // In one transaction; statements that are refused are left out, as an application might.
  bool try_do(const std::vector<std::string>& statements) {
    now.wall.ms += 1;
    const naive::ShownRows before = tables();
    const Expected<LocalCommit> commit = transactions.write(
        WriteScope::any,
        [&](Transaction& t) -> Expected<void> {
          for (const std::string& sql : statements) (void)t.exec(sql);
          return {};
        },
        now.wall);
    if (!commit) return false;
    check_named(before, tables(), commit->changes);
    if (commit->seq != Seq{}) {
      own.push_back(entry(commit->seq.value));
      note(own.back());
    }
    return true;
  }
  // The next entry of that device, if it may be applied now.
  bool take(const Device& from) {
    const std::size_t held = vector().at(from.store->self()).seq.value;
    if (held == from.own.size()) return false;
    now.wall.ms += 1;
    Applier applier(*store);
    const naive::ShownRows before = tables();
    store->begin(TransactionKind::apply);
    const Expected<ApplyResult> result = applier.entry(from.store->self(), Seq{held + 1}, from.own[held], now.wall);
    REQUIRE_MESSAGE(result.has_value(), (result ? std::string() : result.error().text()));
    store->commit();
    if (result->outcome != Applied::done) return false;
    note(from.own[held]);
    check_named(before, tables(), result->event);
    return true;
  }
  void check_named(const naive::ShownRows& before, const naive::ShownRows& after, const ChangeSet& event) const {
    std::set<reference::RowName> named;
    for (const ChangedRow& row : event.rows) named.emplace(store->schema().models[row.model].name, row.key);
    for (const auto* side : {&before, &after}) {
      for (const auto& [name, row] : *side) {
        const auto there = before.find(name);
        const auto here = after.find(name);
        const bool same = there != before.end() && here != after.end() && there->second == here->second;
        CHECK_MESSAGE((same || named.contains(name)),
                      name.first << " " << describe_values(name.second) << " changed and nobody said so");
      }
    }
  }
  [[nodiscard]] naive::ShownRows expected() const {
    naive::LiveRows live;
    for (auto& [name, fields] : state.visible()) live[name] = {*state.at(name).gen, fields};
    return naive::shown(store->schema(), live);
  }
  [[nodiscard]] naive::ShownRows tables() const {
    naive::ShownRows all;
    for (const ModelSchema& m : store->schema().models) {
      if (m.built_in) continue;
      std::string columns;
      for (const FieldIndex i : m.key) columns += quote_identifier(m.fields[i].name) + ",";
      for (const FieldSchema& f : m.fields) columns += quote_identifier(f.name) + (&f == &m.fields.back() ? "" : ",");
      Statement select(store->handle(), "SELECT " + columns + " FROM " + quote_identifier(m.name));
      while (select.step()) {
        ByteWriter key;
        for (int i = 0; i < static_cast<int>(m.key.size()); ++i) write_value(key, select.column_value(i));
        reference::VisibleRow& row = all[{m.name, key.take()}];
        for (FieldIndex i = 0; i < m.fields.size(); ++i) {
          ByteWriter value;
          write_value(value, select.column_value(static_cast<int>(m.key.size() + i)));
          if (m.fields[i].key_position == 0) row[i] = value.take();
        }
      }
    }
    return all;
  }
  void check() {
    const naive::ShownRows here = tables();
    const naive::ShownRows wanted = expected();
    if (here != wanted) {
      for (const auto* side : {&here, &wanted})
        for (const auto& [name, row] : *side) {
          Bytes values;
          for (const auto& [field, value] : row) values += value;
          MESSAGE((side == &here ? "shown " : "wanted "), name.first, " ", describe_values(name.second), ": ",
                  describe_values(values));
        }
    }
    REQUIRE(here == wanted);
    CHECK(store->digests().list() == digests_anew(*store));
    for (ModelIndex m = 0; m < store->schema().models.size(); ++m)
      store->rows().scan(m, {}, [&](const ScannedRow& row) {
        CHECK_MESSAGE(row.good, damage_of(row));
        return true;
      });
  }
};

std::string some_sql(Prng& prng) {
  const auto one_of = [&](std::initializer_list<const char*> all) {
    return std::string(all.begin()[prng.below(all.size())]);
  };
  const auto id = [&](const char* prefix) { return "'" + std::string(prefix) + std::to_string(prng.below(4)) + "'"; };
  const std::string email = one_of({"'a'", "'b'", "1", "1.0", "NULL", "x'61'", "0.0", "-0.0", "2.5"});
  const std::string team = prng.chance(20) ? "NULL" : id("t");
  const std::string boss = prng.chance(30) ? "NULL" : id("p");
  switch (prng.below(17)) {
    case 0:
    case 1:
      return "INSERT INTO person VALUES (" + id("p") + "," + email + "," + one_of({"'x'", "'y'", "NULL"}) + "," +
             one_of({"1", "2", "NULL"}) + "," + team + ", 0)";
    case 2: return "INSERT OR REPLACE INTO person VALUES (" + id("p") + "," + email + ",'x',1," + team + ", 1)";
    case 3: return "UPDATE person SET email=" + email + " WHERE id=" + id("p");
    case 4:
      return "UPDATE person SET nick=" + one_of({"'x'", "'y'"}) + ", year=" + one_of({"1", "2"}) +
             " WHERE id=" + id("p");
    case 5: return "UPDATE person SET team=" + team + " WHERE id=" + id("p");
    case 6: return "DELETE FROM person WHERE id=" + id("p");
    case 7:
    case 8:
      return "INSERT INTO team VALUES (" + id("t") + "," + one_of({"'n'", "'m'", "NULL", "7"}) + "," +
             (prng.chance(50) ? "NULL" : id("t")) + "," + boss + ")";
    case 9: return "UPDATE team SET parent=" + id("t") + " WHERE id=" + id("t");
    case 10: return "UPDATE team SET boss=" + boss + ", name=" + one_of({"'n'", "'m'", "7.0"}) + " WHERE id=" + id("t");
    case 11: return "DELETE FROM team WHERE id=" + id("t");
    case 12: return "UPDATE person SET note=coalesce(note, 0)+1";
    case 13:
    case 14:
      return "INSERT INTO badge VALUES (" + id("p") + "," + one_of({"'1'", "'2'"}) + "," +
             one_of({"'u'", "'v'", "NULL"}) + "," + one_of({"'u'", "NULL"}) + ")";
    case 15:
      return one_of(
          {"DELETE FROM badge WHERE twin='u'", "UPDATE badge SET twin='v' WHERE n='2'", "UPDATE badge SET n=3-n"});
    default: return "UPDATE person SET email = CASE email WHEN 'a' THEN 'b' WHEN 'b' THEN 'a' ELSE email END";
  }
}

}  // namespace

TEST_CASE(
    "[F40][F41] Visibility: after every command the tables are those that a naive reading of the merged rows shows") {
  std::uint64_t hidden_ever = 0;
  std::uint64_t nulled_ever = 0;
  for (std::uint64_t seed = 1; seed <= 80; ++seed) {
    CAPTURE(seed);
    Prng prng(seed);
    std::vector<std::unique_ptr<Device>> devices;
    for (unsigned i = 1; i <= 3; ++i) devices.push_back(std::make_unique<Device>(i));
    for (int step = 0; step < 120; ++step) {
      CAPTURE(step);
      Device& one = *devices[prng.below(3)];
      if (prng.chance(60)) {
        std::vector<std::string> statements;
        for (std::uint64_t n = 1 + prng.below(3); n > 0; --n) statements.push_back(some_sql(prng));
        (void)one.try_do(statements);
      } else {
        (void)one.take(*devices[prng.below(3)]);
      }
      one.check();
      hidden_ever += one.store->rows().hidden().count();
      nulled_ever += one.store->rows().hidden().nulled();
    }
    for (bool more = true; more;) {
      more = false;
      for (auto& to : devices)
        for (auto& from : devices)
          while (to->take(*from)) more = true;
    }
    for (auto& device : devices) {
      device->check();
      CHECK(device->tables() == devices.front()->tables());
      CHECK(device->store->digests().hash() == devices.front()->store->digests().hash());
      CHECK(device->store->rows().hidden().count() == devices.front()->store->rows().hidden().count());
    }
  }
  CHECK(hidden_ever > 500);
  CHECK(nulled_ever > 50);
}

}  // namespace starling
