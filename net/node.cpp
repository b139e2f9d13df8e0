#include "net/node.h"

#include <algorithm>
#include <atomic>
#include <random>

#include "core/replica/membership.h"
#include "core/replica/migration.h"
#include "core/replica/quarantine_release.h"
#include "core/replica/replica.h"
#include "core/replica/transaction_manager.h"
#include "core/store/backup.h"
#include "core/store/sqlite_runtime.h"
#include "core/store/store.h"
#include "net/connection_manager.h"
#include "net/folder.h"
#include "net/foreign_lock.h"
#include "net/notifier.h"
#include "net/open_files.h"
#include "net/replica_host.h"
#include "net/system_clock.h"
#include "net/tls_identity.h"

namespace starling {
namespace {

constexpr char kDatabase[] = "starling.db";
constexpr char kKey[] = "device.key";

Prng seeded() {
  std::random_device device;
  return Prng((std::uint64_t{device()} << 32) | device());
}

// The network knows how the connection stands, the replica how far the peer is.
void add_links(Status& status, const std::map<DeviceId, PeerLink>& links) {
  for (const auto& [device, link] : links) {
    const auto same = [&id = device](const PeerStatus& peer) { return peer.device == id; };
    auto peer = std::find_if(status.peers.begin(), status.peers.end(), same);
    const bool in_session = link.state == PeerState::live || link.state == PeerState::handshaking;
    if (peer == status.peers.end()) {
      peer = status.peers.emplace(status.peers.end());
      peer->device = device;
      peer->state = in_session ? PeerState::handshaking : link.state;
    } else if (!in_session) {
      peer->state = link.state;
    }
    peer->why = link.why;
    peer->bytes_in = link.bytes_in;
    peer->bytes_out = link.bytes_out;
    peer->sessions = link.sessions;
  }
}

}  // namespace

// Declared in the order in which things rest on each other; both threads have ended before any of it goes.
struct Node::Impl {
  Impl(Config c, FolderLock held, TlsIdentity tls, std::unique_ptr<ForeignLock> guard, OpenFiles watched,
       std::unique_ptr<Store> opened, std::unique_ptr<SystemClock> own, Prng prng)
      : config(std::move(c)),
        lock(std::move(held)),
        identity(std::move(tls)),
        system_clock(std::move(own)),
        clock(config.clock != nullptr ? *config.clock : *system_clock),
        log(config.log),
        notifier(config.executor, log),
        foreign_lock(std::move(guard)),
        files(std::move(watched)),
        store(std::move(opened)),
        writer([this](const std::string& who) { long_transaction(who); }),
        transactions(*store),
        replica(*store),
        book(identity.device()),
        host(replica, writer, *foreign_lock, files, notifier, clock, log),
        network(identity, book, host, log, prng.next()) {
    foreign_lock->set_report([this](const std::string& who) { long_transaction(who); });
  }

  // Runs `work` under the writer lock, unless the node has stopped; a bug inside it stops the node.
  template <class T>
  Expected<T> locked(const char* purpose, const std::function<Expected<T>()>& work);
  Expected<CommitInfo> write(WriteScope, const WriteFn&);
  Expected<void> migrate(const WriteFn& ddl, const std::vector<Model>&);
  using MemberChange = std::function<Expected<LocalCommit>(Store&, WallTime)>;
  Expected<void> change_member(const char* purpose, const MemberChange&);
  [[nodiscard]] Expected<void> still_open() const;
  [[nodiscard]] Expected<void> same_files();  // under the writer lock; else the node stops itself
  void stop(std::chrono::milliseconds deadline);
  void long_transaction(const std::string& who);
  void say_restored();
  [[nodiscard]] std::filesystem::path database() const { return config.folder / kDatabase; }

  const Config config;
  const FolderLock lock;
  const TlsIdentity identity;
  const std::unique_ptr<SystemClock> system_clock;
  const Clock& clock;
  const Log log;
  Notifier notifier;
  const std::unique_ptr<ForeignLock> foreign_lock;
  const OpenFiles files;
  const std::unique_ptr<Store> store;
  WriterLock writer;  // whoever holds it may use the store, the transactions and the replica
  TransactionManager transactions;
  Replica replica;
  PeerBook book;
  ReplicaHost host;
  ConnectionManager network;

  std::mutex life;  // start, stop, schema
  bool started = false;
  std::atomic<bool> stopped = false;
  std::atomic<bool> detached = false;
  std::shared_ptr<const Schema> schema = store->shared_schema();
  std::atomic<std::uint16_t> port = 0;
};

Expected<void> Node::Impl::still_open() const {
  const std::string failure = host.failure();
  if (!failure.empty()) return Error{Errc::stopped, "the node has stopped itself: " + failure, "", "open it again"};
  if (stopped) return Error{Errc::stopped, "the node has stopped", "", "open it again"};
  return {};
}

Expected<void> Node::Impl::same_files() {
  Expected<void> same = files.heed();
  if (!same) host.fail(same.error().text());
  return same;
}

template <class T>
Expected<T> Node::Impl::locked(const char* purpose, const std::function<Expected<T>()>& work) {
  if (writer.held_here())
    return Error{Errc::forbidden, std::string(purpose) + " inside a write", "", "use Transaction::savepoint() for a part to undo"};
  const WriterLock::Turn turn(writer, purpose);
  if (const Expected<void> open = still_open(); !open) return open.error();
  if (const Expected<void> same = same_files(); !same) return same.error();
  try {
    Expected<T> done = work();
    if (const Expected<void> same = same_files(); done && !same) return same.error();  // it was committed into another file
    if (!done && done.error().code == Errc::busy && done.error().where == "BEGIN")
      return Error{Errc::busy, foreign_lock->holder() + " holds the database", purpose, done.error().remedy};
    return done;
  } catch (const InvariantBroken& bug) {
    host.fail(bug.what());
    return Error{Errc::internal, bug.what(), purpose, "report this; nothing was written"};
  }
}

Expected<CommitInfo> Node::Impl::write(WriteScope scope, const WriteFn& fn) {
  return locked<CommitInfo>("a write", [&]() -> Expected<CommitInfo> {
    Expected<LocalCommit> commit = transactions.write(scope, fn, clock.now().wall);
    if (!commit) return commit.error();
    const CommitInfo info{commit->origin, commit->rev_after, commit->seq, commit->hlc, commit->rows};
    if (info.rows > 0) host.committed(std::move(*commit));
    return info;
  });
}

// What fails in the application's function is undone. Behind it a failing machine may leave a schema on disk that neither
// the store nor the replica has taken up.
Expected<void> Node::Impl::migrate(const WriteFn& ddl, const std::vector<Model>& models) {
  bool theirs = false;
  const WriteFn noted = [&](Transaction& t) {
    theirs = true;
    Expected<void> done = ddl ? ddl(t) : Expected<void>();
    theirs = false;
    return done;
  };
  try {
    return starling::migrate(*store, noted, models, clock.now().wall, config.adoption);
  } catch (const InvariantBroken&) {
    throw;  // stops the node in any case
  } catch (const std::exception& e) {
    if (!theirs) host.fail(std::string("a migration: ") + e.what());
    throw;
  }
}

Expected<void> Node::Impl::change_member(const char* purpose, const MemberChange& change) {
  return locked<void>(purpose, [&]() -> Expected<void> {
    store->finish_rollback();
    Expected<LocalCommit> commit = change(*store, clock.now().wall);
    if (!commit) return commit.error();
    host.committed(std::move(*commit));
    return {};
  });
}

void Node::Impl::long_transaction(const std::string& who) {
  log.warning(who);
  notifier.event({NodeEvent::Kind::long_transaction, {}, who});
}

void Node::Impl::say_restored() {
  const std::string text = "the database is a backup or a copy, not the one that this device closed: it goes on under a new incarnation";
  log.warning(text);
  notifier.event({NodeEvent::Kind::restored, {}, text});
}

void Node::Impl::stop(std::chrono::milliseconds deadline) {
  const auto now = std::chrono::steady_clock::now();
  {
    const std::scoped_lock guard(life);
    stopped = true;
  }
  foreign_lock->stop();
  host.stop();  // what is committed is still pushed,
  (void)host.wait_stopped(now + deadline / 2);
  network.stop(deadline / 4);  // and sent, where the peer takes it
  (void)network.wait_stopped(now + deadline);
  notifier.close(now + deadline);
}

Expected<std::unique_ptr<Node>> Node::open(Config config, std::vector<Model> models) {
  const std::string where = config.folder.string();
  try {
    if (!config.folder.empty()) config.folder = std::filesystem::absolute(config.folder);
    const Expected<void> prepared = prepare_folder(config.folder);
    if (!prepared) return prepared.error();
    Expected<FolderLock> lock = FolderLock::acquire(config.folder);
    if (!lock) return std::move(lock).error();
    Expected<TlsIdentity> identity = TlsIdentity::load(config.folder / kKey);
    if (!identity) return std::move(identity).error();

    auto system_clock = std::make_unique<SystemClock>();
    const Clock& clock = config.clock != nullptr ? *config.clock : *system_clock;
    Prng prng = seeded();
    StoreConfig wanted;
    wanted.file = (config.folder / kDatabase).string();
    wanted.models = std::move(models);
    wanted.workspace_name = config.workspace;
    wanted.create = config.start == Start::create;
    wanted.device = identity->device();
    if (const Expected<void> created = create_database(wanted.file); !created) return created.error();
    if (const Expected<void> one = check_one_sqlite(wanted.file); !one) return one.error();
    auto guard = std::make_unique<ForeignLock>(wanted.file);
    OpenFiles files(wanted.file);
    wanted.on_busy = [guard = guard.get()](int tries) { return guard->wait(tries); };
    Expected<std::unique_ptr<Store>> store = Store::open(wanted, clock.now().wall, prng);
    if (!store) return std::move(store).error();
    files.opened();
    if (const Expected<void> same = files.check(); !same) return same.error();
    if (const Expected<void> taken = take_up_models(**store, clock.now().wall, config.adoption); !taken) return taken.error();

    auto impl = std::make_unique<Impl>(std::move(config), std::move(*lock), std::move(*identity), std::move(guard),
                                       std::move(files), std::move(*store), std::move(system_clock), prng);
    for (const Peer& peer : impl->config.peers) {
      const Expected<void> added = impl->book.add(peer);
      if (!added) return added.error();
    }
    if (impl->store->was_restored()) impl->say_restored();
    impl->host.start(impl->network);
    return std::unique_ptr<Node>(new Node(std::move(impl)));
  } catch (const std::exception& e) {
    return Error{Errc::internal, e.what(), where, ""};
  }
}

Node::Node(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Node::~Node() {
  stop();
  impl_->host.join();
  impl_->notifier.close();
}

Expected<void> Node::start() {
  const std::scoped_lock guard(impl_->life);
  if (impl_->stopped) return Error{Errc::stopped, "the node has stopped", "", "open it again"};
  if (impl_->started || impl_->config.start == Start::offline) return {};
  const Expected<std::uint16_t> port = impl_->network.start(impl_->config.listen);
  if (!port) return port.error();
  impl_->started = true;
  impl_->port = *port;
  return {};
}

void Node::stop(std::chrono::milliseconds deadline) { impl_->stop(deadline); }

Expected<CommitInfo> Node::write(const WriteFn& fn) { return impl_->write(WriteScope::any, fn); }
Expected<CommitInfo> Node::commit_device_owned(const WriteFn& fn) { return impl_->write(WriteScope::device_owned, fn); }
Expected<CommitInfo> Node::commit_shared(const WriteFn& fn) { return impl_->write(WriteScope::shared, fn); }

Expected<Reader> Node::reader() const {
  if (impl_->detached) return Error{Errc::stopped, "the node has detached", "", "open the database as it is, with SQLite"};
  if (const Expected<void> same = impl_->files.check(); !same) return same.error();
  return Reader(impl_->database());
}

std::vector<TableDigest> Node::digests() const {
  Reader reader(impl_->database());
  const Expected<Snapshot> one = reader.snapshot();
  std::vector<TableDigest> digests;
  for (const Schema all = schema(); const ModelSchema& model : all.models)
    if (!model.built_in) digests.push_back(reader.digest(model));
  return digests;
}

Schema Node::schema() const {
  const std::scoped_lock guard(impl_->life);
  return *impl_->schema;
}

Expected<void> Node::migrate(const WriteFn& ddl, std::vector<Model> models) {
  return impl_->locked<void>("a migration", [&]() -> Expected<void> {
    Expected<void> done = impl_->migrate(ddl, models);
    const std::scoped_lock guard(impl_->life);
    if (impl_->schema == impl_->store->shared_schema()) return done;
    impl_->schema = impl_->store->shared_schema();
    impl_->host.push(ModelsReplaced{}, 0);
    return done;
  });
}

Expected<void> Node::backup(const std::filesystem::path& target) const {
  if (const Expected<void> same = impl_->files.check(); !same && !impl_->detached) return same.error();
  return back_up(impl_->database(), target);
}

Expected<void> Node::detach() {
  if (impl_->writer.held_here()) return Error{Errc::forbidden, "detach inside a write", "", "return from the write first"};
  impl_->stop(std::chrono::milliseconds(2000));
  const WriterLock::Turn turn(impl_->writer, "detach");
  if (!impl_->host.wait_stopped(std::chrono::steady_clock::now()))
    return Error{Errc::busy, "the node has not come to its end", "", "detach from a thread that is not the node's own"};
  if (!impl_->detached.exchange(true)) impl_->store->detach();
  return {};
}

Status Node::status() const {
  Status status = impl_->host.status();
  add_links(status, impl_->book.links());
  return status;
}

std::uint16_t Node::port() const { return impl_->port; }

DeviceId Node::device() const { return impl_->identity.device(); }

Expected<void> Node::wait_ready(std::chrono::milliseconds timeout) const {
  const auto ready = [](const Status& status) { return status.readiness == Readiness::ready; };
  const Status status = impl_->host.wait_for(ready, std::chrono::steady_clock::now() + timeout);
  if (ready(status) && status.failed.empty()) return {};
  if (!status.failed.empty())
    return Error{Errc::stopped, "the node has stopped itself: " + status.failed, "", "open it again"};
  if (impl_->stopped) return Error{Errc::stopped, "the node has stopped", "", "open it again"};
  return Error{Errc::not_ready, std::string("the node is ") + to_string(status.readiness), "",
               "see its status for what the peers are waiting for"};
}

Expected<void> Node::add_peer(const Peer& peer) {
  const Expected<void> added = impl_->book.add(peer);
  if (added) impl_->network.dial(peer.device);
  return added;
}

Expected<void> Node::remove_peer(DeviceId device) {
  if (!impl_->book.remove(device))
    return Error{Errc::invalid_argument, "there is no such peer", to_string(device), "see status() for those there are"};
  impl_->network.hang_up(device);
  return {};
}

Expected<std::vector<MemberStatus>> Node::members() const {
  return impl_->locked<std::vector<MemberStatus>>("a look at the members", [this]() -> Expected<std::vector<MemberStatus>> {
    impl_->store->finish_rollback();
    return list_members(*impl_->store);
  });
}

// Its session is the replica's to end, which tells it why.
Expected<void> Node::remove_member(DeviceId device) {
  const Expected<void> removed = impl_->change_member(
      "a member's removal", [&](Store& store, WallTime wall) { return starling::remove_member(store, device, wall); });
  if (removed && impl_->book.remove(device)) impl_->network.dial_no_more(device);
  return removed;
}

Expected<void> Node::admit_member(DeviceId device) {
  return impl_->change_member(
      "a member's admission", [&](Store& store, WallTime wall) { return readmit_member(store, device, wall); });
}

Expected<void> Node::keep_identity() { return impl_->change_member("a decision on its identity", starling::keep_identity); }

Expected<QuarantineRetry> Node::retry_quarantine() {
  return impl_->locked<QuarantineRetry>("a retry of what waits in quarantine", [this]() -> Expected<QuarantineRetry> {
    impl_->store->finish_rollback();
    const Released done = release_quarantine(*impl_->store, impl_->clock.now().wall, Ended::all);
    if (!done.event.empty()) impl_->notifier.changed(done.event);
    return QuarantineRetry{done.released, done.left};
  });
}

void Node::pause() {
  impl_->host.set_paused(true);
  impl_->network.pause();
}

void Node::resume() {
  impl_->host.set_paused(false);
  impl_->network.resume();
}

Subscription Node::on_change(ChangeFn fn) { return impl_->notifier.on_change(std::move(fn)); }
Subscription Node::on_progress(ProgressFn fn) { return impl_->notifier.on_progress(std::move(fn)); }
Subscription Node::on_event(EventFn fn) { return impl_->notifier.on_event(std::move(fn)); }

Expected<DeviceId> device_id(const std::filesystem::path& folder) {
  const Expected<void> prepared = prepare_folder(folder);
  if (!prepared) return prepared.error();
  const Expected<TlsIdentity> identity = TlsIdentity::load(folder / kKey);
  if (!identity) return identity.error();
  return identity->device();
}

}  // namespace starling
