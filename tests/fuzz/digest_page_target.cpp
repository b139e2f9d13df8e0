// What a peer answers when digests are compared: any bytes as one of the bodies, and rows that can be built of them.
#include <bit>

#include "proto/digest_page.h"
#include "tests/fuzz/built.h"
#include "tests/fuzz/promise.h"
#include "tests/fuzz/target.h"

namespace starling::fuzz {
namespace {

const ModelSchema& model_of(Kind kind) {
  for (const ModelSchema& m : schema().models)
    if (m.kind == kind) return m;
  throw std::logic_error("no model of that kind");
}

Bytes encoded(const std::vector<RepairRow>& rows, Kind kind) {
  RepairPageWriter page(kind);
  for (const RepairRow& row : rows) page.add(row);
  return page.finish();
}

void check_rows(BytesView body, Kind kind) {
  const ModelSchema& model = model_of(kind);
  const auto [rows, peak] = measured([&] { return decode_repair_rows(body, model); });
  promise_memory(peak, (3 * sizeof(RepairRow) + kPlainFactor) * body.size());
  if (!rows) return promise_refusal(rows.error());
  promise(encoded(*rows, kind) == body, "it encodes to another");
}

void check_groups(BytesView body) {
  const Schema& models = schema();
  const auto [groups, peak] = measured([&] { return decode_groups(body, models); });
  promise_memory(peak, 3 * kPlainFactor * body.size());
  if (!groups) return promise_refusal(groups.error());
  promise(encode_groups(*groups) == body, "it encodes to another");
}

void check_ranges(BytesView body) {
  const Expected<RangeSums> sums = decode_ranges(body);
  if (!sums) return promise_refusal(sums.error());
  promise(encode_ranges(*sums) == body, "it encodes to another");
}

Bytes rows_of(Prng& prng, Kind kind, std::size_t count) {
  const ModelSchema& m = model_of(kind);
  const ModelIndex index = schema().index_of(m);
  RepairPageWriter page(kind);
  for (std::size_t i = 0; i < count; ++i) {
    const FieldMask fields = m.all_fields() & ~m.key_fields();
    const Bytes key = samples::key(prng, index, i), values = samples::values(prng, fields);
    RepairRow row{key, Rev{prng.below(1000)}, {{samples::hlc(prng), samples::origin(prng)}, std::nullopt, {}}, values};
    if (prng.chance(50))
      row.version.set(static_cast<FieldIndex>(std::countr_zero(fields)), {samples::hlc(prng), samples::origin(prng)});
    page.add(row);
  }
  return page.finish();
}

}  // namespace

void check_digest_page(BytesView bytes) {
  if (bytes.empty()) return;
  const BytesView body = bytes.substr(1);
  switch (bytes.front() & 3) {
    case 0: return check_groups(body);
    case 1: return check_ranges(body);
    case 2: return check_rows(body, Kind::shared);
    default: return check_rows(body, Kind::device_owned);
  }
}

std::vector<Bytes> digest_page_seeds() {
  Prng prng(500);
  const ModelIndex shared = schema().index_of(model_of(Kind::shared));
  const ModelIndex owned = schema().index_of(model_of(Kind::device_owned));
  const DigestGroup groups[] = {{shared, {}, Hash128::from(samples::bytes(prng, 16))},
                                {owned, samples::origin(prng), Hash128::from(samples::bytes(prng, 16))}};
  RangeSums sums{};
  for (std::uint64_t& sum : sums) sum = prng.next();
  std::vector<Bytes> seeds{'\0' + encode_groups({}), '\0' + encode_groups(groups), '\1' + encode_ranges(sums)};
  for (const std::size_t count : {0U, 1U, 5U}) {
    seeds.push_back('\2' + rows_of(prng, Kind::shared, count));
    seeds.push_back('\3' + rows_of(prng, Kind::device_owned, count));
  }
  return seeds;
}

}  // namespace starling::fuzz
