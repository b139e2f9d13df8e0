#include "core/store/default_value.h"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>

#include "core/store/statement.h"

namespace starling {

Bytes default_value(const std::string& declared_type, const std::string& default_sql) {
  ByteWriter value;
  if (default_sql.empty()) {
    write_value(value, ValueView::null());
    return value.take();
  }
  try {
    SQLite::Database scratch(":memory:", SQLite::OPEN_READWRITE);
    scratch.exec("CREATE TABLE t(x); INSERT INTO t VALUES(1);"  // a row, for SQLite looks at the default only if there is one
                 "ALTER TABLE t ADD COLUMN y " + declared_type + " DEFAULT " + default_sql);
    Statement select(scratch.getHandle(), "SELECT y FROM t");
    ASSERT(select.step());
    write_value(value, select.column_value(0));
    return value.take();
  } catch (const SQLite::Exception&) {
    return {};
  }
}

}  // namespace starling
