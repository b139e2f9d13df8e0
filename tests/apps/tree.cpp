#include "tests/apps/tree.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>

#include "apps/common/byte_text.h"
#include "apps/common/child_process.h"

namespace starling::test {
namespace {

namespace fs = std::filesystem;

constexpr int kDeep = 100;            // folders
constexpr std::size_t kDeepName = 60;  // bytes of each name: together more than PATH_MAX

void make_deep(const fs::path& root) {
  int at = ::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::string name(kDeepName, 'd');
  for (int i = 0; i < kDeep; ++i) {
    if (::mkdirat(at, name.c_str(), 0755) != 0) throw std::runtime_error("mkdirat");
    const int next = ::openat(at, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ::close(at);
    at = next;
  }
  const int file = ::openat(at, "bottom", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  ::close(file);
  ::close(at);
}

void make_socket(const fs::path& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.string().copy(address.sun_path, sizeof(address.sun_path) - 1);
  const int bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  ::close(fd);
  if (bound != 0) throw std::runtime_error("bind " + path.string());
}

std::string kind_word(char letter) {
  switch (letter) {
    case 'f': return "file";
    case 'd': return "folder";
    case 'l': return "link";
    case 'p': return "fifo";
    case 's': return "socket";
    case 'c': return "char_device";
    case 'b': return "block_device";
    default: return "other";
  }
}

std::string describe(const std::string& kind, std::int64_t size, std::int64_t mode, std::int64_t modified_ms) {
  return kind + " " + std::to_string(kind == "file" ? size : 0) + " " + std::to_string(mode) + " " +
         std::to_string(modified_ms);
}

}  // namespace

void write_file(const fs::path& path, const std::string& content) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << content;
  out.close();
  if (!out) throw std::runtime_error("cannot write " + path.string());
}

void make_odd_tree(const fs::path& root) {
  fs::create_directories(root / "empty");
  fs::create_directories(root / "a" / "b" / "c");
  write_file(root / "a" / "hello.txt", "hello");
  write_file(root / "a" / "b" / "empty file", "");
  write_file(root / "a" / "b" / "c" / "007", "a name like a number");
  write_file(root / "caf\xE9", "Latin-1");
  write_file(root / "caf\xC3\xA9", "UTF-8");
  write_file(root / "new\nline\x1b[31m", "control characters");
  write_file(root / "\xFF\xFE", "no text at all");
  fs::create_directories(root / "bad\x80 folder");
  write_file(root / "bad\x80 folder" / "inside", "x");
  fs::create_symlink("a/hello.txt", root / "link to file");
  fs::create_symlink("a", root / "link to folder");
  fs::create_symlink("..", root / "a" / "link up");
  fs::create_symlink("nowhere", root / "dangling");
  fs::create_symlink("/etc", root / "link out");
  if (::mkfifo((root / "pipe").c_str(), 0600) != 0) throw std::runtime_error("mkfifo");
  make_socket(root / "sock");
  ::chmod((root / "a" / "hello.txt").c_str(), 04751);
  make_deep(root);
}

void make_plain_tree(const fs::path& root, std::size_t files) {
  constexpr std::size_t kInOne = 20;
  for (std::size_t i = 0; i < files; ++i) {
    const fs::path folder = root / ("group " + std::to_string(i / (kInOne * kInOne))) / ("folder " + std::to_string(i / kInOne));
    if (i % kInOne == 0) fs::create_directories(folder);
    write_file(folder / ("file " + std::to_string(i) + ".txt"), std::string(i % 100, 'x'));
  }
}

void change_something(const fs::path& root, Prng& random) {
  std::vector<fs::path> files, folders{root};
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root)) {
    if (entry.is_directory() && !entry.is_symlink()) folders.push_back(entry.path());
    else files.push_back(entry.path());
  }
  const fs::path folder = folders[random.below(folders.size())];
  const std::string fresh = "new " + std::to_string(random.next());
  switch (random.below(7)) {
    case 0: write_file(folder / fresh, fresh); break;
    case 1: fs::create_directories(folder / fresh / "below"); break;
    case 2:
      if (folder != root) fs::remove_all(folder);
      break;
    case 3:
      if (folder != root) {  // a file where a folder was
        fs::remove_all(folder);
        write_file(folder, "was a folder");
      }
      break;
    case 4:
      if (!files.empty()) fs::remove(files[random.below(files.size())]);
      break;
    case 5:
      if (!files.empty()) {  // a folder where a file was
        const fs::path file = files[random.below(files.size())];
        fs::remove(file);
        fs::create_directories(file / "was a file");
      }
      break;
    default:
      if (!files.empty()) write_file(files[random.below(files.size())], std::string(random.below(1000), 'y'));
  }
}

Listing list_with_find(const fs::path& root) {
  const auto done = apps::run_program({"find", root.string(), "-printf", "%P\\0%y\\0%s\\0%m\\0%T@\\0"}, std::chrono::seconds(60));
  if (!done || done->ended.code != 0) throw std::runtime_error("find failed");
  Listing listing;
  std::size_t at = 0;
  const auto field = [&] {
    const std::size_t end = done->output.find('\0', at);
    std::string text = done->output.substr(at, end - at);
    at = end + 1;
    return text;
  };
  while (at < done->output.size()) {
    const Bytes path = field();
    const std::string kind = kind_word(field().at(0));
    const std::int64_t size = std::stoll(field());
    const std::int64_t mode = std::stoll(field(), nullptr, 8);
    const std::string time = field();  // seconds.fraction
    const std::size_t point = time.find('.');
    const std::int64_t ms = std::stoll(time.substr(0, point)) * 1000 + std::stoll(time.substr(point + 1, 3));
    listing[path] = describe(kind, size, mode, ms);
  }
  return listing;
}

Listing list_table(const Reader& reader, const Bytes& location) {
  const Expected<Rows> rows =
      reader.query("SELECT id, parent, name, kind, size, mode, modified_ms FROM entry WHERE location = ?",
                   ValueView::blob(location));
  if (!rows) throw std::runtime_error(rows.error().text());
  std::map<Bytes, std::size_t> row_of;
  for (std::size_t i = 0; i < rows->size(); ++i) row_of[rows->text(i, 0)] = i;
  Listing listing;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    Bytes path;
    for (std::size_t row = i; !rows->text(row, 1).empty(); row = row_of.at(rows->text(row, 1))) {
      path = path.empty() ? rows->text(row, 2) : rows->text(row, 2) + "/" + path;
    }
    listing[path] = describe(rows->text(i, 3), rows->integer(i, 4), rows->integer(i, 5), rows->integer(i, 6));
  }
  if (listing.size() != rows->size()) throw std::runtime_error("two rows have one path");
  return listing;
}

std::string differences(const Listing& expected, const Listing& found) {
  std::string text;
  std::size_t count = 0;
  const auto note = [&](const std::string& what, const Bytes& path, const std::string& detail) {
    if (++count <= 10) text += what + " " + apps::printable(path) + ": " + detail + "\n";
  };
  for (const auto& [path, what] : expected) {
    const auto at = found.find(path);
    if (at == found.end()) note("missing", path, what);
    else if (at->second != what) note("differs", path, at->second + " instead of " + what);
  }
  for (const auto& [path, what] : found) {
    if (expected.count(path) == 0) note("too many", path, what);
  }
  return text;
}

}  // namespace starling::test
