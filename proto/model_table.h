// The table of models at the head of entries and state pages: a name once, a small number in every run.
//
// Numbers of models are places in a schema, which differ between peers; names do not. A reader goes on past a name that
// it does not know: whether bytes are well-formed must not depend on who asks.
#pragma once

#include <span>
#include <vector>

#include "core/base/schema.h"

namespace starling {

struct NamedModel {
  BytesView name;
  const ModelSchema* schema = nullptr;  // nullptr: unknown here
};

void write_model_table(ByteWriter&, const Schema&, std::span<const ModelIndex>);

// Fails the reader on names that are empty, too long or given twice.
[[nodiscard]] std::vector<NamedModel> read_model_table(ByteReader&, const Schema&);

[[nodiscard]] inline FieldMask plain_fields(const ModelSchema& model) {
  return model.all_fields() & ~model.key_fields();
}

}  // namespace starling
