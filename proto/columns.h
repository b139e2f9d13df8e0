// Rows of one shape, column by column: what entries and state pages are made of.
//
// Side by side, the values of one column repeat each other, and they stay apart from the random bytes of keys, which
// spoil the entropy coding of their neighbours. That makes a batch smaller before compression and after it (ADR 0004).
// Rows are put together again on reading, so that nobody else needs to know.
//
//   one row     its typed bytes, as they are
//   more rows   for each column a form byte, then:
//     plain        heads, then payloads. A head is a value's type and length as in value.h; a payload is the rest
//     prefix       heads, then for each value how many bytes its payload shares with the one before (one byte, as
//                  many as there are, at most 255), then what is left of the payloads
//     dictionary   count (one byte), that many typed values ascending, then for each row the number of its value (one
//                  byte; none if the count is 1)
//   Bit 4 of the form byte, in plain and prefix: all heads are alike and stand there once. It must be set if they are.
//
// Which form a column takes is the writer's choice; all else has one encoding.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/limits.h"

namespace starling {

inline constexpr std::size_t kRunMax = 4096;  // rows of one run

enum class ColumnForm : std::uint8_t { plain = 0, prefix = 1, dictionary = 2 };
inline constexpr std::uint8_t kOneHead = 0x10;
inline constexpr std::size_t kSharedMax = 255;
inline constexpr std::size_t kDistinctMax = 255;
inline constexpr std::size_t kGrownMax = 16 * limits::kFrameMax;  // rows of an older schema with the fields they lack
inline constexpr std::size_t kGrownEntryMax = 4 * limits::kEntryMax;  // the same, of an entry

// Keeps its scratch memory from run to run.
class ColumnWriter {
 public:
  // `rows`: at least one, each the typed bytes of so many values. ASSERTs that they are.
  void write(ByteWriter& out, std::span<const BytesView> rows, std::size_t columns);

 private:
  struct Cell {
    const char* bytes = nullptr;
    std::uint32_t head_size = 0;  // of type and length
    std::uint32_t size = 0;       // of head and payload
    [[nodiscard]] BytesView value() const { return {bytes, size}; }
    [[nodiscard]] BytesView head() const { return {bytes, head_size}; }
    [[nodiscard]] BytesView payload() const { return {bytes + head_size, size - head_size}; }
  };
  using Column = std::span<const Cell>;

  void split(std::span<const BytesView> rows, std::size_t columns);
  void write_column(ByteWriter& out, Column);
  void write_cells(ByteWriter& out, Column, ColumnForm) const;
  void write_dictionary(ByteWriter& out);
  std::size_t find_shared(Column);           // fills shared_; gives the sum
  [[nodiscard]] bool find_distinct(Column);  // fills distinct_ and numbers_; false: too many

  std::vector<Cell> cells_;  // column after column
  std::vector<std::uint8_t> shared_;
  std::vector<BytesView> distinct_;    // in order of appearance
  std::vector<std::uint8_t> numbers_;  // of each row's value in distinct_
  std::vector<std::uint16_t> slots_;   // hash table over distinct_
};

// What rows are put together in. Its blocks never move, so views into them survive a move of the arena. The budget is
// counted in bytes of rows, wherever they stand: it bounds how far hostile bytes can swell.
class Arena {
 public:
  explicit Arena(std::size_t budget) : left_(budget) {}

  [[nodiscard]] bool charge(std::size_t n);  // false: beyond the budget
  [[nodiscard]] char* take(std::size_t n);   // charges; nullptr: beyond the budget

 private:
  std::size_t left_;
  std::vector<std::unique_ptr<char[]>> blocks_;
};

// Gives each row as the typed bytes of `columns` values: a view into the reader's bytes if it is the only row, else
// into the arena. Fails the reader on what a ColumnWriter cannot have written and when the budget is used up.
void read_columns(ByteReader&, std::size_t columns, Arena&, std::span<BytesView> rows);

// Puts `added` behind each row, in one block of the arena. False: beyond the budget.
[[nodiscard]] bool append_to_each(std::span<BytesView> rows, BytesView added, Arena&);

// Signed as unsigned, so that a small difference of either sign is a short varint.
[[nodiscard]] constexpr std::uint64_t to_zigzag(std::int64_t v) {
  return (static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63);
}
[[nodiscard]] constexpr std::int64_t from_zigzag(std::uint64_t v) {
  return static_cast<std::int64_t>(v >> 1) ^ -static_cast<std::int64_t>(v & 1);
}

// Numbers of a run. One: a varint. More: 0 and one varint if they are all alike, else 1 and a varint for each.
void write_numbers(ByteWriter&, std::span<const std::uint64_t>);
void read_numbers(ByteReader&, std::span<std::uint64_t>);

}  // namespace starling
