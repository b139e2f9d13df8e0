// What the properties of proto/ are tried with: rows, changes and messages that rapidcheck makes, and makes smaller.
#pragma once

#include <ostream>

#include "tests/property.h"
#include "tests/proto/lines.h"

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

}  // namespace starling::samples
