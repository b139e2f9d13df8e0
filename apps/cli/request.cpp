#include "apps/cli/request.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "apps/cli/progress_bar.h"
#include "apps/common/byte_text.h"

namespace starling::apps {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t kPathsMax = kControlRequestMax / 2;  // bytes of JSON in one request

// The absolute form of a path that the user typed. Links on the way are resolved (and only then ".." is, which after a
// link is the parent of where that leads), the last part is not: a link is an entry too. What does not exist may still be
// indexed, so nothing here fails.
json absolute_path(const std::string& typed, bool resolve_last) {
  std::error_code ignored;
  fs::path path = fs::absolute(typed, ignored);
  if (!path.has_filename()) path = path.parent_path();  // "x/" gives "x"
  const bool whole = resolve_last || path.filename() == "." || path.filename() == "..";
  const fs::path folder = whole ? path : path.parent_path();
  fs::path resolved = fs::weakly_canonical(folder, ignored);
  if (resolved.empty()) resolved = folder.lexically_normal();
  if (!whole) resolved /= path.filename();
  return bytes_to_json(resolved.string());
}

const char* op_of(Verb verb) {
  switch (verb) {
    case Verb::index: return "index";
    case Verb::tag: return "tag";
    case Verb::untag: return "untag";
    case Verb::tag_list: return "tag_list";
    case Verb::tag_set: return "tag_set";
    case Verb::tag_rm: return "tag_rm";
    case Verb::ls: return "ls";
    case Verb::album_add: return "album_add";
    case Verb::album_remove: return "album_remove";
    case Verb::album_ls: return "album_ls";
    case Verb::album_show: return "album_show";
    case Verb::peer_add: return "peer_add";
    case Verb::peer_remove: return "peer_remove";
    case Verb::peer_list: return "peer_list";
    case Verb::member_list: return "member_list";
    case Verb::member_remove: return "member_remove";
    case Verb::member_admit: return "member_admit";
    case Verb::identity_keep: return "identity_keep";
    case Verb::backup: return "backup";
    case Verb::pause: return "pause";
    case Verb::resume: return "resume";
    case Verb::leave: return "leave";
    case Verb::verify: return "verify";
    case Verb::digest: return "digest";
    case Verb::conflicts: return "conflicts";
    case Verb::references: return "references";
    case Verb::quarantine_list: return "quarantine_list";
    case Verb::quarantine_show: return "quarantine_show";
    case Verb::quarantine_retry: return "quarantine_retry";
    case Verb::sql: return "sql";
    case Verb::init:
    case Verb::id:  // need no node, see setup.h
    case Verb::status: return "status";
  }
  return "";
}

// What `typed.name` is called in the request; nullptr: the command takes none.
const char* name_key(const Invocation& typed) {
  switch (typed.verb) {
    case Verb::ls: return typed.name.empty() ? nullptr : "tag";
    case Verb::tag_set:
    case Verb::tag_rm: return "name";
    case Verb::album_add:
    case Verb::album_remove:
    case Verb::album_show: return "album";
    case Verb::peer_add:
    case Verb::peer_remove:
    case Verb::member_remove:
    case Verb::member_admit: return "device";
    case Verb::quarantine_show: return "item";
    default: return nullptr;
  }
}

json request_of(const Invocation& typed, bool resolve_links) {
  json request{{"op", op_of(typed.verb)}};
  if (typed.verb == Verb::verify && !typed.path.empty()) request["against"] = absolute_path(typed.path, true);
  else if (!typed.path.empty()) request["path"] = absolute_path(typed.path, resolve_links || typed.verb == Verb::index);
  for (const std::string& path : typed.paths) request["paths"].push_back(absolute_path(path, resolve_links));
  if (const char* key = name_key(typed)) request[key] = typed.name;
  if (typed.verb == Verb::peer_add)
    request["addresses"] = typed.names;
  else if (!typed.names.empty())
    request["tags"] = typed.names;
  if (typed.color) request["color"] = *typed.color;
  if (typed.description) request["description"] = *typed.description;
  if (typed.whole) request["whole"] = true;
  if (typed.sure) request["sure"] = true;
  if (typed.verb == Verb::sql) request["query"] = typed.query;
  if (!typed.device.empty()) request["device"] = typed.device;
  return request;
}

Expected<void> check_words(const Invocation& typed) {
  std::vector<std::string> words = typed.names;
  words.insert(words.end(),
               {typed.name, typed.device, typed.query, typed.color.value_or(""), typed.description.value_or("")});
  for (const std::string& word : words) {
    if (is_utf8(word)) continue;
    return Error{Errc::invalid_argument, "not UTF-8", printable(word), "only paths may be other bytes"};
  }
  return {};
}

// All pages of a list as one answer.
Expected<json> call_all(Backend& backend, json request, const std::string& list, const std::string& cursor) {
  Expected<json> answer = backend.call(request);
  while (answer && answer->value("more", false)) {
    const json& last = (*answer)[list].back()[cursor];
    request["after"] = cursor == "id" ? json{{"hex", last}} : last;
    Expected<json> next = backend.call(request);
    if (!next) return next;
    for (json& one : (*next)[list]) (*answer)[list].push_back(std::move(one));
    (*answer)["more"] = (*next)["more"];
  }
  return answer;
}

Expected<json> call_all_sorted(Backend& backend, const json& request, const std::string& list, const char* by) {
  Expected<json> answer = call_all(backend, request, list, "id");
  const auto in_order = [by](const json& a, const json& b) { return a[by] < b[by]; };
  if (answer) std::sort((*answer)[list].begin(), (*answer)[list].end(), in_order);
  return answer;
}

// As many requests as the paths need; each is a transaction of its own. The rows are added up.
Expected<json> call_in_parts(Backend& backend, json request) {
  const json paths = request.value("paths", json::array());
  std::int64_t rows = 0;
  for (std::size_t at = 0;;) {
    request["paths"] = json::array();
    for (std::size_t bytes = 0; at < paths.size() && bytes < kPathsMax; ++at) {
      bytes += paths[at].dump().size();
      request["paths"].push_back(paths[at]);
    }
    Expected<json> answer = backend.call(request);
    if (!answer) return answer;
    rows += (*answer)["commit"]["rows"].get<std::int64_t>();
    (*answer)["commit"]["rows"] = rows;
    if (at >= paths.size()) return answer;
  }
}

Expected<json> call_index(Backend& backend, const Invocation& typed, const json& request) {
  if (typed.quiet) return backend.call(request);
  ProgressBar bar("Indexing " + printable(typed.path));
  return backend.call(request, [&bar](const json& progress) {
    bar.show(progress);
    return true;
  });
}

Expected<json> call_once(Backend& backend, const Invocation& typed, const json& request) {
  switch (typed.verb) {
    case Verb::tag_list: return call_all(backend, request, "tags", "name");
    case Verb::album_ls: return call_all_sorted(backend, request, "albums", "name");
    case Verb::album_show: return call_all_sorted(backend, request, "entries", "path");
    case Verb::album_add:
    case Verb::album_remove: return call_in_parts(backend, request);
    case Verb::ls:
      if (!typed.name.empty()) return call_all_sorted(backend, request, "entries", "path");
      return call_all(backend, request, "entries", "name");
    case Verb::index: return call_index(backend, typed, request);
    default: return backend.call(request);
  }
}

}  // namespace

// A link is an entry; but one that leads to an indexed folder, and is none itself, stands for that folder.
Expected<json> call(Backend& backend, const Invocation& typed) {
  if (Expected<void> ok = check_words(typed); !ok) return ok.error();
  const json request = request_of(typed, false);
  Expected<json> answer = call_once(backend, typed, request);
  if (answer || answer.error().code != Errc::invalid_argument) return answer;
  const json resolved = request_of(typed, true);
  if (resolved == request) return answer;
  Expected<json> second = call_once(backend, typed, resolved);
  return second ? std::move(second) : std::move(answer);
}

}  // namespace starling::apps
