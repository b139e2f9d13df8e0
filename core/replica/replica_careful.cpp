// The replica's care for what can hurt it: changes that SQLite refuses, that end the process, that wait in quarantine.
#include <SQLiteCpp/Exception.h>

#include "core/replica/replica_impl.h"
#include "core/store/held_changes.h"
#include "core/store/quarantine.h"
#include "core/store/row_store.h"
#include "core/store/sql_error.h"
#include "core/store/trial_mark.h"

namespace starling {
namespace {

constexpr Duration kRetryRefusedRow = std::chrono::minutes(1);
constexpr std::uint8_t kTrials = 2;  // a power cut in a sync is no proof
constexpr Duration kRetryWhatEnded = std::chrono::seconds(1);
constexpr std::size_t kRetriedPerStep = 200;  // changes

}  // namespace

// After a life that did not end well it is marked on disk before it is tried; what such a life ended over is held.
void Replica::Impl::begin_trial(const Trial& trial, const StreamKey& key) {
  const std::uint8_t times = store.trial().ended(trial, trial.what == Tried::page ? ours().at(trial.origin).rev.value : 0);
  const bool ended = times >= kTrials;
  applier.take(ended ? Care::hold_all : touchy.contains(key) ? Care::one_by_one : Care::none);
  if (!ended && store.trial().careful()) {
    if (store.in_transaction()) store.commit();
    store.begin(TransactionKind::apply);
    store.trial().set(trial, static_cast<std::uint8_t>(times + 1));
    store.commit();
    marked = true;
  }
  ensure_transaction();
}

void Replica::Impl::end_trial() {
  in_hand.reset();
  applier.take(Care::none);
  if (!std::exchange(marked, false)) return;
  store.trial().clear();
  store.commit();
  if (++careful_steps >= limits::kCarefulSteps) store.trial().relax();
}

// Before a page or an entry that ends at `at` is applied.
void Replica::Impl::begin_try(const StreamKey& key, std::uint64_t at) {
  in_hand = key;
  at_hand = at;
  const Position held = ours().at(key.first);
  const bool news = at > (key.second == Stream::state ? held.rev.value : held.seq.value);
  if (news) return begin_trial({key.second == Stream::state ? Tried::page : Tried::entry, key.first, at}, key);
  applier.take(touchy.contains(key) ? Care::one_by_one : Care::none);
  ensure_transaction();
}

void Replica::Impl::end_try(const Expected<ApplyResult>& result) {
  if (const auto was = touchy.find(*in_hand); was != touchy.end() && at_hand >= was->second && result && result->outcome == Applied::done)
    touchy.erase(was);
  if (result && result->held > 0) {
    retry_pause = limits::kRetryRefusedFirst;
    const Duration soon = applier.care() == Care::hold_all ? Duration(kRetryWhatEnded) : retry_pause;
    retry_at = std::min(retry_at.value_or(MonoTime::max()), now.mono + soon);
    note(LogLevel::warning, std::to_string(result->held) + (result->held == 1 ? " change" : " changes") + " of " +
                                short_string(result->event.origin.device) + " cannot be applied here and went into quarantine");
  }
  end_trial();
}

// SQLite refused a row (a trigger of the application's): nothing of this step stands, and the positions that the database
// still has decide what is asked for again. Then it is applied change by change, and what is refused is held; where even
// that fails, the stream rests for a while.
void Replica::Impl::abandon(const SQLite::Exception& e) {
  const StreamKey key = *in_hand;
  in_hand.reset();
  marked = false;
  applier.take(Care::none);
  const bool learned = applier.rolled_back() > std::exchange(rolled_back, applier.rolled_back());
  store.rollback();
  counters = counters_before;
  while (effects.size() > effects_before && std::holds_alternative<Changed>(effects.back())) effects.pop_back();
  effects.erase(std::remove_if(effects.begin() + static_cast<std::ptrdiff_t>(effects_before), effects.end(),
                               [](const Effect& effect) { return std::holds_alternative<Changed>(effect); }), effects.end());
  puller.stop_all();
  const std::string why = std::string("a row was refused by SQLite: ") + e.what();
  if (touchy.emplace(key, at_hand).second || learned) return note(LogLevel::warning, "changes of " + short_string(key.first.device) + " are applied one by one: " + why);
  puller.hold(key, {why, {}, {}, now.mono + kRetryRefusedRow, 0});
  note(LogLevel::error, NodeEvent::Kind::stream_waits, key.first.device,
       "changes of " + short_string(key.first.device) + " are held: " + why);
}

// What was refused may be taken by now: tried again, some of it in each step, with growing pauses.
void Replica::Impl::retry_quarantine() {
  if (!store.quarantine().maybe() && store.held().count() == 0 && !store.rows().kept_refused()) return retry_at.reset();
  if (taker.merging()) return;
  if (!retry_at) retry_at = now.mono + retry_pause;
  if (now.mono < *retry_at) return;
  if (store.in_transaction()) store.commit();  // what the step has applied is not undone with it
  ensure_transaction();
  ApplyResult result;
  result.event.schema = store.shared_schema();
  const std::uint64_t before = releaser.released();
  bool more = true;
  try {
    more = releaser.go_on(now.wall, kRetriedPerStep, Ended::by_itself, result);
  } catch (const SQLite::Exception& e) {  // it has rolled everything back over a row, which is left out the next time
    if (!is_user_error(e) || applier.rolled_back() == rolled_back) throw;
    rolled_back = applier.rolled_back();
    store.rollback();
    return void(retry_at = now.mono);
  }
  if (!result.event.empty()) effects.push_back(Changed{std::move(result.event)});
  released_in_round += releaser.released() - before;
  if (more) return void(retry_at = now.mono);
  if (released_in_round > 0) note(LogLevel::info, std::to_string(released_in_round) + " changes came out of quarantine");
  retry_pause = released_in_round > 0 ? Duration(limits::kRetryRefusedFirst) : std::min<Duration>(2 * retry_pause, limits::kRetryRefusedCap);
  released_in_round = 0;
  retry_at = now.mono + retry_pause;
}

}  // namespace starling
