#include "core/replica/repairer.h"

#include <SQLiteCpp/Exception.h>

#include <algorithm>

#include "core/base/assert.h"
#include "core/replica/digest_source.h"
#include "core/replica/row_repair.h"
#include "core/store/digest_table.h"
#include "core/store/origin_table.h"
#include "core/store/quarantine.h"
#include "core/store/visibility.h"
#include "core/store/snapshot_stage.h"
#include "core/store/sync_state.h"
#include "core/store/row_store.h"
#include "core/store/sql_error.h"

namespace starling {
namespace {

constexpr Duration kMovedOn = std::chrono::seconds(5);  // a vector that changed under a repair: again after
constexpr Duration kFirstSlice = std::chrono::minutes(1);  // after the start
constexpr Duration kSaveEvery = std::chrono::minutes(10);  // of where the scrub stands: a write, so not for every slice
constexpr std::size_t kNamed = 3;                       // damaged rows that one line names

void add_range(RangeMask& mask, std::uint8_t range) { mask[range / 64] |= std::uint64_t{1} << (range % 64); }

bool can_be_asked(const PeerSession& s, const VersionVector& vector) { return s.accepted && s.same_models && s.vector == vector; }

}  // namespace

Hash128 Repairer::digest(const VersionVector& shown) {
  if (shown != store_.origins().vector() || store_.quarantine().count() != 0 || !store_.shows_all_shared()) return {};
  if (store_.state().provisional()) return {};  // its seeds are not told yet
  if (store_.snapshot().merging() || store_.origins().pulled() != store_.origins().vector()) return {};  // rows of no vector
  return store_.digests().hash();
}

void Repairer::heard(const PeerSession& s, const Heartbeat& beat, Step& step) {
  if (!s.same_models || beat.digest.is_zero() || beat.vector_hash != step.vector.hash()) return;
  const Hash128 ours = digest(step.vector);
  if (ours.is_zero()) return;
  if (ours == beat.digest) {
    mismatches_.erase(s.device);
    return;
  }
  Mismatch& m = mismatches_[s.device];
  if (++m.heard == 1) {
    note(step, LogLevel::warning, NodeEvent::Kind::digest_mismatch, s.device,
         short_string(s.device) + " holds the same changes and other rows: they are compared");
  }
  // While the other compares it sends no heartbeat, and one as soon as it is done.
  m.due = (store_.self().device < s.device) == (m.heard % 2 == 1);
}

void Repairer::run(Step& step) {
  if (schema_ != store_.shared_schema()) {  // at the start, or after a migration: all is looked at anew
    schema_ = store_.shared_schema();
    repair_.reset();
    damaged_.clear();
  }
  answer_questions(step);
  for (auto& [session, answer] : std::exchange(answers_, {}))
    if (repair_ && repair_->session == session && repair_->asked == answer.request) take(answer, step);
  if (repair_ && !step.sessions.contains(repair_->session)) give_up(step, kMovedOn);
  if (repair_ && step.now.mono >= repair_->until) give_up(step, limits::kRepairBackoffFirst);
  scrub(step);
  if (!repair_) begin(step);
}

void Repairer::answer_questions(Step& step) {
  for (auto& [session, question] : std::exchange(questions_, {})) {
    const auto at = step.sessions.find(session);
    if (at == step.sessions.end()) continue;
    Expected<DigestResponse> answer = answer_digest(store_, question, step.vector.hash());
    if (answer) step.send(session, std::move(*answer));
    else step.refuse(session, answer.error());
  }
}

void Repairer::scrub(Step& step) {
  if (!next_slice_) next_slice_ = step.now.mono + std::min<Duration>(scrubber_.between_slices(), kFirstSlice);
  if (step.now.mono < *next_slice_) return;
  std::size_t fresh = 0;
  std::string text;
  for (Damage& damage : scrubber_.slice()) {
    auto key = std::pair(damage.model, damage.key);
    if (damaged_.size() >= limits::kDamagedMax || damaged_.contains(key)) continue;
    if (++fresh <= kNamed) text += (text.empty() ? "" : "; ") + name(damage.model, damage.key) + " " + damage.what;
    damaged_.emplace(std::move(key), std::move(damage));
  }
  next_slice_ = step.now.mono + scrubber_.between_slices();
  if (step.now.mono >= next_save_) {
    if (!store_.in_transaction()) store_.begin(TransactionKind::apply);
    scrubber_.save();
    next_save_ = step.now.mono + kSaveEvery;
  }
  if (fresh == 0) return;
  damage_not_before_ = step.now.mono;
  damage_pause_ = limits::kRepairBackoffFirst;
  if (fresh > kNamed) text += "; and " + std::to_string(fresh - kNamed) + " more";
  note(step, LogLevel::error, NodeEvent::Kind::damage_found, {}, "damaged: " + text);
}

// --- asking

// What a peer is to be asked for: rows that are damaged first, then those of the peers whose digests differ.
void Repairer::begin(Step& step) {
  std::erase_if(mismatches_, [&](const auto& one) {  // who comes again tells again
    return std::none_of(step.sessions.begin(), step.sessions.end(), [&](const auto& s) { return s.second.device == one.first; });
  });
  std::vector<Job> jobs;
  if (!damaged_.empty() && step.now.mono >= damage_not_before_) {
    forget_healed(step);
    jobs = damaged_jobs();
    damage_not_before_ = step.now.mono + kMovedOn;  // if there is nobody to ask
  }
  helper_ = false;
  for (const auto& [id, s] : step.sessions) {
    helper_ = helper_ || s.accepted;
    const auto mismatch = mismatches_.find(s.device);
    const bool due = mismatch != mismatches_.end() && mismatch->second.due && step.now.mono >= mismatch->second.not_before;
    if (jobs.empty() && !due) continue;
    if (!can_be_asked(s, step.vector) || step.vector != store_.origins().vector()) {
      if (due) mismatch->second.not_before = step.now.mono + kMovedOn;
      continue;
    }
    repair_ = Repair{id, s.device, {}, {}, std::move(jobs), {}, 0, false};
    if (!repair_->jobs.empty()) return ask_next(step);
    repair_->by_digest = true;
    mismatch->second.due = false;
    return ask({DigestLevel::groups, 0, {}, {}, {}}, step);
  }
}

std::vector<Repairer::Job> Repairer::damaged_jobs() const {
  std::map<std::pair<ModelIndex, Origin>, RangeMask> groups;
  for (const auto& [row, damage] : damaged_)
    if (!damage.versionless) add_range(groups[{damage.model, damage.owner}], range_of(damage.key));
  std::vector<Job> jobs;
  for (const auto& [group, ranges] : groups) jobs.push_back({group.first, group.second, ranges});
  return jobs;
}

void Repairer::ask(DigestRequest request, Step& step) {
  repair_->asked = request;
  repair_->until = step.now.mono + limits::kRepairDeadline;
  step.send(repair_->session, std::move(request));
}

void Repairer::ask_next(Step& step) {
  if (repair_->jobs.empty()) return finish(step);
  const Job& job = repair_->jobs.back();
  if (job.ranges) ask({DigestLevel::rows, job.model, job.owner, *job.ranges, {}}, step);
  else ask({DigestLevel::ranges, job.model, job.owner, {}, {}}, step);
}

// --- what is answered

void Repairer::take(const DigestResponse& answer, Step& step) {
  const auto refuse = [&](const Error& why) {
    const SessionId session = repair_->session;
    give_up(step, limits::kRepairBackoffFirst);
    step.refuse(session, why);
  };
  if (answer.vector_hash != step.vector.hash() || step.vector != store_.origins().vector()) return give_up(step, kMovedOn);
  switch (answer.request.level) {
    case DigestLevel::groups: {
      const Expected<std::vector<DigestGroup>> groups = decode_groups(answer.body, store_.schema());
      if (!groups) return refuse(groups.error());
      take_groups(*groups);
      return ask_next(step);
    }
    case DigestLevel::ranges: {
      const Expected<RangeSums> sums = decode_ranges(answer.body);
      if (!sums) return refuse(sums.error());
      return take_ranges(*sums, step);
    }
    case DigestLevel::rows: break;
  }
  const Expected<std::vector<RepairRow>> rows = decode_repair_rows(answer.body, store_.schema().models[answer.request.model]);
  if (!rows) return refuse(rows.error());
  const std::optional<ChangeSet> changed = take_rows(answer.request, *rows, step);
  if (!changed) return;
  if (!changed->empty()) step.effects.push_back(Changed{*changed});
  if (!answer.next.empty() && answer.next > answer.request.after) {
    DigestRequest more = answer.request;
    more.after = answer.next;
    return ask(std::move(more), step);
  }
  repair_->jobs.pop_back();
  ask_next(step);
}

void Repairer::take_groups(const std::vector<DigestGroup>& theirs) {
  std::map<std::pair<ModelIndex, Origin>, Hash128> ours;
  for (const DigestGroup& group : digest_groups(store_)) ours[{group.model, group.owner}] = group.hash;
  for (const DigestGroup& group : theirs) {
    const auto mine = ours.find({group.model, group.owner});
    if (mine != ours.end() && mine->second == group.hash) continue;
    if (group.owner == Origin{} || store_.origins().find(group.owner)) repair_->jobs.push_back({group.model, group.owner, std::nullopt});
  }
}

void Repairer::take_ranges(const RangeSums& theirs, Step& step) {
  Job& job = repair_->jobs.back();
  const GroupDigest ours = store_.digests().group(store_.rows().group_of(job.model, job.owner));
  job.ranges.emplace();
  for (std::size_t i = 0; i < theirs.size(); ++i)
    if (theirs[i] != ours.ranges[i]) add_range(*job.ranges, static_cast<std::uint8_t>(i));
  if (*job.ranges == RangeMask{}) repair_->jobs.pop_back();
  else repair_->differed.emplace(job.model, job.owner);
  ask_next(step);
}

// In a transaction of its own: what SQLite refuses undoes nothing else.
std::optional<ChangeSet> Repairer::take_rows(const DigestRequest& of, const std::vector<RepairRow>& rows, Step& step) {
  if (store_.in_transaction()) store_.commit();
  ChangeSet changed;
  changed.schema = schema_;
  changed.origin = of.owner;
  const ModelSchema& model = schema_->models[of.model];
  std::size_t taken_rows = 0;
  RowRepair repair(store_, of.model, of.owner, repair_->peer);
  store_.begin(TransactionKind::apply);
  try {
    for (const RepairRow& row : rows) {
      const Expected<bool> taken = repair.take(row);
      if (!taken) {
        store_.rollback();
        const SessionId session = repair_->session;
        give_up(step, limits::kRepairBackoffFirst);
        step.refuse(session, taken.error());
        return std::nullopt;
      }
      taken_rows += *taken ? 1 : 0;
      if (*taken && !model.has_rules()) changed.rows.push_back({of.model, Op::update, model.all_fields() & ~model.key_fields(), Bytes(row.key)});
    }
    for (ShownChange& shown : store_.settle(step.now.wall))
      changed.rows.push_back({shown.model, shown.op, shown.fields, std::move(shown.key)});
    store_.commit();
  } catch (const SQLite::Exception& e) {
    store_.rollback();
    if (!is_user_error(e)) throw;
    note(step, LogLevel::error, NodeEvent::Kind::damage_found, repair_->peer,
         std::string("a row of a repair was refused by SQLite: ") + e.what());
    give_up(step, limits::kRepairBackoffCap);
    return std::nullopt;
  }
  repair_->taken += taken_rows;
  repaired_ += taken_rows;
  return changed;
}

// --- the end of a repair

void Repairer::finish(Step& step) {
  const Repair done = *std::exchange(repair_, std::nullopt);
  forget_healed(step);
  if (!done.by_digest) {
    damage_not_before_ = step.now.mono + (done.taken > 0 ? Duration{} : damage_pause_);
    if (done.taken == 0) damage_pause_ = std::min<Duration>(2 * damage_pause_, limits::kRepairBackoffCap);
    return;
  }
  Mismatch& m = mismatches_[done.peer];
  m.not_before = step.now.mono + m.pause;
  m.pause = std::min<Duration>(2 * m.pause, limits::kRepairBackoffCap);
  if (done.taken == 0) recount(done, step);
  if (done.taken > 0) {
    note(step, LogLevel::info, NodeEvent::Kind::damage_healed, done.peer,
         std::to_string(done.taken) + " rows taken from " + short_string(done.peer) + ", whose digest differed");
  }
  step.send(done.session, Heartbeat{step.vector.hash(), std::nullopt, step.now.wall, digest(step.vector)});  // equal now, or its turn
}

// Digests differ and no row does: then what we hold of the digests themselves may be damaged.
void Repairer::recount(const Repair& done, Step& step) {
  if (done.differed.empty()) return;
  if (store_.in_transaction()) store_.commit();
  store_.begin(TransactionKind::apply);
  bool wrong = false;
  for (const auto& [model, owner] : done.differed) wrong = store_.rows().recount(model, owner) || wrong;
  store_.commit();
  if (wrong) note(step, LogLevel::warning, NodeEvent::Kind::damage_healed, {}, "a digest was wrong, and was counted anew");
}

void Repairer::give_up(Step& step, Duration pause) {
  const Repair repair = *std::exchange(repair_, std::nullopt);
  if (!repair.by_digest) {
    damage_not_before_ = step.now.mono + pause;
    return;
  }
  Mismatch& m = mismatches_[repair.peer];
  m.due = true;
  m.not_before = step.now.mono + pause;
}

void Repairer::forget_healed(Step& step) {
  std::size_t healed = 0;
  std::string text;
  for (auto at = damaged_.begin(); at != damaged_.end();) {
    const auto& [model, key] = at->first;
    if (!store_.rows().is_good(model, key)) {
      ++at;
      continue;
    }
    if (++healed <= kNamed) text += (text.empty() ? "" : "; ") + name(model, key);
    at = damaged_.erase(at);
  }
  if (healed == 0) return;
  if (healed > kNamed) text += "; and " + std::to_string(healed - kNamed) + " more";
  note(step, LogLevel::info, NodeEvent::Kind::damage_healed, {}, "as it was written again: " + text);
}

std::optional<MonoTime> Repairer::next_deadline() const {
  std::optional<MonoTime> next = next_slice_;
  const auto sooner = [&next](MonoTime t) { next = next ? std::min(*next, t) : t; };
  if (repair_) {
    sooner(repair_->until);
    return next;
  }
  const bool to_mend = std::any_of(damaged_.begin(), damaged_.end(), [](const auto& one) { return !one.second.versionless; });
  if (to_mend && helper_) sooner(damage_not_before_);
  for (const auto& [device, m] : mismatches_)
    if (m.due) sooner(m.not_before);
  return next;
}

std::string Repairer::name(ModelIndex model, BytesView key) const {
  return schema_->models[model].name + " (" + describe_values(key) + ")";
}

void Repairer::note(Step& step, LogLevel level, NodeEvent::Kind kind, const DeviceId& peer, std::string text) const {
  step.effects.push_back(Note{level, std::move(text), kind, peer});
}

}  // namespace starling
