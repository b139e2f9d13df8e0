// What an application may not do inside a transaction of the engine, refused when a statement is prepared.
//
// Strict while an application prepares, idle while the engine does. Refused: changes of the schema, ATTACH, DETACH,
// BEGIN, COMMIT, ROLLBACK, ANALYZE, REINDEX, every PRAGMA that is not known to only read, load_extension(), writes to
// sync_* tables and savepoints of that name. A migration may change the schema, but for what is called sync_*. VACUUM
// has no action code; SQLite itself refuses it inside a transaction.
//
// For a reader it is stricter: what could change anything is refused, so that a write is an error that says so, and not
// a failing machine (a read-only connection) or a function that is missing (the guard).
//
// It also notes ROLLBACK TO, which undoes rows without any hook being told. A statement is seen here when it is
// prepared, not when it runs, so the note stands for as long as such a statement exists.
#pragma once

#include <string>

struct sqlite3;

namespace starling {

class Authorizer {
 public:
  explicit Authorizer(sqlite3*);  // takes the connection's authorizer; statements prepared before are prepared anew
  ~Authorizer();
  Authorizer(const Authorizer&) = delete;
  Authorizer& operator=(const Authorizer&) = delete;

  void begin_strict(bool migration = false);
  void end_strict() { phase_ = Phase::idle; }
  void begin_reading();  // until end_reading(): nothing but reads
  void end_reading() { phase_ = Phase::idle; }

  // In this strict phase a ROLLBACK TO of the application may have run.
  [[nodiscard]] bool undo_possible() const { return undo_possible_; }
  // What was refused last ("CREATE TABLE inside a transaction"); empty: nothing. Forgets it.
  [[nodiscard]] std::string take_refusal();

 private:
  static int on_prepare(void* self, int action, const char* first, const char* second, const char* database,
                        const char* trigger) noexcept;
  enum class Phase { idle, strict, reading };

  int judge(int action, const char* first, const char* second);
  int judge_write(const char* table);
  int judge_pragma(const char* name, const char* argument);
  int judge_savepoint(const char* operation, const char* name);
  int refuse(std::string what);
  [[nodiscard]] std::string where() const;  // the end of a refusal's text
  [[nodiscard]] bool undo_statement_exists() const;

  sqlite3* db_;
  Phase phase_ = Phase::idle;
  bool migration_ = false;
  bool undo_possible_ = false;
  std::string refusal_;
};

}  // namespace starling
