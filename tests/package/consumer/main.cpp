#include <starling/starling.h>

#include <chrono>
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
  static void fields(F&& f) { f.key("id", &Note::id), f("title", &Note::title), f("done", &Note::done); }
};

// One device: a folder, and in a real application one process on one machine.
std::unique_ptr<Node> device(const std::string& folder, Start start, std::vector<Peer> peers) {
  auto node = Node::open({.folder = folder, .workspace = "notes", .start = start, .listen = "127.0.0.1:0",
                          .peers = std::move(peers)}, {model_of<Note>()});
  if (!node) throw std::runtime_error(node.error().text());  // what is wrong, where, and what to do
  node.value()->start().value();
  return std::move(*node);
}

int main(int, char** arguments) {
  const std::string here = arguments[1];
  const auto desk = device(here + "/desk", Start::create, {{device_id(here + "/laptop").value(), {}}});
  const std::string address = "127.0.0.1:" + std::to_string(desk->port());
  const auto laptop = device(here + "/laptop", Start::join, {{desk->device(), {address}}});

  desk->write([](Transaction& t) { return t.put(Note{"1", "Buy stars", false}); }).value();

  for (int tries = 0; tries < 1000; ++tries) {
    const auto note = laptop->reader()->find<Note>("1").value();
    if (note) return std::cout << "the laptop has: " << note->title << "\n", 0;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return 1;
}
