// starling: the commands of one device, for people and, with --json, for programs.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "apps/cli/backend.h"
#include "apps/cli/invocation.h"
#include "apps/cli/progress_bar.h"
#include "apps/cli/render.h"
#include "apps/cli/setup.h"
#include "apps/common/byte_text.h"
#include "apps/common/data_folder.h"

namespace starling::apps {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// The absolute form of a path that the user typed. Links on the way are resolved, the last part is not: a link is an
// entry too. What does not exist may still be indexed, so nothing here fails.
Bytes absolute_path(const std::string& typed, bool resolve_last) {
  std::error_code ignored;
  fs::path path = fs::absolute(typed, ignored).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();  // "x/" gives "x"
  fs::path folder = fs::weakly_canonical(resolve_last ? path : path.parent_path(), ignored);
  if (folder.empty()) folder = resolve_last ? path : path.parent_path();
  if (!resolve_last && path.has_filename()) folder /= path.filename();
  return folder.string();
}

json request_of(const Invocation& typed, bool resolve_links) {
  json request;
  const auto path = [&](bool resolve_last) {
    request["path"] = bytes_to_json(absolute_path(typed.path, resolve_last || resolve_links));
  };
  const auto tags = [&](const char* op) {
    request["op"] = op;
    path(false);
    request["tags"] = typed.names;
  };
  switch (typed.verb) {
    case Verb::index: request["op"] = "index"; path(true); break;
    case Verb::tag: tags("tag"); break;
    case Verb::untag: tags("untag"); break;
    case Verb::tag_list: request["op"] = "tag_list"; break;
    case Verb::tag_set:
      request = {{"op", "tag_set"}, {"name", typed.name}};
      if (typed.color) request["color"] = *typed.color;
      if (typed.description) request["description"] = *typed.description;
      break;
    case Verb::tag_rm: request = {{"op", "tag_rm"}, {"name", typed.name}}; break;
    case Verb::ls:
      request["op"] = "ls";
      if (!typed.path.empty()) path(false);
      if (!typed.name.empty()) request["tag"] = typed.name;
      break;
    case Verb::peer_add: request = {{"op", "peer_add"}, {"device", typed.name}, {"addresses", typed.names}}; break;
    case Verb::digest: request["op"] = "digest"; break;
    case Verb::conflicts: request["op"] = "conflicts"; break;
    case Verb::init:
    case Verb::id:
    case Verb::status: request["op"] = "status"; break;
  }
  if (!typed.device.empty()) request["device"] = typed.device;
  return request;
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

Expected<json> call_once(Backend& backend, const Invocation& typed, const json& request) {
  if (typed.verb == Verb::tag_list) return call_all(backend, request, "tags", "name");
  if (typed.verb == Verb::ls && !typed.name.empty()) {
    Expected<json> tagged = call_all(backend, request, "entries", "id");
    const auto by_path = [](const json& a, const json& b) { return a["path"] < b["path"]; };
    if (tagged) std::sort((*tagged)["entries"].begin(), (*tagged)["entries"].end(), by_path);
    return tagged;
  }
  if (typed.verb == Verb::ls) return call_all(backend, request, "entries", "name");
  if (typed.verb != Verb::index) return backend.call(request);
  ProgressBar bar("Indexing " + printable(typed.path));
  return backend.call(request, [&bar](const json& progress) {
    bar.show(progress);
    return true;
  });
}

// A link is an entry; but one that leads to an indexed folder, and is none itself, stands for that folder.
Expected<json> call(Backend& backend, const Invocation& typed) {
  const json request = request_of(typed, false);
  Expected<json> answer = call_once(backend, typed, request);
  if (answer || typed.path.empty() || answer.error().code != Errc::invalid_argument) return answer;
  const json resolved = request_of(typed, true);
  if (resolved == request) return answer;
  Expected<json> second = call_once(backend, typed, resolved);
  return second ? std::move(second) : std::move(answer);
}

Expected<json> run(const Invocation& typed, bool& has_daemon) {
  fs::path folder = typed.folder;
  if (folder.empty()) {
    const Expected<fs::path> by_default = default_folder();
    if (!by_default) return by_default.error();
    folder = *by_default;
  }
  if (typed.verb == Verb::init) return init_folder(folder, typed);
  if (typed.verb == Verb::id) return show_id(folder);
  Expected<Backend> backend = Backend::open(folder);
  if (!backend) return backend.error();
  has_daemon = backend->has_daemon();
  return call(*backend, typed);
}

int run_and_print(const Invocation& typed) {
  bool has_daemon = false;
  const Expected<json> answer = run(typed, has_daemon);
  if (answer) {
    if (typed.json) std::cout << answer->dump(2) << std::endl;
    else std::cout << render(typed, *answer, has_daemon) << std::flush;
    return 0;
  }
  if (typed.json) std::cout << json{{"error", error_to_json(answer.error())}}.dump(2) << std::endl;
  std::cerr << "starling: " << printable(answer.error().text()) << "\n";
  return kExitFailed;
}

}  // namespace
}  // namespace starling::apps

int main(int count, char** words) {
  using namespace starling::apps;
  const std::variant<Invocation, int> parsed = parse_command_line(count, words);
  if (const int* code = std::get_if<int>(&parsed)) return *code;
  try {
    return run_and_print(std::get<Invocation>(parsed));
  } catch (const std::exception& e) {  // the machine: no memory, a full disk, a damaged file
    std::cerr << "starling: " << e.what() << "\n";
    return kExitFailed;
  }
}
