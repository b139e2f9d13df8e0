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

// The value, or an exception with what is wrong, where, and what to do about it.
template <class T>
T must(Expected<T> result) {
  if (!result) throw std::runtime_error(result.error().text());
  return std::move(result).value();
}

// One device: a folder, and in a real application one process on one machine.
std::unique_ptr<Node> device(const std::string& folder, Start start, const Peer& peer) {
  Config config;
  config.folder = folder;
  config.workspace = "notes";
  config.start = start;
  config.listen = "127.0.0.1:0";
  config.peers = {peer};
  auto node = must(Node::open(config, {model_of<Note>()}));
  must(node->start());
  return node;
}

int main(int, char** arguments) {
  const std::string here = arguments[1];
  const auto desk = device(here + "/desk", Start::create, {must(device_id(here + "/laptop")), {}});
  const std::string address = "127.0.0.1:" + std::to_string(desk->port());
  const auto laptop = device(here + "/laptop", Start::join, {desk->device(), {address}});

  must(desk->write([](Transaction& t) { return t.put(Note{"1", "Buy stars", false}); }));

  for (int tries = 0; tries < 1000; ++tries) {
    const std::optional<Note> note = must(must(laptop->reader()).find<Note>("1"));
    if (note) {
      std::cout << "the laptop has: " << note->title << "\n";
      return 0;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return 1;
}
