#include "tests/sim/network.h"

#include <algorithm>
#include <stdexcept>

#include "core/base/backoff.h"
#include "proto/state_page.h"
#include "tests/sim/node.h"

namespace starling::sim {
namespace {

template <class... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

}  // namespace

Traffic WireCount::of(const std::string& kind) const {
  const auto at = kinds.find(kind);
  return at == kinds.end() ? Traffic{} : at->second;
}

WireCount WireCount::since(const WireCount& before) const {
  WireCount d{{}, total - before.total, entries - before.entries, rows - before.rows};
  for (const auto& [kind, traffic] : kinds) {
    if (traffic.messages != before.of(kind).messages) d.kinds[kind] = traffic - before.of(kind);
  }
  return d;
}

// ---- Links ----

Network::Link* Network::find(const SimNode& a, const SimNode& b) {
  for (const auto& link : links_)
    if ((link->a == &a && link->b == &b) || (link->a == &b && link->b == &a)) return link.get();
  return nullptr;
}

void Network::connect(SimNode& a, SimNode& b) {
  if (find(a, b) != nullptr) return;
  links_.push_back(std::make_unique<Link>());
  links_.back()->a = &a;
  links_.back()->b = &b;
  dial(*links_.back());
}

void Network::disconnect(SimNode& a, SimNode& b) {
  Link* link = find(a, b);
  if (link == nullptr) return;
  const Shared connection = link->connection;
  if (connection) connection->link = nullptr;
  std::erase_if(links_, [link](const auto& l) { return l.get() == link; });
  if (connection) close(connection);
}

void Network::break_connection(SimNode& a, SimNode& b) {
  Link* link = find(a, b);
  if (link != nullptr && link->connection) close(Shared(link->connection));
}

void Network::cut_after(SimNode& from, SimNode& to, std::uint64_t bytes) {
  Link* link = find(from, to);
  if (link == nullptr || !link->connection) return;
  End& end = link->connection->ends[link->connection->ends[0].node == &to ? 0 : 1];
  end.cut_after = bytes;
}

void Network::dial(Link& link) {
  link.dialling = false;
  if (link.connection || !link.a->alive() || !link.b->alive()) return;
  link.connection = std::make_shared<Connection>();
  link.connection->link = &link;
  SimNode* nodes[] = {link.a, link.b};
  for (int i = 0; i < 2; ++i) {
    End& end = link.connection->ends[static_cast<std::size_t>(i)];
    end.node = nodes[i];
    end.session = ++last_session_;
    sessions_[end.session] = {link.connection, i};
  }
  last_word_ = timeline_.now();
  for (int i = 0; i < 2; ++i)
    nodes[i]->push(PeerUp{link.connection->ends[static_cast<std::size_t>(i)].session, nodes[1 - i]->device()});
}

void Network::redial(Link& link) {
  if (link.dialling || !link.refusal.empty() || !link.a->alive() || !link.b->alive()) return;
  link.dialling = true;
  const SimNode* a = link.a;
  const SimNode* b = link.b;
  timeline_.after(backoff_delay(++link.failures, prng_), [this, a, b] {
    Link* still = find(*a, *b);
    if (still != nullptr && still->dialling) dial(*still);
  });
}

void Network::close(const Shared& connection) {
  if (!connection->open) return;
  connection->open = false;
  for (End& end : connection->ends) {
    under_way_ -= end.incoming.size();
    end.incoming.clear();
    sessions_.erase(end.session);
    end.node->push(PeerDown{end.session});
  }
  if (connection->link == nullptr) return;
  connection->link->connection.reset();
  redial(*connection->link);
}

void Network::node_died(SimNode& node) {
  for (const auto& link : links_) {
    if (link->a != &node && link->b != &node) continue;
    link->dialling = false;
    if (link->connection) close(Shared(link->connection));
  }
}

void Network::node_started(SimNode& node) {
  for (const auto& link : links_)
    if (link->a == &node || link->b == &node) redial(*link);
}

// ---- Bytes ----

void Network::send(SessionId session, const Message& message) {
  const auto known = sessions_.find(session);
  if (known == sessions_.end()) return;
  const auto [connection, from] = known->second;
  End& here = connection->ends[static_cast<std::size_t>(from)];
  End& there = connection->ends[static_cast<std::size_t>(1 - from)];
  if (here.hung_up) return;
  const Bytes frame = encode_frame(message);
  if (there.incoming_bytes + frame.size() > config.outbox_max) {
    here.node->push(OutboxFull{session});
    return;
  }
  count(*here.node, message, frame.size());
  remember(*connection, *here.node, message);
  if (!std::holds_alternative<Heartbeat>(message)) last_word_ = timeline_.now();
  for (std::size_t at = 0; at < frame.size();) {
    const std::size_t left = frame.size() - at;
    const std::size_t size = config.pieces && prng_.chance(30) ? 1 + prng_.below(left) : left;
    put(connection, 1 - from, frame.substr(at, size));
    at += size;
  }
}

void Network::put(const Shared& connection, int to, Bytes piece) {
  End& end = connection->ends[static_cast<std::size_t>(to)];
  const auto span = static_cast<std::uint64_t>((config.delay_max - config.delay_min).count());
  const Duration delay = config.delay_min + Duration(static_cast<std::int64_t>(prng_.below(span + 1)));
  end.last_arrival = std::max(end.last_arrival, timeline_.now() + delay);
  end.incoming_bytes += piece.size();
  end.incoming.push_back(std::move(piece));
  ++under_way_;
  timeline_.at(end.last_arrival, [this, connection, to] { arrive(connection, to); });
}

void Network::arrive(const Shared& connection, int to) {
  if (!connection->open) return;
  End& end = connection->ends[static_cast<std::size_t>(to)];
  Bytes piece = std::move(end.incoming.front());
  end.incoming.pop_front();
  end.incoming_bytes -= piece.size();
  --under_way_;
  if (piece.empty()) return close(connection);  // the other side has hung up
  const bool cut = end.cut_after && piece.size() >= *end.cut_after;
  if (cut) piece.resize(*end.cut_after);
  else if (end.cut_after) *end.cut_after -= piece.size();
  if (!end.hung_up) {
    end.reader.feed(piece);
    read(connection, to);
  }
  if (cut) close(connection);
}

void Network::read(const Shared& connection, int to) {
  End& end = connection->ends[static_cast<std::size_t>(to)];
  while (connection->open && (end.accepted || !end.heard)) {  // nothing is read between the Hello and its acceptance
    Expected<std::optional<Message>> message = end.reader.next();
    if (!message) throw std::runtime_error("a frame does not decode: " + message.error().text());
    if (!*message) return;
    end.heard = true;
    end.node->push(Received{end.session, std::move(**message)});
  }
}

void Network::accept(SessionId session) {
  const auto known = sessions_.find(session);
  if (known == sessions_.end()) return;
  const auto [connection, which] = known->second;
  End& end = connection->ends[static_cast<std::size_t>(which)];
  end.accepted = true;
  end.reader.set_limit(limits::kFrameMax);
  if (connection->link != nullptr) connection->link->failures = 0;
  read(connection, which);
}

void Network::hang_up(SessionId session, const Error& why) {
  const auto known = sessions_.find(session);
  if (known == sessions_.end()) return;
  const auto [connection, which] = known->second;
  End& end = connection->ends[static_cast<std::size_t>(which)];
  if (end.hung_up) return;
  end.hung_up = true;
  if (connection->link != nullptr && connection->link->refusal.empty() && why.code != Errc::not_ready)
    connection->link->refusal = end.node->name() + " closed the session: " + why.text();
  put(connection, 1 - which, {});
}

void Network::inject(SimNode& to, SimNode& as_from, const Message& message) {
  Link* link = find(to, as_from);
  if (link == nullptr || !link->connection) throw std::runtime_error("there is no connection to inject into");
  for (const End& end : link->connection->ends)
    if (end.node == &as_from) send(end.session, message);
}

void Network::remember(Connection& connection, const SimNode& from, const Message& message) {
  constexpr std::size_t kRemembered = 20;
  if (connection.link == nullptr || std::holds_alternative<Hello>(message) || std::holds_alternative<ErrorMessage>(message)) return;
  std::deque<Message>& said = connection.link->said[&from];
  said.push_back(message);
  if (said.size() > kRemembered) said.pop_front();
}

void Network::replay(SimNode& from, SimNode& to) {
  Link* link = find(from, to);
  if (link == nullptr || !link->connection || link->said[&from].empty()) return;
  const std::deque<Message>& said = link->said[&from];
  for (const End& end : link->connection->ends)
    if (end.node == &from && end.accepted) return send(end.session, Message(said[prng_.below(said.size())]));
}

// ---- What can be seen ----

bool Network::idle() const {
  return under_way_ == 0 && std::all_of(links_.begin(), links_.end(), [](const auto& link) {
           return link->connection || !link->refusal.empty() || !link->a->alive() || !link->b->alive();
         });
}

std::vector<std::string> Network::refusals() const {
  std::vector<std::string> all;
  for (const auto& link : links_)
    if (!link->refusal.empty()) all.push_back(link->refusal);
  return all;
}

void Network::forget_refusals() {
  for (const auto& link : links_) {
    if (std::exchange(link->refusal, {}).empty()) continue;
    if (!link->connection) redial(*link);
  }
}

std::uint64_t Network::rows_in(const SimNode& from, const StatePage& page) const {
  const auto rows = decode_state_page(page.body, page.from, page.to, from.store().schema());
  return rows ? rows->rows.size() : 0;
}

void Network::count(const SimNode& from, const Message& message, std::size_t bytes) {
  for (Traffic* traffic : {&count_.total, &count_.kinds[name_of(message)]}) {
    ++traffic->messages;
    traffic->bytes += bytes;
  }
  std::visit(Overloaded{[&](const StateChange& m) { count_.rows += rows_in(from, m.page); },
                        [&](const StateBatch& m) {
                          for (const StatePage& page : m.pages) count_.rows += rows_in(from, page);
                        },
                        [&](const StateResponse& m) { count_.rows += rows_in(from, m.page); },
                        [&](const SharedChange&) { ++count_.entries; },
                        [&](const SharedChangeBatch& m) { count_.entries += m.entries.size(); },
                        [&](const SharedChangeResponse& m) { count_.entries += m.batch.entries.size(); },
                        [](const auto&) {}},
             message);
}

}  // namespace starling::sim
