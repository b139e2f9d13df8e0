#include "tests/proto/samples.h"

#include <algorithm>
#include <bit>
#include <tuple>

#include "core/base/assert.h"
#include "proto/model_table.h"

namespace starling::samples {
namespace {

ModelSchema model(const char* name, Kind kind, std::vector<const char*> key, std::vector<const char*> plain) {
  ModelSchema m;
  m.name = name;
  m.kind = kind;
  for (const char* field : key) {
    m.key.push_back(static_cast<FieldIndex>(m.fields.size()));
    m.fields.push_back({.name = field, .key_position = static_cast<int>(m.key.size())});
  }
  for (const char* field : plain) m.fields.push_back({.name = field});
  return m;
}

std::string text(Prng& prng, std::size_t most) {
  std::string s(prng.below(most + 1), ' ');
  for (char& c : s) c = static_cast<char>('a' + prng.below(26));
  return s;
}

template <class Id>
Id id(Prng& prng) {
  return Id::from(bytes(prng, 16));
}

StatePage state_page(Prng& prng) {
  const Rev from{prng.below(1000)};
  return {origin(prng), from, Rev{from.value + prng.below(1000)}, Rev{prng.below(5)}, bytes(prng, prng.below(200))};
}

SharedChangeBatch batch(Prng& prng) {
  SharedChangeBatch batch{origin(prng), Seq{prng.next()}, {}};
  for (std::size_t n = prng.below(4); n > 0; --n) batch.entries.push_back(bytes(prng, 1 + prng.below(100)));
  return batch;
}

Hello hello(Prng& prng) {
  Hello hello;
  hello.protocol = static_cast<std::uint32_t>(prng.next());
  hello.workspace_name = text(prng, limits::kNameMax);
  hello.workspace = id<WorkspaceId>(prng);
  hello.incarnation = origin(prng).incarnation;
  hello.ack_version = prng.next();
  hello.heard = origin(prng).incarnation;
  hello.heard_version = prng.next();
  hello.stopped = prng.chance(50);
  hello.vector = vector(prng, prng.below(4));
  for (std::size_t n = prng.below(3); n > 0; --n) {
    hello.held.push_back({origin(prng), Seq{prng.next()}, id<Hash128>(prng), Rev{prng.next()}, prng.next()});
  }
  for (std::size_t n = prng.below(3); n > 0; --n) hello.models.push_back({text(prng, 20), id<Hash128>(prng), ModelShape(prng.below(4), prng.next())});
  hello.clock = {static_cast<std::int64_t>(prng.next())};
  return hello;
}

AckSharedChanges acks(Prng& prng) {
  AckSharedChanges m;
  for (std::size_t n = prng.below(4); n > 0; --n) {
    m.acks.push_back(
        {{id<DeviceId>(prng), origin(prng).incarnation, prng.next(), vector(prng, prng.below(3))}, prng.chance(50)});
  }
  return m;
}

Heartbeat heartbeat(Prng& prng) {
  Heartbeat m{id<Hash128>(prng), std::nullopt, {static_cast<std::int64_t>(prng.next())}};
  if (prng.chance(70)) m.vector = vector(prng, prng.below(3));
  m.digest = id<Hash128>(prng);
  return m;
}

DigestRequest digest_request(Prng& prng) {
  DigestRequest m;
  m.level = static_cast<DigestLevel>(prng.below(3));
  m.model = static_cast<std::uint32_t>(prng.next());
  m.owner = origin(prng);
  if (m.level != DigestLevel::rows) return m;
  for (std::uint64_t& word : m.ranges) word = prng.next();
  m.after = bytes(prng, prng.below(40));
  return m;
}

DigestResponse digest_response(Prng& prng) {
  return {digest_request(prng), id<Hash128>(prng), bytes(prng, prng.below(300)), bytes(prng, prng.below(40))};
}

ErrorMessage error(Prng& prng) {
  const auto code = static_cast<Errc>(prng.below(static_cast<std::uint64_t>(Errc::internal) + 1));
  return {code, text(prng, 100), static_cast<std::uint32_t>(prng.next())};
}

SnapshotRequest snapshot_request(Prng& prng) {
  SnapshotRequest m{static_cast<std::uint32_t>(prng.next()), prng.chance(50), {}};
  for (std::uint64_t left = prng.below(20); left > 0; --left) m.kept.push_back(id<Hash128>(prng));
  return m;
}

SnapshotPage snapshot_page(Prng& prng) {
  return {id<Hash128>(prng), prng.below(limits::kSnapshotPagesMax), id<Hash128>(prng), bytes(prng, prng.below(300)), prng.chance(30)};
}

EntryPart part(Prng& prng) {
  EntryPart m{origin(prng), Seq{prng.next()}, 0, 0, bytes(prng, 1 + prng.below(300)), false};
  const std::size_t room = limits::kEntryMax - m.bytes.size();
  m.offset = static_cast<std::uint32_t>(prng.below(room + 1));
  const std::size_t end = m.offset + m.bytes.size();
  m.total = static_cast<std::uint32_t>(prng.chance(30) ? end : end + prng.below(limits::kEntryMax - end + 1));
  m.last = m.total == end && prng.chance(50);
  return m;
}

FieldMask some_fields(Prng& prng, FieldMask of) {
  for (;;) {
    if (const FieldMask some = of & prng.next(); some != 0) return some;
  }
}

}  // namespace

const Schema& schema() {
  static const Schema schema{{
      model("album", Kind::shared, {"id"}, {"title", "cover", "rating"}),
      model("device", Kind::device_owned, {"id"}, {"name", "model", "free", "total"}),
      model("file", Kind::device_owned, {"location", "path"}, {"size"}),
      model("link", Kind::shared, {"tag", "file"}, {}),
      model("tag", Kind::shared, {"id"}, {"name", "color", "created_at", "note"}),
  }};
  return schema;
}

Bytes spell(std::string_view written) {
  Bytes spelt;
  while (!written.empty()) {
    if (written.front() == ' ') {
      written.remove_prefix(1);
    } else if (written.front() == '\'') {
      const std::size_t end = written.find('\'', 1);
      spelt += written.substr(1, end - 1);
      written.remove_prefix(end + 1);
    } else {
      Bytes byte;
      ASSERT(from_hex(written.substr(0, 2), byte));
      spelt += byte;
      written.remove_prefix(2);
    }
  }
  return spelt;
}

Bytes varint(std::uint64_t v) {
  ByteWriter w;
  w.varint(v);
  return w.take();
}

Bytes bytes(Prng& prng, std::size_t length) {
  Bytes b(length, '\0');
  for (char& c : b) c = static_cast<char>(prng.below(256));
  return b;
}

Bytes typed(const ValueView& v) {
  ByteWriter w;
  write_value(w, v);
  return w.take();
}

Bytes value(Prng& prng) {
  switch (prng.below(7)) {
    case 0: return typed(ValueView::null());
    case 1: return typed(ValueView::of(static_cast<std::int64_t>(prng.next() >> prng.below(64))));
    case 2: return typed(ValueView::of(static_cast<double>(prng.below(1000)) / 8));
    case 3: return typed(ValueView::text(text(prng, 80)));
    case 4: return typed(ValueView::text(prng.chance(50) ? "red" : "green"));
    case 5: return typed(ValueView::text("/home/someone/pictures/" + text(prng, 8)));
    default: return typed(ValueView::blob(bytes(prng, prng.below(40))));
  }
}

Bytes key(Prng& prng, ModelIndex model, std::uint64_t number) {
  ByteWriter id;
  id.be64(number);
  id.be64(prng.next());
  Bytes key = typed(ValueView::blob(id.bytes()));
  for (std::size_t n = schema().models[model].key.size(); n > 1; --n) key += value(prng);
  return key;
}

Bytes values(Prng& prng, FieldMask fields) {
  Bytes all;
  for (int n = std::popcount(fields); n > 0; --n) all += value(prng);
  return all;
}

Origin origin(Prng& prng) {
  const auto device = id<DeviceId>(prng);
  return {device, {hlc(prng), static_cast<std::uint32_t>(prng.next())}};
}

Hlc hlc(Prng& prng) {
  return Hlc::of(static_cast<std::int64_t>(1'760'000'000'000 + prng.below(1'000'000)), prng.below(3));
}

VersionVector vector(Prng& prng, std::size_t origins) {
  VersionVector vector;
  for (std::size_t i = 0; i < origins; ++i) {
    const bool log = prng.chance(70);
    vector.join(origin(prng),
                {Rev{prng.below(100) + (log ? 0 : 1)}, Seq{log ? 1 + prng.next() % limits::kCountMax : 0}, log ? hlc(prng) : Hlc{}});
  }
  return vector;
}

Message message(Prng& prng, std::size_t kind) {
  switch (kind) {
    case 0: return hello(prng);
    case 1: return StateChange{state_page(prng)};
    case 2: {
      StateBatch m;
      for (std::size_t n = prng.below(4); n > 0; --n) m.pages.push_back(state_page(prng));
      return m;
    }
    case 3:
      return StateRequest{origin(prng), Rev{prng.next()}, static_cast<std::uint32_t>(prng.next()), prng.chance(50)};
    case 4: return StateResponse{state_page(prng), prng.chance(50)};
    case 5: return SharedChange{origin(prng), Seq{prng.next()}, bytes(prng, 1 + prng.below(300))};
    case 6: return batch(prng);
    case 7:
      return SharedChangeRequest{origin(prng), Seq{prng.next()}, static_cast<std::uint32_t>(prng.next()),
                                 prng.chance(50), static_cast<std::uint32_t>(prng.below(limits::kEntryMax + 1))};
    case 8: return SharedChangeResponse{batch(prng), prng.chance(50)};
    case 9: return acks(prng);
    case 10: return heartbeat(prng);
    case 11: return error(prng);
    case 12: return part(prng);
    case 13: return snapshot_request(prng);
    case 14: return snapshot_page(prng);
    case 15: return digest_request(prng);
    default: return digest_response(prng);
  }
}

EntryHeader header(Prng& prng) {
  EntryHeader h;
  h.origin = origin(prng);
  h.seq = Seq{1 + prng.below(1000)};
  h.hlc = hlc(prng);
  if (h.seq != Seq{1}) h.previous = id<Hash128>(prng);
  for (std::size_t n = prng.below(3); n > 0; --n) {
    h.dependencies.join(origin(prng), {Rev{}, Seq{1 + prng.below(1000)}, hlc(prng)});
  }
  return h;
}

Transaction transaction(Prng& prng, std::size_t changes) {
  Transaction t;
  t.header = header(prng);
  std::vector<Origin> seen{t.header.origin, origin(prng), origin(prng)};
  for (const auto& [author, position] : t.header.dependencies) seen.push_back(author);
  constexpr ModelIndex kShared[] = {kAlbum, kLink, kTag};
  for (std::size_t i = 0; i < changes; ++i) {
    Change c;
    c.model = kShared[prng.below(3)];
    const FieldMask plain = plain_fields(schema().models[c.model]);
    c.op = plain == 0 && prng.chance(50) ? Op::insert : static_cast<Op>(prng.below(3));
    if (plain == 0 && c.op == Op::update) c.op = Op::erase;
    c.generation = c.op == Op::insert ? t.header.stamp() : Stamp{hlc(prng), seen[prng.below(seen.size())]};
    c.fields = c.op == Op::insert ? plain : c.op == Op::update ? some_fields(prng, plain) : 0;
    c.key = t.keep(key(prng, c.model, i));
    c.values = t.keep(values(prng, c.fields));
    t.changes.push_back(c);
  }
  std::sort(t.changes.begin(), t.changes.end(), [](const Change& a, const Change& b) {
    return std::tie(a.model, a.op, a.fields, a.key) < std::tie(b.model, b.op, b.fields, b.key);
  });
  return t;
}

Page page(Prng& prng, std::size_t rows) {
  Page p;
  p.from = Rev{prng.below(1000)};
  Rev rev = p.from;
  for (std::size_t i = 0; i < rows; ++i) {
    rev.value += 1 + (prng.chance(10) ? prng.below(1000) : 0);
    StateRow row;
    row.model = prng.chance(60) ? kFile : kDevice;
    row.rev = rev;
    row.deleted = prng.chance(20);
    row.key = p.bytes.emplace_back(key(prng, row.model, i));
    if (!row.deleted) row.values = p.bytes.emplace_back(values(prng, plain_fields(schema().models[row.model])));
    p.rows.push_back(row);
  }
  p.to = Rev{rev.value + prng.below(10)};
  return p;
}

Bytes Page::encode() const {
  StatePageWriter writer(schema());
  for (const StateRow& row : rows) writer.add(row);
  return writer.finish();
}

bool same(const EntryHeader& a, const EntryHeader& b) {
  return a.origin == b.origin && a.seq == b.seq && a.hlc == b.hlc && a.previous == b.previous &&
         a.dependencies == b.dependencies;
}

bool same(const std::vector<Change>& a, const std::vector<Change>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Change& x, const Change& y) {
    return x.model == y.model && x.op == y.op && x.generation == y.generation && x.key == y.key &&
           x.fields == y.fields && x.values == y.values;
  });
}

bool same(const std::vector<StateRow>& a, const std::vector<StateRow>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const StateRow& x, const StateRow& y) {
    return x.model == y.model && x.rev == y.rev && x.deleted == y.deleted && x.key == y.key && x.values == y.values;
  });
}

}  // namespace starling::samples
