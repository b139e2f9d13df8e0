#include "apps/common/status_json.h"

#include <chrono>
#include <nlohmann/json.hpp>

namespace starling::apps {
namespace {

using nlohmann::json;

json vector_to_json(const VersionVector& vector) {
  json result = json::object();
  for (const auto& [origin, position] : vector) {
    result[origin_name(origin)] = {{"rev", position.rev.value}, {"seq", position.seq.value}};
  }
  return result;
}

json peer_to_json(const PeerStatus& peer) {
  return {{"device", to_string(peer.device)}, {"state", to_string(peer.state)}, {"why", peer.why},
          {"vector", vector_to_json(peer.vector)}, {"we_lack", peer.we_lack},   {"it_lacks", peer.it_lacks},
          {"bytes_in", peer.bytes_in},           {"bytes_out", peer.bytes_out}, {"sessions", peer.sessions}};
}

}  // namespace

std::string origin_name(const Origin& origin) {
  ByteWriter random;
  random.be32(origin.incarnation.random);
  return to_string(origin.device) + "/" + std::to_string(origin.incarnation.birth.packed) + "-" +
         to_hex(random.bytes());
}

json status_to_json(const Status& status) {
  json peers = json::array();
  for (const PeerStatus& peer : status.peers) peers.push_back(peer_to_json(peer));
  json waiting = json::array();
  for (const WaitingOrigin& one : status.waiting) {
    waiting.push_back({{"origin", origin_name(one.origin)}, {"why", one.why}, {"until_ms", one.until.ms}});
  }
  return {{"workspace", {{"name", status.workspace_name}, {"id", to_string(status.workspace)}}},
          {"device", to_string(status.self.device)},
          {"origin", origin_name(status.self)},
          {"readiness", to_string(status.readiness)},
          {"initial_sync_completed", status.initial_sync_completed},
          {"vector", vector_to_json(status.vector)},
          {"peers", std::move(peers)},
          {"waiting", std::move(waiting)},
          {"conflicts", status.conflicts},
          {"quarantined", status.quarantined},
          {"hidden", status.hidden},
          {"nulled", status.nulled},
          {"damaged", status.damaged},
          {"repaired", status.repaired},
          {"rows_applied", status.rows_applied},
          {"entries_applied", status.entries_applied},
          {"duplicate_rows", status.duplicate_rows},
          {"doubled", status.doubled},
          {"members", status.members},
          {"log_entries", status.log_entries},
          {"entries_dropped", status.entries_dropped},
          {"tombstones_dropped", status.tombstones_dropped},
          {"snapshots_taken", status.snapshots_taken},
          {"merging", status.merging},
          {"failed", status.failed}};
}

Expected<json> committed(const Expected<CommitInfo>& info) {
  if (!info) return info.error();
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return json{{"commit",
               {{"rows", info->rows},
                {"rev", info->rev.value},
                {"seq", info->seq.value},
                {"monotonic_us", std::chrono::duration_cast<std::chrono::microseconds>(now).count()}}}};
}

}  // namespace starling::apps
