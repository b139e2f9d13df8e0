// Nodes for tests: a folder of their own, two small models, and shorthands.
#pragma once

#include <doctest/doctest.h>

#include <mutex>
#include <thread>

#include "net/node.h"
#include "net/system_clock.h"
#include "tests/net/temp_folder.h"

namespace starling {

using namespace std::chrono_literals;

inline std::vector<Model> test_models() {
  return {Model::from_sql("CREATE TABLE note (id TEXT PRIMARY KEY NOT NULL, title TEXT, body TEXT)", Kind::shared),
          Model::from_sql("CREATE TABLE file (path TEXT PRIMARY KEY NOT NULL, size INTEGER)", Kind::device_owned)};
}

inline DeviceId new_device() {
  const TempFolder temp;
  const Expected<DeviceId> id = device_id(temp.path());
  REQUIRE(id);
  return *id;
}

template <class Predicate>
bool eventually(Predicate met, std::chrono::milliseconds timeout = 20s) {
  const auto until = std::chrono::steady_clock::now() + timeout;
  while (!met()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(2ms);
  }
  return true;
}

class TestNode {
 public:
  explicit TestNode(Start start, std::string listen = "", const Clock* clock = nullptr) {
    config_.folder = temp_ / "node";
    config_.workspace = "test";
    config_.start = start;
    config_.listen = std::move(listen);
    config_.clock = clock;
    config_.log = [this](LogLevel, const std::string& text) {
      const std::scoped_lock lock(mutex_);
      log_.push_back(text);
    };
    open();
    this->start();
  }
  ~TestNode() { close(); }

  void open() {
    Expected<std::unique_ptr<Node>> opened = Node::open(config_, test_models());
    REQUIRE(opened);
    node_ = std::move(*opened);
  }
  void start() {
    REQUIRE(node_->start());
    if (!config_.listen.empty()) config_.listen = address();  // the same port again after a restart
  }
  void close() { node_.reset(); }
  void reopen() {
    close();
    open();
    start();
  }
  void add_peer(const Peer& peer) {  // also for when it opens again
    config_.peers.push_back(peer);
    REQUIRE(node_->add_peer(peer));
  }

  Node* operator->() { return node_.get(); }
  [[nodiscard]] const Config& config() const { return config_; }
  [[nodiscard]] std::filesystem::path folder() const { return config_.folder; }
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(node_->port()); }

  Expected<CommitInfo> put_note(const std::string& id, const std::string& title) {
    return node_->commit_shared([&](Transaction& t) -> Expected<void> {
      const auto done =
          t.exec("INSERT INTO note VALUES(?,?,'') ON CONFLICT(id) DO UPDATE SET title=excluded.title", id, title);
      return done ? Expected<void>() : Expected<void>(done.error());
    });
  }
  Expected<CommitInfo> put_file(const std::string& path, int size) {
    return node_->commit_device_owned([&](Transaction& t) -> Expected<void> {
      const auto done = t.exec("INSERT INTO file VALUES(?,?)", path, size);
      return done ? Expected<void>() : Expected<void>(done.error());
    });
  }
  [[nodiscard]] std::int64_t count(const std::string& table) {
    const Expected<Rows> rows = node_->reader()->query("SELECT count(*) FROM " + table);
    REQUIRE(rows);
    return rows->integer(0);
  }
  [[nodiscard]] std::int64_t notes() { return count("note"); }
  [[nodiscard]] std::vector<std::string> digests() {
    std::vector<std::string> digests;
    for (const TableDigest& one : node_->digests()) digests.push_back(one.digest);
    return digests;
  }
  [[nodiscard]] bool logged(const std::string& part) const {
    const std::scoped_lock lock(mutex_);
    for (const std::string& line : log_)
      if (line.find(part) != std::string::npos) return true;
    return false;
  }

 private:
  TempFolder temp_;
  Config config_;
  mutable std::mutex mutex_;
  std::vector<std::string> log_;
  std::unique_ptr<Node> node_;
};

// Two nodes of one workspace over loopback; `b` joined and dials.
struct NodePair {
  explicit NodePair(const Clock* clock_of_b = nullptr)
      : a(Start::create, "127.0.0.1:0"), b(Start::join, "", clock_of_b) {
    a.add_peer({b->device(), {}});
    b.add_peer({a->device(), {a.address()}});
    REQUIRE(b->wait_ready(20s));
    REQUIRE(eventually([&] { return connected(); }));
  }
  bool connected() {
    const Status at_a = a->status(), at_b = b->status();
    const auto in_session = [](const Status& s) {
      return s.peers.size() == 1 && (s.peers[0].state == PeerState::live || s.peers[0].state == PeerState::behind);
    };
    return in_session(at_a) && in_session(at_b);
  }
  bool converged() { return connected() && a->status().vector == b->status().vector && a.digests() == b.digests(); }

  TestNode a, b;
};

}  // namespace starling
