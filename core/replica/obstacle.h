// Why a change or a row cannot be applied here now: what decides between the application's tables and quarantine.
//
// A model that is not here or is another; a value that this device's declaration does not allow; an earlier change of the
// row that waits. A value beyond kValueMax is none: no entry and no page can carry it (proto/value_head.h). What the key is, is no such question: versions of a model share their key, so a
// key in another form is a peer's fault and refused before (applier.cpp).
#pragma once

#include <string>

#include "core/causal/change.h"
#include "proto/unknown_model.h"

namespace starling {

class Store;
struct StateRow;

class Obstacles {
 public:
  // `unknown`: of the entry or page that the changes stand in; must outlive this.
  Obstacles(Store& store, const std::vector<UnknownModel>& unknown) : store_(store), unknown_(unknown) {}

  // Empty: nothing is in the way.
  [[nodiscard]] std::string of(const Change&) const;
  [[nodiscard]] std::string of(const StateRow&) const;
  [[nodiscard]] std::string of_values(ModelIndex, FieldMask, BytesView values) const;  // whatever waits before
  [[nodiscard]] std::string name_of(ModelIndex) const;  // of the model, known or not

 private:
  Store& store_;
  const std::vector<UnknownModel>& unknown_;
};

// The first values of `typed`, as many as the model has fields beside its key; what is behind them the model lacks here.
[[nodiscard]] BytesView known_values(const ModelSchema&, FieldMask fields, BytesView typed);

}  // namespace starling
