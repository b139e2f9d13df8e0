#include "core/replica/obstacle.h"

#include <bit>

#include "core/base/planted_bug.h"
#include "core/store/held_changes.h"
#include "core/store/row_image.h"
#include "core/store/store.h"
#include "proto/model_table.h"
#include "proto/state_page.h"

namespace starling {

std::string Obstacles::name_of(ModelIndex model) const {
  const auto& models = store_.schema().models;
  return model < models.size() ? models[model].name : std::string(unknown_[model - models.size()].name);
}

std::string Obstacles::of_values(ModelIndex model, FieldMask fields, BytesView values) const {
  const auto& models = store_.schema().models;
  if (model >= models.size()) return unknown_[model - models.size()].why;
  const Expected<void> good = check_values(models[model], fields & models[model].all_fields(), values);
  return good ? std::string() : good.error().what + " (" + good.error().where + ")";
}

std::string Obstacles::of(const Change& c) const {
  std::string why = of_values(c.model, c.fields, c.values);
  if (!why.empty() || planted(PlantedBug::queue_overtaken)) return why;
  return store_.held().holds(store_.schema().models[c.model].name, c.key) ? kBehindAnother : why;
}

std::string Obstacles::of(const StateRow& row) const {
  const bool known = row.model < store_.schema().models.size();
  return of_values(row.model, known && !row.deleted ? plain_fields(store_.schema().models[row.model]) : 0, row.values);
}

BytesView known_values(const ModelSchema& m, FieldMask fields, BytesView typed) {
  if ((fields & ~m.all_fields()) == 0) return typed;
  ByteReader r(typed);
  for (FieldMask left = fields & m.all_fields(); left != 0; left &= left - 1) (void)read_value_bytes(r);
  return typed.substr(0, typed.size() - r.rest().size());
}

}  // namespace starling
