// What ADR 0004 weighs our entries against: the same content row by row, and in Cap'n Proto's own structs.
//
// No more than the measurement needs: the header is ours, nothing is checked that ours would not check.
#pragma once

#include <capnp/any.h>
#include <capnp/message.h>
#include <capnp/serialize.h>

#include <bit>
#include <cstring>

#include "proto/entry.h"
#include "proto/value_head.h"

namespace starling::bench {

inline Bytes head_bytes(const EntryHeader& header) { return encode_entry(header, {}, Schema()).value(); }

inline std::size_t touch(BytesView values) {
  std::size_t sum = 0;
  for (ByteReader r(values); !r.rest().empty();) sum += read_value(r).bytes.size();
  return sum;
}

// The same header, then change after change.
inline Bytes encode_rows(const EntryHeader& header, const std::vector<Change>& changes) {
  ByteWriter w;
  w.raw(head_bytes(header));
  for (const Change& c : changes) {
    w.varint(c.model << 2 | static_cast<unsigned>(c.op));
    w.varint(c.fields);
    if (c.op != Op::insert) w.zigzag(static_cast<std::int64_t>(header.hlc.packed - c.generation.hlc.packed));
    w.raw(c.key);
    w.raw(c.values);
  }
  return w.take();
}

inline std::size_t decode_rows(BytesView bytes) {
  const EntryHeader header = decode_entry_header(bytes).value();
  ByteReader r(bytes.substr(head_bytes(header).size()));
  std::vector<Change> changes;
  while (!r.rest().empty()) {
    Change c{0, static_cast<Op>(r.varint() & 3), {}, {}, r.varint(), {}};
    if (c.op != Op::insert) c.generation.hlc.packed = header.hlc.packed - static_cast<std::uint64_t>(r.zigzag());
    c.key = read_bounded_value(r);
    const BytesView values = r.rest();
    for (int n = std::popcount(c.fields); n > 0; --n) (void)read_bounded_value(r);
    c.values = values.substr(0, values.size() - r.rest().size());
    changes.push_back(c);
  }
  std::size_t sum = 0;
  for (const Change& c : changes) sum += touch(c.values);
  return sum;
}

// struct Entry { header, 8 words; changes :List(Change) }, struct Change { op, fields, generation, origin, id, 6 words;
// columns :List(Column) }, struct Column { type and number, 2 words; bytes :Data }.
inline Bytes encode_capnp(const EntryHeader& header, const std::vector<Change>& list) {
  capnp::MallocMessageBuilder message(static_cast<unsigned>(list.size() * 40 + 64));
  auto root = message.getRoot<capnp::AnyPointer>().initAsAnyStruct(8, 1);
  std::memcpy(root.getDataSection().begin(), header.origin.device.raw.data(), 16);
  auto changes = root.getPointerSection()[0].initAsListOfAnyStruct(6, 1, static_cast<unsigned>(list.size()));
  for (unsigned i = 0; i < list.size(); ++i) {
    const Change& c = list[i];
    const std::uint64_t words[] = {static_cast<std::uint64_t>(c.op), c.fields, c.generation.hlc.packed, 0};
    std::memcpy(changes[i].getDataSection().begin(), words, sizeof words);
    std::memcpy(changes[i].getDataSection().begin() + sizeof words, c.key.data() + 1, 16);
    auto columns =
        changes[i].getPointerSection()[0].initAsListOfAnyStruct(2, 1, static_cast<unsigned>(std::popcount(c.fields)));
    ByteReader r(c.values);
    for (auto column : columns) {
      const ValueView v = read_value(r);
      const std::uint64_t value[] = {static_cast<std::uint64_t>(v.type), static_cast<std::uint64_t>(v.integer)};
      std::memcpy(column.getDataSection().begin(), value, sizeof value);
      if (v.bytes.empty()) continue;
      column.getPointerSection()[0].setAs<capnp::Data>(
          capnp::Data::Reader(reinterpret_cast<const capnp::byte*>(v.bytes.data()), v.bytes.size()));
    }
  }
  const auto flat = capnp::messageToFlatArray(message);
  return {flat.asChars().begin(), flat.asChars().size()};
}

inline std::size_t decode_capnp(BytesView bytes) {
  const kj::ArrayPtr<const capnp::word> words(reinterpret_cast<const capnp::word*>(bytes.data()), bytes.size() / 8);
  capnp::FlatArrayMessageReader message(words, {.traversalLimitInWords = 2 * words.size() + 64, .nestingLimit = 16});
  std::size_t sum = 0;
  const auto changes = message.getRoot<capnp::AnyStruct>().getPointerSection()[0].getAs<capnp::AnyList>();
  for (const auto change : changes.as<capnp::List<capnp::AnyStruct>>()) {
    sum += change.getDataSection().back();
    const auto columns = change.getPointerSection()[0].getAs<capnp::AnyList>();
    for (const auto column : columns.as<capnp::List<capnp::AnyStruct>>()) {
      sum += column.getPointerSection()[0].getAs<capnp::Data>().size() + column.getDataSection()[0];
    }
  }
  return sum;
}

}  // namespace starling::bench
