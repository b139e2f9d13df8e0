#include "apps/common/commands.h"

#include <algorithm>
#include <chrono>

#include "apps/common/album_requests.h"
#include "apps/common/byte_text.h"
#include "apps/common/catalog.h"
#include "apps/common/conflict_list.h"
#include "apps/common/reference_list.h"
#include "apps/common/data_folder.h"
#include "apps/common/indexer.h"
#include "apps/common/member_requests.h"
#include "apps/common/quarantine_requests.h"
#include "apps/common/sql_query.h"
#include "apps/common/status_json.h"
#include "apps/common/tagging.h"
#include "apps/common/verify_request.h"
#include "core/base/assert.h"
#include "models/models.h"

namespace starling::apps {
namespace {

constexpr std::size_t kDanglingCounted = 1000;

using nlohmann::json;
using Clock = std::chrono::steady_clock;

json report_to_json(const IndexReport& report, double seconds) {
  json unreadable = json::array();
  for (const Unreadable& one : report.unreadable_list) {
    unreadable.push_back({{"path", bytes_to_json(one.path)}, {"why", one.why}});
  }
  return {{"location", to_hex(report.location)},
          {"new_location", report.new_location},
          {"folders", report.folders},
          {"entries", report.entries},
          {"bytes", report.bytes},
          {"added", report.added},
          {"changed", report.changed},
          {"removed", report.removed},
          {"commits", report.commits},
          {"unreadable", report.unreadable},
          {"unreadable_list", std::move(unreadable)},
          {"seconds", seconds}};
}

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

std::string op_of(const json& request) {
  const auto op = request.find("op");
  return op != request.end() && op->is_string() ? op->get<std::string>() : std::string();
}

}  // namespace

bool Commands::takes_long(const json& request) {
  const std::string op = op_of(request);
  return op == "index" || op == "backup" || op == "verify";
}

Expected<json> Commands::run(const json& request, const ProgressFn& progress) {
  const std::string op = op_of(request);
  Arguments arguments(request);
  if (op == "status") return status(arguments);
  if (op == "index") return index(arguments, progress);
  if (op == "ls") return ls(arguments);
  if (op == "tag") return tag(arguments, true);
  if (op == "untag") return tag(arguments, false);
  if (op == "tag_list") return tag_list(arguments);
  if (op == "tag_set") return tag_set(arguments);
  if (op == "tag_rm") return tag_rm(arguments);
  if (op == "album_add") return album_add(node_, arguments);
  if (op == "album_remove") return album_remove(node_, arguments);
  if (op == "album_ls") return album_ls(node_, arguments);
  if (op == "album_show") return album_show(node_, arguments);
  if (op == "peer_add") return peer_add(arguments);
  if (op == "peer_remove") return peer_remove(arguments);
  if (op == "peer_list") return peer_list(arguments);
  if (op == "member_list") return member_list(node_, arguments);
  if (op == "member_remove") return member_remove(arguments);
  if (op == "member_admit") return member_admit(node_, arguments);
  if (op == "identity_keep") return identity_keep(node_, arguments);
  if (op == "backup") return backup(arguments);
  if (op == "pause") return pause(arguments, true);
  if (op == "resume") return pause(arguments, false);
  if (op == "leave") return leave(arguments);
  if (op == "verify") return verify(arguments);
  if (op == "digest") return digest(arguments);
  if (op == "conflicts") return conflicts(arguments);
  if (op == "references") return references(arguments);
  if (op == "quarantine_list") return quarantine_list(node_, arguments);
  if (op == "quarantine_show") return quarantine_show(node_, arguments);
  if (op == "quarantine_retry") return quarantine_retry(node_, arguments);
  if (op == "sql") return sql(arguments, progress);
  return Error{Errc::invalid_argument, op.empty() ? "a request without \"op\"" : "no such request", printable(op),
               "see docs/control.md"};
}

Expected<json> Commands::status(Arguments& arguments) {
  if (Expected<void> ok = arguments.done(); !ok) return ok.error();
  json answer = status_to_json(node_.status());
  answer["folder"] = bytes_to_json(config_.folder.string());
  answer["port"] = node_.port();
  const Expected<Reader> reader = node_.reader();
  const Expected<std::vector<DanglingReference>> dangling = reader ? reader->dangling(kDanglingCounted) : reader.error();
  answer["dangling"] = dangling ? json(dangling->size()) : json();
  const std::string& listen = config_.listen;
  if (node_.port() != 0) answer["listening"] = listen.substr(0, listen.rfind(':') + 1) + std::to_string(node_.port());
  else answer["listening"] = json();
  return answer;
}

Expected<json> Commands::index(Arguments& arguments, const ProgressFn& progress) {
  const Bytes root = arguments.path("path");
  if (Expected<void> ok = arguments.done(); !ok) return ok.error();
  IndexOptions options;
  options.skip = FolderWalk::file_id(config_.folder.string());
  if (FolderWalk::file_id(root) == options.skip) {
    return Error{Errc::invalid_argument, "this is the data folder itself", printable(root), "name another folder"};
  }
  const Clock::time_point start = Clock::now();
  Clock::time_point told = start - kProgressEvery;
  const auto tell = [&](const IndexProgress& how_far) {
    const bool last = how_far.expected != 0 && how_far.entries >= how_far.expected;
    if (!progress || (!last && Clock::now() - told < kProgressEvery)) return true;
    told = Clock::now();
    return progress({{"expected", how_far.expected}, {"entries", how_far.entries}, {"written", how_far.written}});
  };
  const Expected<IndexReport> report = index_folder(node_, root, options, tell);
  if (!report) return report.error();
  json answer = report_to_json(*report, seconds_since(start));
  answer["path"] = bytes_to_json(root);
  return answer;
}

Expected<json> Commands::ls(Arguments& arguments) {
  const std::optional<Bytes> path = arguments.maybe_path("path");
  const std::optional<std::string> tag = arguments.maybe_text("tag");
  const std::optional<DeviceId> device = arguments.maybe_device("device");
  const std::size_t limit = arguments.limit();
  const std::optional<Bytes> after = arguments.after();
  if (Expected<void> ok = arguments.done(); !ok) return ok.error();
  Expected<Reader> reader = node_.reader();
  if (!reader) return reader.error();
  const Catalog catalog(std::move(*reader), node_.device());
  if (tag) {
    Expected<json> answer = catalog.list_tagged(*tag, limit, after);
    if (answer) (*answer)["tag"] = *tag;
    return answer;
  }
  if (!path) return catalog.list_locations();
  const Expected<EntryPlace> place = catalog.find(*path, device);
  if (!place) return place.error();
  return catalog.list_entry(*place, *path, limit, after);
}

Expected<json> Commands::tag(Arguments& arguments, bool on) {
  const Bytes path = arguments.path("path");
  const std::vector<std::string> tags = arguments.texts("tags");
  const std::optional<DeviceId> device = arguments.maybe_device("device");
  if (Expected<void> ok = arguments.done(); !ok) return ok.error();
  Expected<Reader> reader = node_.reader();
  if (!reader) return reader.error();
  const Catalog catalog(std::move(*reader), node_.device());
  const Expected<EntryPlace> place = catalog.find(path, device);
  if (!place) return place.error();
  return committed(on ? add_tags(node_, place->id, tags) : remove_tags(node_, place->id, tags));
}

Expected<json> Commands::tag_list(Arguments& arguments) {
  const std::size_t limit = arguments.limit();
  const std::optional<Bytes> after = arguments.after();
  if (Expected<void> ok = arguments.done(); !ok) return ok.error();
  const Expected<Reader> reader = node_.reader();
  if (!reader) return reader.error();
  return list_tags(*reader, limit, after);
}

Expected<json> Commands::tag_set(Arguments& arguments) {
  const std::string name = arguments.text("name");
  const TagFields fields{arguments.maybe_text("color"), arguments.maybe_text("description")};
  if (Expected<void> ok = arguments.done(); !ok) return ok.error();
  return committed(set_tag(node_, name, fields));
}

Expected<json> Commands::tag_rm(Arguments& arguments) {
  const std::string name = arguments.text("name");
  if (Expected<void> ok = arguments.done(); !ok) return ok.error();
  return committed(delete_tag(node_, name));
}

Expected<json> Commands::peer_add(Arguments& arguments) {
  const std::string device = arguments.text("device");
  std::vector<std::string> addresses = arguments.texts("addresses");
  if (Expected<void> ok = arguments.done(); !ok) return ok.error();
  const Expected<DeviceId> id = parse_device_id(device);
  if (!id) return id.error();
  if (*id == node_.device()) {
    return Error{Errc::invalid_argument, "this is our own device", to_string(*id),
                 "give the id that 'starling id' prints on the other device"};
  }
  const Peer peer{*id, std::move(addresses)};
  {
    const std::lock_guard lock(config_file_);
    if (Expected<void> written = write_peer(config_.file, peer); !written) return written.error();
  }
  if (Expected<void> added = node_.add_peer(peer); !added) return added.error();
  return json{{"device", to_string(*id)}, {"addresses", peer.addresses}};
}

Expected<json> Commands::peer_remove(Arguments& arguments) {
  const std::string device = arguments.text("device");
  if (Expected<void> ok = arguments.done(); !ok) return ok.error();
  const Expected<DeviceId> id = parse_device_id(device);
  if (!id) return id.error();
  {
    const std::lock_guard lock(config_file_);
    if (Expected<void> erased = erase_peer(config_.file, *id); !erased) return erased.error();
  }
  if (Expected<void> removed = node_.remove_peer(*id); !removed) return removed.error();
  return json{{"device", to_string(*id)}};
}

// Where it was a peer of this device, too, the configuration forgets it.
Expected<json> Commands::member_remove(Arguments& arguments) {
  const Status before = node_.status();
  Expected<json> answer = apps::member_remove(node_, arguments);
  if (!answer) return answer;
  const auto is_removed = [&](const PeerStatus& peer) { return to_string(peer.device) == (*answer)["device"]; };
  const auto peer = std::find_if(before.peers.begin(), before.peers.end(), is_removed);
  if (peer == before.peers.end()) return answer;
  const std::lock_guard lock(config_file_);
  if (Expected<void> erased = erase_peer(config_.file, peer->device); !erased) return erased.error();
  return answer;
}

Expected<json> Commands::backup(Arguments& arguments) {
  const Bytes path = arguments.path("path");
  if (Expected<void> ok = arguments.done(); !ok) return ok.error();
  if (Expected<void> done = node_.backup(path); !done) return done.error();
  std::error_code unknown;
  const std::uintmax_t bytes = std::filesystem::file_size(path, unknown);
  return json{{"path", bytes_to_json(path)}, {"bytes", unknown ? json() : json(bytes)}};
}

// Of the process, not of the folder: a daemon that starts again is not paused.
Expected<json> Commands::pause(Arguments& arguments, bool on) {
  if (Expected<void> ok = arguments.done(); !ok) return ok.error();
  if (!daemon_) return Error{Errc::invalid_argument, "no daemon runs, so no peer is spoken to anyway", "", "start starlingd"};
  if (on) node_.pause();
  else node_.resume();
  return json{{"readiness", to_string(node_.status().readiness)}};
}

// The data stays, as an ordinary database; whoever opens the folder again begins anew.
Expected<json> Commands::leave(Arguments& arguments) {
  const bool sure = arguments.flag("sure");
  if (Expected<void> ok = arguments.done(); !ok) return ok.error();
  if (!sure) {
    return Error{Errc::invalid_argument, "this ends synchronising here for good", printable(config_.folder.string()),
                 "say --yes if that is meant; the data stays in starling.db"};
  }
  if (Expected<void> left = node_.detach(); !left) return left.error();
  left_ = true;
  return json{{"database", bytes_to_json(database_path(config_.folder).string())}};
}

// What the status says of each peer, and what the peer says of itself (models/device.h).
Expected<json> Commands::peer_list(Arguments& arguments) {
  if (Expected<void> ok = arguments.done(); !ok) return ok.error();
  const Expected<Reader> reader = node_.reader();
  if (!reader) return reader.error();
  json peers = status_to_json(node_.status())["peers"];
  for (json& peer : peers) {
    const Expected<DeviceId> id = parse_device_id(peer["device"].get<std::string>());
    ASSERT(id.has_value());
    if (const Expected<void> named = add_name(*reader, *id, peer); !named) return named.error();
  }
  return json{{"peers", std::move(peers)}};
}

Expected<json> Commands::digest(Arguments& arguments) {
  if (Expected<void> ok = arguments.done(); !ok) return ok.error();
  json models = json::array();
  const Schema schema = node_.schema();
  for (const TableDigest& digest : node_.digests()) {
    const ModelSchema* model = schema.find(digest.table);
    ASSERT(model != nullptr);
    models.push_back({{"model", digest.table},
                      {"kind", model->kind == Kind::shared ? "shared" : "device-owned"},
                      {"rows", digest.rows},
                      {"sha256", digest.digest}});
  }
  return json{{"models", std::move(models)}};
}

Expected<json> Commands::verify(Arguments& arguments) {
  const std::optional<Bytes> against = arguments.maybe_path("against");
  if (Expected<void> ok = arguments.done(); !ok) return ok.error();
  return apps::verify(node_, config_.folder, against ? std::optional<std::filesystem::path>(*against) : std::nullopt);
}

Expected<json> Commands::conflicts(Arguments& arguments) {
  const std::size_t limit = arguments.limit();
  if (Expected<void> ok = arguments.done(); !ok) return ok.error();
  const Expected<Reader> reader = node_.reader();
  if (!reader) return reader.error();
  return list_conflicts(*reader, limit);
}

Expected<json> Commands::references(Arguments& arguments) {
  const std::size_t limit = arguments.limit();
  if (Expected<void> ok = arguments.done(); !ok) return ok.error();
  const Expected<Reader> reader = node_.reader();
  if (!reader) return reader.error();
  return list_references(*reader, limit);
}

Expected<json> Commands::sql(Arguments& arguments, const ProgressFn& progress) {
  const std::string query = arguments.text("query");
  if (Expected<void> ok = arguments.done(); !ok) return ok.error();
  if (!queries_.try_acquire()) {
    return Error{Errc::busy, "two queries run already", "", "try again when one of them has ended"};
  }
  struct Release {
    std::counting_semaphore<2>& queries;
    ~Release() { queries.release(); }
  } const release{queries_};
  const Expected<Reader> reader = node_.reader();
  if (!reader) return reader.error();
  return run_sql(*reader, query, progress);
}

Expected<void> write_peer(const std::filesystem::path& config_file, const Peer& peer) {
  const Expected<std::string> text = read_text(config_file);
  if (!text) return text.error();
  const Expected<std::string> edited = with_peer(*text, config_file, peer);
  if (!edited) return edited.error();
  return write_text(config_file, *edited);
}

Expected<void> erase_peer(const std::filesystem::path& config_file, const DeviceId& device) {
  const Expected<std::string> text = read_text(config_file);
  if (!text) return text.error();
  const Expected<std::string> edited = without_peer(*text, config_file, device);
  if (!edited) return edited.error();
  return write_text(config_file, *edited);
}

}  // namespace starling::apps
