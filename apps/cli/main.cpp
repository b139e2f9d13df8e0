// starling: the commands of one device, for people and, with --json, for programs.
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "apps/cli/render.h"
#include "apps/cli/request.h"
#include "apps/cli/setup.h"
#include "apps/common/byte_text.h"
#include "apps/common/data_folder.h"
#include "apps/common/exit_code.h"

namespace starling::apps {
namespace {

using nlohmann::json;

Expected<json> run(const Invocation& typed, bool& has_daemon) {
  std::filesystem::path folder = typed.folder;
  if (folder.empty()) {
    const Expected<std::filesystem::path> by_default = default_folder();
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

// Bytes that may be any stand in an answer as {"hex": …}; whatever else is not UTF-8 must not stop it.
void print_json(const json& value) {
  std::cout << value.dump(2, ' ', false, json::error_handler_t::replace) << std::endl;
}

int complain(const Invocation& typed, const Error& error) {
  if (typed.json) print_json({{"error", error_to_json(error)}});
  std::cerr << "starling: " << printable(error.text()) << "\n";
  return kFailed;
}

int run_and_print(const Invocation& typed) {
  bool has_daemon = false;
  const Expected<json> answer = run(typed, has_daemon);
  if (!answer) return complain(typed, answer.error());
  const bool well = typed.verb != Verb::verify || (answer->value("different", 0) == 0 && answer->value("well", true));
  const int code = well ? kDone : kFailed;
  if (typed.quiet) return code;
  if (typed.json) print_json(*answer);
  else std::cout << render(typed, *answer, has_daemon) << std::flush;
  return code;
}

}  // namespace
}  // namespace starling::apps

int main(int count, char** words) {
  using namespace starling::apps;
  const std::variant<Invocation, int> parsed = parse_command_line(count, words);
  if (const int* code = std::get_if<int>(&parsed)) return *code;
  const auto& typed = std::get<Invocation>(parsed);
  try {
    return run_and_print(typed);
  } catch (const std::exception& e) {  // the machine: no memory, a full disk, a damaged file
    return complain(typed, {starling::Errc::internal, e.what(), "", "see that the disk has room and works, and try again"});
  }
}
