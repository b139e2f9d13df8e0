// Connections of the simulated network: how they are dialled, and how they end.
#include "core/base/backoff.h"
#include "tests/sim/network.h"
#include "tests/sim/node.h"

namespace starling::sim {

// ---- Dialling ----

void Network::redial(Link& link, std::size_t by) {
  const Side& side = link.sides[by];
  if (side.connection || !link.refusal.empty() || !side.node->alive()) return;
  dial_later(link, by, backoff_delay(side.failures, side.out->dials), false);
}

void Network::dial_later(Link& link, std::size_t by, Duration delay, bool parked) {
  if (link.sides[by].dialling != 0) return;
  link.sides[by].dialling = ++last_dial_;
  const SimNode* self = link.sides[by].node;
  const SimNode* peer = link.sides[1 - by].node;
  at(*self, timeline_.now() + delay, [this, self, peer, parked, which = last_dial_] {
    Link* still = find(*self, *peer);
    if (still == nullptr || still->sides[still->side_of(*self)].dialling != which) return;
    still->sides[still->side_of(*self)].dialling = 0;
    dial(*still, still->side_of(*self), parked);
  });
}

// `parked`: the other side has let this connection wait, while it believed in a better one.
void Network::dial(Link& link, std::size_t by, bool parked) {
  Side& here = link.sides[by];
  Side& there = link.sides[1 - by];
  if (here.connection || !link.refusal.empty() || !here.node->alive() || !there.node->alive()) return;
  if (here.node->suspended()) return dial_later(link, by, Duration(0), parked);
  if (link.stalled() || there.node->suspended()) {
    ++faults_.unanswered;
    ++here.failures;
    return dial_later(link, by, limits::kHandshakeDeadline + backoff_delay(here.failures, here.out->dials), false);
  }
  if (const Shared older = there.connection) {
    const bool better = older->dialler != by && there.node->device() < here.node->device();
    if (better && !parked && !older->ends[1 - by].hung_up) return dial_later(link, by, limits::kLingerMax, true);
    ++faults_.half_open;
    end(older, 1 - by, true);
  }
  open(link, by);
}

void Network::open(Link& link, std::size_t by) {
  const auto connection = std::make_shared<Connection>();
  connection->link = &link;
  connection->dialler = by;
  for (const std::size_t i : {0U, 1U}) {
    End& end = connection->ends[i];
    end.node = link.sides[i].node;
    end.direction = link.sides[1 - i].out;
    end.session = ++last_session_;
    end.last_heard = timeline_.now();
    sessions_[end.session] = {connection, i};
    link.sides[i].connection = connection;
    link.sides[i].dialling = 0;
  }
  last_word_ = timeline_.now();
  for (const std::size_t i : {0U, 1U}) {
    connection->ends[i].node->push(PeerUp{connection->ends[i].session, connection->ends[1 - i].node->device()});
    watch_silence(connection, i);
  }
}

void Network::node_started(SimNode& node) {
  for (const auto& link : links_) {
    if (link->sides[0].node != &node && link->sides[1].node != &node) continue;
    link->sides[link->side_of(node)].failures = 0;
    for (const std::size_t side : {0U, 1U}) redial(*link, side);
  }
}

// ---- The end ----

// `tell`: by closing the connection. Else the other end knows already, or nobody is there to tell it.
void Network::end(const Shared& connection, std::size_t which, bool tell) {
  End& end = connection->ends[which];
  if (!std::exchange(end.open, false)) return;
  sessions_.erase(end.session);
  end.node->push(PeerDown{end.session});
  if (tell) tell_end(connection, which);
  if (!connection->ends[1 - which].open) drop(*connection);
  if (connection->link == nullptr) return;
  Side& side = connection->link->sides[which];
  side.connection.reset();
  side.session_down(end, timeline_.now());
  redial(*connection->link, which);
}

void Network::end_both(const Shared& connection) {
  for (const std::size_t i : {0U, 1U}) end(connection, i, false);
}

// Nobody reads what is still under way.
void Network::drop(Connection& connection) {
  for (End& end : connection.ends) {
    if (end.incoming.empty()) continue;
    end.direction->under_way -= end.incoming.size();
    end.direction->free_at = timeline_.now();
    end.incoming.clear();
  }
}

void Network::hang_up(SessionId session, const Error& why) {
  const auto [connection, which] = where(session);
  if (!connection || std::exchange(connection->ends[which].hung_up, true)) return;
  const bool passes = why.code == Errc::not_ready || why.code == Errc::unreachable || why.code == Errc::identity_conflict;
  if (connection->link != nullptr && connection->link->refusal.empty() && !passes)
    connection->link->refusal = connection->ends[which].node->name() + " closed the session: " + why.text();
  tell_end(connection, which);
  at(*connection->ends[which].node, timeline_.now() + limits::kLingerMax,
     [this, connection = connection, which = which] { end(connection, which, true); });
}

void Network::node_died(SimNode& node, bool silently) {
  for (const auto& link : links_) {
    if (link->sides[0].node != &node && link->sides[1].node != &node) continue;
    const std::size_t which = link->side_of(node);
    link->sides[which].dialling = 0;
    if (const Shared connection = link->sides[which].connection) end(connection, which, !silently);
  }
}

// ---- Deadlines ----

void Network::watch_silence(const Shared& connection, std::size_t which) {
  at(*connection->ends[which].node, connection->ends[which].last_heard + limits::kSilenceMax, [this, connection, which] {
    End& end = connection->ends[which];
    if (!end.open) return;
    if (!end.reads()) end.last_heard = timeline_.now();  // the silence is ours
    if (timeline_.now() - end.last_heard < limits::kSilenceMax) return watch_silence(connection, which);
    ++faults_.ends_by_silence;
    this->end(connection, which, true);
  });
}

// The sender's deadline for the pipe towards `to`.
void Network::watch_sending(const Shared& connection, std::size_t to) {
  if (connection->ends[to].incoming_bytes <= config.socket_buffer) return;
  if (std::exchange(connection->ends[to].watched, true)) return;
  at(*connection->ends[1 - to].node, connection->ends[to].last_taken + limits::kSendDeadline, [this, connection, to] {
    End& pipe = connection->ends[to];
    pipe.watched = false;
    if (!connection->ends[1 - to].open || pipe.incoming_bytes <= config.socket_buffer) return;
    if (timeline_.now() - pipe.last_taken < limits::kSendDeadline) return watch_sending(connection, to);
    ++faults_.ends_by_send_deadline;
    end(connection, 1 - to, true);
  });
}

}  // namespace starling::sim
