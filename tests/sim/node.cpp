#include "tests/sim/node.h"

#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>

#include <algorithm>
#include <stdexcept>

#include "core/replica/membership.h"
#include "core/replica/migration.h"
#include "core/replica/quarantine_release.h"
#include "core/store/origin_table.h"
#include "core/store/row_store.h"
#include "core/store/statement.h"
#include "tests/sim/network.h"

namespace starling::sim {
namespace {

constexpr Duration kStepTakes = 1ms;  // what arrives in that time is one batch

SqlValue owned(const ValueView& v) {
  switch (v.type) {
    case Type::null: break;
    case Type::integer: return v.integer;
    case Type::real: return v.real;
    case Type::text: return std::string(v.bytes);
    case Type::blob: return Blob{Bytes(v.bytes)};
  }
  return std::monostate{};
}

std::string as_text(const SqlValue& v) {
  ByteWriter w;
  write_value(w, sql_arg(v));
  return describe_values(w.bytes());
}

}  // namespace

SimNode::SimNode(NodeConfig config, Timeline& timeline, Network& network, Witness& witness, Prng prng)
    : config_(std::move(config)), timeline_(timeline), network_(network), witness_(witness), prng_(prng) {
  disk_.die_at_operation(config_.dies_at);
  (void)try_open();
}

SimNode::~SimNode() {
  if (alive()) witness_.closing(*this);
  disk_.die();  // no checkpoint for nobody
}

void SimNode::open() {
  StoreConfig config;
  config.file = kDatabaseFile;
  config.vfs = disk_.vfs();
  config.models = config_.models;
  config.workspace_name = "test";
  config.create = config_.create;
  config.device = config_.device;
  config.place_of = [this](const std::string& file) { return name() + ":" + std::to_string(disk_.number_of(file)); };
  Expected<std::unique_ptr<Store>> store = Store::open(config, wall(), prng_);
  if (!store) throw std::runtime_error(name() + " does not open: " + store.error().text());
  store_ = std::move(*store);
  const Expected<void> taken = take_up_models(*store_, wall());
  if (!taken) throw std::runtime_error(name() + " does not take up its models: " + taken.error().text());
  transactions_ = std::make_unique<TransactionManager>(*store_);
  replica_ = std::make_unique<Replica>(*store_, config_.scrub_pass);
  if (config_.checkpoint_pages > 0) sqlite3_wal_autocheckpoint(store_->handle(), config_.checkpoint_pages);
  if (disk_.dead()) throw std::runtime_error(name() + " died while it opened");
  witness_.opened(*this);
}

// What a disk can cause; anything else that SQLite throws is a bug of ours.
bool SimNode::is_to_blame(const SQLite::Exception& e) const {
  const int code = e.getErrorCode() & 0xff;
  const bool rots = disk_.count().flips + disk_.struck(DiskFault::short_read) > 0;
  if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) return rots;
  return (disk_.dead() || disk_.has_failed()) && (code == SQLITE_IOERR || code == SQLITE_FULL || code == SQLITE_CANTOPEN);
}

// ---- The application ----

// A failing machine: the application is told, and cannot know what is on the disk. The process lives on if it can.
Expected<LocalCommit> SimNode::try_write(const WriteFn& fn, WriteScope scope) {
  try {
    Expected<LocalCommit> commit = transactions_->write(scope, fn, wall());
    if (disk_.dead()) {  // in a checkpoint, after the commit: SQLite says nothing of that
      witness_.in_doubt(*this);
      die();
      return Error{Errc::stopped, "died after the commit", name(), "start it again"};
    }
    if (commit) {
      witness_.committed(*this, *commit);
      push(Committed{std::make_shared<const LocalCommit>(*commit)});
    }
    return commit;
  } catch (const SQLite::Exception& e) {
    if (!is_to_blame(e)) throw;
    witness_.in_doubt(*this);
    if (disk_.dead()) die();
    return Error{Errc::stopped, e.what(), name(), "start it again"};
  }
}

void SimNode::retry_quarantine() {
  if (store_->quarantined() == 0 && !store_->rows().keeps_anything()) return;
  (void)release_quarantine(*store_, wall(), Ended::all);
  witness_.migrated(*this);
}

bool SimNode::remove_member(const SimNode& other) {
  return change_members([&] { return starling::remove_member(*store_, other.device(), wall()); });
}

bool SimNode::readmit_member(const SimNode& other) {
  return change_members([&] { return starling::readmit_member(*store_, other.device(), wall()); });
}

bool SimNode::keep_identity() {
  return change_members([&] { return starling::keep_identity(*store_, wall()); });
}

bool SimNode::change_members(const std::function<Expected<LocalCommit>()>& change) {
  try {
    const Expected<LocalCommit> commit = change();
    if (disk_.dead()) {
      witness_.in_doubt(*this);
      die();
      return false;
    }
    if (!commit) return false;
    witness_.committed(*this, *commit);
    push(Committed{std::make_shared<const LocalCommit>(*commit)});
    return true;
  } catch (const SQLite::Exception& e) {
    if (!is_to_blame(e)) throw;
    witness_.in_doubt(*this);
    if (disk_.dead()) die();
    return false;
  }
}

LocalCommit SimNode::write(const WriteFn& fn) {
  Expected<LocalCommit> commit = try_write(fn);
  if (!commit) throw std::runtime_error(name() + " cannot write: " + commit.error().text());
  return std::move(*commit);
}

Rows SimNode::query(std::string_view sql) const {
  const Disk::Calm calm(disk_);
  Statement statement(store_->handle(), sql);
  Rows rows;
  while (statement.step()) {
    std::vector<SqlValue>& row = rows.rows.emplace_back();
    for (int i = 0; i < statement.columns(); ++i) row.push_back(owned(statement.column_value(i)));
  }
  return rows;
}

std::string SimNode::text(std::string_view sql) const {
  const Rows rows = query(sql);
  return rows.empty() ? std::string() : as_text(rows.rows.front().front());
}

std::int64_t SimNode::count(std::string_view table) const {
  return query("SELECT count(*) FROM " + std::string(table)).integer(0);
}

bool SimNode::migrate(const std::string& ddl, const std::vector<Model>& models) {
  const auto change = [&ddl](Transaction& t) -> Expected<void> {
    for (std::size_t from = 0; from < ddl.size();) {
      const std::size_t end = std::min(ddl.find(';', from), ddl.size());
      if (const Expected<std::int64_t> done = t.exec(ddl.substr(from, end - from)); !done) return done.error();
      from = end + 1;
    }
    return {};
  };
  try {
    const Expected<void> done = starling::migrate(*store_, change, models, wall());
    if (!done) throw std::runtime_error(name() + " cannot migrate: " + done.error().text());
  } catch (const SQLite::Exception& e) {
    if (!is_to_blame(e)) throw;
    witness_.in_doubt(*this);
    die();
    return false;
  }
  if (disk_.dead()) {
    witness_.in_doubt(*this);
    die();
    return false;
  }
  config_.models = models;
  witness_.migrated(*this);
  push(ModelsReplaced{});
  return true;
}

void SimNode::execute_behind_the_engine(const std::string& sql) {
  const Disk::Calm calm(disk_);
  try {
    store_->begin(TransactionKind::apply);
    Statement(store_->handle(), sql).run();
    store_->commit();
  } catch (const SQLite::Exception&) {
    if (!disk_.dead()) throw;
    witness_.in_doubt(*this);
    die();
  }
}

// ---- The computer ----

WallTime SimNode::wall() const {
  const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(timeline_.now().time_since_epoch());
  const std::int64_t drifted = (timeline_.now() - drifts_since_).count() * drift_ppm_ / 1'000'000'000;
  return WallTime{kEpochMs + since.count() + timeline_.skipped_wall_time().count() + clock_offset_.count() + drifted};
}

Status SimNode::status() const {
  const Disk::Calm calm(disk_);
  return replica_->status();
}

void SimNode::set_clock_ahead(std::chrono::milliseconds offset) {
  clock_offset_ = offset;
  drift_ppm_ = 0;
}

void SimNode::set_drift(std::int64_t ppm) {
  const WallTime before = wall();
  drift_ppm_ = 0;
  clock_offset_ += std::chrono::milliseconds(before.ms - wall().ms);
  drift_ppm_ = ppm;
  drifts_since_ = timeline_.now();
}

void SimNode::wake() {
  if (!std::exchange(suspended_, false)) return;
  network_.node_woke(*this);
  if (alive()) schedule_step(kStepTakes);
}

const VersionVector& SimNode::vector() const { return store_->origins().vector(); }

void SimNode::die() {
  if (disk_.dead() && config_.power_goes) power_cut_ = std::exchange(config_.power_goes, std::nullopt);
  disk_.die();
  witness_.closing(*this);
  ++life_;
  replica_.reset();
  transactions_.reset();
  store_.reset();
  inbox_.clear();
  step_scheduled_ = false;
  wakes_at_.reset();
  network_.node_died(*this, power_cut_.has_value());
}

void SimNode::kill() {
  if (alive()) die();
}

void SimNode::cut_power() { cut_power(prng_.fork()); }

void SimNode::cut_power(Prng prng) {
  if (!power_cut_) power_cut_ = prng;
  kill();
}

void SimNode::wipe() {
  put_in({});
  config_.create = false;
}

void SimNode::put_in(const Disk::Image& image, Disk::PutBack how) {
  kill();
  disk_.restore(image, how);
  power_cut_.reset();
  network_.forget_words(*this);
  witness_.replaced(*this);
  if (how == Disk::PutBack::rolled_back) witness_.rolled_back(*this);
}

void SimNode::kill_in(std::uint64_t disk_operations, std::optional<Prng> power_goes) {
  disk_.die_at(disk_operations);
  config_.power_goes = power_goes;
}

bool SimNode::try_open() {
  try {
    open();
    return true;
  } catch (const std::exception&) {
    if (!disk_.dead() && !disk_.has_failed()) throw;
    witness_.in_doubt(*this);
    die();
    return false;
  }
}

bool SimNode::restart(std::uint64_t dies_in) {
  kill();
  if (std::optional<Prng> chance = std::exchange(power_cut_, std::nullopt)) disk_.revive_after_power_cut(*chance);
  else disk_.revive();
  if (config_.dies_at == 0) config_.power_goes.reset();
  if (dies_in != 0) kill_in(dies_in);
  if (!try_open()) return false;
  network_.node_started(*this);
  return true;
}

// ---- The replica's host ----

void SimNode::push(Event event) {
  if (!alive()) return;
  inbox_.push_back(std::move(event));
  schedule_step(kStepTakes);
}

void SimNode::schedule_step(Duration delay) {
  if (step_scheduled_ || suspended_) return;
  step_scheduled_ = true;
  timeline_.after(delay, [this, life = life_] {
    if (life == life_) step();
  });
}

void SimNode::schedule_deadline() {
  const std::optional<MonoTime> deadline = replica_->next_deadline();
  if (!deadline || (wakes_at_ && *wakes_at_ <= *deadline)) return;
  wakes_at_ = std::max(*deadline, timeline_.now());
  timeline_.at(*wakes_at_, [this, life = life_, when = *wakes_at_] {
    if (life != life_ || wakes_at_ != when) return;
    wakes_at_.reset();
    if (!step_scheduled_) step();
  });
}

void SimNode::step() {
  step_scheduled_ = false;
  if (suspended_) return;
  std::vector<Event> batch = std::exchange(inbox_, {});
  if (batch.size() > limits::kEventBatchMax) {
    inbox_.assign(std::make_move_iterator(batch.begin() + limits::kEventBatchMax), std::make_move_iterator(batch.end()));
    batch.resize(limits::kEventBatchMax);
    schedule_step(kStepTakes);
  }
  try {
    std::vector<Effect> effects = replica_->step(batch, {timeline_.now(), wall()});
    if (disk_.dead()) {
      witness_.in_doubt(*this);
      return die();
    }
    witness_.stepped(*this, effects);
    carry_out(std::move(effects));
    if (alive()) schedule_deadline();
  } catch (const SQLite::Exception& e) {
    if (!is_to_blame(e)) throw;
    witness_.in_doubt(*this);
    die();  // as the product's host stops a node whose machine fails
  }
}

void SimNode::carry_out(std::vector<Effect> effects) {
  struct {
    SimNode& node;
    void operator()(const Send& e) const {
      for (const SessionId session : e.sessions) node.network_.send(session, e.message);
    }
    void operator()(const Accepted& e) const { node.network_.accept(e.session); }
    void operator()(const Close& e) const { node.network_.hang_up(e.session, e.why); }
    void operator()(const Changed& e) const { node.changes_.push_back(e.event); }
    void operator()(const Note& e) const { node.log_.push_back(e.text); }
  } visitor{*this};
  for (const Effect& effect : effects) std::visit(visitor, effect);
}

bool SimNode::noted(std::string_view part) const {
  return std::any_of(log_.begin(), log_.end(), [&](const std::string& line) { return line.find(part) != line.npos; });
}

}  // namespace starling::sim
