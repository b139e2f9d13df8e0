#include "apps/common/data_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "net/file_descriptor.h"

namespace starling::apps {
namespace {

namespace fs = std::filesystem;

Error file_error(const fs::path& file, const std::string& doing, int number, std::string remedy) {
  return {Errc::invalid_argument, doing + ": " + std::generic_category().message(number), file.string(),
          std::move(remedy)};
}

constexpr std::size_t kTextMax = 1024 * 1024;  // of a configuration

}  // namespace

fs::path config_path(const fs::path& folder) { return folder / "starlingd.toml"; }
fs::path database_path(const fs::path& folder) { return folder / "starling.db"; }
fs::path socket_path(const fs::path& folder) { return folder / "control.sock"; }

Expected<fs::path> default_folder() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return fs::path(value == nullptr ? "" : value);
  };
  if (const fs::path folder = variable("STARLING_FOLDER"); !folder.empty()) return folder;
  if (const fs::path data = variable("XDG_DATA_HOME"); data.is_absolute()) return data / "starling";
  if (const fs::path home = variable("HOME"); !home.empty()) return home / ".local" / "share" / "starling";
  return Error{Errc::invalid_argument, "no data folder is named", "", "give it with --folder or $STARLING_FOLDER"};
}

Expected<std::string> read_text(const fs::path& file) {
  const FileDescriptor input(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!input.valid()) return file_error(file, "cannot read it", errno, "check its name and rights");
  std::string text;
  std::string part(64 * 1024, '\0');
  for (;;) {
    const ssize_t got = ::read(input.get(), part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return file_error(file, "cannot read it", errno, "");
    if (got == 0) return text;
    text.append(part, 0, static_cast<std::size_t>(got));
    if (text.size() > kTextMax) return Error{Errc::too_large, "it is larger than 1 MiB", file.string(), "name the right file"};
  }
}

Expected<void> write_text(const fs::path& file, const std::string& text) {
  std::error_code unresolved;
  fs::path target = fs::weakly_canonical(file, unresolved);  // a link stays one, and what it leads to is replaced
  if (unresolved) target = file;
  const fs::path beside = target.string() + ".new";
  const auto failed = [&] { return file_error(file, "cannot write it", errno, "check the folder's rights and space"); };
  {
    const FileDescriptor output(::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (!output.valid()) return failed();
    for (std::size_t done = 0; done < text.size();) {
      const ssize_t put = ::write(output.get(), text.data() + done, text.size() - done);
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return failed();
      done += static_cast<std::size_t>(put);
    }
    if (::fsync(output.get()) != 0) return failed();
  }
  if (::rename(beside.c_str(), target.c_str()) != 0) return failed();
  return {};
}

}  // namespace starling::apps
