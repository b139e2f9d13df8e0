// A page of a state stream: device-owned rows of one origin, in the order of their revisions.
//
// The page covers revisions (from, to]: every row of that origin whose last change lies in that range is listed,
// deleted rows as such. A row carries all its fields: state has no history. Applying a page that continues our
// position brings us to `to`; one that lies behind us changes nothing; one that starts ahead of us is ignored and
// pulled instead. Body layout, after a format byte: the names of the models, then for each model its rows, in runs:
// revisions (as differences), which are deleted, and column by column (columns.h) the keys and all other fields of
// those that are not. Decoding takes hostile bytes; what decodes encodes to the same bytes again, apart from the choice
// of column forms.
#pragma once

#include <optional>
#include <vector>

#include "core/base/schema.h"
#include "proto/columns.h"
#include "proto/unknown_model.h"

namespace starling {

struct StateRow {
  ModelIndex model = 0;
  Rev rev;
  bool deleted = false;
  BytesView key;
  BytesView values;  // typed bytes of every field that is not in the key, ascending; empty when deleted
  // Of a row that is handed on although it is not, or not wholly, known here: its model, if the schema does not have it;
  // and how many values it has, where they are not as many as the schema's fields.
  BytesView name = {};
  std::optional<std::uint8_t> columns = std::nullopt;
};

// Collects rows, which must come with ascending rev and of Kind::device_owned; copies their bytes.
class StatePageWriter {
 public:
  explicit StatePageWriter(const Schema& schema) : schema_(schema) {}
  void add(const StateRow&);
  // Rows of one model in one page have equally many values: false, and the row begins the next page.
  [[nodiscard]] bool takes(const StateRow&) const;
  [[nodiscard]] std::size_t size() const;  // what was added takes at most, near enough to close a page by
  [[nodiscard]] std::size_t rows() const { return rows_.size(); }
  [[nodiscard]] Bytes finish();  // the body; the writer is empty again

 private:
  struct Table {  // of a model in this page
    std::string name;
    std::uint8_t keys = 1;
    std::optional<std::uint8_t> columns;  // besides the key; nullopt: all its rows are deleted
  };
  struct Row {  // key and values stand in content_, one behind the other
    std::size_t table = 0;
    bool deleted = false;
    Rev rev;
    std::size_t key = 0;
    std::size_t values = 0;
    std::size_t end = 0;
  };
  using Run = std::span<const Row>;

  [[nodiscard]] BytesView name_of(const StateRow&) const;
  [[nodiscard]] std::uint8_t columns_of(const StateRow&) const;
  [[nodiscard]] std::size_t table_of(const StateRow&) const;  // or how many there are
  void write_run(ByteWriter& out, Run);
  static void write_revs(ByteWriter& out, Run);
  static void write_deleted(ByteWriter& out, Run);
  void write_columns(ByteWriter& out, const Table&, Run);

  const Schema& schema_;
  std::vector<Table> tables_;  // in order of appearance
  std::vector<Row> rows_;
  Bytes content_;
  ColumnWriter columns_;
};

// Rows in the order of their revisions: views into `body`, which must outlive them, and into the arenas; free to be
// moved.
struct DecodedStatePage {
  std::vector<StateRow> rows;
  std::vector<UnknownModel> unknown;
  Arena arena;
  Arena grown;

  [[nodiscard]] auto begin() const { return rows.begin(); }
  [[nodiscard]] auto end() const { return rows.end(); }
};

// Errc::corrupt: not a page of (from, to], whatever the schema. A row may carry values behind those that `schema` has fields
// for: its owner's version is newer (`columns` says how many it has). One of a model that `schema` does not have as
// device-owned, or has otherwise, names it by its number in `unknown`, behind those of the schema.
[[nodiscard]] Expected<DecodedStatePage> decode_state_page(BytesView body, Rev from, Rev to, const Schema&);

}  // namespace starling
