// One simulated device: the production store and replica on a disk in memory, stepped in virtual time.
//
// It stands where net/ stands in the product: it gathers events, gives them to the replica in batches, hands effects to
// the network, and wakes the replica at its deadlines. It dies when its disk does, and may be started again. A disk that
// fails and lives makes a write fail, which the application is told, or stops the node in a step, as in the product.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>

#include "core/replica/replica.h"
#include "core/replica/transaction_manager.h"
#include "core/store/store.h"
#include "tests/sim/disk.h"
#include "tests/sim/timeline.h"
#include "tests/sim/witness.h"

namespace SQLite {
class Exception;
}

namespace starling::sim {

using namespace std::chrono_literals;

inline constexpr std::int64_t kEpochMs = 1'700'000'000'000;  // the wall time at which every simulation begins

class Network;

inline constexpr const char* kDatabaseFile = "starling.db";

struct NodeConfig {
  std::string name;
  DeviceId device;
  bool create = false;
  std::vector<Model> models;
  std::uint64_t dies_at = 0;      // not zero: in the middle of that operation of its disk, in whichever life
  int checkpoint_pages = 0;        // not zero: the WAL is copied into the database whenever it holds so many
  Duration scrub_pass = limits::kScrubPass;
  std::optional<Prng> power_goes;  // and that because the power goes; what survives is drawn from this
};

class SimNode {
 public:
  SimNode(NodeConfig, Timeline&, Network&, Witness&, Prng);
  ~SimNode();
  SimNode(const SimNode&) = delete;
  SimNode& operator=(const SimNode&) = delete;

  [[nodiscard]] const std::string& name() const { return config_.name; }
  [[nodiscard]] const DeviceId& device() const { return config_.device; }
  [[nodiscard]] const std::vector<Model>& models() const { return config_.models; }

  // ---- What an application does. write() expects to succeed.
  Expected<LocalCommit> try_write(const WriteFn&, WriteScope = WriteScope::any);
  LocalCommit write(const WriteFn&);
  template <class... Args>
  LocalCommit write(std::string_view sql, const Args&... args) {
    return write([&](Transaction& t) -> Expected<void> {
      const Expected<std::int64_t> done = t.exec(sql, args...);
      return done ? Expected<void>() : Expected<void>(done.error());
    });
  }
  template <class... Args>
  [[nodiscard]] Expected<LocalCommit> try_write(std::string_view sql, const Args&... args) {
    return try_write([&](Transaction& t) -> Expected<void> {
      const Expected<std::int64_t> done = t.exec(sql, args...);
      return done ? Expected<void>() : Expected<void>(done.error());
    });
  }
  // What an administrator does. False: refused.
  bool remove_member(const SimNode&);
  bool readmit_member(const SimNode&);
  bool keep_identity();
  void retry_quarantine();  // also what it ended over
  [[nodiscard]] Rows query(std::string_view sql) const;
  [[nodiscard]] std::string text(std::string_view sql) const;  // the first cell as people read it; "" where there is no row
  [[nodiscard]] std::int64_t count(std::string_view table) const;
  bool migrate(const std::string& ddl, const std::vector<Model>&);  // false: the machine failed, and it may have taken effect
  void execute_behind_the_engine(const std::string& sql);      // triggers, indexes: what is no write of the application

  // ---- What a computer does.
  void kill();        // the process is gone, nothing is flushed
  void cut_power();   // the same, writes that were not synced are lost in part, and no peer is told
  void cut_power(Prng);  // what survives is drawn from it
  void kill_in(std::uint64_t disk_operations, std::optional<Prng> power_goes = {});  // in the middle of that write or sync
  bool restart(std::uint64_t dies_in = 0);      // not zero: in so many disk operations, maybe while it opens. False: dead
  void wipe();  // the disk is lost and the device joins again, by the same key
  // Another disk: whatever it had promised is not on it.
  void put_in(const Disk::Image&, Disk::PutBack = Disk::PutBack::copied);
  void replace_models(std::vector<Model> models) { config_.models = std::move(models); }  // at the next restart
  [[nodiscard]] bool alive() const { return store_ != nullptr; }
  void set_clock_ahead(std::chrono::milliseconds);  // of the true time
  void set_drift(std::int64_t ppm);                 // from now on
  void suspend() { suspended_ = true; }             // does and reads nothing until wake(); its clock goes on
  [[nodiscard]] bool suspended() const { return suspended_; }
  void wake();
  [[nodiscard]] bool running() const { return alive() && !suspended_; }
  [[nodiscard]] WallTime wall() const;
  [[nodiscard]] Disk& disk() const { return disk_; }

  // ---- What can be seen of it.
  [[nodiscard]] Store& store() const { return *store_; }
  [[nodiscard]] Status status() const;
  [[nodiscard]] const VersionVector& vector() const;
  [[nodiscard]] const std::vector<std::string>& log() const { return log_; }         // what the replica noted
  [[nodiscard]] bool noted(std::string_view part) const;
  [[nodiscard]] const std::vector<ChangeSet>& changes() const { return changes_; }  // visible changes of peers

  // ---- For the network and the cluster.
  void push(Event);
  [[nodiscard]] bool busy() const { return !inbox_.empty() && !suspended_; }

 private:
  void open();
  [[nodiscard]] bool try_open();
  bool change_members(const std::function<Expected<LocalCommit>()>&);
  [[nodiscard]] bool is_to_blame(const SQLite::Exception&) const;
  void schedule_step(Duration delay);
  void schedule_deadline();
  void step();
  void carry_out(std::vector<Effect>);
  void die();

  NodeConfig config_;
  Timeline& timeline_;
  Network& network_;
  Witness& witness_;
  Prng prng_;
  mutable Disk disk_;  // reading, too, is work for it
  std::chrono::milliseconds clock_offset_{0};
  std::int64_t drift_ppm_ = 0;
  MonoTime drifts_since_;
  bool suspended_ = false;

  std::unique_ptr<Store> store_;
  std::unique_ptr<TransactionManager> transactions_;
  std::unique_ptr<Replica> replica_;

  std::vector<Event> inbox_;
  bool step_scheduled_ = false;
  std::uint64_t life_ = 0;  // actions scheduled in an earlier life do nothing
  std::optional<MonoTime> wakes_at_;

  std::optional<Prng> power_cut_;  // it was cut, and nobody has looked yet what survived
  std::vector<std::string> log_;
  std::vector<ChangeSet> changes_;
};

}  // namespace starling::sim
