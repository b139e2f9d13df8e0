#include "net/message_cost.h"

#include "core/base/limits.h"

namespace starling {
namespace {

std::size_t cost(const VersionVector& v) { return v.size() * (sizeof(VersionVector::Map::value_type) + 48); }
std::size_t cost(const StatePage& page) { return sizeof page + page.body.size(); }
std::size_t cost(const SharedChangeBatch& batch) {
  std::size_t sum = 0;
  for (const Bytes& entry : batch.entries) sum += sizeof(Bytes) + entry.size();
  return sum;
}

struct Visitor {
  std::size_t operator()(const Hello& m) const {
    return cost(m.vector) + m.held.size() * sizeof(HeldLog) +
           m.models.size() * (sizeof(ModelDigest) + limits::kNameMax + kShapeMax * sizeof(std::uint64_t));
  }
  std::size_t operator()(const StateChange& m) const { return cost(m.page); }
  std::size_t operator()(const StateBatch& m) const {
    std::size_t sum = 0;
    for (const StatePage& page : m.pages) sum += cost(page);
    return sum;
  }
  std::size_t operator()(const StateResponse& m) const { return cost(m.page); }
  std::size_t operator()(const SharedChange& m) const { return m.entry.size(); }
  std::size_t operator()(const SharedChangeBatch& m) const { return cost(m); }
  std::size_t operator()(const SharedChangeResponse& m) const { return cost(m.batch); }
  std::size_t operator()(const AckSharedChanges& m) const {
    std::size_t sum = 0;
    for (const AckSharedChanges::One& one : m.acks) sum += sizeof one + cost(one.ack.vector);
    return sum;
  }
  std::size_t operator()(const Heartbeat& m) const { return m.vector ? cost(*m.vector) : 0; }
  std::size_t operator()(const ErrorMessage& m) const { return m.text.size(); }
  std::size_t operator()(const SnapshotRequest& m) const { return m.kept.size() * sizeof(Hash128); }
  std::size_t operator()(const SnapshotPage& m) const { return m.body.size(); }
  std::size_t operator()(const EntryPart& m) const { return m.bytes.size(); }
  std::size_t operator()(const DigestRequest& m) const { return m.after.size(); }
  std::size_t operator()(const DigestResponse& m) const { return m.request.after.size() + m.body.size() + m.next.size(); }
  std::size_t operator()(const StateRequest&) const { return 0; }
  std::size_t operator()(const SharedChangeRequest&) const { return 0; }
};

}  // namespace

std::size_t message_cost(const Message& message) { return sizeof message + std::visit(Visitor(), message); }

}  // namespace starling
