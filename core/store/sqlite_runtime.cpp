#include "core/store/sqlite_runtime.h"

#include <dlfcn.h>
#include <link.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <functional>
#include <string_view>
#include <vector>

namespace starling {
namespace {

struct Runtime {
  std::string file;       // of the program or library that holds it
  std::string source_id;  // as sqlite3_sourceid() gives it; empty: not found
  std::uintptr_t base = 0;
};

// "2022-12-28 14:03:47 df5c253c0b3dd24916e4ec7cf77d3db5294cc9fd45ae7b9c5e82ad8197f3alt1": a date, a time, 64 digits.
std::string find_source_id(std::string_view bytes) {
  constexpr std::string_view kShape = "0000-00-00 00:00:00 ";
  constexpr std::size_t kSize = kShape.size() + 64;
  const auto digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
  if (bytes.size() < kSize) return {};
  const std::size_t last = bytes.size() - kSize;
  for (std::size_t at = bytes.find("20"); at <= last; at = bytes.find("20", at + 1)) {
    const auto fits = [&](std::size_t i) { return kShape[i] == '0' ? digit(bytes[at + i]) : bytes[at + i] == kShape[i]; };
    std::size_t i = 0;
    while (i < kShape.size() && fits(i)) ++i;
    while (i >= kShape.size() && i < kSize && std::isalnum(static_cast<unsigned char>(bytes[at + i])) != 0) ++i;
    if (i == kSize) return std::string(bytes.substr(at, kSize));
  }
  return {};
}

// A sentence of SQLite's own, put together here so that this program does not hold it.
const std::string& sentence() {
  static const std::string text = std::string("unable to delete/modify ") + "user-function due to active statements";
  return text;
}

struct Search {
  std::ifstream memory;  // of this process: the kernel gives an error where there is nothing to read
  std::vector<Runtime> found;
};

// Looks for the sentence and the source id in one segment; true: the sentence is there.
bool look_into(std::ifstream& memory, std::uintptr_t begin, std::size_t size, std::string& source_id) {
  constexpr std::size_t kPiece = 1024 * 1024;
  constexpr std::size_t kOverlap = 256;  // longer than both
  const std::boyer_moore_horspool_searcher searcher(sentence().begin(), sentence().end());
  std::string piece(kPiece, '\0');
  bool there = false;
  for (std::size_t at = 0; at < size; at += kPiece - kOverlap) {
    memory.clear();
    memory.seekg(static_cast<std::streamoff>(begin + at));
    memory.read(piece.data(), static_cast<std::streamsize>(std::min(kPiece, size - at)));
    const std::string_view bytes(piece.data(), static_cast<std::size_t>(memory.gcount()));
    there = there || std::search(bytes.begin(), bytes.end(), searcher) != bytes.end();
    if (source_id.empty()) source_id = find_source_id(bytes);
  }
  return there;
}

int look_at(dl_phdr_info* object, std::size_t, void* context) {
  Search& search = *static_cast<Search*>(context);
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr) & segment = object->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_R) == 0 || (segment.p_flags & PF_W) != 0) continue;
    std::string source_id;
    if (!look_into(search.memory, object->dlpi_addr + segment.p_vaddr, segment.p_memsz, source_id)) continue;
    const std::string name = object->dlpi_name != nullptr && *object->dlpi_name != '\0' ? object->dlpi_name : "the program itself";
    search.found.push_back({name, source_id, object->dlpi_addr});
    break;
  }
  return 0;
}

// Every copy of SQLite in this process but the one that we are linked with.
std::vector<Runtime> other_runtimes() {
  Search search{std::ifstream("/proc/self/mem", std::ios::binary), {}};
  dl_iterate_phdr(look_at, &search);
  std::vector<Runtime>& found = search.found;
  Dl_info ours{};
  if (::dladdr(reinterpret_cast<const void*>(&sqlite3_sourceid), &ours) == 0) return {};
  const auto base = reinterpret_cast<std::uintptr_t>(ours.dli_fbase);
  std::erase_if(found, [&](const Runtime& r) { return r.base == base || (found.size() == 1 && r.base == 0); });
  return std::move(found);
}

bool open_here(const std::filesystem::path& database) {
  struct stat wanted {};
  if (::stat(database.c_str(), &wanted) != 0) return false;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", failed)) {
    struct stat open {};
    if (::stat(entry.path().c_str(), &open) == 0 && open.st_ino == wanted.st_ino && open.st_dev == wanted.st_dev) return true;
  }
  return false;
}

}  // namespace

Expected<void> check_one_sqlite(const std::filesystem::path& database) {
  if (!open_here(database)) return {};
  const std::vector<Runtime> others = other_runtimes();
  if (others.empty()) return {};
  return Error{Errc::busy,
               "this program has the database open already, and holds a second SQLite: " + others.front().file +
                   (others.front().source_id.empty() ? "" : " (" + others.front().source_id.substr(0, 31) + "...)") +
                   " beside the node's " + sqlite3_libversion() + " (" + std::string(sqlite3_sourceid()).substr(0, 31) + "...)",
               database.string(),
               "two copies release each other's locks and corrupt the file: link the whole program with one SQLite; "
               "a connection that uses the node's is opened after the node"};
}

}  // namespace starling
