#include "apps/common/control_client.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <nlohmann/json.hpp>

#include "apps/common/data_folder.h"
#include "apps/common/unix_socket.h"

namespace starling::apps {
namespace {

using nlohmann::json;

Error lost(const std::string& why) {
  return {Errc::unreachable, "the daemon does not answer: " + why, "", "see its log, or start it again"};
}

}  // namespace

Expected<ControlClient> ControlClient::connect(const std::filesystem::path& data_folder) {
  Expected<FileDescriptor> socket = connect_unix(socket_path(data_folder));
  if (!socket) return socket.error();
  return ControlClient(std::move(*socket));
}

Expected<json> ControlClient::call(const json& request, const ProgressFn& progress,
                                   std::chrono::milliseconds silence_max) {
  if (Expected<void> sent = send(encode_frame(request)); !sent) return sent.error();
  for (;;) {
    Expected<json> reply = receive(silence_max);
    if (!reply) return reply.error();
    if (reply->contains("progress")) {
      if (progress && !progress((*reply)["progress"])) {
        socket_ = FileDescriptor();
        return Error{Errc::stopped, "cancelled", "", ""};
      }
      continue;
    }
    if (reply->contains("error")) return error_from_json((*reply)["error"]);
    if (!reply->contains("ok")) return lost("a reply without a result");
    return std::move((*reply)["ok"]);
  }
}

Expected<void> ControlClient::send(const Bytes& frame) {
  for (std::size_t done = 0; done < frame.size();) {
    const ssize_t put = ::send(socket_.get(), frame.data() + done, frame.size() - done, MSG_NOSIGNAL);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return lost(std::generic_category().message(errno));
    done += static_cast<std::size_t>(put);
  }
  return {};
}

Expected<json> ControlClient::receive(std::chrono::milliseconds silence_max) {
  for (;;) {
    Expected<std::optional<Bytes>> frame = in_.next();
    if (!frame) return frame.error();
    if (*frame) return parse_json(**frame);
    pollfd polled{socket_.get(), POLLIN, 0};
    const int ready = ::poll(&polled, 1, silence_max.count() == 0 ? -1 : static_cast<int>(silence_max.count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) return lost("nothing came for " + std::to_string(silence_max.count() / 1000) + " s");
    std::array<char, 64 * 1024> part{};
    const ssize_t got = ::recv(socket_.get(), part.data(), part.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return lost(std::generic_category().message(errno));
    if (got == 0) return lost("it closed the connection");
    in_.feed(BytesView(part.data(), static_cast<std::size_t>(got)));
  }
}

}  // namespace starling::apps
