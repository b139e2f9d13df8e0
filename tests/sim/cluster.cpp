#include "tests/sim/cluster.h"

#include <stdexcept>

#include "tests/sim/oracle.h"

namespace starling::sim {
namespace {

constexpr Duration kQuiet = std::chrono::seconds(1);

}  // namespace

DeviceId device_number(std::size_t n) {
  DeviceId id;
  id.raw[0] = static_cast<std::uint8_t>(n);
  id.raw[15] = 1;
  return id;
}

std::vector<Model> sim_models() {
  return {Model::from_sql("CREATE TABLE note (id TEXT PRIMARY KEY NOT NULL, title, body TEXT, stars INTEGER, weight REAL)",
                          Kind::shared),
          Model::from_sql("CREATE TABLE label (id TEXT PRIMARY KEY NOT NULL, title TEXT DEFAULT 'none')", Kind::shared),
          Model::from_sql("CREATE TABLE note_label (note TEXT NOT NULL REFERENCES note(id) ON DELETE CASCADE,"
                          " label TEXT NOT NULL REFERENCES label(id) ON DELETE CASCADE, added INTEGER,"
                          " PRIMARY KEY (note, label)) WITHOUT ROWID",
                          Kind::shared),
          Model::from_sql("CREATE TABLE posting (id TEXT PRIMARY KEY NOT NULL, transfer TEXT, amount INTEGER)", Kind::shared),
          Model::from_sql("CREATE TABLE account (id TEXT PRIMARY KEY NOT NULL, address UNIQUE, plan INTEGER)", Kind::shared),
          Model::from_sql("CREATE TABLE task (id TEXT PRIMARY KEY NOT NULL, parent TEXT REFERENCES task(id) ON DELETE CASCADE,"
                          " account TEXT REFERENCES account(id) ON DELETE SET NULL, done INTEGER)", Kind::shared)
              .on_dangling("parent", Dangling::cascade).on_dangling("account", Dangling::set_null),
          Model::from_sql("CREATE TABLE file (id BLOB PRIMARY KEY NOT NULL, path BLOB, size INTEGER, hash)",
                          Kind::device_owned)};
}

Cluster::Cluster(std::uint64_t seed) : prng_(seed), timeline_(prng_.fork()), network_(timeline_, prng_.fork()) {
  make_sqlite_deterministic(static_cast<std::uint32_t>(seed) | 1U);
}

Cluster::~Cluster() = default;

SimNode& Cluster::add(NodeConfig config) {
  nodes_.push_back(std::make_unique<SimNode>(std::move(config), timeline_, network_, ledger_, prng_.fork()));
  return *nodes_.back();
}

SimNode& Cluster::add(const std::string& name, DeviceId device, bool create, std::vector<Model> models) {
  return add({name, device, create, std::move(models)});
}

SimNode& Cluster::create(const std::string& name) { return add(name, device_number(nodes_.size() + 1), true); }
SimNode& Cluster::join(const std::string& name) { return add(name, device_number(nodes_.size() + 1), false); }

void Cluster::connect_all() {
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    for (std::size_t k = i + 1; k < nodes_.size(); ++k) connect(*nodes_[i], *nodes_[k]);
}

void Cluster::let_meet(SimNode& a, SimNode& b) {
  connect(a, b);
  run_until_quiet();
}

void Cluster::run_for(Duration time) {
  const MonoTime until = timeline_.now() + time;
  while (timeline_.run_next(until)) {}
}

bool Cluster::quiet() const {
  for (const auto& node : nodes_)
    if (node->alive() && node->busy()) return false;
  return network_.idle() && timeline_.now() >= network_.last_word() + kQuiet;
}

void Cluster::run_until_quiet(Duration at_most) {
  const MonoTime limit = timeline_.now() + at_most;
  while (!quiet()) {
    if (timeline_.now() >= limit) throw std::runtime_error("the cluster does not become quiet");
    const MonoTime next = timeline_.now() + kQuiet;
    (void)timeline_.run_next(std::min(next, limit));
  }
}

std::vector<std::string> Cluster::complaints() {
  std::vector<std::string> all = network_.refusals();
  all.insert(all.end(), ledger_.complaints().begin(), ledger_.complaints().end());
  std::vector<SimNode*> alive;
  for (const auto& node : nodes_)
    if (node->alive()) alive.push_back(node.get());
  for (SimNode* node : alive) complain_of_node(*node, ledger_, all);
  complain_of_differences(alive, all);
  return all;
}

}  // namespace starling::sim
