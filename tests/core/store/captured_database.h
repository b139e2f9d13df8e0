// A database in memory whose writes are captured, for tests: SQL in, net changes out as text.
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <doctest/doctest.h>
#include <sqlite3.h>

#include <memory>
#include <string>
#include <vector>

#include "core/store/capture.h"
#include "core/store/guard.h"
#include "core/store/row_image.h"
#include "core/store/schema_reader.h"

namespace starling {

// "insert note 'a': title = 'x', done = 0", "update note 'a': done = 1", "erase note 'a'".
inline std::string describe(const NetChange& change, const Schema& schema) {
  static constexpr const char* kOps[] = {"insert", "update", "erase"};
  const ModelSchema& m = schema.models.at(change.model);
  std::string text = kOps[static_cast<int>(change.op)] + (" " + m.name + " ") + describe_values(change.key);
  const char* separator = ": ";
  ByteReader values(change.values);
  for (FieldIndex i = 0; i < m.fields.size(); ++i) {
    if ((change.changed >> i & 1) == 0) continue;
    text += separator + m.fields[i].name + " = " + describe_values(read_value_bytes(values));
    separator = ", ";
  }
  CHECK(values.done());
  return text;
}

class CapturedDatabase {
 public:
  // `setup` runs before the models are opened.
  explicit CapturedDatabase(std::vector<Model> models, const std::string& setup = "")
      : db(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX) {
    db.exec("PRAGMA foreign_keys = ON");
    register_guard_functions(db.getHandle(), &applying);
    db.exec(setup);
    db.exec("BEGIN");
    Expected<Schema> opened = open_models(db, models);
    if (!opened) FAIL(opened.error().text());
    schema = std::move(*opened);
    install_guards(db, schema);
    db.exec("COMMIT");
    open();
  }

  void open() {
    switch_triggers(db);
    capture.reset();
    capture = std::make_unique<Capture>(db.getHandle(), schema);
  }

  // In the application's name; a failing statement is reported to capture, as the TransactionManager does.
  bool run(const std::string& sql) {
    try {
      db.exec(sql);
      return true;
    } catch (const SQLite::Exception& e) {
      error = e.what();
      capture->distrust();
      return false;
    }
  }

  // One whole transaction; every statement must succeed. Changes are separated by "; ".
  std::string changes(const std::string& sql) {
    capture->begin();
    if (!run(sql)) FAIL(error);
    return commit();
  }
  std::string commit() {
    fold_error = {};
    const Expected<std::vector<NetChange>> folded = capture->fold();
    std::string text;
    if (folded) {
      for (const NetChange& change : *folded) {
        check_row(change);
        text += (text.empty() ? "" : "; ") + describe(change, schema);
      }
    } else {
      fold_error = folded.error();
      text = folded.error().text();
    }
    end(folded.has_value());
    return text;
  }
  void end(bool committing) {
    if (sqlite3_get_autocommit(db.getHandle()) == 0) {
      if (committing) capture->allow_commit();
      db.exec(committing ? "COMMIT" : "ROLLBACK");
    }
    capture->end();
  }
  void begin() {
    db.exec("BEGIN IMMEDIATE");
    capture->begin();
  }
  std::string transaction(const std::string& sql) {
    db.exec("BEGIN IMMEDIATE");
    return changes(sql);
  }
  // Outside capture, as the engine writes.
  void engine(const std::string& sql) {
    db.exec("BEGIN");
    db.exec(sql);
    capture->allow_commit();
    db.exec("COMMIT");
  }

  SQLite::Database db;
  bool applying = false;
  Schema schema;
  std::unique_ptr<Capture> capture;
  std::string error;  // of the last statement that failed
  Error fold_error;   // of the last commit, if it failed

 private:
  // `row` is every non-key field as it stands, `values` a part of it.
  void check_row(const NetChange& change) const {
    const ModelSchema& m = schema.models.at(change.model);
    const FieldMask all = m.all_fields() & ~m.key_fields();
    CHECK((change.changed & ~all) == 0);
    if (change.op == Op::insert) CHECK(change.changed == all);
    if (change.op == Op::erase) {
      CHECK(change.row.empty());
      return;
    }
    std::string picked;
    ByteReader row(change.row);
    for (FieldMask left = all; left != 0; left &= left - 1) {
      const BytesView value = read_value_bytes(row);
      if ((change.changed & left & (~left + 1)) != 0) picked += value;
    }
    CHECK(row.done());
    CHECK(picked == change.values);
  }
};

inline Model note_model() {
  return Model::from_sql("CREATE TABLE note (id TEXT NOT NULL PRIMARY KEY, title TEXT, done INTEGER, body BLOB)",
                         Kind::shared);
}

}  // namespace starling
