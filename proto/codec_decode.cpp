#include <capnp/message.h>
#include <capnp/serialize.h>

#include <new>

#include "core/base/limits.h"
#include "proto/codec_wire.h"
#include "proto/sync.capnp.h"

namespace starling::wire_codec {
namespace {

constexpr int kNestingMax = 16;

// Any getter of Cap'n Proto may throw; our own findings take the same way out, which ends in read_message().
class Malformed : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

void require(bool ok, const char* otherwise) {
  if (!ok) throw Malformed(otherwise);
}

template <class Id>
Id read_id(std::uint64_t high, std::uint64_t low) {
  ByteWriter w;
  w.be64(high);
  w.be64(low);
  return Id::from(w.bytes());
}

std::string read_text(capnp::Text::Reader text, std::size_t most) {
  require(text.size() <= most, "a text is too long");
  return {text.begin(), text.size()};
}

Bytes read_data(capnp::Data::Reader data, std::size_t most) {
  require(data.size() <= most, "a block of bytes is too long");
  return {reinterpret_cast<const char*>(data.begin()), data.size()};
}

template <class Reader>  // of any group `incarnation`
Incarnation read_incarnation(Reader from) {
  return {Hlc{from.getBirth()}, from.getRandom()};
}

template <class Reader>  // of any group `origin`
Origin read_origin(Reader from) {
  return {read_id<DeviceId>(from.getDeviceHigh(), from.getDeviceLow()), read_incarnation(from)};
}

VersionVector read_vector(capnp::List<wire::Position>::Reader from) {
  require(from.size() <= limits::kVectorMax, "a vector is too long");
  VersionVector vector;
  std::optional<Origin> before;
  for (const auto one : from) {
    const Origin origin = read_origin(one.getOrigin());
    const Position position{Rev{one.getRev()}, Seq{one.getSeq()}, Hlc{one.getHlc()}};
    require(!before || *before < origin, "a vector is out of order");
    require(position != Position{} && position.is_valid(), "a vector holds an impossible position");
    require(position.rev.value <= limits::kCountMax && position.seq.value <= limits::kCountMax, "a position is too high");
    vector.join(origin, position);
    before = origin;
  }
  return vector;
}

Bytes read_entry(capnp::Data::Reader from) {
  require(from.size() > 0, "an entry is empty");
  return read_data(from, limits::kWholeEntryMax);
}

StatePage read_page(wire::StatePage::Reader from) {
  StatePage page;
  page.origin = read_origin(from.getOrigin());
  page.from = Rev{from.getFrom()};
  page.to = Rev{from.getTo()};
  require(page.to.value <= limits::kCountMax, "a revision is too high");
  page.horizon = Rev{from.getHorizon()};
  page.body = read_data(from.getBody(), limits::kFrameMax);
  require(page.from <= page.to, "a page ends before it begins");
  page.opening = from.getOpening();
  return page;
}

SharedChangeBatch read_batch(wire::SharedChangeBatch::Reader from) {
  SharedChangeBatch batch;
  batch.origin = read_origin(from.getOrigin());
  batch.from = Seq{from.getFrom()};
  const auto entries = from.getEntries();
  batch.entries.reserve(entries.size());
  for (const auto entry : entries) batch.entries.push_back(read_entry(entry));
  return batch;
}

template <class Request>
Request read_request(wire::Request::Reader from) {
  Request request;
  request.origin = read_origin(from.getOrigin());
  request.from = {from.getFrom()};
  request.credit = from.getCredit();
  request.open = from.getOpen();
  return request;
}

Errc code_of(wire::ErrorCode code) {
  switch (code) {
    case wire::ErrorCode::INVALID_ARGUMENT: return Errc::invalid_argument;
    case wire::ErrorCode::SCHEMA: return Errc::schema;
    case wire::ErrorCode::NOT_OWNER: return Errc::not_owner;
    case wire::ErrorCode::WRONG_CLASS: return Errc::wrong_class;
    case wire::ErrorCode::CONSTRAINT: return Errc::constraint;
    case wire::ErrorCode::FORBIDDEN: return Errc::forbidden;
    case wire::ErrorCode::TOO_LARGE: return Errc::too_large;
    case wire::ErrorCode::CORRUPT: return Errc::corrupt;
    case wire::ErrorCode::NOT_MEMBER: return Errc::not_member;
    case wire::ErrorCode::WRONG_WORKSPACE: return Errc::wrong_workspace;
    case wire::ErrorCode::NOT_READY: return Errc::not_ready;
    case wire::ErrorCode::CLOCK: return Errc::clock;
    case wire::ErrorCode::IDENTITY_CONFLICT: return Errc::identity_conflict;
    case wire::ErrorCode::BUSY: return Errc::busy;
    case wire::ErrorCode::UNREACHABLE: return Errc::unreachable;
    case wire::ErrorCode::STOPPED: return Errc::stopped;
    case wire::ErrorCode::INTERNAL: break;
  }
  return Errc::internal;
}

Hello read(wire::Hello::Reader from) {
  Hello hello;
  hello.protocol = from.getProtocol();
  hello.workspace_name = read_text(from.getWorkspaceName(), limits::kNameMax);
  hello.workspace = read_id<WorkspaceId>(from.getWorkspaceHigh(), from.getWorkspaceLow());
  hello.incarnation = read_incarnation(from.getIncarnation());
  hello.heard = read_incarnation(from.getHeard());
  hello.heard_version = from.getHeard().getVersion();
  hello.stopped = from.getStopped();
  hello.ack_version = from.getAckVersion();
  hello.vector = read_vector(from.getVector());
  const auto held = from.getHeld();
  require(held.size() <= limits::kVectorMax, "a list of logs is too long");
  hello.held.reserve(held.size());
  for (const auto one : held) {
    hello.held.push_back(
        {read_origin(one.getOrigin()), Seq{one.getSeq()}, read_id<Hash128>(one.getHashHigh(), one.getHashLow()), Rev{one.getRev()}, one.getOpening()});
  }
  const auto models = from.getModels();
  require(models.size() <= limits::kModelsMax, "a list of models is too long");
  hello.models.reserve(models.size());
  for (const auto one : models) {
    const auto shape = one.getShape();
    require(shape.size() <= kShapeMax, "a model of too many fields");
    hello.models.push_back({read_text(one.getName(), limits::kNameMax), read_id<Hash128>(one.getDigestHigh(), one.getDigestLow()), {}});
    for (const std::uint64_t hash : shape) hello.models.back().shape.push_back(hash);
  }
  hello.clock = {from.getClockMs()};
  return hello;
}

StateBatch read(capnp::List<wire::StatePage>::Reader from) {
  StateBatch batch;
  require(from.size() <= limits::kBatchPagesMax, "a batch of too many pages");
  batch.pages.reserve(from.size());
  for (const auto page : from) batch.pages.push_back(read_page(page));
  return batch;
}

StateResponse read(wire::StateResponse::Reader from) { return {read_page(from.getPage()), from.getLast()}; }

SharedChange read(wire::SharedChange::Reader from) {
  return {read_origin(from.getOrigin()), Seq{from.getSeq()}, read_entry(from.getEntry())};
}

SharedChangeResponse read(wire::SharedChangeResponse::Reader from) {
  SharedChangeResponse response{read_batch(from.getBatch()), from.getLast(), Seq{from.getHorizon()}};
  require(response.horizon.value <= limits::kCountMax, "a horizon is too high");
  return response;
}

SnapshotRequest read(wire::SnapshotRequest::Reader from) {
  const auto kept = from.getKept();
  require(kept.size() <= limits::kSnapshotPagesMax, "a list of pages is too long");
  SnapshotRequest request{from.getCredit(), from.getOpen(), {}};
  request.kept.reserve(kept.size());
  for (const auto hash : kept) request.kept.push_back(read_id<Hash128>(hash.getHigh(), hash.getLow()));
  return request;
}

SnapshotPage read(wire::SnapshotPage::Reader from) {
  SnapshotPage page;
  page.snapshot = read_id<Hash128>(from.getSnapshotHigh(), from.getSnapshotLow());
  page.index = from.getIndex();
  require(page.index < limits::kSnapshotPagesMax, "a snapshot of too many pages");
  page.hash = read_id<Hash128>(from.getHash().getHigh(), from.getHash().getLow());
  page.body = read_data(from.getBody(), limits::kFrameMax);
  page.last = from.getLast();
  return page;
}

SharedChangeRequest read_log_request(wire::Request::Reader from) {
  SharedChangeRequest request = read_request<SharedChangeRequest>(from);
  request.offset = from.getOffset();
  require(request.offset <= limits::kEntryMax, "an offset is beyond any entry");
  return request;
}

EntryPart read(wire::EntryPart::Reader from) {
  EntryPart part;
  part.origin = read_origin(from.getOrigin());
  part.seq = Seq{from.getSeq()};
  part.total = from.getTotal();
  part.offset = from.getOffset();
  part.bytes = read_entry(from.getBytes());
  part.last = from.getLast();
  require(part.total <= limits::kEntryMax, "an entry is too large");
  require(part.offset <= part.total && part.bytes.size() <= part.total - part.offset, "a part reaches beyond its entry");
  require(!part.last || part.offset + part.bytes.size() == part.total, "a last part ends before its entry");
  return part;
}

AckSharedChanges read(capnp::List<wire::Acknowledgement>::Reader from) {
  require(from.size() <= limits::kVectorMax, "a list of acknowledgements is too long");
  AckSharedChanges message;
  message.acks.reserve(from.size());
  for (const auto one : from) {
    const auto member = read_id<DeviceId>(one.getMemberHigh(), one.getMemberLow());
    message.acks.push_back(
        {{member, read_incarnation(one.getIncarnation()), one.getVersion(), read_vector(one.getVector())},
         one.getDelta()});
  }
  return message;
}

Heartbeat read(wire::Heartbeat::Reader from) {
  Heartbeat heartbeat;
  heartbeat.vector_hash = read_id<Hash128>(from.getVectorHashHigh(), from.getVectorHashLow());
  if (from.hasVector()) heartbeat.vector = read_vector(from.getVector());
  heartbeat.clock = {from.getClockMs()};
  heartbeat.digest = read_id<Hash128>(from.getDigestHigh(), from.getDigestLow());
  return heartbeat;
}

DigestRequest read(wire::DigestRequest::Reader from) {
  DigestRequest request;
  require(from.getLevel() <= static_cast<std::uint8_t>(DigestLevel::rows), "a digest of an unknown level");
  request.level = static_cast<DigestLevel>(from.getLevel());
  request.model = from.getModel();
  request.owner = read_origin(from.getOwner());
  if (request.level != DigestLevel::rows) return request;
  const auto ranges = from.getRanges();
  require(ranges.size() == request.ranges.size(), "ranges of a digest are of another number");
  for (unsigned i = 0; i < ranges.size(); ++i) request.ranges[i] = ranges[i];
  request.after = read_data(from.getAfter(), limits::kKeyMax);
  return request;
}

DigestResponse read(wire::DigestResponse::Reader from) {
  DigestResponse response;
  response.request = read(from.getRequest());
  response.vector_hash = read_id<Hash128>(from.getVectorHashHigh(), from.getVectorHashLow());
  response.body = read_data(from.getBody(), limits::kFrameMax);
  response.next = read_data(from.getNext(), limits::kKeyMax);
  return response;
}

ErrorMessage read(wire::Error::Reader from) {
  return {code_of(from.getCode()), read_text(from.getText(), kErrorTextMax), from.getRetryAfterMs()};
}

Message read(wire::Message::Reader from) {
  switch (from.which()) {
    case wire::Message::HELLO: return read(from.getHello());
    case wire::Message::STATE_CHANGE: return StateChange{read_page(from.getStateChange())};
    case wire::Message::STATE_BATCH: return read(from.getStateBatch());
    case wire::Message::STATE_REQUEST: {
      auto request = read_request<StateRequest>(from.getStateRequest());
      request.horizon = Rev{from.getStateRequest().getHorizon()};
      require(request.horizon.value <= limits::kCountMax, "a horizon is too high");
      return request;
    }
    case wire::Message::STATE_RESPONSE: return read(from.getStateResponse());
    case wire::Message::SHARED_CHANGE: return read(from.getSharedChange());
    case wire::Message::SHARED_CHANGE_BATCH: return read_batch(from.getSharedChangeBatch());
    case wire::Message::SHARED_CHANGE_REQUEST: return read_log_request(from.getSharedChangeRequest());
    case wire::Message::SHARED_CHANGE_RESPONSE: return read(from.getSharedChangeResponse());
    case wire::Message::ACK_SHARED_CHANGES: return read(from.getAckSharedChanges());
    case wire::Message::HEARTBEAT: return read(from.getHeartbeat());
    case wire::Message::ERROR: return read(from.getError());
    case wire::Message::SNAPSHOT_REQUEST: return read(from.getSnapshotRequest());
    case wire::Message::SNAPSHOT_PAGE: return read(from.getSnapshotPage());
    case wire::Message::ENTRY_PART: return read(from.getEntryPart());
    case wire::Message::DIGEST_REQUEST: return read(from.getDigestRequest());
    case wire::Message::DIGEST_RESPONSE: return read(from.getDigestResponse());
    case wire::Message::NONE: break;
  }
  throw Malformed("message kind " + std::to_string(static_cast<unsigned>(from.which())) + " is unknown");
}

}  // namespace

Expected<Message> read_message(BytesView words) {
  const auto corrupt = [](const char* what) {
    return Error{Errc::corrupt, std::string("not a message: ") + what, "", ""};
  };
  const kj::ArrayPtr<const capnp::word> array(reinterpret_cast<const capnp::word*>(words.data()),
                                              words.size() / sizeof(capnp::word));
  capnp::ReaderOptions options;
  options.traversalLimitInWords = 2 * array.size() + 64;  // Cap'n Proto may count a word twice, but not more often
  options.nestingLimit = kNestingMax;
  try {
    capnp::FlatArrayMessageReader reader(array, options);
    require(reader.getEnd() == array.end(), "bytes follow it");
    return read(reader.getRoot<wire::Message>());
  } catch (const kj::Exception& e) {
    return corrupt(e.getDescription().cStr());
  } catch (const std::bad_alloc&) {
    throw;  // the machine's fault, not the peer's
  } catch (const std::exception& e) {
    return corrupt(e.what());
  }
}

}  // namespace starling::wire_codec
