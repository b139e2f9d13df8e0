#include "tests/fuzz/built.h"

#include <cmath>

namespace starling::fuzz {
namespace {

constexpr std::size_t kNested = 300;  // bytes of what a message carries unread: more would only be more of the same

Incarnation incarnation(Choices& c) { return {Hlc{c.number()}, static_cast<std::uint32_t>(c.number(4))}; }

Origin origin(Choices& c) {
  const auto device = c.id<DeviceId>();
  return {device, incarnation(c)};
}

StatePage page(Choices& c) {
  StatePage p;
  p.origin = origin(c);
  p.to = Rev{c.below(limits::kCountMax + 1)};
  p.from = Rev{c.below(p.to.value + 1)};
  p.horizon = Rev{c.number()};
  p.body = c.bytes(0, kNested);
  return p;
}

SharedChangeBatch batch(Choices& c) {
  SharedChangeBatch b{origin(c), Seq{c.number()}, {}};
  while (c.more()) b.entries.push_back(c.bytes(1, kNested));
  return b;
}

Hello hello(Choices& c) {
  Hello m;
  m.protocol = static_cast<std::uint32_t>(c.number(4));
  m.workspace_name = c.bytes(0, limits::kNameMax);
  m.workspace = c.id<WorkspaceId>();
  m.incarnation = incarnation(c);
  m.ack_version = c.number();
  m.heard_version = c.number();
  m.stopped = m.heard_version % 2 != 0;
  m.vector = built_vector(c);
  while (c.more()) {
    const Origin of = origin(c);
    m.held.push_back({of, Seq{c.number()}, c.id<Hash128>(), Rev{c.number()}, c.number()});
  }
  while (m.models.size() < limits::kModelsMax && c.more()) {
    Bytes name = c.bytes(0, limits::kNameMax);
    const Hash128 digest = c.id<Hash128>();
    m.models.push_back({std::move(name), digest, ModelShape(c.number(1) % (kShapeMax + 1), c.number(8))});
  }
  m.clock = {static_cast<std::int64_t>(c.number())};
  return m;
}

StateBatch pages(Choices& c) {
  StateBatch m;
  while (m.pages.size() < limits::kBatchPagesMax && c.more()) m.pages.push_back(page(c));
  return m;
}

AckSharedChanges acks(Choices& c) {
  AckSharedChanges m;
  while (c.more()) {
    Acknowledgement ack;
    ack.member = c.id<DeviceId>();
    ack.incarnation = incarnation(c);
    ack.version = c.number();
    ack.vector = built_vector(c);
    m.acks.push_back({std::move(ack), c.flip()});
  }
  return m;
}

Heartbeat heartbeat(Choices& c) {
  Heartbeat m;
  m.vector_hash = c.id<Hash128>();
  if (c.flip()) m.vector = built_vector(c);
  m.clock = {static_cast<std::int64_t>(c.number())};
  m.digest = c.id<Hash128>();
  return m;
}

DigestRequest digest_request(Choices& c) {
  DigestRequest m;
  m.level = static_cast<DigestLevel>(c.below(3));
  m.model = static_cast<std::uint32_t>(c.number(4));
  m.owner = origin(c);
  if (m.level != DigestLevel::rows) return m;
  for (std::uint64_t& word : m.ranges) word = c.number();
  m.after = c.bytes(0, kNested);
  return m;
}

DigestResponse digest_response(Choices& c) {
  DigestResponse m;
  m.request = digest_request(c);
  m.vector_hash = c.id<Hash128>();
  m.body = c.bytes(0, kNested);
  m.next = c.bytes(0, kNested);
  return m;
}

EntryPart part(Choices& c) {
  EntryPart m;
  m.origin = origin(c);
  m.seq = Seq{c.number()};
  m.total = static_cast<std::uint32_t>(kNested + c.below(limits::kEntryMax - kNested + 1));
  m.offset = static_cast<std::uint32_t>(c.below(m.total));
  m.bytes = c.bytes(1, std::min<std::size_t>(kNested, m.total - m.offset));
  m.last = m.offset + m.bytes.size() == m.total && c.flip();
  return m;
}

SnapshotRequest snapshot_request(Choices& c) {
  SnapshotRequest m;
  m.credit = static_cast<std::uint32_t>(c.number(4));
  m.open = c.flip();
  for (std::uint64_t left = c.below(kNested); left > 0; --left) m.kept.push_back(c.id<Hash128>());
  return m;
}

SnapshotPage snapshot_page(Choices& c) {
  SnapshotPage m;
  m.snapshot = c.id<Hash128>();
  m.index = c.below(limits::kSnapshotPagesMax);
  m.hash = c.id<Hash128>();
  m.body = c.bytes(0, kNested);
  m.last = c.flip();
  return m;
}

ErrorMessage error(Choices& c) {
  const auto code = static_cast<Errc>(c.below(static_cast<std::uint64_t>(Errc::internal) + 1));
  Bytes text = c.bytes(0, limits::KiB);
  return {code, std::move(text), static_cast<std::uint32_t>(c.number(4))};
}

template <class Request, class At>
Request request(Choices& c) {
  Request m;
  m.origin = origin(c);
  m.from = At{c.number()};
  m.credit = static_cast<std::uint32_t>(c.number(4));
  m.open = c.flip();
  return m;
}

Bytes value(Choices& c) {
  switch (c.below(6)) {
    case 0: return samples::typed(ValueView::null());
    case 1: return samples::typed(ValueView::of(static_cast<std::int64_t>(c.number(1 + c.below(8)))));
    case 2: return samples::typed(ValueView::of(std::ldexp(static_cast<double>(c.number(2)), -8)));
    case 3: return samples::typed(ValueView::text(c.flip() ? "red" : "green"));
    case 4: return samples::typed(ValueView::text("/home/someone/pictures/" + c.bytes(0, 20)));
    default: return samples::typed(ValueView::blob(c.bytes(0, kNested)));
  }
}

}  // namespace

Message built_message(std::size_t kind, Choices& c) {
  switch (kind) {
    case 0: return hello(c);
    case 1: return StateChange{page(c)};
    case 2: return pages(c);
    case 3: return request<StateRequest, Rev>(c);
    case 4: {
      StatePage p = page(c);
      return StateResponse{std::move(p), c.flip()};
    }
    case 5: {
      const Origin of = origin(c);
      const Seq seq{c.number()};
      return SharedChange{of, seq, c.bytes(1, kNested)};
    }
    case 6: return batch(c);
    case 7: {
      auto m = request<SharedChangeRequest, Seq>(c);
      m.offset = static_cast<std::uint32_t>(c.below(limits::kEntryMax + 1));
      return m;
    }
    case 8: {
      SharedChangeBatch b = batch(c);
      return SharedChangeResponse{std::move(b), c.flip()};
    }
    case 9: return acks(c);
    case 10: return heartbeat(c);
    case 11: return error(c);
    case 12: return part(c);
    case 13: return snapshot_request(c);
    case 14: return snapshot_page(c);
    case 15: return digest_request(c);
    default: return digest_response(c);
  }
}

VersionVector built_vector(Choices& c) {
  VersionVector vector;
  while (c.more()) {
    const Origin of = origin(c);
    const Rev rev{c.below(limits::kCountMax + 1)};
    const Seq seq{c.below(limits::kCountMax + 1)};
    vector.join(of, {rev, seq, seq == Seq{} ? Hlc{} : Hlc{c.number() | 1U}});
  }
  return vector;
}

std::vector<samples::Line> built_lines(Choices& c) {
  std::vector<samples::Line> lines;
  while (c.more()) {
    samples::Line line;
    line.model = static_cast<unsigned>(c.below(3));
    line.op = static_cast<unsigned>(c.below(3));
    line.fields = static_cast<unsigned>(1 + c.below(15));
    line.author = static_cast<unsigned>(c.below(5));
    line.ms = static_cast<std::int64_t>(c.below(5)) - 2;
    line.more_key = value(c);
    for (std::size_t i = 0; i < 4; ++i) line.values.push_back(value(c));
    lines.push_back(std::move(line));
  }
  return lines;
}

const Schema& schema() {
  static const Schema schema = [] {
    Schema s = samples::schema();
    s.models[samples::kFile].fields.back().default_value = samples::typed(ValueView::of(std::int64_t{7}));
    s.models[samples::kTag].fields.back().default_value = samples::typed(ValueView::text("none"));
    return s;
  }();
  return schema;
}

}  // namespace starling::fuzz
