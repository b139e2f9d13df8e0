#include "proto/stamp_columns.h"

namespace starling {
namespace {

constexpr unsigned kHlcMsBits = 48;

}  // namespace

void StampColumns::begin(std::int64_t base) {
  for (auto* numbers : {&origins_, &times_, &counters_}) numbers->clear();
  last_ = base;
}

void StampColumns::add(std::uint64_t origin, Hlc hlc) {
  origins_.push_back(origin);
  times_.push_back(to_zigzag(hlc.ms() - last_));
  counters_.push_back(hlc.counter());
  last_ = hlc.ms();
}

void StampColumns::write(ByteWriter& out) const {
  write_numbers(out, origins_);
  out.varint(times_.front());
  write_numbers(out, std::span(times_).subspan(1));
  write_numbers(out, counters_);
}

bool StampColumns::read(ByteReader& r, std::size_t count, std::int64_t base) {
  for (auto* numbers : {&origins_, &times_, &counters_}) numbers->resize(count);
  read_numbers(r, origins_);
  times_.front() = r.varint();
  read_numbers(r, std::span(times_).subspan(1));
  read_numbers(r, counters_);
  if (r.failed()) return false;
  auto ms = static_cast<std::uint64_t>(base);
  for (std::size_t i = 0; i < count; ++i) {
    ms += static_cast<std::uint64_t>(from_zigzag(times_[i]));
    if (ms >> kHlcMsBits != 0 || counters_[i] > Hlc::kCounterMax) return false;
    times_[i] = ms;
  }
  return true;
}

}  // namespace starling
