// One device without a network: a store in memory, a replica, and hands to move messages with.
//
// Tests give events and look at effects. exchange() carries everything that two nodes send each other until they are
// silent; to say something by itself, a test plays the peer with a Hello of its own.
#pragma once

#include <doctest/doctest.h>

#include <deque>

#include "core/replica/hello.h"
#include "core/replica/replica.h"
#include "core/replica/transaction_manager.h"
#include "core/store/origin_table.h"
#include "core/store/peer_log.h"
#include "core/store/row_store.h"
#include "core/store/statement.h"
#include "core/store/store.h"
#include "tests/core/causal/some_ids.h"

namespace starling {

using namespace std::chrono_literals;

inline std::vector<Model> test_models() {
  return {Model::from_sql("CREATE TABLE note (id TEXT PRIMARY KEY NOT NULL, title, body TEXT, stars INTEGER)", Kind::shared),
          Model::from_sql("CREATE TABLE link (a TEXT NOT NULL, b TEXT NOT NULL, PRIMARY KEY (a, b))", Kind::shared),
          Model::from_sql("CREATE TABLE file (id BLOB PRIMARY KEY NOT NULL, path, size INTEGER)", Kind::device_owned)};
}

class TestNode {
 public:
  Now now{MonoTime{}, WallTime{1'700'000'000'000}};
  std::unique_ptr<Store> store;
  TransactionManager transactions;
  Replica replica;

  explicit TestNode(unsigned device_number, bool create = true, std::vector<Model> models = test_models(),
                    const std::string& workspace = "test")
      : store(open(device_number, create, std::move(models), workspace)), transactions(*store), replica(*store) {}

  std::vector<Effect> step(std::vector<Event> events) { return replica.step(events, now); }
  std::vector<Effect> receive(SessionId session, Message message) {
    return step({Received{session, std::move(message)}});
  }
  std::vector<Effect> wait(Duration time) {
    now.mono += time;
    now.wall.ms += std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
    return step({});
  }

  Expected<LocalCommit> try_write(std::string_view sql, WriteScope scope = WriteScope::any) {
    return transactions.write(scope, [&](Transaction& t) -> Expected<void> {
      const Expected<std::int64_t> done = t.exec(sql);
      return done ? Expected<void>() : Expected<void>(done.error());
    }, now.wall);
  }
  Committed write(std::string_view sql) {
    Expected<LocalCommit> commit = try_write(sql);
    REQUIRE_MESSAGE(commit.has_value(), (commit ? std::string() : commit.error().text()));
    return Committed{std::make_shared<const LocalCommit>(std::move(*commit))};
  }

  [[nodiscard]] std::int64_t number(std::string_view sql) const {
    Statement select(store->handle(), sql);
    return select.step() ? select.column_integer(0) : -1;
  }
  [[nodiscard]] std::string text(std::string_view sql) const {
    Statement select(store->handle(), sql);
    return select.step() ? std::string(select.column_bytes(0)) : "(no row)";
  }
  [[nodiscard]] const VersionVector& vector() const { return store->origins().vector(); }
  [[nodiscard]] Position own() const { return vector().at(store->self()); }
  [[nodiscard]] Bytes entry(std::uint64_t seq) const { return *store->log().find(store->self_ordinal(), Seq{seq}); }
  [[nodiscard]] std::int64_t rows_written() const { return sqlite3_total_changes64(store->handle()); }

 private:
  static std::unique_ptr<Store> open(unsigned device_number, bool create, std::vector<Model> models, const std::string& workspace) {
    StoreConfig config;
    config.file = ":memory:";
    config.models = std::move(models);
    config.workspace_name = workspace;
    config.create = create;
    config.device = device(device_number);
    Prng prng(device_number);
    Expected<std::unique_ptr<Store>> store = Store::open(config, WallTime{1'700'000'000'000}, prng);
    REQUIRE_MESSAGE(store.has_value(), (store ? std::string() : store.error().text()));
    return std::move(*store);
  }
};

// The messages of one kind that the effects send to a session.
template <class M>
std::vector<M> sent(const std::vector<Effect>& effects, SessionId session) {
  std::vector<M> messages;
  for (const Effect& effect : effects) {
    const auto* send = std::get_if<Send>(&effect);
    if (send == nullptr || std::find(send->sessions.begin(), send->sessions.end(), session) == send->sessions.end()) continue;
    if (const auto* message = std::get_if<M>(send->message.get())) messages.push_back(*message);
  }
  return messages;
}

template <class E>
std::vector<E> effects_of(const std::vector<Effect>& effects) {
  std::vector<E> found;
  for (const Effect& effect : effects)
    if (const auto* e = std::get_if<E>(&effect)) found.push_back(*e);
  return found;
}

// The code with which the effects close a session; nullopt: they do not.
inline std::optional<Errc> closed_with(const std::vector<Effect>& effects) {
  const auto closes = effects_of<Close>(effects);
  return closes.empty() ? std::nullopt : std::optional(closes.front().why.code);
}

// What a peer would say first: it knows nothing, and agrees with us in everything.
inline Hello hello_for(TestNode& node, unsigned peer) {
  Hello hello = make_hello(*node.store, node.store->origins().vector(), device(peer), node.now.wall);
  hello.incarnation = origin(peer).incarnation;
  hello.vector = {};
  hello.held.clear();
  hello.ack_version = 0;
  return hello;
}

// Opens a session with a peer played by the test.
inline std::vector<Effect> meet(TestNode& node, SessionId session, unsigned peer, const VersionVector& vector = {}) {
  Hello hello = hello_for(node, peer);
  hello.vector = vector;
  hello.ack_version = ack_version(vector);
  (void)node.step({PeerUp{session, device(peer)}});
  return node.receive(session, hello);
}

// Carries messages between two nodes, each of which has a session with the other, until both are silent.
class Exchange {
 public:
  Exchange(TestNode& a, TestNode& b, SessionId session = 1) : nodes_{&a, &b}, session_(session) {
    carry(0, a.step({PeerUp{session, b.store->self().device}}));
    carry(1, b.step({PeerUp{session, a.store->self().device}}));
    run();
  }
  void run(std::vector<Event> of_a = {}, std::vector<Event> of_b = {}) {
    carry(0, nodes_[0]->step(std::move(of_a)));
    carry(1, nodes_[1]->step(std::move(of_b)));
    deliver();
    for (const int i : {0, 1}) carry(i, nodes_[i]->wait(kAckEvery_));  // what waits for the next acknowledgement
    deliver();
  }
  [[nodiscard]] std::size_t messages() const { return messages_; }

 private:
  static constexpr Duration kAckEvery_ = limits::kAckEvery;

  void carry(int from, const std::vector<Effect>& effects) {
    for (const Effect& effect : effects)
      if (const auto* send = std::get_if<Send>(&effect)) queue_.push_back({1 - from, send->message});
  }
  void deliver() {
    while (!queue_.empty()) {
      const auto [to, message] = queue_.front();
      queue_.pop_front();
      ++messages_;
      REQUIRE(messages_ < 100'000);
      carry(to, nodes_[to]->receive(session_, *message));
    }
  }

  TestNode* nodes_[2];
  SessionId session_;
  std::deque<std::pair<int, std::shared_ptr<const Message>>> queue_;
  std::size_t messages_ = 0;
};

}  // namespace starling
