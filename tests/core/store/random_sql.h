// SQL made at random over five tables of every kind that capture knows: keys of several columns, generated columns,
// foreign keys that cascade, conflict clauses, triggers, savepoints. Much of it fails, as it may.
#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <vector>

#include "core/base/prng.h"
#include "core/store/schema_reader.h"

namespace starling {

inline constexpr const char* kTables[] = {
    "CREATE TABLE album (id TEXT NOT NULL PRIMARY KEY, name TEXT, score REAL, any)",
    "CREATE TABLE photo (id BLOB NOT NULL PRIMARY KEY, album TEXT REFERENCES album ON DELETE CASCADE ON UPDATE CASCADE,"
    " tag AS (name || '!') STORED, name TEXT CHECK (name <> 'bad'), n INTEGER, shown AS (n + 1) VIRTUAL)",
    "CREATE TABLE pair (v, b TEXT, a BLOB, w NUMERIC, PRIMARY KEY (a, b)) WITHOUT ROWID",
    "CREATE TABLE comment (id TEXT PRIMARY KEY, album TEXT REFERENCES album ON DELETE SET NULL ON UPDATE RESTRICT, "
    "text) WITHOUT ROWID",
    "CREATE TABLE number (v REAL, id INTEGER PRIMARY KEY, w)",
};

inline constexpr const char* kTriggers =
    "CREATE TRIGGER t1 AFTER INSERT ON comment BEGIN REPLACE INTO pair VALUES (new.text, 'b', new.id, 1); END;"
    "CREATE TRIGGER t2 BEFORE DELETE ON pair BEGIN UPDATE album SET any = old.w WHERE id = old.b; END;"
    "CREATE TRIGGER t3 AFTER UPDATE OF name ON photo WHEN new.n > 1 BEGIN UPDATE photo SET n = 0 WHERE id = new.id; "
    "END;"
    "CREATE TRIGGER t4 BEFORE INSERT ON number WHEN new.w = 7 BEGIN SELECT RAISE(ABORT, 'seven'); END";

inline std::vector<Model> random_sql_models() {
  std::vector<Model> all;
  for (const char* ddl : kTables) {
    all.push_back(Model::from_sql(ddl, Kind::shared));
    all.back().unique_integers = true;
  }
  return all;
}

class RandomSql {
 public:
  explicit RandomSql(std::uint64_t seed) : random_(seed) {}

  bool chance(unsigned percent) { return random_.chance(percent); }
  std::uint64_t below(std::uint64_t n) { return random_.below(n); }

  std::string value() {
    static constexpr const char* kValues[] = {"NULL",
                                              "0",
                                              "1",
                                              "7",
                                              "-1",
                                              "0.0",
                                              "-0.0",
                                              "1.0",
                                              "2.5",
                                              "1e300",
                                              "9223372036854775807",
                                              "''",
                                              "'a'",
                                              "'b'",
                                              "'1'",
                                              "'bad'",
                                              "'a longer text, of more bytes'",
                                              "'x' || char(0) || 'y'",
                                              "CAST(x'ff' AS TEXT)",
                                              "x''",
                                              "x'00ff'",
                                              "x'61'",
                                              "zeroblob(50)"};
    return pick(kValues);
  }
  std::string key() {
    static constexpr const char* kKeys[] = {"'a'", "'b'", "'c'", "'d'", "''", "x'61'"};
    return pick(kKeys);
  }
  std::string number() { return std::to_string(below(5)); }

  std::string statement() {
    static constexpr const char* kNames[] = {"album", "photo", "pair", "comment", "number"};
    table_ = pick(kNames);
    switch (below(10)) {
      case 0:
      case 1:
      case 2:
      case 3: return insert();
      case 4:
      case 5:
      case 6: return update();
      case 7: return "DELETE FROM " + table_ + (chance(80) ? where() : "");
      case 8: return key_change();
      default: return savepoint();
    }
  }
  // Statements that hardly ever fail, so that the fast way is taken often.
  std::string calm_statement() {
    switch (below(5)) {
      case 0: return "REPLACE INTO pair VALUES " + tuple({value(), key(), key(), value()});
      case 1: return "INSERT OR IGNORE INTO album VALUES " + tuple({key(), value(), value(), value()});
      case 2: return text({"UPDATE number SET w = ", value(), ", v = ", value(), " WHERE id < ", number()});
      case 3: return "DELETE FROM pair WHERE b = " + key();
      default:
        return text({"INSERT INTO album VALUES ", tuple({key(), value(), value(), "1"}),
                     " ON CONFLICT (id) DO UPDATE SET score = ", value()});
    }
  }

 private:
  // Braces are evaluated from left to right, so that a seed means the same with every compiler; operands of + are not.
  static std::string text(std::initializer_list<std::string> parts) {
    std::string whole;
    for (const std::string& part : parts) whole += part;
    return whole;
  }
  static std::string tuple(std::initializer_list<std::string> values) {
    std::string whole = "(";
    for (const std::string& value : values) whole += (whole.size() > 1 ? "," : "") + value;
    return whole + ")";
  }
  template <std::size_t n>
  std::string pick(const char* const (&list)[n]) {
    return list[below(n)];
  }

  std::string where() {
    if (table_ == "number") return " WHERE id = " + number();
    if (table_ == "pair") return text({chance(50) ? " WHERE b = " : " WHERE a = ", key()});
    return text({chance(70) ? " WHERE id = " : " WHERE id > ", key()});
  }
  std::string album() { return chance(50) ? key() : "NULL"; }
  std::string row() {
    if (table_ == "album") return tuple({key(), value(), value(), value()});
    if (table_ == "photo") return tuple({key(), album(), value(), value()});
    if (table_ == "pair") return tuple({value(), key(), key(), value()});
    if (table_ == "comment") return tuple({key(), album(), value()});
    return tuple({value(), number(), value()});
  }
  std::string insert() {
    static constexpr const char* kOr[] = {"", "", "", "OR REPLACE ", "OR IGNORE ", "OR FAIL ", "OR ABORT "};
    const std::string columns = table_ == "photo" ? "(id, album, name, n)" : "";
    std::string sql = text({"INSERT ", pick(kOr), "INTO ", table_, columns, " VALUES ", row()});
    for (std::uint64_t more = below(4); more > 0; --more) sql += "," + row();
    if (table_ == "album" && chance(40))
      sql += " ON CONFLICT (id) DO UPDATE SET any = excluded.name, score = " + value();
    if (table_ == "pair" && chance(40)) sql += " ON CONFLICT DO UPDATE SET v = " + value();
    return sql;
  }
  std::string update() {
    static constexpr const char* kOr[] = {"", "", "OR IGNORE ", "OR FAIL ", "OR REPLACE "};
    static const std::map<std::string, std::vector<std::string>> kColumns = {{"album", {"name", "score", "any"}},
                                                                             {"photo", {"album", "name", "n"}},
                                                                             {"pair", {"v", "w"}},
                                                                             {"comment", {"text"}},
                                                                             {"number", {"v", "w"}}};
    const std::vector<std::string>& columns = kColumns.at(table_);
    const std::string column = columns[below(columns.size())];
    std::string sql = text({"UPDATE ", pick(kOr), table_, " SET ", column, " = ", chance(20) ? column : value()});
    if (chance(30)) sql += ", " + columns[0] + " = " + columns[0];
    return sql + (chance(70) ? where() : "");
  }
  std::string key_change() {
    static constexpr const char* kOr[] = {"", "OR IGNORE ", "OR REPLACE ", "OR FAIL "};
    const std::string sql = text({"UPDATE ", pick(kOr), table_, " SET "});
    if (table_ == "number") return text({sql, "id = id + ", number(), " WHERE id > 1"});
    if (table_ == "pair") return text({sql, chance(50) ? "a = b" : "b = " + key(), where()});
    return text({sql, "id = ", key(), where()});
  }
  std::string savepoint() {
    static constexpr const char* kDo[] = {"SAVEPOINT ", "SAVEPOINT ", "ROLLBACK TO ", "RELEASE "};
    return text({pick(kDo), "s", std::to_string(below(2))});
  }

  Prng random_;
  std::string table_;
};

}  // namespace starling
