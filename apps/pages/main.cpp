// starling-pages: writes man pages and shell completion into a folder, when the build runs it.
#include <filesystem>
#include <fstream>
#include <iostream>

#include "apps/cli/invocation.h"
#include "apps/common/built_in.h"
#include "apps/daemon/options.h"
#include "apps/pages/completion.h"
#include "apps/pages/man_page.h"

namespace starling::apps {
namespace {

namespace fs = std::filesystem;

ManSection see_also(const std::string& pages) { return {"SEE ALSO", {{pages, ""}}}; }

void write(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream out(file, std::ios::binary);
  out.exceptions(std::ios::failbit | std::ios::badbit);
  out << text;
  out.close();
}

void write_all(const fs::path& share) {
  const CommandInfo starling = command_tree();
  const CommandInfo daemon = daemon_tree();
  const ManSection folder{
      "FILES",
      {{"~/.local/share/starling",
        "The data folder, if neither --folder nor the environment says "
        "otherwise."},
       {"starlingd.toml", "In the data folder: the configuration."},
       {"starling.db",
        "In the data folder: the database. Read it with what you like; write only "
        "through starling and starlingd."},
       {"device.key", "In the data folder: the device's private key. Whoever has it is this device."},
       {"control.sock", "In the data folder: where a running starlingd takes commands."}}};
  const ManSection environment{"ENVIRONMENT",
                               {{"STARLING_FOLDER", "The data folder, where --folder does not name it."},
                                {"XDG_DATA_HOME", "Where the folder starling is the data folder otherwise."}}};
  write(share / "man/man1/starling.1",
        program_page(starling, "1", {environment, folder, see_also("starlingd(8), starlingd.toml(5)")}));
  write(share / "man/man8/starlingd.8",
        program_page(daemon, "8", {folder, see_also("starling(1), starlingd.toml(5)")}));
  write(share / "man/man5/starlingd.toml.5",
        config_page("starlingd.toml", sample_config(), {see_also("starling(1), starlingd(8)")}));
  for (const CommandInfo& program : {starling, daemon}) {
    write(share / "bash-completion/completions" / program.name, bash_completion(program));
    write(share / "zsh/site-functions" / ("_" + program.name), zsh_completion(program));
    write(share / "fish/vendor_completions.d" / (program.name + ".fish"), fish_completion(program));
  }
}

}  // namespace
}  // namespace starling::apps

int main(int count, char** words) {
  if (count != 2) {
    std::cerr << "Usage: starling-pages FOLDER\n";
    return 2;
  }
  try {
    starling::apps::write_all(words[1]);
  } catch (const std::exception& e) {
    std::cerr << "starling-pages: " << e.what() << "\n";
    return 1;
  }
  return 0;
}
