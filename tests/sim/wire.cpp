// Bytes of the simulated network: they are put, travel, stand still, and are read.
#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "tests/sim/network.h"
#include "tests/sim/node.h"

namespace starling::sim {
namespace {

constexpr Duration kOvertakenFor = std::chrono::milliseconds(700);
constexpr std::uint64_t kSlicesASecond = 4;  // of a slow direction: so often something arrives

template <class... Ms>
bool is_any_of(const Message& message) {
  return (std::holds_alternative<Ms>(message) || ...);
}

Duration time_for(std::size_t bytes, std::uint64_t bytes_per_second) {
  return bytes_per_second == 0 ? Duration(0) : Duration(static_cast<std::int64_t>(bytes * 1'000'000 / bytes_per_second));
}

// One round of multiplying and shifting for each eight bytes: nobody attacks it, it must only be quick.
std::uint64_t fold(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
  return hash ^ (hash >> 29);
}

std::uint64_t fold(std::uint64_t hash, BytesView bytes) {
  for (; !bytes.empty(); bytes.remove_prefix(std::min<std::size_t>(8, bytes.size()))) {
    std::uint64_t word = bytes.size();
    std::memcpy(&word, bytes.data(), std::min<std::size_t>(8, bytes.size()));
    hash = fold(hash, word);
  }
  return hash;
}

void remember(std::deque<std::shared_ptr<const Message>>& said, const std::shared_ptr<const Message>& message) {
  constexpr std::size_t kRemembered = 20;
  if (std::holds_alternative<Hello>(*message) || std::holds_alternative<ErrorMessage>(*message)) return;
  said.push_back(message);
  if (said.size() > kRemembered) said.pop_front();
}

}  // namespace

bool End::waits() const { return direction->stalled || node->suspended(); }

// ---- They are put ----

// Rows may come in any order (promise 6); what deltas are counted on may not, and rests on TCP.
void Network::send(SessionId session, const std::shared_ptr<const Message>& message) {
  const Shared connection = where(session).connection;
  const bool rows = is_any_of<StateChange, StateBatch, StateResponse, SharedChange, SharedChangeBatch, SharedChangeResponse, EntryPart>(*message);
  if (!connection || connection->link == nullptr || !rows ||
      !std::exchange(connection->link->sides[where(session).end].overtaken, false))
    return send_now(session, message);
  last_word_ = timeline_.now();
  timeline_.after(kOvertakenFor, [this, session, message] { send_now(session, message); });
}

void Network::send_now(SessionId session, const std::shared_ptr<const Message>& message) {
  const auto [connection, from] = where(session);
  if (!connection || connection->ends[from].hung_up) return;
  const End& here = connection->ends[from];
  const End& there = connection->ends[1 - from];
  const Bytes frame = encode_frame(*message);
  if (there.incoming_bytes > 0 && there.incoming_bytes + frame.size() > config.outbox_max) {  // an empty one takes any frame
    ++faults_.outbox_full;
    return here.node->push(OutboxFull{session});
  }
  trace_ = fold(fold(fold(trace_, session), static_cast<std::uint64_t>(timeline_.now().time_since_epoch().count())), frame);
  const Carried carried = carried_by(*message, here.node->store().schema());
  wire_.add(*message, frame.size(), carried);
  there.direction->count.add(*message, frame.size(), carried);
  if (connection->link != nullptr) remember(connection->link->sides[from].said, message);
  if (!std::holds_alternative<Heartbeat>(*message)) last_word_ = timeline_.now();
  const Quality& way = quality(*there.direction);
  const std::size_t most = way.bytes_per_second == 0 ? frame.size() : 1 + way.bytes_per_second / kSlicesASecond;
  for (std::size_t at = 0; at < frame.size();) {
    const std::size_t left = std::min(most, frame.size() - at);
    const std::size_t size = way.pieces && there.direction->prng.chance(30) ? 1 + there.direction->prng.below(left) : left;
    put(connection, 1 - from, frame.substr(at, size));
    at += size;
  }
}

void Network::put(const Shared& connection, std::size_t to, Bytes piece) {
  End& end = connection->ends[to];
  Direction& way = *end.direction;
  if (end.incoming_bytes <= config.socket_buffer) end.last_taken = timeline_.now();
  end.incoming_bytes += piece.size();
  end.incoming.push_back({arrival(end, piece.size()), std::move(piece)});
  ++way.under_way;
  await(connection, to);
  watch_sending(connection, to);
}

// When a piece that is sent now arrives: after what was sent before.
MonoTime Network::arrival(End& end, std::size_t size) {
  Direction& way = *end.direction;
  const Quality& q = quality(way);
  const auto span = static_cast<std::uint64_t>((q.delay_max - q.delay_min).count());
  way.free_at = std::max(way.free_at, timeline_.now()) + time_for(size, q.bytes_per_second);
  const Duration delay = q.delay_min + Duration(static_cast<std::int64_t>(way.prng.below(span + 1)));
  return end.last_arrival = std::max(end.last_arrival, way.free_at + delay);
}

void Network::tell_end(const Shared& connection, std::size_t from) {
  if (!std::exchange(connection->ends[from].told_end, true)) put(connection, 1 - from, {});
}

// ---- They travel, or stand still ----

void Network::await(const Shared& connection, std::size_t to) {
  End& pipe = connection->ends[to];
  if (pipe.incoming.empty() || pipe.waits() || std::exchange(pipe.awaited, true)) return;
  timeline_.at(pipe.incoming.front().arrives, [this, connection, to] {
    End& end = connection->ends[to];
    end.awaited = false;
    if (end.incoming.empty() || end.waits()) return;
    if (end.incoming.front().arrives <= timeline_.now()) arrive(connection, to);
    await(connection, to);
  });
}

void Network::set_stalled(Direction& way, bool releases_itself) {
  way.stalled = true;
  way.releases_itself = releases_itself;
  ++way.stalls;
}

// What stood still goes on as if it were sent now.
void Network::release(Direction& way) {
  if (!std::exchange(way.stalled, false)) return;
  way.free_at = timeline_.now();
  for (const auto& link : links_) {
    const std::size_t to = link->sides[0].out == &way ? 1 : 0;
    if (link->sides[1 - to].out != &way) continue;
    for (const Side& side : link->sides) {
      if (!side.connection || (&side == &link->sides[1] && link->stands())) continue;
      End& end = side.connection->ends[to];
      end.last_arrival = timeline_.now();
      for (Piece& piece : end.incoming) piece.arrives = arrival(end, piece.bytes.size());
      await(side.connection, to);
    }
  }
}

// ---- They are read ----

void Network::arrive(const Shared& connection, std::size_t to) {
  End& end = connection->ends[to];
  Bytes piece = std::move(end.incoming.front().bytes);
  end.incoming.pop_front();
  end.incoming_bytes -= piece.size();
  end.last_taken = timeline_.now();
  --end.direction->under_way;
  if (piece.empty()) return this->end(connection, to, true);
  if (end.open) return take(connection, to, std::move(piece));
  if (!end.node->alive() || end.told_end) return;
  ++faults_.resets;
  tell_end(connection, to);
}

void Network::take(const Shared& connection, std::size_t to, Bytes piece) {
  End& end = connection->ends[to];
  end.last_heard = timeline_.now();
  const bool cut = end.cut_after && piece.size() >= *end.cut_after;
  if (cut) piece.resize(*end.cut_after);
  else if (end.cut_after) *end.cut_after -= piece.size();
  if (!end.hung_up) {
    end.reader.feed(piece);
    read(connection, to);
  }
  if (!cut || !end.open) return;
  ++faults_.cuts;
  faults_.cuts_in_frame += end.reader.buffered() != 0 ? 1 : 0;
  end_both(connection);
}

void Network::read(const Shared& connection, std::size_t to) {
  End& end = connection->ends[to];
  while (end.open && end.reads()) {
    Expected<std::optional<Message>> message = end.reader.next();
    if (!message) throw std::runtime_error("a frame does not decode: " + message.error().text());
    if (!*message) return;
    end.heard = true;
    end.node->push(Received{end.session, std::move(**message)});
  }
}

void Network::accept(SessionId session) {
  const auto [connection, which] = where(session);
  if (!connection || connection->ends[which].accepted_at) return;
  End& end = connection->ends[which];
  end.accepted_at = timeline_.now();
  end.reader.set_limit(limits::kFrameMax);
  read(connection, which);
}

}  // namespace starling::sim
