#include <algorithm>
#include <functional>

#include "core/base/assert.h"
#include "proto/columns.h"
#include "proto/value_head.h"

namespace starling {
namespace {

constexpr std::size_t kSlots = 512;  // twice the values of a dictionary, so that probing stays short

std::size_t shared_bytes(BytesView a, BytesView b) {
  const std::size_t most = std::min({a.size(), b.size(), kSharedMax});
  std::size_t n = 0;
  while (n < most && a[n] == b[n]) ++n;
  return n;
}

}  // namespace

void ColumnWriter::write(ByteWriter& out, std::span<const BytesView> rows, std::size_t columns) {
  ASSERT(!rows.empty() && rows.size() <= kRunMax);
  split(rows, columns);
  if (rows.size() == 1) {
    out.raw(rows.front());
    return;
  }
  for (std::size_t i = 0; i < columns; ++i) write_column(out, Column(cells_).subspan(i * rows.size(), rows.size()));
}

void ColumnWriter::split(std::span<const BytesView> rows, std::size_t columns) {
  cells_.resize(rows.size() * columns);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    ByteReader r(rows[row]);
    for (std::size_t column = 0; column < columns; ++column) {
      const BytesView from = r.rest();
      const ValueHead head = read_value_head(r);
      const std::size_t head_size = from.size() - r.rest().size();
      (void)r.raw(head.length);
      cells_[column * rows.size() + row] = {from.data(), static_cast<std::uint32_t>(head_size),
                                            static_cast<std::uint32_t>(head_size + head.length)};
    }
    ASSERT(r.done());
  }
}

// The form that makes the column shortest, except that sharing must save more than it costs: a prefix that is cut off
// is also lost to the compressor, which would have found most of it.
void ColumnWriter::write_column(ByteWriter& out, Column column) {
  const std::size_t shared = find_shared(column);
  const ColumnForm form = shared > 2 * column.size() ? ColumnForm::prefix : ColumnForm::plain;
  if (find_distinct(column)) {
    std::size_t dictionary = distinct_.size() == 1 ? 0 : column.size();
    for (const BytesView value : distinct_) dictionary += value.size();
    std::size_t cells = form == ColumnForm::prefix ? column.size() - shared : 0;
    for (const Cell& cell : column) cells += cell.size;
    if (dictionary <= cells) return write_dictionary(out);
  }
  write_cells(out, column, form);
}

void ColumnWriter::write_cells(ByteWriter& out, Column column, ColumnForm form) const {
  const BytesView first = column.front().head();
  const bool one_head = std::all_of(column.begin(), column.end(), [&](const Cell& c) { return c.head() == first; });
  out.u8(static_cast<std::uint8_t>(static_cast<std::uint8_t>(form) | (one_head ? kOneHead : 0)));
  if (one_head) {
    out.raw(first);
  } else {
    for (const Cell& cell : column) out.raw(cell.head());
  }
  if (form == ColumnForm::plain) {
    for (const Cell& cell : column) out.raw(cell.payload());
    return;
  }
  for (const std::uint8_t n : shared_) out.u8(n);
  for (std::size_t row = 0; row < column.size(); ++row) out.raw(column[row].payload().substr(shared_[row]));
}

std::size_t ColumnWriter::find_shared(Column column) {
  shared_.resize(column.size());
  std::size_t sum = 0;
  BytesView before;
  for (std::size_t row = 0; row < column.size(); ++row) {
    const BytesView payload = column[row].payload();
    const std::size_t n = shared_bytes(before, payload);
    shared_[row] = static_cast<std::uint8_t>(n);
    sum += n;
    before = payload;
  }
  return sum;
}

bool ColumnWriter::find_distinct(Column column) {
  const std::size_t most = std::min(kDistinctMax, column.size() / 2);
  slots_.assign(kSlots, 0);
  distinct_.clear();
  numbers_.resize(column.size());
  for (std::size_t row = 0; row < column.size(); ++row) {
    const BytesView value = column[row].value();
    std::size_t slot = std::hash<BytesView>{}(value) % kSlots;
    while (slots_[slot] != 0 && distinct_[slots_[slot] - 1U] != value) slot = (slot + 1) % kSlots;
    if (slots_[slot] == 0) {
      if (distinct_.size() == most) return false;
      distinct_.push_back(value);
      slots_[slot] = static_cast<std::uint16_t>(distinct_.size());
    }
    numbers_[row] = static_cast<std::uint8_t>(slots_[slot] - 1);
  }
  return true;
}

void ColumnWriter::write_dictionary(ByteWriter& out) {
  std::vector<BytesView> sorted = distinct_;
  std::sort(sorted.begin(), sorted.end());
  out.u8(static_cast<std::uint8_t>(ColumnForm::dictionary));
  out.u8(static_cast<std::uint8_t>(sorted.size()));
  for (const BytesView value : sorted) out.raw(value);
  if (sorted.size() == 1) return;
  std::vector<std::uint8_t> place(sorted.size());  // from number of appearance to number in order
  for (std::size_t i = 0; i < place.size(); ++i) {
    const auto at = std::lower_bound(sorted.begin(), sorted.end(), distinct_[i]);
    place[i] = static_cast<std::uint8_t>(at - sorted.begin());
  }
  for (const std::uint8_t number : numbers_) out.u8(place[number]);
}

void write_numbers(ByteWriter& out, std::span<const std::uint64_t> numbers) {
  if (numbers.size() > 1) {
    const bool alike = std::all_of(numbers.begin(), numbers.end(), [&](auto n) { return n == numbers.front(); });
    out.u8(alike ? 0 : 1);
    if (alike) numbers = numbers.first(1);
  }
  for (const std::uint64_t n : numbers) out.varint(n);
}

}  // namespace starling
