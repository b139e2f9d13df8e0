#include "tests/sim/network.h"

#include <algorithm>
#include <stdexcept>

#include "tests/sim/node.h"

namespace starling::sim {
namespace {

std::uint64_t hash_of(std::string_view text) {  // FNV-1a: the same on every machine
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3ULL;
  return hash;
}

}  // namespace

Link* Network::find(const SimNode& a, const SimNode& b) {
  const auto found = std::find_if(links_.begin(), links_.end(), [&](const auto& link) { return link->between(a, b); });
  return found == links_.end() ? nullptr : found->get();
}

Direction& Network::direction(const SimNode& from, const SimNode& to) {
  const std::uint64_t seed = seed_ ^ hash_of(from.name() + '>' + to.name());
  return directions_.try_emplace({from.name(), to.name()}, seed).first->second;
}

Network::Where Network::where(SessionId session) const {
  const auto found = sessions_.find(session);
  return found == sessions_.end() ? Where{} : found->second;
}

// ---- What scenarios do ----

void Network::connect(SimNode& a, SimNode& b) {
  if (find(a, b) != nullptr || a.device() == b.device()) return;
  Link& link = *links_.emplace_back(std::make_unique<Link>());
  link.sides[0].node = &a;
  link.sides[0].out = &direction(a, b);
  link.sides[1].node = &b;
  link.sides[1].out = &direction(b, a);
  for (const std::size_t side : {0U, 1U}) dial(link, side, false);
}

void Network::disconnect(SimNode& a, SimNode& b) {
  const auto found = std::find_if(links_.begin(), links_.end(), [&](const auto& link) { return link->between(a, b); });
  if (found == links_.end()) return;
  const std::unique_ptr<Link> link = std::move(*found);
  links_.erase(found);
  if (!link->refusal.empty()) past_refusals_.push_back(link->refusal);
  for (const Side& side : link->sides)
    if (side.connection) side.connection->link = nullptr;
  for (const Side& side : link->sides)
    if (side.connection) end_both(Shared(side.connection));
}

void Network::break_connection(SimNode& a, SimNode& b) {
  Link* link = find(a, b);
  if (link == nullptr) return;
  faults_.breaks += link->stands() ? 1 : 0;
  for (const Side& side : link->sides)
    if (side.connection) end_both(Shared(side.connection));
}

void Network::cut_after(SimNode& from, SimNode& to, std::uint64_t bytes) {
  Link* link = find(from, to);
  if (link == nullptr) return;
  const std::size_t side = link->side_of(to);
  if (link->sides[side].connection) link->sides[side].connection->ends[side].cut_after = bytes;
}

void Network::set_quality(const SimNode& from, const SimNode& to, Quality quality) { direction(from, to).quality = quality; }

void Network::stall(const SimNode& from, const SimNode& to) {
  ++faults_.stalls;
  set_stalled(direction(from, to), false);
}

void Network::release(const SimNode& from, const SimNode& to) { release(direction(from, to)); }

void Network::clog(const SimNode& from, const SimNode& to, Duration time) {
  Direction& clogged = direction(from, to);
  if (clogged.blocked()) return;  // a stall lasts longer
  ++faults_.clogs;
  set_stalled(clogged, true);
  timeline_.after(time, [this, &clogged, which = clogged.stalls] {
    if (clogged.stalls == which) release(clogged);
  });
}

void Network::inject(SimNode& to, SimNode& as_from, const Message& message) {
  Link* link = find(to, as_from);
  if (link == nullptr || !link->stands()) throw std::runtime_error("there is no connection to inject into");
  const std::size_t side = link->side_of(as_from);
  send(link->sides[side].connection->ends[side].session, std::make_shared<const Message>(message));
}

void Network::node_woke(SimNode& node) {
  for (const auto& link : links_) {
    const std::size_t which = link->side_of(node);
    if (link->sides[which].node == &node && link->sides[which].connection) await(link->sides[which].connection, which);
  }
  for (Timeline::Action& action : std::exchange(overdue_[node.name()], {})) timeline_.after(Duration(0), std::move(action));
}

// Who falls asleep again before a timer of the time before went off is asleep for that one, too.
void Network::at(const SimNode& whose, MonoTime when, Timeline::Action action) {
  timeline_.at(when, [this, &whose, action = std::move(action)] {
    if (whose.suspended()) overdue_[whose.name()].push_back([this, &whose, action] { at(whose, timeline_.now(), action); });
    else action();
  });
}

void Network::forget_words(const SimNode& node) {
  for (const auto& link : links_)
    if (link->sides[link->side_of(node)].node == &node) link->sides[link->side_of(node)].said.clear();
}

void Network::overtake(SimNode& from, SimNode& to) {
  if (Link* link = find(from, to)) link->sides[link->side_of(from)].overtaken = true;
}

bool Network::connects(const SimNode& a, const SimNode& b) { return find(a, b) != nullptr; }

void Network::replay(SimNode& from, SimNode& to) {
  Link* link = find(from, to);
  if (link == nullptr) return;
  const std::size_t which = link->side_of(from);
  const Side& side = link->sides[which];
  if (!side.connection || !side.connection->ends[which].accepted_at || side.said.empty()) return;
  ++faults_.replays;
  send(side.connection->ends[which].session, side.said[side.out->prng.below(side.said.size())]);
}

// ---- What can be seen ----

bool Network::idle() const {
  const auto still = [](const auto& named) { return named.second.under_way == 0 || named.second.blocked(); };
  return std::all_of(directions_.begin(), directions_.end(), still) &&
         std::all_of(links_.begin(), links_.end(), [](const auto& link) {
           return link->stands() || !link->refusal.empty() || link->blocked() || !link->sides[0].node->alive() ||
                  !link->sides[1].node->alive();
         });
}

std::vector<std::string> Network::refusals() const {
  std::vector<std::string> all = past_refusals_;
  for (const auto& link : links_)
    if (!link->refusal.empty()) all.push_back(link->refusal);
  return all;
}

void Network::forget_refusals() {
  past_refusals_.clear();
  for (const auto& link : links_) {
    if (std::exchange(link->refusal, {}).empty()) continue;
    for (const std::size_t side : {0U, 1U}) redial(*link, side);
  }
}

}  // namespace starling::sim
