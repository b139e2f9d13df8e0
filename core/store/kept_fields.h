// Values of fields that a model does not have here yet, kept beside its rows.
//
// A newer version of the application gives a model more fields, at its end. An older one applies the fields that it has
// and keeps the others here, typed bytes by field number, until it is upgraded; the stamps of all fields, these too, stand
// in the row's version, and one merge rule judges them all. What is kept of a row goes with its generation: a row that is
// deleted or replaced takes it along, and a field of which nothing is kept reads as its default.
// Of a device-owned row all is kept that its owner's last page had behind our fields.
#pragma once

#include <functional>

#include "core/base/schema.h"
#include "core/store/statement.h"

namespace starling {

class KeptFields {
 public:
  explicit KeptFields(sqlite3*);

  // In the caller's transaction. `model`: its number in sync_model. `values`: typed bytes of the fields, ascending.
  void put(std::int64_t model, BytesView key, FieldMask fields, BytesView values);
  void drop(std::int64_t model, BytesView key);
  void drop(std::int64_t model, BytesView key, FieldMask fields);

  // Typed bytes of all that is kept of a row, ascending by field, and which fields they are.
  struct Kept {
    FieldMask fields = 0;
    Bytes values;
  };
  [[nodiscard]] Kept of(std::int64_t model, BytesView key);
  // The first key behind `after` of which a field below `fields` is kept: a field that the model has by now.
  [[nodiscard]] std::optional<Bytes> next_due(std::int64_t model, const std::optional<Bytes>& after, std::size_t fields);
  [[nodiscard]] std::uint64_t count();  // values
  [[nodiscard]] bool any();

 private:
  Statement put_, drop_, drop_field_, of_, first_due_, next_due_, count_, any_;
  bool maybe_ = false;  // something has been kept, or was when the file was opened
};

}  // namespace starling
