#include "tests/sim/runner/outcome.h"

namespace starling::sim {
namespace {

void write(ByteWriter& out, const Tally& tally) {
  out.varint(tally.size());
  for (const auto& [name, count] : tally) {
    out.blob(name);
    out.varint(count);
  }
}

Tally read_tally(ByteReader& in) {
  Tally tally;
  for (std::uint64_t n = in.varint(); n > 0 && !in.failed(); --n) {
    const std::string name(in.blob());
    tally[name] = in.varint();
  }
  return tally;
}

}  // namespace

Outcome run_scenario(const Scenario& scenario, bool twice) {
  World world(scenario);
  Outcome outcome{scenario.seed, world.run(), world.simulated(), world.trace(), world.faults(), world.rare()};
  if (!twice) return outcome;
  World again(scenario);
  if (again.run() != outcome.complaints || again.trace() != outcome.trace)
    outcome.complaints.emplace_back("a second run of the same scenario was another run");
  outcome.simulated += again.simulated();
  return outcome;
}

Bytes encode(const Outcome& outcome) {
  ByteWriter out;
  out.be64(outcome.seed);
  out.be64(static_cast<std::uint64_t>(outcome.simulated.count()));
  out.be64(outcome.trace);
  out.varint(outcome.complaints.size());
  for (const std::string& complaint : outcome.complaints) out.blob(complaint);
  write(out, outcome.faults);
  write(out, outcome.rare);
  return out.take();
}

Outcome decode_outcome(BytesView bytes) {
  ByteReader in(bytes);
  Outcome outcome;
  outcome.seed = in.be64();
  outcome.simulated = Duration(static_cast<std::int64_t>(in.be64()));
  outcome.trace = in.be64();
  for (std::uint64_t n = in.varint(); n > 0 && !in.failed(); --n) outcome.complaints.emplace_back(in.blob());
  outcome.faults = read_tally(in);
  outcome.rare = read_tally(in);
  ASSERT(in.done());
  return outcome;
}

void add(Tally& sum, const Tally& more) {
  for (const auto& [name, count] : more) sum[name] += count;
}

}  // namespace starling::sim
