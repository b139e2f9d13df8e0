#include <algorithm>
#include <bitset>

#include "proto/columns.h"
#include "proto/value_head.h"

namespace starling {
namespace {

char* put(char* out, BytesView bytes) { return std::copy(bytes.begin(), bytes.end(), out); }

// One column while the rows are put together: where its next value comes from.
class ColumnCursor {
 public:
  // Reads the column's bytes; adds to `total` what its values take in the arena.
  ColumnCursor(ByteReader& r, std::size_t rows, std::size_t& total);

  // Appends the next value at `out` and gives the place behind it; nullptr: the value is not canonical.
  [[nodiscard]] char* append(char* out);

 private:
  void read_heads(ByteReader& r, std::size_t rows, bool one_head);
  void read_dictionary(ByteReader& r, std::size_t rows, std::size_t& total);
  [[nodiscard]] char* append_cell(char* out);

  ColumnForm form_ = ColumnForm::plain;
  ValueHead head_;
  BytesView one_head_;  // empty: each value has its own
  ByteReader heads_{{}};
  const char* shared_ = nullptr;
  ByteReader rest_{{}};
  BytesView before_;          // payload of the value before
  std::size_t payloads_ = 0;  // bytes of all payloads
  std::vector<BytesView> distinct_;
  const char* numbers_ = nullptr;
};

ColumnCursor::ColumnCursor(ByteReader& r, std::size_t rows, std::size_t& total) {
  const std::uint8_t form = r.u8();
  const auto low = static_cast<std::uint8_t>(form & ~kOneHead);
  if (low > static_cast<std::uint8_t>(ColumnForm::dictionary)) r.set_failed();
  form_ = static_cast<ColumnForm>(low);
  if (form_ == ColumnForm::dictionary) {
    if (form != low) r.set_failed();
    read_dictionary(r, rows, total);
    return;
  }
  const std::size_t before = r.rest().size();
  read_heads(r, rows, form != low);
  const std::size_t heads = one_head_.empty() ? before - r.rest().size() : one_head_.size() * rows;
  total += heads + payloads_;
  std::size_t shared = 0;
  if (form_ == ColumnForm::prefix) {
    const BytesView counts = r.raw(rows);
    shared_ = counts.data();
    for (const char n : counts) shared += static_cast<std::uint8_t>(n);
    if (shared > payloads_) r.set_failed();
  }
  rest_ = ByteReader(r.raw(r.failed() ? 0 : payloads_ - shared));
}

void ColumnCursor::read_heads(ByteReader& r, std::size_t rows, bool one_head) {
  const BytesView all = r.rest();
  if (one_head) {
    head_ = read_value_head(r);
    one_head_ = all.substr(0, all.size() - r.rest().size());
    payloads_ = head_.length * rows;
    return;
  }
  bool alike = true;
  BytesView first;
  for (std::size_t row = 0; row < rows && !r.failed(); ++row) {
    const BytesView from = r.rest();
    payloads_ += read_value_head(r).length;
    const BytesView head = from.substr(0, from.size() - r.rest().size());
    if (row == 0) first = head;
    alike = alike && head == first;
  }
  if (alike) r.set_failed();
  heads_ = ByteReader(all.substr(0, all.size() - r.rest().size()));
}

void ColumnCursor::read_dictionary(ByteReader& r, std::size_t rows, std::size_t& total) {
  const std::size_t count = r.u8();
  for (std::size_t i = 0; i < count && !r.failed(); ++i) {
    const BytesView value = read_bounded_value(r);
    if (i > 0 && value <= distinct_.back()) r.set_failed();
    distinct_.push_back(value);
  }
  if (count == 0) r.set_failed();
  if (r.failed()) return;
  if (count == 1) {
    total += distinct_.front().size() * rows;
    return;
  }
  const BytesView numbers = r.raw(rows);
  std::bitset<kDistinctMax + 1> used;
  for (const char c : numbers) {
    const auto number = static_cast<std::uint8_t>(c);
    if (number >= count) return r.set_failed();
    used.set(number);
    total += distinct_[number].size();
  }
  if (used.count() != count) r.set_failed();
  numbers_ = numbers.data();
}

char* ColumnCursor::append(char* out) {
  if (form_ != ColumnForm::dictionary) return append_cell(out);
  const BytesView value = numbers_ == nullptr ? distinct_.front() : distinct_[static_cast<std::uint8_t>(*numbers_++)];
  return put(out, value);
}

char* ColumnCursor::append_cell(char* const out) {
  BytesView head = one_head_;
  if (head.empty()) {
    const BytesView from = heads_.rest();
    head_ = read_value_head(heads_);
    head = from.substr(0, from.size() - heads_.rest().size());
  }
  char* const payload = put(out, head);
  const std::size_t shared = shared_ == nullptr ? 0 : static_cast<std::uint8_t>(*shared_++);
  if (shared > std::min(head_.length, before_.size())) return nullptr;
  const BytesView left = rest_.raw(head_.length - shared);
  if (rest_.failed()) return nullptr;
  // More could have been shared: another form of the same value.
  const bool may_share = shared_ != nullptr && shared < kSharedMax && shared < before_.size();
  if (may_share && !left.empty() && left.front() == before_[shared]) return nullptr;
  char* const end = put(put(payload, before_.substr(0, shared)), left);
  before_ = {payload, head_.length};
  return check_payload(head_.type, {out, head.size() + head_.length}) ? end : nullptr;
}

}  // namespace

bool Arena::charge(std::size_t n) {
  if (n > left_) return false;
  left_ -= n;
  return true;
}

char* Arena::take(std::size_t n) {
  if (!charge(n)) return nullptr;
  blocks_.push_back(std::make_unique_for_overwrite<char[]>(n));
  return blocks_.back().get();
}

bool append_to_each(std::span<BytesView> rows, BytesView added, Arena& arena) {
  std::size_t size = 0;
  for (const BytesView row : rows) size += row.size() + added.size();
  char* at = arena.take(size);
  if (at == nullptr) return false;
  for (BytesView& row : rows) {
    char* const begin = at;
    at = std::copy(row.begin(), row.end(), at);
    at = std::copy(added.begin(), added.end(), at);
    row = {begin, row.size() + added.size()};
  }
  return true;
}

void read_columns(ByteReader& r, std::size_t columns, Arena& arena, std::span<BytesView> rows) {
  if (rows.size() == 1) {
    const BytesView from = r.rest();
    for (std::size_t i = 0; i < columns; ++i) (void)read_bounded_value(r);
    rows.front() = r.failed() ? BytesView{} : from.substr(0, from.size() - r.rest().size());
    if (!arena.charge(rows.front().size())) r.set_failed();
    return;
  }
  std::vector<ColumnCursor> cursors;
  std::size_t total = 0;
  for (std::size_t i = 0; i < columns && !r.failed(); ++i) cursors.emplace_back(r, rows.size(), total);
  char* at = r.failed() ? nullptr : arena.take(total);
  if (at == nullptr) return r.set_failed();
  for (BytesView& row : rows) {
    const char* const start = at;
    for (ColumnCursor& cursor : cursors) {
      at = cursor.append(at);
      if (at == nullptr) return r.set_failed();
    }
    row = {start, static_cast<std::size_t>(at - start)};
  }
}

void read_numbers(ByteReader& r, std::span<std::uint64_t> numbers) {
  const std::uint8_t form = numbers.size() > 1 ? r.u8() : 1;
  if (form > 1) r.set_failed();
  if (form == 0) {
    std::fill(numbers.begin(), numbers.end(), r.varint());
    return;
  }
  for (std::uint64_t& n : numbers) n = r.varint();
  const bool alike = std::all_of(numbers.begin(), numbers.end(), [&](auto n) { return n == numbers.front(); });
  if (numbers.size() > 1 && alike) r.set_failed();
}

}  // namespace starling
