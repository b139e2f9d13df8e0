// A shelf: the files of all devices in one window, with tags that everybody may put on and take off.
//
// An example of a desktop program that embeds Starling. What of it concerns the library stands here (opening a node),
// in window.h (listening to it), in contents.cpp (reading) and in edits.cpp (writing); the rest is Qt.
#include <QtWidgets/QApplication>

#include <cstdio>
#include <optional>

#include "apps/examples/shelf/drive.h"
#include "apps/examples/shelf/options.h"
#include "apps/examples/shelf/window.h"
#include "models/models.h"

namespace starling::shelf {
namespace {

int complain(const Error& error) {
  std::fprintf(stderr, "starling-shelf: %s\n", error.text().c_str());
  return 1;
}

Config node_config(const Options& options) {
  Config config;
  config.folder = options.folder;
  config.workspace = "shelf";
  config.start = options.start;
  config.listen = options.listen;
  config.peers = options.peers;
  config.executor = [](std::function<void()> task) {  // callbacks run where the window is drawn
    QMetaObject::invokeMethod(qApp, std::move(task), Qt::QueuedConnection);
  };
  config.log = [](LogLevel level, const std::string& text) {
    if (level >= LogLevel::warning) std::fprintf(stderr, "%s\n", text.c_str());
  };
  return config;
}

int run(int argc, char** argv) {
  QStringList words;
  for (int i = 0; i < argc; ++i) words.append(QString::fromLocal8Bit(argv[i]));
  if (words.size() < 2 || words.contains("--help")) return std::fputs(kUsage, stdout), 0;
  Expected<Options> options = read_options(words);
  if (!options) return complain(options.error());
  const Expected<DeviceId> id = device_id(options->folder);
  if (!id) return complain(id.error());
  if (options->only_id) return std::puts(to_string(*id).c_str()), 0;
  if (!options->name.isEmpty()) options->names.set(*id, options->name);

  QApplication app(argc, argv);
  Expected<std::unique_ptr<Node>> node = Node::open(node_config(*options), models::built_in());
  if (!node) return complain(node.error());
  if (const Expected<void> started = (*node)->start(); !started) return complain(started.error());
  Expected<Reader> reader = (*node)->reader();
  if (!reader) return complain(reader.error());
  Window window(**node, std::move(*reader), *options);
  std::optional<Drive> drive;
  if (options->drive) drive.emplace(window);
  window.resize(900, 700);
  window.show();
  return QApplication::exec();  // then the window goes, then the node
}

}  // namespace
}  // namespace starling::shelf

int main(int argc, char** argv) { return starling::shelf::run(argc, argv); }
