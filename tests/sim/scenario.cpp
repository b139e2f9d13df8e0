#include "tests/sim/scenario.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <sstream>

#include "tests/sim/disk.h"

namespace starling::sim {
namespace {

struct VerbFacts {
  Verb verb;
  const char* name;
  Stream stream;
  std::size_t devices;
  std::size_t numbers;
};

constexpr std::array kVerbs = {
    VerbFacts{Verb::connect, "connect", Stream::topology, 2, 0},
    VerbFacts{Verb::disconnect, "disconnect", Stream::topology, 2, 0},
    VerbFacts{Verb::wipe, "wipe", Stream::topology, 1, 0},
    VerbFacts{Verb::back_up, "back-up", Stream::topology, 1, 0},
    VerbFacts{Verb::restore, "restore", Stream::topology, 1, 0},
    VerbFacts{Verb::copy_disk, "copy-disk", Stream::topology, 1, 0},
    VerbFacts{Verb::put_back, "put-back", Stream::topology, 1, 0},
    VerbFacts{Verb::clone, "clone", Stream::topology, 1, 0},
    VerbFacts{Verb::remove, "remove", Stream::topology, 1, 0},
    VerbFacts{Verb::readmit, "readmit", Stream::topology, 1, 0},
    VerbFacts{Verb::upgrade, "upgrade", Stream::topology, 1, 0},
    VerbFacts{Verb::write, "write", Stream::workload, 1, 0},
    VerbFacts{Verb::abandon, "abandon", Stream::workload, 1, 0},
    VerbFacts{Verb::foreign_write, "foreign-write", Stream::workload, 1, 0},
    VerbFacts{Verb::break_link, "break", Stream::network, 2, 0},
    VerbFacts{Verb::cut, "cut", Stream::network, 2, 1},
    VerbFacts{Verb::stall, "stall", Stream::network, 2, 0},
    VerbFacts{Verb::release, "release", Stream::network, 2, 0},
    VerbFacts{Verb::clog, "clog", Stream::network, 2, 1},
    VerbFacts{Verb::quality, "quality", Stream::network, 2, 3},
    VerbFacts{Verb::overtake, "overtake", Stream::network, 2, 0},
    VerbFacts{Verb::repeat, "repeat", Stream::network, 2, 0},
    VerbFacts{Verb::outbox, "outbox", Stream::network, 0, 1},
    VerbFacts{Verb::fail, "fail", Stream::disk, 1, 3},
    VerbFacts{Verb::room, "room", Stream::disk, 1, 1},
    VerbFacts{Verb::short_read, "short-read", Stream::disk, 1, 1},
    VerbFacts{Verb::repair, "repair", Stream::disk, 1, 0},
    VerbFacts{Verb::flip, "flip", Stream::disk, 1, 2},
    VerbFacts{Verb::refuse_rows, "refuse-rows", Stream::disk, 1, 0},
    VerbFacts{Verb::take_rows, "take-rows", Stream::disk, 1, 0},
    VerbFacts{Verb::step_clock, "step-clock", Stream::clock, 1, 1},
    VerbFacts{Verb::drift, "drift", Stream::clock, 1, 1},
    VerbFacts{Verb::suspend, "suspend", Stream::clock, 1, 0},
    VerbFacts{Verb::wake, "wake", Stream::clock, 1, 0},
    VerbFacts{Verb::year, "year", Stream::clock, 1, 0},
    VerbFacts{Verb::come_back, "come-back", Stream::clock, 1, 0},
    VerbFacts{Verb::kill, "kill", Stream::crash, 1, 0},
    VerbFacts{Verb::cut_power, "cut-power", Stream::crash, 1, 1},
    VerbFacts{Verb::die_in, "die-in", Stream::crash, 1, 2},
    VerbFacts{Verb::start, "start", Stream::crash, 1, 0},
};
constexpr std::array<const char*, kStreams> kStreamNames = {"topology", "workload", "network", "disk", "clock", "crash"};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kVerbs.size(); ++i)
    if (kVerbs[i].verb != Verb{static_cast<std::uint8_t>(i)}) return false;
  return kVerbs.size() == kVerbCount;
}

const VerbFacts& facts(Verb verb) {
  static_assert(in_order(), "in the order of the verbs");
  return kVerbs.at(static_cast<std::size_t>(verb));
}

bool writes(Verb verb) { return verb == Verb::write || verb == Verb::abandon; }

constexpr std::size_t kDevicesMost = 8;

std::string seconds(Duration time) {
  std::array<char, 32> text{};
  (void)std::snprintf(text.data(), text.size(), "%.6f", static_cast<double>(time.count()) / 1e6);
  std::string s = text.data();
  while (s.back() == '0') s.pop_back();
  if (s.back() == '.') s.pop_back();
  return s;
}

std::string line_of(const Action& action) {
  const VerbFacts& verb = facts(action.verb);
  std::string line = seconds(action.at) + " " + verb.name;
  if (verb.devices > 0) line += " " + device_name(action.a);
  if (verb.devices > 1) line += " " + device_name(action.b);
  for (const std::int64_t n : action.numbers) line += " " + std::to_string(n);
  for (const Edit& e : action.edits)
    line += std::string(&e == action.edits.data() ? " " : " ; ") + name_of(e.kind) + " " + std::to_string(e.a) + " " +
            std::to_string(e.b) + " " + std::to_string(e.c);
  return line;
}

// Reads one line, word by word. A word that does not fit fails the line, once and for all.
class Line {
 public:
  explicit Line(const std::string& text) : words_(text.substr(0, text.find('#'))) {}

  std::string word() {
    std::string w;
    if (!(words_ >> w)) failed_ = true;
    return w;
  }
  std::int64_t number() { return parse<std::int64_t>(word()); }
  template <class T>
  T small() {
    const std::int64_t n = number();
    if (n < 0 || n > std::int64_t{1} << 31) failed_ = true;
    return static_cast<T>(failed_ ? 0 : n);
  }
  std::uint64_t seed() { return parse<std::uint64_t>(word()); }
  Duration time() {
    char* end = nullptr;
    const std::string w = word();
    const double s = std::strtod(w.c_str(), &end);
    if (failed_ || *end != '\0' || !(s >= 0 && s < 1e8)) failed_ = true;
    return failed_ ? Duration{} : Duration(static_cast<std::int64_t>(s * 1e6 + 0.5));
  }
  std::size_t device() {
    const std::string w = word();
    if (w.size() != 1 || w[0] < 'A' || w[0] >= static_cast<char>('A' + kDevicesMost)) failed_ = true;
    return failed_ ? 0 : static_cast<std::size_t>(w[0] - 'A');
  }
  bool more() { return !failed_ && !(words_ >> std::ws).eof(); }
  void fail() { failed_ = true; }
  [[nodiscard]] bool good() { return !failed_ && !more(); }

 private:
  template <class T>
  T parse(const std::string& w) {
    T n{};
    const auto [end, error] = std::from_chars(w.data(), w.data() + w.size(), n);
    if (error != std::errc{} || end != w.data() + w.size()) failed_ = true;
    return n;
  }

  std::istringstream words_;
  bool failed_ = false;
};

std::vector<Edit> read_edits(Line& line) {
  std::vector<Edit> edits;
  while (line.more()) {
    if (!edits.empty() && line.word() != ";") line.fail();
    const std::string name = line.word();
    Edit e;
    std::size_t kind = 0;
    while (kind < kEditKinds && name != name_of(EditKind{static_cast<std::uint8_t>(kind)})) ++kind;
    if (kind == kEditKinds) line.fail();
    e.kind = EditKind{static_cast<std::uint8_t>(kind % kEditKinds)};
    e.a = line.small<std::uint32_t>();
    e.b = line.small<std::uint32_t>();
    e.c = line.small<std::uint32_t>();
    edits.push_back(e);
  }
  return edits;
}

Action read_action(Line& line) {
  Action action;
  action.at = line.time();
  const std::string name = line.word();
  const auto found = std::find_if(kVerbs.begin(), kVerbs.end(), [&](const VerbFacts& f) { return name == f.name; });
  if (found == kVerbs.end()) {
    line.fail();
    return action;
  }
  action.verb = found->verb;
  if (found->devices > 0) action.a = line.device();
  if (found->devices > 1) action.b = line.device();
  for (std::size_t i = 0; i < found->numbers; ++i) action.numbers.push_back(line.number());
  if (writes(action.verb)) action.edits = read_edits(line);
  return action;
}

// A line of the head; false: it is an action.
bool read_head(const std::string& text, Scenario& scenario, Line& line) {
  const std::string name = text.substr(0, text.find(' '));
  if (name != "seed" && name != "devices" && name != "lasts" && name != "core" && name != "checkpoint")
    return false;
  (void)line.word();
  if (name == "seed") scenario.seed = line.seed();
  if (name == "devices") scenario.devices = line.small<std::size_t>();
  if (name == "lasts") scenario.lasts = line.time();
  if (name == "checkpoint") scenario.checkpoint = line.small<int>();
  while (name == "core" && line.more()) scenario.core.push_back(line.device());
  const bool members = std::all_of(scenario.core.begin(), scenario.core.end(), [&](std::size_t i) { return i < scenario.devices; });
  if (scenario.devices < 1 || scenario.devices > kDevicesMost || !members || !scenario.actions.empty()) line.fail();
  return true;
}

// Numbers are counts and sizes, but for these.
bool in_bounds(const Scenario& scenario, const Action& action) {
  const VerbFacts& verb = facts(action.verb);
  const auto number = [&](std::size_t i) { return action.numbers[i]; };
  const bool signs = action.verb == Verb::step_clock || action.verb == Verb::drift ||
                     (action.verb == Verb::die_in ? number(0) > 0 && number(1) >= -1
                                                  : std::all_of(action.numbers.begin(), action.numbers.end(), [](auto n) { return n >= 0; }));
  if (action.verb == Verb::fail && number(0) >= static_cast<std::int64_t>(kDiskFaults)) return false;
  if (action.verb == Verb::quality && number(0) > number(1)) return false;
  return signs && action.a < scenario.devices && action.b < scenario.devices && (verb.devices < 2 || action.a != action.b) &&
         (scenario.actions.empty() || action.at >= scenario.actions.back().at);
}

constexpr std::string_view kFirstLine = "starling scenario 1";

}  // namespace

Stream stream_of(Verb verb) { return facts(verb).stream; }
const char* name_of(Verb verb) { return facts(verb).name; }
const char* name_of(Stream stream) { return kStreamNames.at(static_cast<std::size_t>(stream)); }
std::string device_name(std::size_t number) { return std::string(1, static_cast<char>('A' + number)); }

std::string Scenario::text() const {
  std::string text = std::string(kFirstLine) + "\nseed " + std::to_string(seed) + "\ndevices " + std::to_string(devices) +
                     "\nlasts " + seconds(lasts) + "\n";
  if (checkpoint != 0) text += "checkpoint " + std::to_string(checkpoint) + "\n";
  if (!core.empty()) {
    text += "core";
    for (const std::size_t device : core) text += " " + device_name(device);
    text += "\n";
  }
  for (const Action& action : actions) text += line_of(action) + "\n";
  return text;
}

Expected<Scenario> Scenario::parse(std::string_view text) {
  Scenario scenario;
  std::istringstream lines{std::string(text)};
  std::string one;
  for (int number = 1; std::getline(lines, one); ++number) {
    Line line(one);
    const auto bad = [&] {
      return Error{Errc::invalid_argument, "this is no line of a scenario: " + one, "line " + std::to_string(number),
                   "tests/sim/scenario.h lists the verbs; actions come in the order of their times"};
    };
    if (number == 1) {
      if (one != kFirstLine) return bad();
      continue;
    }
    if (!line.more()) continue;
    if (!read_head(one, scenario, line)) {
      Action action = read_action(line);
      if (!line.good() || !in_bounds(scenario, action)) return bad();
      scenario.actions.push_back(std::move(action));
    }
    if (!line.good()) return bad();
  }
  return scenario;
}

}  // namespace starling::sim
