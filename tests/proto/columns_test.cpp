#include "proto/columns.h"

#include <doctest/doctest.h>

#include <functional>

#include "core/base/limits.h"
#include "tests/proto/samples.h"

using namespace starling;

namespace {

using Table = std::vector<std::vector<Bytes>>;  // rows of typed values

std::vector<Bytes> rows_of(const Table& table) {
  std::vector<Bytes> rows;
  for (const auto& values : table) {
    Bytes& row = rows.emplace_back();
    for (const Bytes& value : values) row += value;
  }
  return rows;
}

Bytes write(const std::vector<Bytes>& rows, std::size_t columns) {
  ByteWriter w;
  const std::vector<BytesView> views(rows.begin(), rows.end());
  ColumnWriter().write(w, views, columns);
  return w.take();
}

// The rows, or nothing where the bytes are malformed.
std::vector<Bytes> read(BytesView bytes, std::size_t rows, std::size_t columns,
                        std::size_t budget = limits::kEntryMax) {
  Arena arena(budget);
  std::vector<BytesView> views(rows);
  ByteReader r(bytes);
  read_columns(r, columns, arena, views);
  return r.done() ? std::vector<Bytes>(views.begin(), views.end()) : std::vector<Bytes>();
}

std::vector<Bytes> two_rows(std::string_view spelt) { return read(samples::spell(spelt), 2, 1); }
bool malformed(std::string_view spelt) { return two_rows(spelt).empty(); }

// One column of `rows` values that `value` makes; gives its form byte.
unsigned check_column(std::size_t rows, const std::function<Bytes(std::size_t)>& value) {
  Table table;
  for (std::size_t i = 0; i < rows; ++i) table.push_back({value(i)});
  const std::vector<Bytes> wanted = rows_of(table);
  const Bytes bytes = write(wanted, 1);
  CHECK(read(bytes, rows, 1) == wanted);
  return static_cast<std::uint8_t>(bytes.front());
}

Bytes text(std::string_view s) { return samples::typed(ValueView::text(s)); }
Bytes integer(std::int64_t v) { return samples::typed(ValueView::of(v)); }

}  // namespace

TEST_CASE("each kind of column takes the form that suits it") {
  Prng prng(1);
  const auto random_id = [&](std::size_t) { return samples::typed(ValueView::blob(samples::bytes(prng, 16))); };
  CHECK(check_column(100, random_id) == 0x10);
  const auto unlike = [&](std::size_t i) { return samples::typed(ValueView::blob(samples::bytes(prng, i))); };
  CHECK(check_column(100, unlike) == 0x00);
  CHECK(check_column(100, [](std::size_t i) { return text("/home/someone/" + std::to_string(i)); }) == 0x01);
  CHECK(check_column(90, [](std::size_t i) { return text("/home/someone/" + std::to_string(10 + i)); }) == 0x11);
  CHECK(check_column(100, [](std::size_t i) { return text(i % 3 == 0 ? "red" : "green"); }) == 0x02);
  CHECK(check_column(100, [](std::size_t) { return text("always the same"); }) == 0x02);
  CHECK(check_column(kRunMax, [](std::size_t) { return samples::typed(ValueView::null()); }) == 0x02);
  CHECK(check_column(1000, [](std::size_t i) { return integer(static_cast<std::int64_t>(i % 255)); }) == 0x02);
  CHECK(check_column(1000, [](std::size_t i) { return integer(static_cast<std::int64_t>(i % 256)); }) == 0x00);
  const auto millis = [](std::size_t i) { return integer(static_cast<std::int64_t>(1'760'000'000'000 + i * 1000)); };
  CHECK(check_column(100, millis) == 0x11);
}

TEST_CASE("random tables come back") {
  Prng prng(2);
  for (int round = 0; round < 300; ++round) {
    const std::size_t rows = 1 + prng.below(round % 20 == 0 ? kRunMax : 12);
    const std::size_t columns = prng.below(6);
    Table table(rows);
    for (auto& values : table) {
      for (std::size_t i = 0; i < columns; ++i) values.push_back(samples::value(prng));
    }
    const std::vector<Bytes> wanted = rows_of(table);
    const Bytes bytes = write(wanted, columns);
    REQUIRE(read(bytes, rows, columns) == wanted);
    if (rows == 1) CHECK(bytes == wanted.front());
  }
}

TEST_CASE("bytes of a long prefix and values of great length come back") {
  const std::string long_text(100'000, 'x');
  CHECK(check_column(3, [&](std::size_t i) { return text(long_text + std::to_string(i)); }) == 0x11);
  CHECK(check_column(3, [&](std::size_t i) { return text(long_text.substr(0, i * 300)); }) == 0x01);
}

// Two rows of one column; 0b is the head of a text of one byte, 13 of two.
TEST_CASE("only plain columns that a writer makes are read") {
  CHECK(two_rows("10 0b 'ab'") == std::vector{text("a"), text("b")});
  CHECK(malformed("00 0b 0b 'ab'"));    // one head would have done
  CHECK(malformed("20 0b 'ab'"));       // no such flag
  CHECK(malformed("13 0b 'ab'"));       // no such form
  CHECK(malformed("10 0b 'a'"));        // too short
  CHECK(malformed("10 0d 'ab'"));       // no such type
  CHECK(malformed("10 10 0000 0000"));  // NULL has no bytes
  CHECK(two_rows("10 09 01 02") == std::vector{integer(1), integer(2)});
  CHECK(malformed("10 09 01 00"));                              // 0 has none either
  CHECK(malformed("10 42 7ff8000000000000 7ff8000000000000"));  // NaN
  CHECK(malformed("10 fb ffffffff0f"));                         // a text of 4 GiB
}

TEST_CASE("only prefixes that a writer makes are read") {
  CHECK(two_rows("11 13 00 01 'aba'") == std::vector{text("ab"), text("aa")});
  CHECK(malformed("11 13 00 00 'abac'"));    // more is shared
  CHECK(malformed("11 13 01 00 'abc'"));     // nothing stands before the first
  CHECK(malformed("01 23 03 00 05 'abc'"));  // more is shared than there is
  CHECK(malformed("01 23 03 00 04"));        // the same; by the sums, it agrees
}

TEST_CASE("only dictionaries that a writer makes are read") {
  CHECK(two_rows("02 01 0b 'a'") == std::vector{text("a"), text("a")});
  CHECK(two_rows("02 02 0b 'a' 0b 'b' 01 00") == std::vector{text("b"), text("a")});
  CHECK(malformed("02 00"));                      // no value
  CHECK(malformed("12 01 0b 'a'"));               // a flag that says nothing
  CHECK(malformed("02 02 0b 'b' 0b 'a' 01 00"));  // out of order
  CHECK(malformed("02 02 0b 'a' 0b 'a' 01 00"));  // twice the same
  CHECK(malformed("02 02 0b 'a' 0b 'b' 00 00"));  // one unused
  CHECK(malformed("02 02 0b 'a' 0b 'b' 00 02"));  // one that is not there
}

TEST_CASE("rows beyond the budget are refused before they are put together") {
  const std::vector<Bytes> rows(kRunMax, text(std::string(1000, 'x')));
  const Bytes bytes = write(rows, 1);
  CHECK(bytes.size() < 1100);
  CHECK(read(bytes, kRunMax, 1, rows.size() * rows.front().size()) == rows);
  const samples::Allocations allocations;
  CHECK(read(bytes, kRunMax, 1, rows.size() * rows.front().size() - 1).empty());
  CHECK(allocations.total() < 300'000);
}

TEST_CASE("mangled columns are refused, or mean other rows that are written alike") {
  Prng prng(3);
  const std::vector<Table> tables = {
      {{text("/a/b/c/d/1"), integer(100'000)}, {text("/a/b/c/d/2"), integer(-1)}, {text("/a/b/c/d/"), integer(0)}},
      {{text("red")}, {text("red")}, {text("blue")}, {text("red")}},
      {{samples::value(prng), samples::value(prng)}, {samples::value(prng), samples::value(prng)}},
  };
  for (const Table& table : tables) {
    const std::size_t columns = table.front().size();
    samples::mangle(write(rows_of(table), columns), [&](const Bytes& bad) {
      const std::vector<Bytes> rows = read(bad, table.size(), columns);
      if (!rows.empty()) REQUIRE(read(write(rows, columns), table.size(), columns) == rows);
    });
  }
}

TEST_CASE("numbers of a run") {
  const std::vector<std::vector<std::uint64_t>> lists = {{}, {7}, {5, 5, 5}, {1, 2, ~0ULL}, {0, 0}};
  const std::string_view spelt[] = {"", "07", "00 05", "01 01 02 ffffffffffffffffff01", "00 00"};
  for (std::size_t i = 0; i < lists.size(); ++i) {
    ByteWriter w;
    write_numbers(w, lists[i]);
    CHECK(w.bytes() == samples::spell(spelt[i]));
    std::vector<std::uint64_t> read(lists[i].size());
    ByteReader r(w.bytes());
    read_numbers(r, read);
    CHECK(r.done());
    CHECK(read == lists[i]);
  }
  for (const std::string_view bad : {"01 05 05 05", "02 05 05 05", "01 05 05", ""}) {
    const Bytes bytes = samples::spell(bad);
    std::vector<std::uint64_t> read(3);
    ByteReader r(bytes);
    read_numbers(r, read);
    CHECK_FALSE(r.done());
  }
  for (const std::int64_t v : {std::int64_t{0}, std::int64_t{-1}, INT64_MAX, INT64_MIN})
    CHECK(from_zigzag(to_zigzag(v)) == v);
}
