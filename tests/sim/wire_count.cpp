#include "tests/sim/wire_count.h"

#include "proto/state_page.h"

namespace starling::sim {
namespace {

template <class... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

std::uint64_t rows_in(const StatePage& page, const Schema& schema) {
  const auto rows = decode_state_page(page.body, page.from, page.to, schema);
  return rows ? rows->rows.size() : 0;
}

}  // namespace

Traffic WireCount::of(const std::string& kind) const {
  const auto at = kinds.find(kind);
  return at == kinds.end() ? Traffic{} : at->second;
}

WireCount WireCount::since(const WireCount& before) const {
  WireCount d{{}, total - before.total, entries - before.entries, rows - before.rows, part_bytes - before.part_bytes, resumed - before.resumed};
  for (const auto& [kind, traffic] : kinds) {
    if (traffic.messages != before.of(kind).messages) d.kinds[kind] = traffic - before.of(kind);
  }
  return d;
}

void WireCount::add(const Message& message, std::size_t bytes, const Carried& carried) {
  for (Traffic* traffic : {&total, &kinds[name_of(message)]}) {
    ++traffic->messages;
    traffic->bytes += bytes;
  }
  entries += carried.entries;
  rows += carried.rows;
  part_bytes += carried.part_bytes;
  resumed += carried.resumed;
}

Carried carried_by(const Message& message, const Schema& of_sender) {
  Carried all;
  std::visit(Overloaded{[&](const StateChange& m) { all.rows = rows_in(m.page, of_sender); },
                        [&](const StateBatch& m) {
                          for (const StatePage& page : m.pages) all.rows += rows_in(page, of_sender);
                        },
                        [&](const StateResponse& m) { all.rows = rows_in(m.page, of_sender); },
                        [&](const SharedChange&) { all.entries = 1; },
                        [&](const SharedChangeBatch& m) { all.entries = m.entries.size(); },
                        [&](const SharedChangeResponse& m) { all.entries = m.batch.entries.size(); },
                        [&](const SharedChangeRequest& m) { all.resumed = m.open && m.offset > 0 ? 1 : 0; },
                        [&](const EntryPart& m) {
                          all.part_bytes = m.bytes.size();
                          if (m.offset + m.bytes.size() == m.total) all.entries = 1;
                        },
                        [](const auto&) {}},
             message);
  return all;
}

}  // namespace starling::sim
