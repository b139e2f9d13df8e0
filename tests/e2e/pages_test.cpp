// Man pages and completion against the programs that they are about: --help is the witness.
#include <fstream>
#include <set>
#include <sstream>

#include "apps/common/data_folder.h"
#include "tests/e2e/device.h"

namespace starling::test {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

const std::string kShare = program("share");

std::string read(const std::string& file) {
  const Expected<std::string> text = apps::read_text(file);
  REQUIRE_MESSAGE(text.has_value(), (text ? "" : text.error().text()));
  return *text;
}

bool is_there(const TempFolder& temp, const std::string& tool) {
  return run(temp, {"sh", "-c", "command -v " + tool}).code == 0;
}

// The first words of the lines below "Subcommands:" in a help text.
std::set<std::string> commands_in(const std::string& help) {
  std::set<std::string> names;
  std::istringstream lines(help.substr(std::min(help.find("Subcommands:"), help.size())));
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line) && line.compare(0, 2, "  ") == 0)
    names.insert(line.substr(2, line.find(' ', 2) - 2));
  return names;
}

// Every long option in a help text.
std::set<std::string> options_in(const std::string& help) {
  std::set<std::string> names;
  for (std::size_t at = help.find("\n  -"); at != std::string::npos; at = help.find("\n  -", at + 1)) {
    const std::size_t start = help.find("--", at);
    names.insert(help.substr(start, help.find_first_of(" \n", start) - start));
  }
  return names;
}

// What bash would offer when the last of these words is completed.
std::set<std::string> offered(const TempFolder& temp, const Words& words) {
  std::string script =
      "compopt() { :; }; source '" + kShare + "/bash-completion/completions/" + words[0] + "'; COMP_WORDS=(";
  for (const std::string& word : words) script += "'" + word + "' ";
  script +=
      "); COMP_CWORD=" + std::to_string(words.size() - 1) + "; _" + words[0] + "; printf '%s\\n' \"${COMPREPLY[@]}\"";
  const Run done = run(temp, {"bash", "--norc", "--noprofile", "-u", "-c", script});
  CHECK_MESSAGE(done.code == 0, done.errors);
  CHECK(done.errors == "");
  std::set<std::string> names;
  std::istringstream lines(done.output);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) names.insert(line);
  }
  return names;
}

const std::vector<std::pair<std::string, std::string>> kPages{
    {"man1", "starling.1"}, {"man5", "starlingd.toml.5"}, {"man8", "starlingd.8"}};

}  // namespace

TEST_CASE("completion: bash offers every command and every option that --help knows") {
  TempFolder temp;
  const std::string help = run(temp, {program("starling"), "--help"}).output;
  const std::set<std::string> commands = commands_in(help);
  CHECK(commands.size() >= 12);
  CHECK(offered(temp, {"starling", ""}) == commands);
  for (const std::string& command : commands) {
    CAPTURE(command);
    const std::string inner = run(temp, {program("starling"), command, "--help"}).output;
    CHECK(offered(temp, {"starling", command, ""}) == commands_in(inner));
    std::set<std::string> options = options_in(inner);
    options.insert({"--folder", "--json", "--quiet"});  // which every command takes
    CHECK(offered(temp, {"starling", command, "--"}) == options);
  }
  CHECK(offered(temp, {"starling", "--"}) == options_in(help));
  CHECK(offered(temp, {"starlingd", "--"}) == options_in(run(temp, {program("starlingd"), "--help"}).output));
}

TEST_CASE("completion: what was typed before counts, but an option's value is no command") {
  TempFolder temp;
  using Set = std::set<std::string>;
  CHECK(offered(temp, {"starling", "ta"}) == Set{"tag"});
  CHECK(offered(temp, {"starling", "--json", "album", "s"}) == Set{"show"});
  CHECK(offered(temp, {"starling", "--folder", "tag", "al"}) == Set{"album"});
  CHECK(offered(temp, {"starling", "-f", "x", "tag", "l"}) == Set{"list"});
  CHECK(offered(temp, {"starling", "--folder", ""}).empty());  // the shell's own: files
  CHECK(offered(temp, {"starling", "album", "ls", "--ta"}).empty());
  CHECK(offered(temp, {"starling", "ls", "--ta"}) == Set{"--tag"});
  CHECK(offered(temp, {"starling", "tag", "--", "l"}).empty());
}

TEST_CASE("completion: zsh and fish can read theirs") {
  TempFolder temp;
  for (const std::string name : {"starling", "starlingd"}) {
    CAPTURE(name);
    CHECK(read(kShare + "/zsh/site-functions/_" + name).find("#compdef " + name + "\n") == 0);
    CHECK(read(kShare + "/fish/vendor_completions.d/" + name + ".fish").find("complete -c " + name) !=
          std::string::npos);
    for (const auto& [shell, file] : {std::pair("zsh", "/zsh/site-functions/_" + name),
                                      std::pair("fish", "/fish/vendor_completions.d/" + name + ".fish")}) {
      if (!is_there(temp, shell)) continue;  // few systems have them
      const Run checked = run(temp, {shell, "-n", kShare + file});
      CHECK(checked.code == 0);
      CHECK(checked.errors == "");
    }
  }
}

TEST_CASE("man pages: they have what a page has, and every command and option of their program") {
  TempFolder temp;
  for (const auto& [folder, file] : kPages) {
    const std::string& name = file;
    CAPTURE(name);
    const std::string page = read(kShare + "/man/" + folder + "/" + name);
    CHECK(page.find("\n.TH ") != std::string::npos);
    for (const char* heading : {"NAME", "DESCRIPTION", "SEE ALSO"}) {
      CHECK_MESSAGE(page.find(std::string("\n.SH ") + heading + "\n") != std::string::npos, heading);
    }
  }
  const auto bold = [](std::string text) {
    for (std::size_t at = text.find('-'); at != std::string::npos; at = text.find('-', at + 2)) text.insert(at, "\\");
    return "\\fB" + text + "\\fR";
  };
  const std::string page = read(kShare + "/man/man1/starling.1");
  for (const std::string& command : commands_in(run(temp, {program("starling"), "--help"}).output)) {
    const std::string help = run(temp, {program("starling"), command, "--help"}).output;
    const std::set<std::string> inner = commands_in(help);
    if (inner.empty()) CHECK_MESSAGE(page.find("\n" + bold(command)) != std::string::npos, command);
    for (const std::string& one : inner)
      CHECK_MESSAGE(page.find("\n" + bold(command + " " + one)) != std::string::npos, one);
    for (const std::string& option : options_in(help)) {
      if (option != "--help") CHECK_MESSAGE(page.find(bold(option)) != std::string::npos, option);
    }
  }
  CHECK(page.find(bold("3")) != std::string::npos);  // an exit code
  const std::string config = read(kShare + "/man/man5/starlingd.toml.5");
  for (const char* key : {"workspace", "start", "listen", "folder", "level", "format"}) {
    CHECK_MESSAGE(config.find("\n" + bold(key) + " = ") != std::string::npos, key);
  }
  CHECK(config.find("[[peer]]") != std::string::npos);
}

TEST_CASE("man pages: groff has nothing to complain of") {
  TempFolder temp;
  if (!is_there(temp, "groff")) return;  // a bare system has none
  for (const auto& [folder, file] : kPages) {
    const std::string& name = file;
    CAPTURE(name);
    const Run set = run(temp, {"groff", "-man", "-ww", "-Tutf8", "-Kutf8", kShare + "/man/" + folder + "/" + name});
    CHECK(set.code == 0);
    CHECK(set.errors == "");
    CHECK(set.output.find("Starling 0.") != std::string::npos);
  }
}

}  // namespace starling::test
