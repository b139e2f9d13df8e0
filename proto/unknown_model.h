// Rows of models that the reader does not have, or has otherwise.
//
// An older version of the application takes in what a newer one wrote: such rows are read like any other and kept until
// an upgrade (core/store/held_changes.h). What is decoded numbers them behind the models of the schema: the model
// `schema.models.size() + i` is the i-th of these.
#pragma once

#include <vector>

#include "core/base/schema.h"

namespace starling {

struct UnknownModel {
  BytesView name;
  const char* why = "";  // for people: what is in the way of applying its rows
};

// The number by which rows go that cannot be taken for that reason.
[[nodiscard]] inline ModelIndex unknown_model(std::vector<UnknownModel>& unknown, const Schema& schema, BytesView name,
                                              const char* why) {
  std::size_t at = 0;
  while (at < unknown.size() && (unknown[at].name != name || unknown[at].why != why)) ++at;
  if (at == unknown.size()) unknown.push_back({name, why});
  return static_cast<ModelIndex>(schema.models.size() + at);
}

namespace unfit {  // the reasons
inline constexpr const char* kUnregistered = "the model is not registered here";
inline constexpr const char* kOwnedHere = "the model is device-owned here, and came as a shared one";
inline constexpr const char* kSharedHere = "the model is shared here, and came as a device-owned one";
inline constexpr const char* kOtherKey = "the model has another key here";
inline constexpr const char* kOtherFields = "the model has other fields here";
inline constexpr const char* kNoDefault = "the model has more fields here, and they have no constant default";
}  // namespace unfit

}  // namespace starling
