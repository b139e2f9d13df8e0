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

#include <vector>

#include "core/base/schema.h"
#include "proto/columns.h"

namespace starling {

struct StateRow {
  ModelIndex model = 0;
  Rev rev;
  bool deleted = false;
  BytesView key;
  BytesView values;  // typed bytes of every field that is not in the key, ascending; empty when deleted
};

// Collects rows, which must come with ascending rev and of Kind::device_owned; copies their bytes.
class StatePageWriter {
 public:
  explicit StatePageWriter(const Schema& schema) : schema_(schema) {}
  void add(const StateRow&);
  [[nodiscard]] std::size_t size() const;  // what was added takes at most, near enough to close a page by
  [[nodiscard]] std::size_t rows() const { return rows_.size(); }
  [[nodiscard]] Bytes finish();  // the body; the writer is empty again

 private:
  struct Row {  // key and values stand in content_, one behind the other
    ModelIndex model = 0;
    bool deleted = false;
    Rev rev;
    std::size_t key = 0;
    std::size_t values = 0;
    std::size_t end = 0;
  };
  using Run = std::span<const Row>;

  [[nodiscard]] std::vector<ModelIndex> models() const;  // in order of appearance
  void write_run(ByteWriter& out, std::size_t model_number, Run);
  static void write_revs(ByteWriter& out, Run);
  static void write_deleted(ByteWriter& out, Run);
  void write_columns(ByteWriter& out, const ModelSchema&, Run);

  const Schema& schema_;
  std::vector<Row> rows_;
  Bytes content_;
  ColumnWriter columns_;
};

// Rows in the order of their revisions: views into `body`, which must outlive them, and into the arenas; free to be
// moved.
struct DecodedStatePage {
  std::vector<StateRow> rows;
  Arena arena;
  Arena grown;

  [[nodiscard]] auto begin() const { return rows.begin(); }
  [[nodiscard]] auto end() const { return rows.end(); }
};

// Errc::corrupt: not a page of (from, to], whatever the schema. Errc::schema: a model that `schema` does not have as
// device-owned, or has with other fields.
[[nodiscard]] Expected<DecodedStatePage> decode_state_page(BytesView body, Rev from, Rev to, const Schema&);

}  // namespace starling
