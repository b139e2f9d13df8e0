#include <CLI/CLI.hpp>

#include "apps/cli/invocation.h"
#include "apps/common/command_app.h"

namespace starling::apps {
namespace {

constexpr char kAbout[] =
    "Keeps the same data on all your devices, with no server.\n"
    "Commands go to the running starlingd of the data folder; without one they work on the folder themselves.";
constexpr char kFooter[] =
    "Begin with 'starling init'. The data folder is --folder, else $STARLING_FOLDER, else ~/.local/share/starling.\n"
    "A tag, path or name that begins with '-' or is called like a command comes after '--'.";
constexpr char kCommandFooter[] = "Every command takes --folder, --json and --quiet: see 'starling --help'.";

// A subcommand that sets the verb when it is the one that was typed.
CLI::App* add(CLI::App& parent, Invocation& typed, const std::string& name, Verb verb, const std::string& about) {
  CLI::App* command = parent.add_subcommand(name, about);
  command->final_callback([&typed, verb] { typed.verb = verb; });
  return command;
}

void add_device(CLI::App& command, Invocation& typed) {
  command.add_option("-d,--device", typed.device, "Whose PATH, if several devices have it")->type_name("DEVICE");
}

void add_setup(CLI::App& app, Invocation& typed) {
  CLI::App* init = add(app, typed, "init", Verb::init, "Make a data folder with a key and a configuration");
  init->add_option("FOLDER", typed.folder, "The data folder to make");
  init->add_option("-w,--workspace", typed.workspace, "The workspace's name, the same on all devices")
      ->required()
      ->type_name("NAME");
  init->add_flag("--join", typed.join, "Join the workspace of the first peer instead of beginning one");
  init->add_option("--listen", typed.listen, "Where peers reach this device, host:port")->type_name("ADDRESS");
  add(app, typed, "id", Verb::id, "Print this device's id, for the other devices' 'peer add'");
  CLI::App* peer = app.add_subcommand("peer", "The devices that this one speaks with")->require_subcommand(1);
  CLI::App* peer_add = add(*peer, typed, "add", Verb::peer_add, "Let a device in, and dial it where an address is given");
  peer_add->add_option("DEVICE", typed.name, "What 'starling id' prints there")->required();
  peer_add->add_option("ADDRESS", typed.names, "host:port; none: it dials us");
  CLI::App* peer_remove = add(*peer, typed, "remove", Verb::peer_remove, "Let a device in no longer");
  peer_remove->add_option("DEVICE", typed.name, "As 'peer list' prints it")->required();
  add(*peer, typed, "list", Verb::peer_list, "List the other devices and how they stand");
}

void add_members(CLI::App& app, Invocation& typed) {
  CLI::App* member = app.add_subcommand("member", "Who belongs to the workspace")->require_subcommand(1);
  add(*member, typed, "list", Verb::member_list, "List all members, since when, and what is kept for those who are behind");
  CLI::App* remove = add(*member, typed, "remove", Verb::member_remove,
                         "Remove a device that will not return, on every device; nothing is kept for it any more");
  remove->add_option("DEVICE", typed.name, "As 'member list' prints it, or more of its id")->required();
  remove->add_flag("--yes", typed.sure, "It is meant");
  CLI::App* admit = add(*member, typed, "admit", Verb::member_admit,
                        "Let a removed device come back, under a new incarnation; new ones need only 'peer add'");
  admit->add_option("DEVICE", typed.name, "As 'member list' prints it, or more of its id")->required();
  CLI::App* identity = app.add_subcommand("identity", "Who this device is to the others")->require_subcommand(1);
  add(*identity, typed, "keep", Verb::identity_keep,
      "Of two machines that live under this device's identity this one goes on as it; the other one writes nothing any more");
}

void add_quarantine(CLI::App& app, Invocation& typed) {
  CLI::App* quarantine = app.add_subcommand("quarantine", "Changes that cannot be applied on this device, and are kept")->require_subcommand(1);
  add(*quarantine, typed, "list", Verb::quarantine_list, "List them, with the reason");
  CLI::App* show = add(*quarantine, typed, "show", Verb::quarantine_show, "Show one, with its values");
  show->add_option("ID", typed.name, "As 'quarantine list' prints it")->required();
  add(*quarantine, typed, "retry", Verb::quarantine_retry, "Try all of them again, also what a process ended over");
}

void add_entries(CLI::App& app, Invocation& typed) {
  CLI::App* index = add(app, typed, "index", Verb::index, "Record a folder's files, or what changed since the last time");
  index->add_option("FOLDER", typed.path, "It is only read; links are not followed")->required();
  CLI::App* ls = add(app, typed, "ls", Verb::ls, "List locations, the entries of a folder, or what has a tag");
  CLI::Option* path = ls->add_option("PATH", typed.path, "A folder or file of any device");
  ls->add_option("-t,--tag", typed.name, "All entries with this tag")->excludes(path)->type_name("TAG");
  add_device(*ls, typed);
}

void add_tags(CLI::App& app, Invocation& typed) {
  CLI::App* tag = add(app, typed, "tag", Verb::tag, "Put tags on an entry; with list, set, rm: the tags themselves");
  tag->require_subcommand(0, 1);
  tag->add_option("PATH", typed.path, "A file or folder of any device");
  tag->add_option("TAG", typed.names, "One or more");
  add_device(*tag, typed);
  add(*tag, typed, "list", Verb::tag_list, "List all tags");
  CLI::App* set = add(*tag, typed, "set", Verb::tag_set, "Describe a tag; makes it where it does not exist");
  set->add_option("NAME", typed.name, "The tag")->required();
  set->add_option("--color", typed.color, "Such as #ff8800; \"\" for none")->type_name("COLOR");
  set->add_option("--description", typed.description, "For people; \"\" for none")->type_name("TEXT");
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
  add_device(*untag, typed);
}

void add_albums(CLI::App& app, Invocation& typed) {
  CLI::App* album = app.add_subcommand("album", "Collections of entries")->require_subcommand(1);
  const auto with_album = [&](const std::string& name, Verb verb, const std::string& about) {
    CLI::App* command = add(*album, typed, name, verb, about);
    command->add_option("ALBUM", typed.name, "Its name, or its id as 'album ls' prints it")->required();
    return command;
  };
  CLI::App* put = with_album("add", Verb::album_add, "Make an album where it does not exist, and put entries in");
  put->add_option("PATH", typed.paths, "Files or folders of any device");
  put->add_option("--description", typed.description, "For people; \"\" for none")->type_name("TEXT");
  add_device(*put, typed);
  CLI::App* remove = with_album("remove", Verb::album_remove, "Take entries out of an album, or delete it");
  CLI::Option* paths = remove->add_option("PATH", typed.paths, "Files or folders of any device");
  remove->add_flag("--whole", typed.whole, "Delete the album itself; its entries stay")->excludes(paths);
  add_device(*remove, typed);
  remove->final_callback([&typed] {  // a pattern that matched nothing must not delete an album
    if (typed.paths.empty() && !typed.whole) throw CLI::RequiredError("PATH or --whole");
    typed.verb = Verb::album_remove;
  });
  add(*album, typed, "ls", Verb::album_ls, "List all albums");
  with_album("show", Verb::album_show, "List what is in an album");
}

std::unique_ptr<CLI::App> make_app(Invocation& typed) {
  std::unique_ptr<CLI::App> app = make_command_app("starling", kAbout);
  app->footer(kCommandFooter);
  app->require_subcommand(1);
  app->add_option("-f,--folder", typed.folder, "The data folder")->type_name("FOLDER");
  app->add_flag("-j,--json", typed.json, "Print JSON, errors too");
  app->add_flag("-q,--quiet", typed.quiet, "Print nothing but errors");
  app->fallthrough();  // --json may come after the command too
  add_setup(*app, typed);
  add_members(*app, typed);
  add_entries(*app, typed);
  add_tags(*app, typed);
  add_albums(*app, typed);
  add(*app, typed, "status", Verb::status, "How this device and its peers stand");
  add(*app, typed, "digest", Verb::digest, "Rows and a hash for each model, to compare devices");
  add(*app, typed, "conflicts", Verb::conflicts, "Concurrent changes that lost, newest first");
  add(*app, typed, "references", Verb::references, "References that lead nowhere, and rows that are hidden");
  add_quarantine(*app, typed);
  CLI::App* sql = add(*app, typed, "sql", Verb::sql, "Ask the database; what would write is refused");
  sql->add_option("QUERY", typed.query, "One statement, such as \"SELECT * FROM tag\"")->required();
  CLI::App* backup = add(*app, typed, "backup", Verb::backup, "Copy the database into a new file, while everything goes on");
  backup->add_option("FILE", typed.path, "Put back as starling.db, with no daemon running, it is recognised")->required();
  add(*app, typed, "pause", Verb::pause, "Speak to no peer until 'resume' or a restart; writes go on");
  add(*app, typed, "resume", Verb::resume, "Speak to the peers again");
  CLI::App* verify = add(*app, typed, "verify", Verb::verify, "Read every row again: is it as it was written?");
  verify->add_option("--against", typed.path, "Another data folder or a backup: are its rows the same?")->type_name("PATH");
  CLI::App* leave = add(*app, typed, "leave", Verb::leave, "End synchronising here; the data stays in starling.db");
  leave->add_flag("--yes", typed.sure, "It is meant");
  end_help(*app, kFooter);
  return app;
}

}  // namespace

std::variant<Invocation, int> parse_command_line(int count, const char* const* words) {
  Invocation typed;
  const std::unique_ptr<CLI::App> app = make_app(typed);
  try {
    app->parse(count, words);
  } catch (const CLI::ParseError& e) {
    return finish_parsing(*app, e);
  }
  return typed;
}

CommandInfo command_tree() {
  Invocation unused;
  CommandInfo tree = describe(*make_app(unused));
  tree.notes = kFooter;
  return tree;
}

}  // namespace starling::apps
