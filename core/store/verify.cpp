#include "core/store/verify.h"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>

#include <map>

#include "core/store/row_store.h"
#include "core/store/tables.h"

namespace starling {
namespace {

constexpr int kBusyTimeoutMs = 5000;

// One snapshot of one database.
class View {
 public:
  View(const std::filesystem::path& file, const Schema& schema)
      : schema_(schema), db_(file.string(), SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX, kBusyTimeoutMs) {
    // RowStore prepares statements that write, too; triggers call functions that only a store's connection has.
    sqlite3_db_config(handle(), SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
    db_.exec("PRAGMA query_only=ON; PRAGMA cache_size=-16384; BEGIN; SELECT 1 FROM sqlite_schema LIMIT 1");
    origins_.emplace(handle());
    digests_.emplace(handle(), *origins_);
    rows_.emplace(handle(), schema, *origins_, *digests_);
  }

  [[nodiscard]] sqlite3* handle() { return db_.getHandle(); }
  [[nodiscard]] RowStore& rows() { return *rows_; }
  [[nodiscard]] DigestTable& digests() { return *digests_; }

  // Every row of the application's table.
  template <class Take>
  void for_each_row(ModelIndex index, const Take& take) {
    const ModelSchema& m = schema_.models[index];
    std::string columns;
    for (const FieldIndex i : m.key) columns += (columns.empty() ? "" : ",") + quote_identifier(m.fields[i].name);
    for (const FieldSchema& f : m.fields)
      if (f.key_position == 0) columns += "," + quote_identifier(f.name);
    Statement select(handle(), "SELECT " + columns + " FROM main." + quote_identifier(m.name));
    ByteWriter key, values;
    const auto keys = static_cast<int>(m.key.size());
    while (select.step()) {
      key.clear();
      values.clear();
      for (int i = 0; i < select.columns(); ++i) write_value(i < keys ? key : values, select.column_value(i));
      take(key.bytes(), values.bytes());
    }
  }

 private:
  const Schema& schema_;
  SQLite::Database db_;
  std::optional<OriginTable> origins_;
  std::optional<DigestTable> digests_;
  std::optional<RowStore> rows_;
};

class Verifier {
 public:
  Verifier(const std::filesystem::path& file, const Schema& schema) : schema_(schema), view_(file, schema) {}

  VerifyReport run() {
    Statement check(view_.handle(), "PRAGMA quick_check(10)");
    while (check.step())
      if (check.column_bytes(0) != "ok") report_.file.emplace_back(check.column_bytes(0));
    for (const ModelSchema& m : schema_.models) model(m);
    if (report_.damaged == 0) check_digests();
    return std::move(report_);
  }

 private:
  void model(const ModelSchema& m) {
    const ModelIndex index = schema_.index_of(m);
    view_.rows().scan(index, {}, [&](const ScannedRow& row) {
      if (!row.good) damaged(m, row.key, damage_of(row));
      if (row.deleted) return true;
      GroupDigest& group = groups_[{m.name, row.owner}];
      group.ranges[range_of(row.key)] += sum_of(m, row);
      ++group.rows;
      return true;
    });
    view_.for_each_row(index, [&](BytesView key, BytesView) {
      ++report_.rows;
      if (!view_.rows().is_known(index, key)) damaged(m, key, "was written behind the engine's back");
    });
  }
  void check_digests() {
    std::vector<DigestTable::Listed> anew;
    for (const auto& [of, group] : groups_) anew.push_back({of.first, of.second, group.hash()});
    report_.digests_are_good = anew == view_.digests().list();
  }
  void damaged(const ModelSchema& m, BytesView key, const char* what) {
    if (++report_.damaged <= kBadRowsListed) report_.list.push_back({m.name, Bytes(key), what});
  }

  const Schema& schema_;
  View view_;
  VerifyReport report_;
  std::map<std::pair<std::string, Origin>, GroupDigest> groups_;
};

Expected<void> check_models(const std::filesystem::path& file, const Schema& schema) {
  const Error stranger{Errc::schema, "this is no database with the same models", file.string(),
                       "name a data folder of the same version, or a backup of one"};
  try {
    SQLite::Database db(file.string(), SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX, kBusyTimeoutMs);
    Statement format(db.getHandle(), "SELECT value FROM sync_meta WHERE name='format'");
    if (!format.step() || format.column_integer(0) != kFormatVersion) {
      return Error{Errc::invalid_argument, "another version of the program wrote this database", file.string(),
                   "open it once with this version, then compare"};
    }
    Statement digest(db.getHandle(), "SELECT digest FROM sync_model WHERE name=?");
    for (const ModelSchema& m : schema.models) {
      const ResetGuard guard(digest);
      if (!digest.text(m.name).step() || digest.column_bytes(0) != m.digest.view()) return stranger;
    }
    return {};
  } catch (const SQLite::Exception&) {  // no such file, no database, no such table
    return stranger;
  }
}

}  // namespace

VerifyReport verify_database(const std::filesystem::path& file, const Schema& schema) { return Verifier(file, schema).run(); }

Expected<Comparison> compare_databases(const std::filesystem::path& here, const std::filesystem::path& there,
                                       const Schema& schema) {
  if (const Expected<void> known = check_models(there, schema); !known) return known.error();
  View ours(here, schema);
  View theirs(there, schema);
  Comparison result;
  const auto add = [&](const ModelSchema& m, BytesView key, std::optional<BytesView> a, std::optional<BytesView> b) {
    if (++result.different > kBadRowsListed) return;
    const auto owned = [](std::optional<BytesView> v) { return v ? std::optional(Bytes(*v)) : std::nullopt; };
    result.list.push_back({m.name, Bytes(key), owned(a), owned(b)});
  };
  for (const ModelSchema& m : schema.models) {
    const ModelIndex index = schema.index_of(m);
    ours.for_each_row(index, [&](BytesView key, BytesView values) {
      ++result.rows;
      const std::optional<BytesView> other = theirs.rows().shown().read(index, key);
      if (!other || *other != values) add(m, key, values, other);
    });
    theirs.for_each_row(index, [&](BytesView key, BytesView values) {
      if (!ours.rows().shown().read(index, key)) add(m, key, std::nullopt, values);
    });
  }
  return result;
}

}  // namespace starling
