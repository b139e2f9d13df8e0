#include <CLI/CLI.hpp>

#include "apps/cli/invocation.h"
#include "apps/common/built_in.h"

namespace starling::apps {
namespace {

constexpr char kAbout[] =
    "Keeps the same data on all your devices, with no server.\n"
    "Commands go to the running starlingd of the data folder; without one they work on the folder themselves.";
constexpr char kFooter[] =
    "Begin with 'starling init'. The data folder is --folder, else $STARLING_FOLDER, else ~/.local/share/starling.\n"
    "A tag, path or name that begins with '-' or is called like a command comes after '--'.";

// A subcommand that sets the verb when it is the one that was typed.
CLI::App* add(CLI::App& parent, Invocation& typed, const std::string& name, Verb verb, const std::string& about) {
  CLI::App* command = parent.add_subcommand(name, about);
  command->final_callback([&typed, verb] { typed.verb = verb; });
  return command;
}

void add_setup(CLI::App& app, Invocation& typed) {
  CLI::App* init = add(app, typed, "init", Verb::init, "Make a data folder with a key and a configuration");
  init->add_option("FOLDER", typed.folder, "The data folder to make");
  init->add_option("-w,--workspace", typed.workspace, "The workspace's name, the same on all devices")->required();
  init->add_flag("--join", typed.join, "Join the workspace of the first peer instead of beginning one");
  init->add_option("--listen", typed.listen, "Where peers reach this device, host:port");
  add(app, typed, "id", Verb::id, "Print this device's id, for the other devices' 'peer add'");
  CLI::App* peer = app.add_subcommand("peer", "The devices of this workspace")->require_subcommand(1);
  CLI::App* peer_add = add(*peer, typed, "add", Verb::peer_add, "Let a device in, and dial it where an address is given");
  peer_add->add_option("DEVICE", typed.name, "What 'starling id' prints there")->required();
  peer_add->add_option("ADDRESS", typed.names, "host:port; none: it dials us");
}

void add_entries(CLI::App& app, Invocation& typed) {
  CLI::App* index = add(app, typed, "index", Verb::index, "Record a folder's files, or what changed since the last time");
  index->add_option("FOLDER", typed.path, "It is only read; links are not followed")->required();
  CLI::App* ls = add(app, typed, "ls", Verb::ls, "List locations, the entries of a folder, or what has a tag");
  CLI::Option* path = ls->add_option("PATH", typed.path, "A folder or file of any device");
  ls->add_option("-t,--tag", typed.name, "All entries with this tag")->excludes(path);
  ls->add_option("-d,--device", typed.device, "Whose PATH, if several devices have it");
}

void add_tags(CLI::App& app, Invocation& typed) {
  CLI::App* tag = add(app, typed, "tag", Verb::tag, "Put tags on an entry; with list, set, rm: the tags themselves");
  tag->require_subcommand(0, 1);
  tag->add_option("PATH", typed.path, "A file or folder of any device");
  tag->add_option("TAG", typed.names, "One or more");
  tag->add_option("-d,--device", typed.device, "Whose PATH, if several devices have it");
  add(*tag, typed, "list", Verb::tag_list, "List all tags");
  CLI::App* set = add(*tag, typed, "set", Verb::tag_set, "Describe a tag; makes it where it does not exist");
  set->add_option("NAME", typed.name, "The tag")->required();
  set->add_option("--color", typed.color, "Such as #ff8800; \"\" for none");
  set->add_option("--description", typed.description, "For people; \"\" for none");
  CLI::App* rm = add(*tag, typed, "rm", Verb::tag_rm, "Delete a tag and take it off every entry");
  rm->add_option("NAME", typed.name, "The tag")->required();
  tag->final_callback([tag, &typed] {
    const bool words = !typed.path.empty() || !typed.names.empty();
    if (tag->get_subcommands().empty()) {
      if (typed.names.empty()) throw CLI::RequiredError("PATH and TAG");
      typed.verb = Verb::tag;
    } else if (words) {
      throw CLI::ValidationError("tag", "a tag called like a command comes after '--'");
    }
  });
  CLI::App* untag = add(app, typed, "untag", Verb::untag, "Take tags off an entry");
  untag->add_option("PATH", typed.path, "A file or folder of any device")->required();
  untag->add_option("TAG", typed.names, "One or more")->required();
  untag->add_option("-d,--device", typed.device, "Whose PATH, if several devices have it");
}

}  // namespace

std::variant<Invocation, int> parse_command_line(int count, const char* const* words) {
  Invocation typed;
  CLI::App app(kAbout, "starling");
  app.footer(kFooter);
  app.require_subcommand(1);
  app.add_option("-f,--folder", typed.folder, "The data folder");
  app.add_flag("-j,--json", typed.json, "Print JSON");
  app.set_version_flag("--version", "starling " + version());
  app.fallthrough();  // --json may come after the command too
  add_setup(app, typed);
  add_entries(app, typed);
  add_tags(app, typed);
  add(app, typed, "status", Verb::status, "How this device and its peers stand");
  add(app, typed, "digest", Verb::digest, "Rows and a hash for each model, to compare devices");
  add(app, typed, "conflicts", Verb::conflicts, "Concurrent changes that lost, newest first");
  try {
    app.parse(count, words);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : kExitWrongUse;
  }
  return typed;
}

}  // namespace starling::apps
