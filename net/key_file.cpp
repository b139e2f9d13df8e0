#include "net/key_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <system_error>

#include "net/file_descriptor.h"

namespace starling {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kKeyFileMax = 4096;

Error file_error(const std::string& what, const fs::path& path) {
  return {Errc::internal, what + ": " + std::error_code(errno, std::generic_category()).message(), path.string(), ""};
}

bool write_all(int fd, BytesView bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno != EINTR) return false;
    if (n > 0) bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

// A name of its own for each attempt, so that what a crash left behind is in nobody's way.
fs::path unfinished_name(const fs::path& path) {
  static std::atomic<unsigned> counter = 0;
  fs::path name = path;
  name += "." + std::to_string(::getpid()) + "-" + std::to_string(counter++) + ".new";
  return name;
}

bool sync_folder(const fs::path& folder) {
  const FileDescriptor handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return handle.valid() && ::fsync(handle.get()) == 0;
}

}  // namespace

Expected<std::optional<Bytes>> read_key_file(const fs::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file.valid()) {
    if (errno == ENOENT) return std::optional<Bytes>();
    if (errno == ELOOP) {
      return Error{Errc::invalid_argument, "the key file is a symbolic link", path.string(),
                   "put the key itself there"};
    }
    return file_error("cannot open the key file", path);
  }
  struct stat found {};
  if (::fstat(file.get(), &found) != 0) return file_error("cannot examine the key file", path);
  if (!S_ISREG(found.st_mode)) return Error{Errc::invalid_argument, "the key file is no file", path.string(), ""};
  if ((found.st_mode & 077) != 0) {
    return Error{Errc::invalid_argument, "other users may read the key file; the key may be known to them",
                 path.string(), "chmod 600 " + path.string() + ", or remove it to become a new device"};
  }
  std::array<char, kKeyFileMax + 1> buffer{};
  Bytes content;
  for (;;) {
    const ssize_t n = ::read(file.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return file_error("cannot read the key file", path);
    if (n == 0) return std::optional<Bytes>(std::move(content));
    content.append(buffer.data(), static_cast<std::size_t>(n));
    if (content.size() > kKeyFileMax) {
      return Error{Errc::corrupt, "the key file is too large to be one", path.string(), "restore it from a backup"};
    }
  }
}

// Written aside and given its name by link(), which refuses a name that is taken, where rename() would replace it.
Expected<bool> create_key_file(const fs::path& path, BytesView content) {
  const fs::path unfinished = unfinished_name(path);
  const FileDescriptor file(::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.valid()) return file_error("cannot create the key file", unfinished);
  const bool written = write_all(file.get(), content) && ::fsync(file.get()) == 0;
  const bool named = written && ::link(unfinished.c_str(), path.c_str()) == 0;
  const int why = errno;
  ::unlink(unfinished.c_str());
  if (!named && written && why == EEXIST) return false;
  errno = why;
  if (!named || !sync_folder(path.parent_path())) return file_error("cannot write the key file", path);
  return true;
}

}  // namespace starling
