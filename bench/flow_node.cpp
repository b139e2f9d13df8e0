#include "bench/flow_node.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iostream>
#include <map>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/prng.h"
#include "net/node.h"

namespace starling::bench {
namespace {

constexpr std::int64_t kRowsAtOnce = 1000;

std::vector<Model> models() {
  const std::string columns = "(id BLOB PRIMARY KEY NOT NULL, name TEXT, color TEXT, created_at INTEGER, note TEXT)";
  return {Model::from_sql("CREATE TABLE tag" + columns, Kind::shared),
          Model::from_sql("CREATE TABLE entry" + columns, Kind::device_owned),
          Model::from_sql("CREATE TABLE live (id TEXT PRIMARY KEY NOT NULL, at INTEGER)", Kind::shared)};
}

std::int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string told(std::vector<std::int64_t> times) {
  if (times.empty()) return "0 0 0";
  std::sort(times.begin(), times.end());
  return std::to_string(times[times.size() / 2]) + " " + std::to_string(times[times.size() * 99 / 100]) + " " +
         std::to_string(times.back());
}

// Rows of the standard shape, about 110 bytes, in transactions of a thousand.
class Rows {
 public:
  void write(Node& node, const std::string& table, std::int64_t count) {
    for (std::int64_t left = count; left > 0; left -= kRowsAtOnce) {
      const auto done = node.write([&](Transaction& t) { return some(t, table, std::min(left, kRowsAtOnce)); });
      if (!done) throw std::runtime_error(done.error().text());
    }
  }

 private:
  Expected<void> some(Transaction& t, const std::string& table, std::int64_t count) {
    const char* words[] = {"river", "stone", "green", "winter", "letter", "garden", "paper", "silver", "morning", "cloud"};
    for (std::int64_t i = 0; i < count; ++i) {
      ByteWriter id;
      id.be64(((ms_ += prng_.below(3)) << 16) | 0x7000 | (prng_.next() & 0xfff));
      id.be64(prng_.next());
      std::string note;
      while (note.size() < 56) note += std::string(words[prng_.below(10)]) + " ";
      const auto done = t.exec("INSERT INTO " + table + " VALUES (?, ?, ?, ?, ?)", Blob{id.take()},
                               "tag " + std::to_string(i), i % 3 == 0 ? "red" : "blue", static_cast<std::int64_t>(ms_), note);
      if (!done) return done.error();
    }
    return {};
  }
  Prng prng_{static_cast<std::uint64_t>(::getpid())};
  std::uint64_t ms_ = 1'700'000'000'000;
};

class Process {
 public:
  Process(const std::string& folder, bool create) {
    Config config;
    config.folder = folder;
    config.workspace = "flow";
    config.start = create ? Start::create : Start::join;
    config.listen = "127.0.0.1:0";
    Expected<std::unique_ptr<Node>> node = Node::open(config, models());
    if (!node) throw std::runtime_error(node.error().text());
    node_ = std::move(*node);
    changes_ = node_->on_change([this](const ChangeEvent& event) { look(event); });
    if (const Expected<void> started = node_->start(); !started) throw std::runtime_error(started.error().text());
  }

  void serve() {
    for (std::string line; std::getline(std::cin, line);) std::cout << answer(line) << std::endl;
    node_->stop();
  }

 private:
  std::string answer(const std::string& line) {
    std::istringstream words(line);
    std::string verb;
    words >> verb;
    if (verb == "id") return to_string(node_->device());
    if (verb == "port") return std::to_string(node_->port());
    if (verb == "peer" || verb == "part") return peer(verb, words);
    if (verb == "rows") return rows(words);
    if (verb == "write") return write(words);
    if (verb == "seen") return seen(words);
    if (verb == "ready") return std::to_string(node_->status().readiness == Readiness::ready ? 1 : 0);
    if (verb == "log") return std::to_string(node_->status().log_entries);
    if (verb == "snapshots") return std::to_string(node_->status().snapshots_taken);
    if (verb == "lacking") return std::to_string(node_->status().lacking);
    if (verb == "vector") return vector();
    if (verb == "traffic") return traffic();
    return "?";
  }
  std::string peer(const std::string& verb, std::istringstream& words) {
    std::string device, address;
    words >> device >> address;
    const Expected<DeviceId> id = parse_device_id(device);
    Peer peer{*id, {}};
    if (!address.empty()) peer.addresses.push_back(address);
    const Expected<void> done = verb == "peer" ? node_->add_peer(peer) : node_->remove_peer(*id);
    return done ? "ok" : done.error().text();
  }
  std::string rows(std::istringstream& words) {
    std::string table;
    std::int64_t count = 0;
    words >> table >> count;
    const auto start = std::chrono::steady_clock::now();
    rows_.write(*node_, table, count);
    return std::to_string(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  // So many single rows, so many microseconds apart: how long each write took.
  std::string write(std::istringstream& words) {
    std::string phase;
    std::int64_t count = 0, apart = 0;
    words >> phase >> count >> apart;
    std::vector<std::int64_t> times;
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t start = now_us();
      const auto done = node_->write([&](Transaction& t) -> Expected<void> {
        const auto row = t.exec("INSERT INTO live VALUES (?, ?)", phase + "-" + std::to_string(i), start);
        return row ? Expected<void>() : Expected<void>(row.error());
      });
      if (!done) throw std::runtime_error(done.error().text());
      times.push_back(now_us() - start);
      std::this_thread::sleep_for(std::chrono::microseconds(apart));
    }
    return told(times);
  }
  // Waits until so many rows of the phase are here: how long each took from the beginning of its write.
  std::string seen(std::istringstream& words) {
    std::string phase;
    std::size_t count = 0;
    words >> phase >> count;
    for (int i = 0; i < 60'000; ++i) {
      {
        const std::scoped_lock lock(mutex_);
        if (seen_[phase].size() >= count) return told(seen_[phase]);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return "0 0 -1";
  }
  void look(const ChangeEvent& event) {
    const std::int64_t now = now_us();
    Expected<Reader> reader = node_->reader();
    for (const RowChange& row : event.rows) {
      if (row.table != "live" || row.local || row.op != Op::insert) continue;
      const std::string& id = std::get<std::string>(row.key.at(0));
      const Expected<starling::Rows> at = reader->query("SELECT at FROM live WHERE id=?", id);
      const std::scoped_lock lock(mutex_);
      if (at && !at->empty()) seen_[id.substr(0, id.find('-'))].push_back(now - at->integer(0));
    }
  }
  std::string vector() {
    const Status status = node_->status();
    std::string text = std::to_string(status.lacking);
    for (const auto& [origin, position] : status.vector) {
      text += " " + to_string(origin.device).substr(0, 4) + ":" + std::to_string(position.rev.value) + "," + std::to_string(position.seq.value);
    }
    return text;
  }
  std::string traffic() {
    std::uint64_t in = 0, out = 0;
    for (const PeerStatus& peer : node_->status().peers) {
      in += peer.bytes_in;
      out += peer.bytes_out;
    }
    return std::to_string(in) + " " + std::to_string(out);
  }

  std::mutex mutex_;
  std::map<std::string, std::vector<std::int64_t>> seen_;  // by phase
  bench::Rows rows_;
  std::unique_ptr<Node> node_;
  Subscription changes_;
};

}  // namespace

int run_flow_node(const std::string& folder, bool create) {
  try {
    Process(folder, create).serve();
    return 0;
  } catch (const std::exception& e) {
    std::cerr << folder << ": " << e.what() << "\n";
    return 1;
  }
}

void FlowNode::start() {
  int to[2], from[2];
  if (::pipe2(to, O_CLOEXEC) != 0 || ::pipe2(from, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  const std::string start = create_ ? "create" : "join";
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(to[0], 0);
    ::dup2(from[1], 1);
    ::execl("/proc/self/exe", "flow_bench", "node", folder_.c_str(), start.c_str(), nullptr);
    ::_exit(127);
  }
  in_ = FileDescriptor(to[1]);
  out_ = FileDescriptor(from[0]);
  ::close(to[0]);
  ::close(from[1]);
  unread_.clear();
}

void FlowNode::signal(int number) const { ::kill(pid_, number); }

void FlowNode::end(int number) {
  if (pid_ < 0) return;
  ::kill(pid_, number);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void FlowNode::send(const std::string& request) const {
  const std::string line = request + "\n";
  if (::write(in_.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) throw std::runtime_error("a node is gone");
}

std::string FlowNode::answer() {
  for (;;) {
    const std::size_t end = unread_.find('\n');
    if (end != std::string::npos) {
      const std::string line = unread_.substr(0, end);
      unread_.erase(0, end + 1);
      return line;
    }
    char piece[4096];
    const ssize_t got = ::read(out_.get(), piece, sizeof(piece));
    if (got <= 0) throw std::runtime_error("a node is gone: " + folder_);
    unread_.append(piece, static_cast<std::size_t>(got));
  }
}

Times FlowNode::ask_times(const std::string& request) {
  std::istringstream words(ask(request));
  Times times;
  words >> times.p50 >> times.p99 >> times.most;
  return times;
}

void FlowNode::add_peer(FlowNode& other, std::uint16_t port) {
  const std::string done = ask("peer " + other.id() + (port == 0 ? "" : " 127.0.0.1:" + std::to_string(port)));
  if (done != "ok") throw std::runtime_error(done);
}

double FlowNode::memory(const char* what) const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/status");
  for (std::string word; file >> word;) {
    double kib = 0;
    if (word == std::string(what) + ":" && file >> kib) return kib / 1024;
  }
  return 0;
}

void FlowNode::reset_peak() const { std::ofstream("/proc/" + std::to_string(pid_) + "/clear_refs") << "5\n"; }

double FlowNode::processor_seconds() const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/stat");
  std::string word;
  double ticks = 0;
  for (int i = 1; i <= 15 && file >> word; ++i) ticks += i >= 14 ? std::stod(word) : 0;
  return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace starling::bench
