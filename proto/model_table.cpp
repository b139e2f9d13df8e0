#include "proto/model_table.h"

#include <algorithm>

#include "core/base/assert.h"

namespace starling {

void write_model_table(ByteWriter& out, const Schema& schema, std::span<const ModelIndex> models) {
  out.varint(models.size());
  for (const ModelIndex model : models) {
    ASSERT(schema.models[model].name.size() <= limits::kNameMax);
    out.blob(schema.models[model].name);
  }
}

std::vector<NamedModel> read_model_table(ByteReader& r, const Schema& schema) {
  std::vector<NamedModel> models;
  const std::uint64_t count = r.varint();
  if (count > limits::kModelsMax) r.set_failed();
  for (std::uint64_t i = 0; i < count && !r.failed(); ++i) {
    const BytesView name = r.blob();
    const bool twice = std::any_of(models.begin(), models.end(), [&](const NamedModel& m) { return m.name == name; });
    if (name.empty() || name.size() > limits::kNameMax || twice) r.set_failed();
    models.push_back({name, schema.find(name)});
  }
  return models;
}

}  // namespace starling
