#include "tests/sim/edit.h"

#include <array>
#include <limits>

#include "tests/sim/phrases.h"

namespace starling::sim {
namespace {

constexpr std::array<const char*, kEditKinds> kNames = {
    "insert-note", "replace-note", "upsert-note", "title-note",  "body-note",       "star-notes",      "delete-note",
    "move-note",   "reinsert-note", "half-insert", "insert-label", "title-label",    "delete-label",    "link",
    "relink",      "unlink",       "transfer",    "change-transfer", "delete-transfer", "insert-file",  "replace-file",
    "hash-file",   "grow-files",   "delete-file", "steal-file",  "bulk-notes",      "bulk-files",      "undone",
    "insert-account", "replace-account", "readdress-account", "swap-addresses", "delete-account", "insert-task", "move-task",
    "assign-task", "delete-task"};

std::string note(std::uint32_t n) { return "n" + std::to_string(n % kNotes); }
std::string label(std::uint32_t n) { return "l" + std::to_string(n % kLabels); }

void edit_note(Transaction& t, const Edit& e) {
  const std::string id = note(e.a);
  const SqlValue b = nasty_value(e.b);
  switch (e.kind) {
    case EditKind::insert_note: (void)t.exec("INSERT INTO note(id, title, body, stars, weight) VALUES (?, ?, ?, 1, 0.5)", id, b, nasty_value(e.c)); break;
    case EditKind::replace_note:
      (void)t.exec("INSERT OR REPLACE INTO note(id, title, body, stars, weight) VALUES (?, ?, ?, ?, -0.0)", id, b, nasty_value(e.c),
                   std::numeric_limits<std::int64_t>::max());
      break;
    case EditKind::upsert_note:
      (void)t.exec("INSERT INTO note(id, title) VALUES (?, ?) ON CONFLICT DO UPDATE SET title=excluded.title", id, b);
      break;
    case EditKind::title_note: (void)t.exec("UPDATE note SET title=? WHERE id=?", b, id); break;
    case EditKind::body_note: (void)t.exec("UPDATE note SET body=?, weight=stars WHERE id=?", b, id); break;
    case EditKind::star_notes: (void)t.exec("UPDATE note SET stars=coalesce(stars, 0)+1"); break;
    case EditKind::delete_note: (void)t.exec("DELETE FROM note WHERE id=?", id); break;
    case EditKind::move_note: (void)t.exec("UPDATE note SET id=? WHERE id=?", note(e.b), id); break;
    case EditKind::reinsert_note:
      (void)t.exec("DELETE FROM note WHERE id=?", id);
      (void)t.exec("INSERT INTO note(id, title) VALUES (?, ?)", id, b);
      break;
    default: (void)t.exec("INSERT INTO note(id, title) VALUES ('n0', 1), (?, 2), ('n0', 3)", id); break;
  }
}

void edit_label(Transaction& t, const Edit& e) {
  switch (e.kind) {
    case EditKind::insert_label: (void)t.exec("INSERT OR IGNORE INTO label(id) VALUES (?)", label(e.a)); break;
    case EditKind::title_label: (void)t.exec("UPDATE label SET title=? WHERE id=?", nasty_value(e.b), label(e.a)); break;
    case EditKind::delete_label: (void)t.exec("DELETE FROM label WHERE id=?", label(e.a)); break;
    case EditKind::link: (void)t.exec("INSERT INTO note_label VALUES (?, ?, ?)", note(e.a), label(e.b), std::int64_t{e.c}); break;
    case EditKind::relink: (void)t.exec("UPDATE note_label SET label=?, added=added+1 WHERE note=?", label(e.b), note(e.a)); break;
    default: (void)t.exec("DELETE FROM note_label WHERE label=?", label(e.a)); break;
  }
}

// Both postings are only ever written together, so that their sum is nothing at any time on any device.
void edit_transfer(Transaction& t, const Edit& e) {
  const std::string which = "t" + std::to_string(e.a % kTransfers);
  const auto amount = static_cast<std::int64_t>(e.b);
  switch (e.kind) {
    case EditKind::transfer:
      (void)t.exec("INSERT INTO posting VALUES (?1 || '+', ?1, ?2), (?1 || '-', ?1, -?2)", which, amount);
      break;
    case EditKind::change_transfer:
      (void)t.exec("UPDATE posting SET amount = iif(id LIKE '%+', ?2, -?2) WHERE transfer=?1", which, amount);
      break;
    default: (void)t.exec("DELETE FROM posting WHERE transfer=?", which); break;
  }
}

Expected<void> edit_file(Transaction& t, const Edit& e, const std::string& who) {
  const Blob id{"f" + who + std::to_string(e.a % kFiles)};
  const SqlValue b = nasty_value(e.b);
  switch (e.kind) {
    case EditKind::insert_file: (void)t.exec("INSERT INTO file VALUES (?, ?, 0, ?)", id, b, nasty_value(e.c)); break;
    case EditKind::replace_file: (void)t.exec("INSERT OR REPLACE INTO file(id, path) VALUES (?, ?)", id, b); break;
    case EditKind::hash_file: (void)t.exec("UPDATE file SET hash=? WHERE id=?", b, id); break;
    case EditKind::grow_files: (void)t.exec("UPDATE file SET size=coalesce(size, 0)+1 WHERE substr(id, 2, 1)=?", Blob{who}); break;
    case EditKind::delete_file: (void)t.exec("DELETE FROM file WHERE id=?", id); break;
    default: {
      const Expected<std::int64_t> stolen = t.exec("UPDATE file SET size=-7 WHERE substr(id, 2, 1) <> ?", Blob{who});
      if (!stolen) return stolen.error();
    }
  }
  return {};
}

std::string account(std::uint32_t n) { return "a" + std::to_string(n % kAccounts); }
std::string task(std::uint32_t n) { return "t" + std::to_string(n % kTasks); }

SqlValue address(std::uint32_t number) {  // few, and some that an index takes for equal
  switch (number % 8) {
    case 0: return std::int64_t{5};
    case 1: return 5.0;
    case 2: return std::string("5");
    case 3: return Blob{"5"};
    case 4: return -0.0;
    case 5: return std::int64_t{0};
    case 6: return std::monostate{};
    default: return std::string("x@example.org");
  }
}

void edit_account(Transaction& t, const Edit& e) {
  switch (e.kind) {
    case EditKind::insert_account:
      (void)t.exec("INSERT INTO account VALUES (?, ?, ?)", account(e.a), address(e.b), std::int64_t{e.c});
      break;
    case EditKind::replace_account:
      (void)t.exec("INSERT OR REPLACE INTO account VALUES (?, ?, ?)", account(e.a), address(e.b), std::int64_t{e.c});
      break;
    case EditKind::readdress_account: (void)t.exec("UPDATE account SET address=? WHERE id=?", address(e.b), account(e.a)); break;
    case EditKind::swap_addresses:
      (void)t.exec("UPDATE account SET address = CASE address WHEN 5 THEN 'y' WHEN 'y' THEN 5 ELSE address END, plan=plan+1");
      break;
    default: (void)t.exec("DELETE FROM account WHERE id=?", account(e.a)); break;
  }
}

void edit_task(Transaction& t, const Edit& e) {
  const SqlValue parent = e.b % 3 == 0 ? SqlValue(std::monostate{}) : SqlValue(task(e.b));
  const SqlValue owner = e.c % 4 == 0 ? SqlValue(std::monostate{}) : SqlValue(account(e.c));
  switch (e.kind) {
    case EditKind::insert_task: (void)t.exec("INSERT INTO task VALUES (?, ?, ?, 0)", task(e.a), parent, owner); break;
    case EditKind::move_task: (void)t.exec("UPDATE task SET parent=? WHERE id=?", parent, task(e.a)); break;
    case EditKind::assign_task: (void)t.exec("UPDATE task SET account=?, done=done+1 WHERE id=?", owner, task(e.a)); break;
    default: (void)t.exec("DELETE FROM task WHERE id=?", task(e.a)); break;
  }
}

void edit_in_bulk(Transaction& t, const Edit& e, const std::string& who) {
  for (std::uint32_t i = e.a; i < e.a + e.b; ++i) {
    const std::string id = numbered(("b" + who).c_str(), i);
    if (e.kind == EditKind::bulk_notes)
      (void)t.exec("INSERT OR REPLACE INTO note(id, title, stars) VALUES (?, 'one of many', ?)", id, std::int64_t{e.c});
    else
      (void)t.exec("INSERT OR REPLACE INTO file VALUES (?, '/one/of/many', ?, NULL)", Blob{"f" + who + id}, std::int64_t{e.c});
  }
}

void edit_and_undo(Transaction& t, const Edit& e, const std::string& who) {
  const Savepoint outer = t.savepoint();
  edit_note(t, {EditKind::replace_note, e.a, e.b, 0});
  Savepoint inner = t.savepoint();
  (void)edit_file(t, {EditKind::insert_file, e.a, e.b, 0}, who);
  inner.release();
}

}  // namespace

const char* name_of(EditKind kind) { return kNames.at(static_cast<std::size_t>(kind)); }

SqlValue nasty_value(std::uint32_t number) {
  static const Blob kLarge{noise(1 * limits::MiB, 16)};
  switch (number) {
    case 0: return std::monostate{};
    case 1: return -0.0;
    case 2: return std::numeric_limits<std::int64_t>::max();
    case 3: return std::numeric_limits<std::int64_t>::min();
    case 4: return std::string();
    case 5: return Blob{};
    case 6: return std::string("a\0b\0", 4);
    case 7: return std::string("\xff\xfe\x80");
    case 8: return Blob{Bytes("\0\1\2", 3)};
    case 9: return 5.0;
    case 10: return std::int64_t{5};
    case 11: return std::string("5");
    case 12: return 1e308;
    case 13: return std::string("e\xcc\x81");
    case 14: return std::int64_t{0};
    case 15: return std::string("0x10");
    case 16: return kLarge;
    default: return "text " + std::to_string(number);
  }
}

Expected<void> apply_edit(Transaction& t, const Edit& e, const std::string& who) {
  if (e.kind <= EditKind::half_insert) edit_note(t, e);
  else if (e.kind <= EditKind::unlink) edit_label(t, e);
  else if (e.kind <= EditKind::delete_transfer) edit_transfer(t, e);
  else if (e.kind <= EditKind::steal_file) return edit_file(t, e, who);
  else if (e.kind <= EditKind::bulk_files) edit_in_bulk(t, e, who);
  else if (e.kind == EditKind::undone) edit_and_undo(t, e, who);
  else if (e.kind <= EditKind::delete_account) edit_account(t, e);
  else edit_task(t, e);
  return {};
}

void apply_newer_edit(Transaction& t, const Edit& e, const std::string& who) {
  const SqlValue b = nasty_value(e.b + 1);
  switch (e.kind) {
    case EditKind::insert_note:
    case EditKind::replace_note:
    case EditKind::title_note: (void)t.exec("UPDATE note SET extra=? WHERE id=?", b, note(e.a)); break;
    case EditKind::body_note: (void)t.exec("UPDATE note SET extra=? WHERE id=?", b, note(e.a + 1)); break;
    case EditKind::insert_file:
    case EditKind::hash_file: (void)t.exec("UPDATE file SET extra=? WHERE id=?", b, Blob{"f" + who + std::to_string(e.a % kFiles)}); break;
    case EditKind::insert_label: (void)t.exec("INSERT OR IGNORE INTO memo(id) VALUES (?)", label(e.a)); break;
    case EditKind::link: (void)t.exec("INSERT OR REPLACE INTO memo VALUES (?, ?, 1)", label(e.b), b); break;
    case EditKind::title_label: (void)t.exec("UPDATE memo SET text=? WHERE id=?", b, label(e.a)); break;
    case EditKind::delete_label: (void)t.exec("DELETE FROM memo WHERE id=?", label(e.a)); break;
    default: break;
  }
}

}  // namespace starling::sim
