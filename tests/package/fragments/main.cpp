// The fragments of C++ in README.md, each in a place as it was written for, and checks of what they did.
//
// readme_test.py replaces each line "// README: name" by the fragment of that name and builds and runs the result.
#include <sqlite3.h>
#include <starling/starling.h>

#include <atomic>
#include <iostream>
#include <thread>

using namespace starling;

struct Note {
  std::string id;
  std::string title;
  bool done = false;

  static constexpr const char* kTable = "note";
  static constexpr Kind kKind = Kind::shared;
  template <class F>
  static void fields(F&& f) {
    f.key("id", &Note::id), f("title", &Note::title), f("done", &Note::done);
  }
};

struct Window {
  std::atomic<int> posted = 0, own = 0, others = 0;
  void post(const std::function<void()>& task) { ++posted, task(); }
  void reload() {}
  void refresh(const std::string&, const std::vector<SqlValue>&, bool local) { ++(local ? own : others); }
};

void check(bool good, const char* what) {
  if (!good) throw std::runtime_error(std::string("README is wrong: ") + what);
}

template <class T>
T must(Expected<T> result) {
  if (!result) throw std::runtime_error(result.error().text());
  return std::move(result).value();
}

void complain(const std::string& text) { throw std::runtime_error(text); }

template <class Condition>
void await(const char* what, Condition condition) {
  for (int tries = 0; tries < 2000 && !condition(); ++tries) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  check(condition(), what);
}

using NodePtr = std::unique_ptr<Node>;

void pair(const NodePtr& node) {
  const std::size_t before = node->status().peers.size();
  // README: pair
  await("a peer more", [&] { return node->status().peers.size() == before + 1; });
}

void write(const NodePtr& node) {
  must(node->write([](Transaction& t) { return t.put(Note{"1", "Buy stars", false}); }));
  // README: write
  check(commit->rows == 2, "one row updated, one put");
}

void read(const NodePtr& node) {
  // README: read
  check(open.size() == 1 && open[0].title == "Look at the sky", "one open note");
  check(counts.size() == 2, "one done, one open");
}

void connection(const NodePtr& node, const Config& config) {
  // README: connection
  const std::string why = sqlite3_errmsg(mine);
  check(refused != SQLITE_OK && why == "no such function: starling_guard", "the guard");
  check(sqlite3_close(mine) == SQLITE_OK, "closed");
  check(node->reader()->query("SELECT * FROM window_place")->size() == 1, "the application's own row");
  check(node->reader()->all<Note>()->size() == 2, "no note was deleted");
}

void search(const NodePtr& node, const NodePtr& other) {
  // README: search
  check(bool(searchable), "the migration");
  const auto found = [&](const char* word) {
    return node->reader()->query("SELECT id FROM note_search WHERE note_search MATCH ?", word)->size();
  };
  check(found("stars") == 1 && found("sky") == 1, "what was there");
  must(other->write([](Transaction& t) { return t.put(Note{"3", "Planets", false}); }));
  await("a peer's insert is found", [&] { return found("planets") == 1; });
  must(other->write([](Transaction& t) { return t.put(Note{"3", "Comets", false}); }));
  await("a peer's update is found", [&] { return found("comets") == 1 && found("planets") == 0; });
  must(other->write([](Transaction& t) -> Expected<void> {
    const auto done = t.erase(Note{"3", "", false});
    return done ? Expected<void>() : done.error();
  }));
  await("a peer's delete is found", [&] { return found("comets") == 0; });
}

// A database from before Starling.
void existing(Config config) {
  sqlite3* old = nullptr;
  std::filesystem::create_directories(config.folder);
  std::filesystem::permissions(config.folder, std::filesystem::perms::owner_all);
  check(sqlite3_open((config.folder / "starling.db").c_str(), &old) == SQLITE_OK, "open");
  check(sqlite3_exec(old,
                     "CREATE TABLE article (code TEXT PRIMARY KEY NOT NULL, price INTEGER);"
                     "CREATE TABLE receipt (id BLOB PRIMARY KEY NOT NULL, total INTEGER);"
                     "INSERT INTO article VALUES ('a', 1), ('b', 2);",
                     nullptr, nullptr, nullptr) == SQLITE_OK, "create");
  sqlite3_close(old);
  // README: existing
  check((*shop)->status().vector.at((*shop)->status().self).seq > Seq{0}, "rows were taken over");
  // README: migrate
  check(bool(migrated), "migrated");
  must((*shop)->write([](Transaction& t) -> Expected<void> {
    const auto done = t.exec("UPDATE article SET colour = 'red'");
    return done ? Expected<void>() : done.error();
  }));
}

int main(int, char** arguments) try {
  const std::filesystem::path here = arguments[1];
  Window window;
  Config config;
  config.folder = here / "desk";
  config.workspace = "notes";
  config.listen = "127.0.0.1:0";
  config.peers = {{must(device_id(here / "laptop")), {}}};
  // README: executor
  const NodePtr node = must(Node::open(config, {model_of<Note>()}));
  must(node->start());
  // README: changes

  Config joining;
  joining.folder = here / "laptop";
  joining.workspace = "notes";
  joining.start = Start::join;
  joining.peers = {{node->device(), {"127.0.0.1:" + std::to_string(node->port())}}};
  const NodePtr other = must(Node::open(joining, {model_of<Note>()}));
  must(other->start());

  write(node);
  read(node);
  connection(node, config);
  search(node, other);
  pair(node);
  await("changes of both were told", [&] { return window.own > 0 && window.others > 0 && window.posted > 0; });
  config.folder = here / "shop";
  config.peers.clear();
  existing(config);
  std::cout << "all fragments do what README says\n";
} catch (const std::exception& e) {
  std::cerr << e.what() << "\n";
  return 1;
}
