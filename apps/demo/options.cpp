#include "apps/demo/options.h"

#include <charconv>
#include <cstring>

#include "apps/common/byte_text.h"

namespace starling::demo {

const char* const kHelp =
    "Usage: starling-demo [FOLDER_A [FOLDER_B]] [options]\n"
    "\n"
    "Puts two devices on this machine through a bad day and shows that they end with the same data. The folders\n"
    "(default /usr/share and /usr/include) are only read; all else happens in a new folder below /tmp, which is\n"
    "removed at the end.\n"
    "\n"
    "  --starlingd FILE  the daemon    (default: beside this program)\n"
    "  --starling FILE   the commands  (default: beside this program)\n"
    "  --changes N       single live changes to measure (default 200, at least 10)\n"
    "  --keep            leave the two data folders there\n"
    "\n"
    "Exit codes: 0 everything is equal; 1 it is not, or a step failed; 2 wrong use.\n";

namespace {

Error wrong(const std::string& what, const std::string& where) {
  return {Errc::invalid_argument, what, apps::printable(where), "see 'starling-demo --help'"};
}

Expected<std::size_t> parse_count(const std::string& text) {
  constexpr std::size_t kLeast = 10;
  constexpr std::size_t kMost = 100'000;
  std::size_t count = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (code == std::errc{} && end == text.data() + text.size() && count >= kLeast && count <= kMost) return count;
  return wrong("not a number from 10 to 100000", text);
}

}  // namespace

Expected<Options> parse_options(int count, const char* const* words) {
  Options options;
  std::error_code ignored;
  const std::filesystem::path here = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
  options.starlingd = here / "starlingd";
  options.starling = here / "starling";
  std::size_t folders = 0;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    const bool valued = word == "--starlingd" || word == "--starling" || word == "--changes";
    if (valued && i + 1 >= count) return wrong("a value must follow", word);
    if (word == "--starlingd") {
      options.starlingd = words[++i];
    } else if (word == "--starling") {
      options.starling = words[++i];
    } else if (word == "--changes") {
      const Expected<std::size_t> changes = parse_count(words[++i]);
      if (!changes) return changes.error();
      options.live_changes = *changes;
    } else if (word == "--keep") {
      options.keep = true;
    } else if (word == "--help" || word == "-h") {
      options.help = true;
    } else if (word.empty() || word.front() == '-' || folders == 2) {
      return wrong("not understood", word);
    } else {
      const std::filesystem::path folder = std::filesystem::canonical(word, ignored);
      if (folder.empty() || !std::filesystem::is_directory(folder, ignored)) return wrong("not a folder", word);
      if (std::filesystem::is_empty(folder, ignored)) return wrong("an empty folder, which shows nothing", word);
      (folders++ == 0 ? options.folder_a : options.folder_b) = folder.string();
    }
  }
  return options;
}

}  // namespace starling::demo
