// A peer's stream as the peer would write it, applied to our node in transactions of its own.
#pragma once

#include "core/replica/applier.h"
#include "proto/entry.h"
#include "proto/state_page.h"
#include "tests/core/replica/test_node.h"

namespace starling {

inline Bytes typed(std::initializer_list<ValueView> values) {
  ByteWriter w;
  for (const ValueView& v : values) write_value(w, v);
  return w.take();
}

struct Author {
  TestNode& node;
  Origin self;
  Seq seq;
  Hash128 previous;
  std::int64_t ms;

  Author(TestNode& n, unsigned number) : node(n), self(origin(number)), ms(n.now.wall.ms) {}

  [[nodiscard]] ModelIndex model(const char* name) const {
    return node.store->schema().index_of(*node.store->schema().find(name));
  }
  EntryHeader header() {
    seq = seq.next();
    return {self, seq, Hlc::of(++ms, 0), previous, {}};
  }
  Bytes encode(const EntryHeader& h, const std::vector<Change>& changes) {
    Expected<Bytes> bytes = encode_entry(h, changes, node.store->schema());
    REQUIRE(bytes);
    return std::move(*bytes);
  }
  Bytes insert(const EntryHeader& h, BytesView key) {
    const Bytes values = typed({ValueView::text("t"), ValueView::null(), ValueView::null()});
    return encode(h, {{model("note"), Op::insert, h.stamp(), key, 0b1110, values}});
  }
  Expected<ApplyResult> apply(const EntryHeader& h, BytesView bytes) {
    Applier applier(*node.store);
    node.store->begin(TransactionKind::apply);
    Expected<ApplyResult> result = applier.entry(h.origin, h.seq, bytes, node.now.wall);
    if (result) node.store->commit();
    else node.store->rollback();
    return result;
  }
  Expected<ApplyResult> apply(const StatePage& page) {
    Applier applier(*node.store);
    node.store->begin(TransactionKind::apply);
    Expected<ApplyResult> result = applier.page(page);
    if (result) node.store->commit();
    else node.store->rollback();
    return result;
  }
  StatePage page(std::uint64_t from, std::uint64_t to, const std::vector<StateRow>& rows) {
    StatePageWriter writer(node.store->schema());
    for (const StateRow& row : rows) writer.add(row);
    return {self, Rev{from}, Rev{to}, Rev{}, writer.finish()};
  }
};

}  // namespace starling
