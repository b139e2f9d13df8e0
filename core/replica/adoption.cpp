#include "core/replica/adoption.h"

#include <algorithm>

#include "core/replica/stamper.h"
#include "core/replica/transaction_manager.h"
#include "core/replica/undo.h"
#include "core/store/capture.h"
#include "core/store/row_image.h"
#include "core/store/row_store.h"
#include "core/store/schema_reader.h"
#include "core/store/statement.h"
#include "core/store/store.h"
#include "core/store/sync_state.h"

namespace starling {
namespace {

constexpr std::size_t kRowsPerTransaction = 2000;
constexpr std::size_t kBytesPerTransaction = 1 * limits::MiB;

// Rows of one model in key order, from after a key.
class Cursor {
 public:
  Cursor(Store& store, const ModelSchema& model) : store_(store), model_(model) {
    std::string keys;
    std::string marks;
    std::string others;
    for (const FieldIndex i : model.key) {
      keys += (keys.empty() ? "" : ",") + quote_identifier(model.fields[i].name);
      marks += marks.empty() ? "?" : ",?";
    }
    for (const FieldSchema& f : model.fields)
      if (f.key_position == 0) others += "," + quote_identifier(f.name);
    const std::string from = "SELECT " + keys + others + " FROM main." + quote_identifier(model.name);
    first_ = Statement(store.handle(), from + " ORDER BY " + keys);
    next_ = Statement(store.handle(), from + " WHERE (" + keys + ") > (" + marks + ") ORDER BY " + keys);
  }

  struct Row {
    Bytes key;
    Bytes values;
  };

  // The next rows that have no version yet; empty: there are none left.
  Expected<std::vector<Row>> read() {
    std::vector<Row> rows;
    std::size_t bytes = 0;
    const Bytes after = last_;
    Statement& statement = after.empty() ? first_ : next_;
    const ResetGuard guard(statement);
    if (!after.empty()) statement.values(after);
    while (rows.size() < kRowsPerTransaction && statement.step()) {
      Expected<Row> row = row_of(statement);
      if (!row) return row.error();
      const std::size_t size = row->key.size() + row->values.size();
      if (!rows.empty() && bytes + size > kBytesPerTransaction) break;  // the next transaction's
      last_ = row->key;
      if (has_version(row->key)) continue;
      bytes += size;
      rows.push_back(std::move(*row));
    }
    return rows;
  }

 private:
  Expected<Row> row_of(const Statement& statement) const {
    ByteWriter key;
    ByteWriter values;
    const auto key_columns = static_cast<int>(model_.key.size());
    for (int i = 0; i < statement.columns(); ++i) {
      const ValueView v = statement.column_value(i);
      if (v.bytes.size() > limits::kValueMax) return too_large("a value");
      write_value(i < key_columns ? key : values, v);
    }
    if (const Expected<void> good = check_key(model_, key.bytes()); !good) return good.error();
    if (values.size() > limits::kRowMax) return too_large("a row");
    return Row{key.take(), values.take()};
  }
  [[nodiscard]] Error too_large(const char* what) const {
    return {Errc::too_large, std::string(what) + " is too large to be synchronised", model_.name, "see the limits in docs/storage.md"};
  }
  bool has_version(BytesView key) {
    const ModelIndex m = store_.schema().index_of(model_);
    return model_.kind == Kind::shared ? store_.rows().version(m, key).has_value() : store_.rows().owned(m, key).has_value();
  }

  Store& store_;
  const ModelSchema& model_;
  Statement first_;
  Statement next_;
  Bytes last_;
};

Expected<std::uint64_t> adopt_rows(Store& store, const ModelSchema& model, Cursor& cursor, WallTime wall) {
  Expected<std::vector<Cursor::Row>> rows = cursor.read();
  if (!rows) return rows.error();
  const ModelIndex index = store.schema().index_of(model);
  const FieldMask fields = model.all_fields() & ~model.key_fields();
  std::vector<NetChange> changes;
  for (const Cursor::Row& row : *rows) changes.push_back({index, Op::insert, row.key, fields, row.values, row.values});
  if (!changes.empty()) {
    const Expected<LocalCommit> commit = stamp_changes(store, changes, WriteScope::any, wall);
    if (!commit) return commit.error();
  } else {
    Statement(store.handle(), "UPDATE sync_model SET adopted=1 WHERE name=?").text(model.name).run();
  }
  return changes.size();
}

Expected<std::uint64_t> adopt_model(Store& store, const ModelSchema& model, WallTime wall, const AdoptionFn& told) {
  Cursor cursor(store, model);
  Adoption adoption{model.name, 0, 0};
  if (told) {
    Statement count(store.handle(), "SELECT count(*) FROM main." + quote_identifier(model.name));
    adoption.total = count.step() ? static_cast<std::uint64_t>(count.column_integer(0)) : 0;
  }
  for (bool first = true;; first = false) {
    store.begin(TransactionKind::apply);  // not captured: no row of the application changes
    const Undo undo(store);
    if (first) fill_in_defaults(store.database(), model);
    const Expected<std::uint64_t> adopted = adopt_rows(store, model, cursor, wall);
    if (!adopted) return adopted.error();
    store.commit();
    if (*adopted == 0) return adoption.rows;
    adoption.rows += *adopted;
    if (told) told(adoption);
  }
}

bool is_adopted(Store& store, const ModelSchema& model) {
  Statement select(store.handle(), "SELECT adopted FROM sync_model WHERE name=?");
  const ResetGuard guard(select);
  return select.text(model.name).step() && select.column_integer(0) != 0;
}

// Parents before their children, which would be taken for orphans meanwhile.
std::vector<const ModelSchema*> in_order_of_references(const Schema& schema) {
  std::vector<const ModelSchema*> ordered;
  const std::function<void(const ModelSchema&)> add = [&](const ModelSchema& m) {
    if (std::find(ordered.begin(), ordered.end(), &m) != ordered.end()) return;
    const std::size_t place = ordered.size();
    ordered.push_back(&m);  // so that a circle ends
    for (const Reference& reference : m.references) add(*schema.find(reference.parent));
    std::rotate(ordered.begin() + static_cast<std::ptrdiff_t>(place), ordered.begin() + static_cast<std::ptrdiff_t>(place) + 1, ordered.end());
  };
  for (const ModelSchema& m : schema.models) add(m);
  return ordered;
}

}  // namespace

Expected<std::uint64_t> adopt_existing_rows(Store& store, WallTime wall, const AdoptionFn& told) {
  std::uint64_t total = 0;
  if (store.state().is_doubled()) return total;  // nothing is written under this name
  for (const ModelSchema* model : in_order_of_references(store.schema())) {
    if (is_adopted(store, *model)) continue;
    const Expected<std::uint64_t> adopted = adopt_model(store, *model, wall, told);
    if (!adopted) return adopted.error();
    total += *adopted;
  }
  return total;
}

}  // namespace starling
