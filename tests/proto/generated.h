// What the properties of proto/ are tried with: rows, changes and messages that rapidcheck makes, and makes smaller.
#pragma once

#include <algorithm>
#include <ostream>
#include <tuple>
#include <vector>

#include "proto/model_table.h"
#include "tests/property.h"
#include "tests/proto/samples.h"

namespace starling::samples {

// Values that repeat, share beginnings or are alone, so that columns take every form.
[[nodiscard]] inline rc::Gen<Bytes> any_value() {
  namespace gen = rc::gen;
  const auto text = gen::container<std::string>(gen::inRange('a', 'd'));
  return gen::weightedOneOf<Bytes>(
      {{1, gen::just(typed(ValueView::null()))},
       {3, gen::map(gen::inRange<std::int64_t>(-3, 4), [](std::int64_t v) { return typed(ValueView::of(v)); })},
       {1, gen::map(gen::arbitrary<std::int64_t>(), [](std::int64_t v) { return typed(ValueView::of(v)); })},
       {1, gen::map(gen::inRange(-9, 9), [](int v) { return typed(ValueView::of(v / 8.0)); })},
       {2, gen::map(gen::element<std::string>("red", "green", ""),
                    [](const std::string& v) { return typed(ValueView::text(v)); })},
       {2, gen::map(gen::resize(8, text),
                    [](const std::string& v) { return typed(ValueView::text("/home/someone/pictures/" + v)); })},
       {1, gen::map(text, [](const std::string& v) { return typed(ValueView::text(v)); })},
       {2, gen::map(gen::container<std::string>(gen::arbitrary<char>()),
                    [](const std::string& v) { return typed(ValueView::blob(v)); })}});
}

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

inline void showValue(const Line& line, std::ostream& out) {
  out << "model " << line.model << ", op " << line.op << ", fields " << line.fields << ", author " << line.author
      << ", ms " << line.ms << ", key … " << describe_values(line.more_key) << ", values ";
  for (const Bytes& value : line.values) out << describe_values(value) << ' ';
}

[[nodiscard]] inline rc::Gen<std::vector<Line>> any_lines() {
  namespace gen = rc::gen;
  const auto line = gen::apply(
      [](unsigned model, unsigned op, unsigned fields, unsigned author, std::int64_t ms, Bytes key,
         std::vector<Bytes> values) { return Line{model, op, fields, author, ms, std::move(key), std::move(values)}; },
      gen::inRange(0U, 3U), gen::inRange(0U, 3U), gen::inRange(1U, 16U), gen::inRange(0U, 5U),
      gen::inRange<std::int64_t>(-2, 3), any_value(), gen::container<std::vector<Bytes>>(4, any_value()));
  return gen::container<std::vector<Line>>(line);
}

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
