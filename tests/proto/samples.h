// Random content for the tests of proto/: seeded, so that a failure comes back.
#pragma once

#include <algorithm>

#include <deque>
#include <vector>

#include "core/base/prng.h"
#include "proto/entry.h"
#include "proto/message.h"
#include "proto/state_page.h"

namespace starling::samples {

// album (shared), device (owned), file (owned, key of two columns), link (shared, nothing but a key of two columns),
// tag (shared).
[[nodiscard]] const Schema& schema();
enum : ModelIndex { kAlbum, kDevice, kFile, kLink, kTag };

[[nodiscard]] Bytes spell(std::string_view);  // spell("10 0b 'ab'"): bytes in hexadecimal and as text
[[nodiscard]] Bytes varint(std::uint64_t);
[[nodiscard]] Bytes bytes(Prng&, std::size_t length);
[[nodiscard]] Bytes typed(const ValueView&);
[[nodiscard]] Bytes value(Prng&);                                  // typed bytes of one value of any type
[[nodiscard]] Bytes key(Prng&, ModelIndex, std::uint64_t number);  // distinct for distinct numbers
[[nodiscard]] Bytes values(Prng&, FieldMask);
[[nodiscard]] Origin origin(Prng&);
[[nodiscard]] Hlc hlc(Prng&);
[[nodiscard]] VersionVector vector(Prng&, std::size_t origins);
[[nodiscard]] Message message(Prng&, std::size_t kind);  // kind: the index in the variant

// An entry's header and changes, with the bytes that the changes look into.
struct Transaction {
  EntryHeader header;
  std::vector<Change> changes;
  std::deque<Bytes> bytes;

  BytesView keep(Bytes b) { return bytes.emplace_back(std::move(b)); }
};
[[nodiscard]] EntryHeader header(Prng&);
// In the order in which changes become small: by model, operation, fields and key.
[[nodiscard]] Transaction transaction(Prng&, std::size_t changes);

struct Page {
  Rev from, to;
  std::vector<StateRow> rows;
  std::deque<Bytes> bytes;

  [[nodiscard]] Bytes encode() const;
};
[[nodiscard]] Page page(Prng&, std::size_t rows);

[[nodiscard]] bool same(const EntryHeader&, const EntryHeader&);
[[nodiscard]] bool same(const std::vector<Change>&, const std::vector<Change>&);
[[nodiscard]] bool same(const std::vector<StateRow>&, const std::vector<StateRow>&);

// What new takes while it lives: hostile bytes must not make the codec take much.
class Allocations {
 public:
  Allocations();
  ~Allocations();
  [[nodiscard]] std::size_t total() const;  // all that was taken, whether or not it was given back
  [[nodiscard]] std::size_t peak() const;   // the most that was held at one time
};

// Calls `with` on every prefix of `good`, then with every byte of it changed to every other value.
template <class F>
void mangle(BytesView good, F with) {
  for (std::size_t n = 0; n < good.size(); ++n) with(Bytes(good.substr(0, n)));
  Bytes bad(good);
  for (std::size_t at = 0; at < bad.size(); ++at) {
    for (unsigned x = 1; x < 256; ++x) {
      bad[at] = static_cast<char>(static_cast<std::uint8_t>(good[at]) ^ x);
      with(bad);
    }
    bad[at] = good[at];
  }
}

// Whether all of it is of models and fields that the schema has: only such rows it can encode.
inline bool fits(const DecodedEntry& entry, const Schema& schema) {
  return entry.unknown.empty() && std::all_of(entry.changes.begin(), entry.changes.end(), [&](const Change& c) {
    return (c.fields & ~schema.models[c.model].all_fields()) == 0;
  });
}
inline bool fits(const DecodedStatePage& page, const Schema&) {
  return std::all_of(page.rows.begin(), page.rows.end(), [](const StateRow& row) { return !row.columns; }) && page.unknown.empty();
}

}  // namespace starling::samples
