#include "core/base/model_shape.h"

#include <algorithm>

#include "core/base/sha256.h"

namespace starling {
namespace {

std::uint64_t hash64(const ByteWriter& w) {
  const Hash128 hash = hash128(w.bytes());
  ByteReader r(hash.view());
  return r.be64();
}

}  // namespace

ModelShape shape_of(const ModelSchema& m) {
  ByteWriter head;
  head.blob(m.name);
  head.u8(static_cast<std::uint8_t>(m.kind));
  ModelShape shape{hash64(head)};
  for (const FieldSchema& f : m.fields) {
    ByteWriter w;
    w.blob(f.name);
    w.u8(static_cast<std::uint8_t>(f.affinity));
    w.blob(f.default_sql);
    w.varint(static_cast<std::uint64_t>(f.key_position));
    shape.push_back(hash64(w));
  }
  return shape;
}

Expected<void> check_shape(const ModelSchema& ours, const ModelShape& theirs) {
  const ModelShape mine = shape_of(ours);
  const auto refuse = [](std::string what, std::string where) {
    return Error{Errc::schema, std::move(what), std::move(where),
                 "run versions of the application on both of which one has grown out of the other by columns at the end"};
  };
  if (theirs.empty() || theirs.front() != mine.front()) return refuse("the model is of another kind on the peer", ours.name);
  const std::size_t common = std::min(mine.size(), theirs.size());
  for (std::size_t i = 1; i < common; ++i) {
    if (mine[i] == theirs[i]) continue;
    return refuse("column " + std::to_string(i) + " of the model has another name, type, default or place on the peer",
                  ours.name + "." + ours.fields[i - 1].name);
  }
  const std::size_t keys = ours.key.empty() ? 0 : *std::max_element(ours.key.begin(), ours.key.end()) + std::size_t{1};
  if (theirs.size() <= keys) return refuse("the model has another key on the peer", ours.name);
  return {};
}

}  // namespace starling
