// What was put on the wire: by kind of message, and how many log entries and device-owned rows were in them. An entry in
// parts counts with the part that ends it.
#pragma once

#include <map>
#include <string>

#include "core/base/schema.h"
#include "proto/message.h"

namespace starling::sim {

struct Traffic {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  friend Traffic operator-(const Traffic& a, const Traffic& b) { return {a.messages - b.messages, a.bytes - b.bytes}; }
};

struct Carried {
  std::uint64_t entries = 0;
  std::uint64_t rows = 0;
  std::uint64_t part_bytes = 0;  // of entries, in parts
  std::uint64_t resumed = 0;     // requests that go on behind what is staged
};
[[nodiscard]] Carried carried_by(const Message&, const Schema& of_sender);

struct WireCount {
  std::map<std::string, Traffic> kinds;
  Traffic total;
  std::uint64_t entries = 0;
  std::uint64_t rows = 0;
  std::uint64_t part_bytes = 0;
  std::uint64_t resumed = 0;

  void add(const Message&, std::size_t bytes, const Carried&);
  [[nodiscard]] Traffic of(const std::string& kind) const;
  [[nodiscard]] WireCount since(const WireCount& before) const;
};

}  // namespace starling::sim
