#include <capnp/message.h>

#include <algorithm>

#include "core/base/assert.h"
#include "core/base/limits.h"
#include "proto/codec_wire.h"
#include "proto/sync.capnp.h"

namespace starling::wire_codec {
namespace {

std::uint64_t high(BytesView id) { return ByteReader(id.substr(0, 8)).be64(); }
std::uint64_t low(BytesView id) { return ByteReader(id.substr(8)).be64(); }

capnp::Text::Reader text(const std::string& s) { return {s.data(), s.size()}; }
capnp::Data::Reader bytes(BytesView b) { return {reinterpret_cast<const capnp::byte*>(b.data()), b.size()}; }
unsigned count(std::size_t n) { return static_cast<unsigned>(n); }

template <class Builder>  // of any group `incarnation`
void write_incarnation(Builder to, const Incarnation& incarnation) {
  to.setBirth(incarnation.birth.packed);
  to.setRandom(incarnation.random);
}

template <class Builder>  // of any group `origin`
void write_origin(Builder to, const Origin& origin) {
  to.setDeviceHigh(high(origin.device.view()));
  to.setDeviceLow(low(origin.device.view()));
  write_incarnation(to, origin.incarnation);
}

void write_vector(capnp::List<wire::Position>::Builder to, const VersionVector& vector) {
  ASSERT(vector.size() <= limits::kVectorMax);
  unsigned i = 0;
  for (const auto& [origin, position] : vector) {
    auto one = to[i++];
    write_origin(one.initOrigin(), origin);
    one.setRev(position.rev.value);
    one.setSeq(position.seq.value);
    one.setHlc(position.hlc.packed);
  }
}

void write_page(wire::StatePage::Builder to, const StatePage& page) {
  write_origin(to.initOrigin(), page.origin);
  to.setFrom(page.from.value);
  to.setTo(page.to.value);
  to.setHorizon(page.horizon.value);
  to.setBody(bytes(page.body));
  to.setOpening(page.opening);
}

void write_batch(wire::SharedChangeBatch::Builder to, const SharedChangeBatch& batch) {
  write_origin(to.initOrigin(), batch.origin);
  to.setFrom(batch.from.value);
  auto entries = to.initEntries(count(batch.entries.size()));
  for (std::size_t i = 0; i < batch.entries.size(); ++i) {
    ASSERT(batch.entries[i].size() <= limits::kWholeEntryMax);
    entries.set(count(i), bytes(batch.entries[i]));
  }
}

template <class Request, class Position>
void write_request(wire::Request::Builder to, const Request& request, Position from) {
  write_origin(to.initOrigin(), request.origin);
  to.setFrom(from.value);
  to.setCredit(request.credit);
  to.setOpen(request.open);
}

void write_hash(wire::Hash::Builder to, const Hash128& hash) {
  to.setHigh(high(hash.view()));
  to.setLow(low(hash.view()));
}

wire::ErrorCode code_of(Errc code) {
  switch (code) {
    case Errc::invalid_argument: return wire::ErrorCode::INVALID_ARGUMENT;
    case Errc::schema: return wire::ErrorCode::SCHEMA;
    case Errc::not_owner: return wire::ErrorCode::NOT_OWNER;
    case Errc::wrong_class: return wire::ErrorCode::WRONG_CLASS;
    case Errc::constraint: return wire::ErrorCode::CONSTRAINT;
    case Errc::forbidden: return wire::ErrorCode::FORBIDDEN;
    case Errc::too_large: return wire::ErrorCode::TOO_LARGE;
    case Errc::corrupt: return wire::ErrorCode::CORRUPT;
    case Errc::not_member: return wire::ErrorCode::NOT_MEMBER;
    case Errc::wrong_workspace: return wire::ErrorCode::WRONG_WORKSPACE;
    case Errc::not_ready: return wire::ErrorCode::NOT_READY;
    case Errc::clock: return wire::ErrorCode::CLOCK;
    case Errc::identity_conflict: return wire::ErrorCode::IDENTITY_CONFLICT;
    case Errc::busy: return wire::ErrorCode::BUSY;
    case Errc::unreachable: return wire::ErrorCode::UNREACHABLE;
    case Errc::stopped: return wire::ErrorCode::STOPPED;
    case Errc::internal: break;
  }
  return wire::ErrorCode::INTERNAL;
}

void write(wire::Message::Builder to, const Hello& m) {
  auto hello = to.initHello();
  ASSERT(m.workspace_name.size() <= limits::kNameMax);
  hello.setProtocol(m.protocol);
  hello.setWorkspaceName(text(m.workspace_name));
  hello.setWorkspaceHigh(high(m.workspace.view()));
  hello.setWorkspaceLow(low(m.workspace.view()));
  write_incarnation(hello.initIncarnation(), m.incarnation);
  auto heard = hello.initHeard();
  write_incarnation(heard, m.heard);
  heard.setVersion(m.heard_version);
  hello.setStopped(m.stopped);
  hello.setAckVersion(m.ack_version);
  write_vector(hello.initVector(count(m.vector.size())), m.vector);
  ASSERT(m.held.size() <= limits::kVectorMax && m.models.size() <= limits::kModelsMax);
  auto held = hello.initHeld(count(m.held.size()));
  for (std::size_t i = 0; i < m.held.size(); ++i) {
    auto one = held[count(i)];
    write_origin(one.initOrigin(), m.held[i].origin);
    one.setSeq(m.held[i].seq.value);
    one.setHashHigh(high(m.held[i].hash.view()));
    one.setHashLow(low(m.held[i].hash.view()));
    one.setRev(m.held[i].rev.value);
    one.setOpening(m.held[i].opening);
  }
  auto models = hello.initModels(count(m.models.size()));
  for (std::size_t i = 0; i < m.models.size(); ++i) {
    ASSERT(m.models[i].name.size() <= limits::kNameMax);
    auto one = models[count(i)];
    one.setName(text(m.models[i].name));
    one.setDigestHigh(high(m.models[i].digest.view()));
    one.setDigestLow(low(m.models[i].digest.view()));
    ASSERT(m.models[i].shape.size() <= kShapeMax);
    auto shape = one.initShape(count(m.models[i].shape.size()));
    for (std::size_t k = 0; k < m.models[i].shape.size(); ++k) shape.set(count(k), m.models[i].shape[k]);
  }
  hello.setClockMs(m.clock.ms);
}

void write(wire::Message::Builder to, const StateChange& m) { write_page(to.initStateChange(), m.page); }

void write(wire::Message::Builder to, const StateBatch& m) {
  auto pages = to.initStateBatch(count(m.pages.size()));
  for (std::size_t i = 0; i < m.pages.size(); ++i) write_page(pages[count(i)], m.pages[i]);
}

void write(wire::Message::Builder to, const StateRequest& m) {
  auto request = to.initStateRequest();
  write_request(request, m, m.from);
  request.setHorizon(m.horizon.value);
}

void write(wire::Message::Builder to, const StateResponse& m) {
  auto response = to.initStateResponse();
  write_page(response.initPage(), m.page);
  response.setLast(m.last);
}

void write(wire::Message::Builder to, const SharedChange& m) {
  ASSERT(m.entry.size() <= limits::kWholeEntryMax);
  auto change = to.initSharedChange();
  write_origin(change.initOrigin(), m.origin);
  change.setSeq(m.seq.value);
  change.setEntry(bytes(m.entry));
}

void write(wire::Message::Builder to, const SharedChangeBatch& m) { write_batch(to.initSharedChangeBatch(), m); }

void write(wire::Message::Builder to, const SharedChangeRequest& m) {
  auto request = to.initSharedChangeRequest();
  write_request(request, m, m.from);
  request.setOffset(m.offset);
}

void write(wire::Message::Builder to, const SharedChangeResponse& m) {
  auto response = to.initSharedChangeResponse();
  write_batch(response.initBatch(), m.batch);
  response.setLast(m.last);
  response.setHorizon(m.horizon.value);
}

void write(wire::Message::Builder to, const SnapshotRequest& m) {
  ASSERT(m.kept.size() <= limits::kSnapshotPagesMax);
  auto request = to.initSnapshotRequest();
  request.setCredit(m.credit);
  request.setOpen(m.open);
  auto kept = request.initKept(count(m.kept.size()));
  for (std::size_t i = 0; i < m.kept.size(); ++i) write_hash(kept[count(i)], m.kept[i]);
}

void write(wire::Message::Builder to, const SnapshotPage& m) {
  auto page = to.initSnapshotPage();
  page.setSnapshotHigh(high(m.snapshot.view()));
  page.setSnapshotLow(low(m.snapshot.view()));
  page.setIndex(m.index);
  write_hash(page.initHash(), m.hash);
  page.setBody(bytes(m.body));
  page.setLast(m.last);
}

void write(wire::Message::Builder to, const EntryPart& m) {
  ASSERT(!m.bytes.empty() && m.bytes.size() <= limits::kWholeEntryMax);
  ASSERT(m.total <= limits::kEntryMax && m.offset <= m.total && m.bytes.size() <= m.total - m.offset);
  auto part = to.initEntryPart();
  write_origin(part.initOrigin(), m.origin);
  part.setSeq(m.seq.value);
  part.setTotal(m.total);
  part.setOffset(m.offset);
  part.setBytes(bytes(m.bytes));
  part.setLast(m.last);
}

void write(wire::Message::Builder to, const AckSharedChanges& m) {
  ASSERT(m.acks.size() <= limits::kVectorMax);
  auto acks = to.initAckSharedChanges(count(m.acks.size()));
  for (std::size_t i = 0; i < m.acks.size(); ++i) {
    auto one = acks[count(i)];
    const Acknowledgement& ack = m.acks[i].ack;
    one.setMemberHigh(high(ack.member.view()));
    one.setMemberLow(low(ack.member.view()));
    write_incarnation(one.initIncarnation(), ack.incarnation);
    one.setVersion(ack.version);
    write_vector(one.initVector(count(ack.vector.size())), ack.vector);
    one.setDelta(m.acks[i].delta);
  }
}

void write(wire::Message::Builder to, const Heartbeat& m) {
  auto heartbeat = to.initHeartbeat();
  heartbeat.setVectorHashHigh(high(m.vector_hash.view()));
  heartbeat.setVectorHashLow(low(m.vector_hash.view()));
  if (m.vector) write_vector(heartbeat.initVector(count(m.vector->size())), *m.vector);
  heartbeat.setClockMs(m.clock.ms);
  heartbeat.setDigestHigh(high(m.digest.view()));
  heartbeat.setDigestLow(low(m.digest.view()));
}

void write_digest_request(wire::DigestRequest::Builder to, const DigestRequest& m) {
  ASSERT(m.after.size() <= limits::kKeyMax);
  to.setLevel(static_cast<std::uint8_t>(m.level));
  to.setModel(m.model);
  write_origin(to.initOwner(), m.owner);
  if (m.level != DigestLevel::rows) return;
  auto ranges = to.initRanges(count(m.ranges.size()));
  for (std::size_t i = 0; i < m.ranges.size(); ++i) ranges.set(count(i), m.ranges[i]);
  to.setAfter(bytes(m.after));
}

void write(wire::Message::Builder to, const DigestRequest& m) { write_digest_request(to.initDigestRequest(), m); }

void write(wire::Message::Builder to, const DigestResponse& m) {
  auto response = to.initDigestResponse();
  write_digest_request(response.initRequest(), m.request);
  response.setVectorHashHigh(high(m.vector_hash.view()));
  response.setVectorHashLow(low(m.vector_hash.view()));
  response.setBody(bytes(m.body));
  response.setNext(bytes(m.next));
}

void write(wire::Message::Builder to, const ErrorMessage& m) {
  auto error = to.initError();
  error.setCode(code_of(m.code));
  error.setText(text(m.text.substr(0, kErrorTextMax)));
  error.setRetryAfterMs(m.retry_after_ms);
}

}  // namespace

void append_message(Bytes& out, const Message& message) {
  capnp::MallocMessageBuilder builder;
  const auto root = builder.initRoot<wire::Message>();
  std::visit([&](const auto& m) { write(root, m); }, message);
  const auto segments = builder.getSegmentsForOutput();
  const auto put32 = [&](std::size_t n) {  // the segment table is little-endian
    for (unsigned shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(n >> shift & 0xff));
  };
  put32(segments.size() - 1);
  for (const auto& segment : segments) put32(segment.size());
  if (segments.size() % 2 == 0) put32(0);
  for (const auto& segment : segments) {
    out.append(reinterpret_cast<const char*>(segment.begin()), segment.size() * sizeof(capnp::word));
  }
}

}  // namespace starling::wire_codec
