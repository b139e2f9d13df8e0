#include "apps/common/unix_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace starling::apps {
namespace {

namespace fs = std::filesystem;

constexpr int kBacklog = 32;

// A socket address for a path of any length; it is good while this object lives.
class Address {
 public:
  explicit Address(const fs::path& path) {
    address_.sun_family = AF_UNIX;
    std::string name = path.string();
    if (name.size() >= sizeof(address_.sun_path)) {
      folder_ = FileDescriptor(::open(path.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
      name = "/proc/self/fd/" + std::to_string(folder_.get()) + "/" + path.filename().string();
    }
    fits_ = name.size() < sizeof(address_.sun_path);
    if (fits_) std::memcpy(address_.sun_path, name.c_str(), name.size() + 1);
  }
  [[nodiscard]] bool fits() const { return fits_; }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address_); }
  [[nodiscard]] static socklen_t size() { return sizeof(sockaddr_un); }

 private:
  sockaddr_un address_{};
  FileDescriptor folder_;
  bool fits_ = false;
};

Error socket_error(const fs::path& path, const std::string& doing, Errc code, int number) {
  return {code, doing + ": " + std::generic_category().message(number), path.string(), ""};
}

}  // namespace

Expected<FileDescriptor> listen_unix(const fs::path& path) {
  const Address address(path);
  FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid() || !address.fits()) return socket_error(path, "cannot make the control socket", Errc::internal, errno);
  ::unlink(path.c_str());
  ::fchmod(socket.get(), S_IRUSR | S_IWUSR);  // before bind: the file is made with these rights
  if (::bind(socket.get(), address.get(), Address::size()) != 0 ||
      ::chmod(path.c_str(), S_IRUSR | S_IWUSR) != 0 || ::listen(socket.get(), kBacklog) != 0) {
    return socket_error(path, "cannot listen on the control socket", Errc::internal, errno);
  }
  return socket;
}

Expected<FileDescriptor> connect_unix(const fs::path& path) {
  const Address address(path);
  FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid() || !address.fits()) return socket_error(path, "cannot make a socket", Errc::internal, errno);
  while (::connect(socket.get(), address.get(), Address::size()) != 0) {
    const bool nobody = errno == ENOENT || errno == ECONNREFUSED;
    if (nobody) return socket_error(path, "no daemon answers", Errc::unreachable, errno);
    if (errno != EINTR) return socket_error(path, "cannot reach the daemon", Errc::invalid_argument, errno);
  }
  return socket;
}

}  // namespace starling::apps
