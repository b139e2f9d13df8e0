// Entries and pages from simple lines, whatever the lines hold: what properties and fuzzing make their content of.
#pragma once

#include <algorithm>
#include <tuple>
#include <vector>

#include "proto/model_table.h"
#include "tests/proto/samples.h"

namespace starling::samples {

// One change of an entry, or one row of a page; what does not fit its model is left out.
struct Line {
  unsigned model = 0;  // of those that fit
  unsigned op = 0;     // 0 insert, 1 update, 2 erase; rows: 2 deleted
  unsigned fields = 1;
  unsigned author = 0;  // of the generation
  std::int64_t ms = 0;  // of the generation; rows: to the next revision
  Bytes more_key;
  std::vector<Bytes> values;
};

// The `n`th of the fields in `of`, as `pick` says; never none.
[[nodiscard]] inline FieldMask picked(FieldMask of, unsigned pick) {
  FieldMask some = 0;
  for (FieldMask rest = of; rest != 0; rest &= rest - 1, pick >>= 1U) some |= (pick & 1U) != 0 ? rest & (~rest + 1) : 0;
  return some == 0 ? of : some;
}

[[nodiscard]] inline Bytes key_of(const Line& line, ModelIndex model, std::size_t number) {
  Bytes key = typed(ValueView::of(static_cast<std::int64_t>(number)));
  if (schema().models[model].key.size() > 1) key += line.more_key;
  return key;
}

[[nodiscard]] inline Bytes values_of(const Line& line, FieldMask fields) {
  Bytes values;
  std::size_t next = 0;
  for (FieldMask rest = fields; rest != 0; rest &= rest - 1) values += line.values[next++ % line.values.size()];
  return values;
}

[[nodiscard]] inline Transaction transaction_of(const std::vector<Line>& lines, std::uint64_t seed) {
  Prng prng(seed);
  Transaction t;
  t.header = header(prng);
  std::vector<Origin> authors{t.header.origin, origin(prng), origin(prng), origin(prng)};
  for (const auto& [author, position] : t.header.dependencies) authors.push_back(author);
  constexpr ModelIndex kShared[] = {kAlbum, kLink, kTag};
  for (const Line& line : lines) {
    Change c;
    c.model = kShared[line.model];
    const FieldMask plain = plain_fields(schema().models[c.model]);
    c.op = static_cast<Op>(line.op);
    if (plain == 0 && c.op == Op::update) c.op = Op::erase;
    const Hlc before{t.header.hlc.packed + static_cast<std::uint64_t>(line.ms * 65'536 + line.author % 2)};
    c.generation = c.op == Op::insert ? t.header.stamp() : Stamp{before, authors[line.author % authors.size()]};
    c.fields = c.op == Op::insert ? plain : c.op == Op::update ? picked(plain, line.fields) : 0;
    c.key = t.keep(key_of(line, c.model, t.changes.size()));
    c.values = t.keep(values_of(line, c.fields));
    t.changes.push_back(c);
  }
  std::stable_sort(t.changes.begin(), t.changes.end(), [](const Change& a, const Change& b) {
    return std::tie(a.model, a.op, a.fields) < std::tie(b.model, b.op, b.fields);
  });
  return t;
}

[[nodiscard]] inline Page page_of(const std::vector<Line>& lines, std::uint64_t from) {
  Page p;
  p.from = Rev{from};
  Rev rev = p.from;
  for (const Line& line : lines) {
    rev.value += static_cast<std::uint64_t>(1 + (line.ms > 0 ? line.ms * 300 : 0));
    StateRow row;
    row.model = line.model == 0 ? kDevice : kFile;
    row.rev = rev;
    row.deleted = line.op == 2;
    row.key = p.bytes.emplace_back(key_of(line, row.model, p.rows.size()));
    if (!row.deleted) row.values = p.bytes.emplace_back(values_of(line, plain_fields(schema().models[row.model])));
    p.rows.push_back(row);
  }
  p.to = rev;
  return p;
}

}  // namespace starling::samples
