#include "apps/demo/story.h"

#include <algorithm>
#include <thread>

#include "apps/common/byte_text.h"
#include "apps/common/folder_walk.h"
#include "apps/demo/tagger.h"

namespace starling::demo {
namespace {

using namespace std::chrono_literals;
using apps::grouped;
using apps::printable;

constexpr auto kPollEvery = 5ms;
constexpr auto kMeetWithin = 15s;
constexpr auto kConvergeWithin = 40s;
constexpr auto kIndexWithin = 60s;
constexpr std::size_t kTaggedEntries = 20;
constexpr double kKillAt = 0.4;               // of A's entries on B
constexpr std::size_t kTaggedBefore = 3;      // writes of each user

std::uint64_t count_entries(const Bytes& folder) {
  apps::FolderWalk::Options names;
  names.details = false;
  apps::FolderWalk walk = must(apps::FolderWalk::open(folder, names));
  std::uint64_t entries = 1;
  while (const auto found = walk.next()) entries += found->entries.size();
  return entries;
}

std::uint64_t positions(const json& status) {
  std::uint64_t sum = 0;
  for (const auto& [origin, position] : status["vector"].items()) {
    sum += position["rev"].get<std::uint64_t>() + position["seq"].get<std::uint64_t>();
  }
  return sum;
}

}  // namespace

Story::Story(const Options& options, Scratch& scratch, Voice& voice)
    : options_(options),
      voice_(voice),
      a_("A", 0, options.folder_a, options, scratch),
      b_("B", 1, options.folder_b, options, scratch) {}

void Story::meet() {
  voice_.step("Two data folders, two keys, one workspace");
  a_.init(false);
  b_.init(true);
  a_.add_peer(b_, false);
  a_.start(false);
  b_.add_peer(a_, true);
  b_.start(false);
  voice_.line("A  " + a_.id() + "  makes the workspace; its files: " + printable(a_.content()));
  voice_.line("B  " + b_.id() + "  joins it;            its files: " + printable(b_.content()));
  for (const char* tag : {kBothTag, kFieldsTag, kDoomedTag}) a_.set_tag(tag, "description", "made on A");
  await_equal(kMeetWithin);
  voice_.line("A made the tags " + std::string(kBothTag) + ", " + kFieldsTag + " and " + kDoomedTag + "; B has them.");
}

void Story::index_and_tag() {
  voice_.step("Both index their files and tag them at the same time; B is killed in the middle");
  const std::uint64_t expected = count_entries(a_.content());
  const std::vector<std::string> words = a_.command({"index", a_.content()});
  apps::ChildProcess index = must(apps::ChildProcess::start(words, {}));  // draws its progress on our terminal
  apps::ControlClient client_b = b_.connect();
  std::jthread index_b([this, &client_b] {  // the kill ends it: its error says nothing new
    (void)!client_b.call({{"op", "index"}, {"path", apps::bytes_to_json(b_.content())}}).has_value();
  });
  {
    Tagger user_a(a_, some_entries(a_), "#aa000", "description");
    Tagger user_b(b_, some_entries(b_), "#bb000", "color");
    await_kill_point(expected, user_a, user_b);
    b_.kill();
    const auto ended = index.wait(kIndexWithin);
    if (!ended || ended->code != 0) throw Failed("starling index failed on A");
    user_a.join();
    user_b.join();
    voice_.lines("A  " + index.read_all(1s));
    voice_.line("A's user wrote " + grouped(user_a.done()) + " times meanwhile, B's " + grouped(user_b.done()) + " times.");
  }
  const bool midway = facts_.entries_at_kill < expected;
  voice_.line("B  killed (SIGKILL) when it held " + grouped(facts_.entries_at_kill) + " of A's " + grouped(expected) +
              " entries" + (midway ? "." : ": a small folder travels in one piece."));
}

// Returns when both users have tagged and B holds a good part of A's entries.
void Story::await_kill_point(std::uint64_t expected, const Tagger& user_a, const Tagger& user_b) {
  const auto threshold = static_cast<std::uint64_t>(kKillAt * static_cast<double>(expected));
  const Clock::time_point deadline = Clock::now() + kIndexWithin;
  while (Clock::now() < deadline) {
    const std::uint64_t rows = rows_held(b_.call({{"op", "status"}}), a_.id());
    facts_.entries_at_kill = rows - std::min<std::uint64_t>(rows, 2);  // two are the device's and the location's
    const bool tagged = user_a.done() >= kTaggedBefore && user_b.done() >= kTaggedBefore;
    if (facts_.entries_at_kill > threshold && tagged) return;
    std::this_thread::sleep_for(kPollEvery);
  }
  throw Failed("A's entries or the tags did not reach B");
}

void Story::write_while_b_is_dead() {
  voice_.step("A goes on alone");
  a_.set_tag(kBothTag, "color", "#aa1111");
  a_.set_tag(kFieldsTag, "description", "described on A while B was dead");
  a_.set_tag(kDoomedTag, "description", "A still describes it");
  const std::vector<Bytes> entries = some_entries(a_);
  for (const Bytes& entry : entries) a_.tag(entry, kFieldsTag);
  voice_.line("tag " + std::string(kBothTag) + ": colour #aa1111.  tag " + kFieldsTag + ": a description.  tag " +
              kDoomedTag + ": a description.");
  voice_.line(grouped(entries.size()) + " entries tagged " + kFieldsTag + ".");
}

void Story::edit_cut_off() {
  voice_.step("B starts again, cut off from the network");
  b_.start(true);
  run_index(b_);
  b_.set_tag(kBothTag, "color", "#bb2222");
  b_.set_tag(kFieldsTag, "color", "#bb3333");
  (void)b_.call({{"op", "tag_rm"}, {"name", kDoomedTag}});
  const std::vector<Bytes> entries = some_entries(b_);
  for (const Bytes& entry : entries) b_.tag(entry, kFieldsTag);
  if (!entries.empty()) b_.tag(entries.front(), kBothTag, false);
  voice_.line("tag " + std::string(kBothTag) + ": colour #bb2222, the field that A set too.  tag " + kFieldsTag +
              ": colour #bb3333, another field than A's.");
  voice_.line("tag " + std::string(kDoomedTag) + ": deleted, while A described it.  One entry untagged.");
}

void Story::run_index(const Device& device) {
  const apps::Finished done = must(apps::run_program(device.command({"index", device.content()}), kIndexWithin));
  if (done.ended.code != 0) throw Failed("starling index failed on " + device.name());
  voice_.lines(device.name() + "  indexes again: what it had written before the kill is there.\n" + done.output);
}

void Story::come_together() {
  voice_.step("B stops (SIGTERM), starts with the network, and both catch up");
  facts_.seconds_to_stop = b_.stop();
  const std::uint64_t bytes_before = wire_bytes();
  const std::uint64_t held_before = positions(a_.call({{"op", "status"}}));
  const Clock::time_point start = Clock::now();
  b_.start(false);
  const std::uint64_t held_by_b = positions(b_.call({{"op", "status"}}));
  await_equal(kConvergeWithin);
  facts_.seconds_to_converge = seconds_since(start);
  facts_.bytes_to_converge = wire_bytes() - bytes_before;
  const json status = a_.call({{"op", "status"}});
  facts_.rows_to_converge = 2 * positions(status) - held_before - held_by_b;
  voice_.line("stopped in " + fixed(facts_.seconds_to_stop, 2) + " s; equal " + fixed(facts_.seconds_to_converge, 2) +
              " s after the start, with " + grouped(facts_.rows_to_converge) + " missing changes sent in " +
              apps::human_size(facts_.bytes_to_converge) + ".");
}

void Story::measure() {
  voice_.step("Single live changes, one after the other");
  facts_.latencies = measure_live(a_, b_, options_.live_changes);
  await_equal(kMeetWithin);
  facts_.bytes_total = wire_bytes();
  voice_.line(grouped(facts_.latencies.ms.size()) + " changes, half of them each way: from the return of the commit on " +
              "one device until");
  voice_.line("a reader of the other's database file sees it: p50 " + fixed(facts_.latencies.percentile(50), 2) +
              " ms, p99 " + fixed(facts_.latencies.percentile(99), 2) + " ms.");
}

// A never stops, so its counters cover the whole day.
std::uint64_t Story::wire_bytes() {
  const json status = a_.call({{"op", "status"}});
  std::uint64_t bytes = 0;
  for (const json& peer : status["peers"]) {
    bytes += peer["bytes_in"].get<std::uint64_t>() + peer["bytes_out"].get<std::uint64_t>();
  }
  return bytes;
}

// A few of those that stand directly in the device's folder.
std::vector<Bytes> Story::some_entries(const Device& device) const {
  apps::FolderWalk::Options names;
  names.details = false;
  apps::FolderWalk walk = must(apps::FolderWalk::open(device.content(), names));
  const auto root = walk.next();
  std::vector<Bytes> entries;
  for (std::size_t i = 0; root && i < std::min(root->entries.size(), kTaggedEntries); ++i) {
    entries.push_back((device.content() == "/" ? "" : device.content()) + "/" + root->entries[i].name);
  }
  return entries;
}

// Both ready, connected, with one vector. Two statuses are read one after the other, so equal means settled.
void Story::await_equal(std::chrono::seconds most) {
  const Clock::time_point deadline = Clock::now() + most;
  json a, b;
  while (Clock::now() < deadline) {
    a = a_.call({{"op", "status"}});
    b = b_.call({{"op", "status"}});
    const bool ready = a["readiness"] == "ready" && b["readiness"] == "ready";
    if (ready && a["vector"] == b["vector"] && a_.shows_our_writes(a) && b_.shows_our_writes(b)) return;
    std::this_thread::sleep_for(kPollEvery);
  }
  throw Failed("the two did not become equal within " + std::to_string(most.count()) + " s\nA: " + a.dump(2) +
               "\nB: " + b.dump(2));
}

}  // namespace starling::demo
