// The control server: nobody waits for a slow, silent or hostile client.
#include "apps/common/control_server.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "apps/common/control_client.h"
#include "apps/common/data_folder.h"
#include "apps/common/unix_socket.h"
#include "tests/apps/temp_folder.h"

namespace starling::apps {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using SteadyClock = std::chrono::steady_clock;

constexpr auto kSoon = 5s;  // far below the 30 s for which a client that stands still is borne; sanitizers are slow

// Answers "echo" at once, "big" with much, "long" when it is cancelled or told to end.
struct Fixture {
  test::TempFolder temp;
  std::atomic<int> running = 0;
  std::atomic<int> big = 0;
  std::atomic<int> cancelled = 0;
  std::atomic<bool> release = false;
  std::unique_ptr<ControlServer> server = start();

  std::unique_ptr<ControlServer> start() {
    const auto handle = [this](const json& request, const ProgressFn& progress) { return answer(request, progress); };
    const auto takes_long = [](const json& request) { return request.value("op", "") == "long"; };
    auto started = ControlServer::start(socket_path(temp.path()), handle, takes_long);
    REQUIRE_MESSAGE(started.has_value(), (started ? "" : started.error().text()));
    return std::move(*started);
  }
  Expected<json> answer(const json& request, const ProgressFn& progress) {
    const std::string op = request.value("op", "");
    if (op == "echo") return request;
    if (op == "big") {
      ++big;
      return json{{"text", std::string(6'000'000, 'x')}};
    }
    if (op == "throw") throw std::runtime_error("the machine fails");
    if (op != "long") return Error{Errc::invalid_argument, "no such thing", op, "try echo"};
    ++running;
    for (int i = 0; !release; ++i) {
      if (!progress({{"step", i}})) {
        ++cancelled;
        --running;
        return Error{Errc::stopped, "cancelled", "", ""};
      }
      std::this_thread::sleep_for(1ms);
    }
    --running;
    return json{{"done", true}};
  }
  [[nodiscard]] ControlClient connect() const {
    Expected<ControlClient> client = ControlClient::connect(temp.path());
    REQUIRE_MESSAGE(client.has_value(), (client ? "" : client.error().text()));
    return std::move(*client);
  }
  [[nodiscard]] FileDescriptor connect_raw() const {
    Expected<FileDescriptor> socket = connect_unix(socket_path(temp.path()));
    REQUIRE(socket.has_value());
    return std::move(*socket);
  }
  // A request of somebody else; the others must not slow it down.
  void check_alive() const {
    const SteadyClock::time_point start = SteadyClock::now();
    ControlClient client = connect();
    const Expected<json> reply = client.call({{"op", "echo"}, {"x", 7}});
    REQUIRE_MESSAGE(reply.has_value(), (reply ? "" : reply.error().text()));
    CHECK((*reply)["x"] == 7);
    CHECK(SteadyClock::now() - start < kSoon);
  }
};

template <class Condition>
bool soon(Condition condition) {
  for (int i = 0; i < 5000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(1ms);
  }
  return false;
}

void send_raw(const FileDescriptor& socket, const Bytes& bytes) {
  REQUIRE(::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
}

// All that comes until the other side closes.
Bytes receive_all(const FileDescriptor& socket) {
  Bytes all;
  char part[65536];
  for (;;) {
    const ssize_t got = ::recv(socket.get(), part, sizeof(part), 0);
    if (got <= 0) return all;
    all.append(part, static_cast<std::size_t>(got));
  }
}

}  // namespace

TEST_CASE("control server: requests are answered in order, with their id, on one connection") {
  Fixture f;
  const FileDescriptor socket = f.connect_raw();
  Bytes requests;
  for (int i = 0; i < 50; ++i) requests += encode_frame(json{{"op", "echo"}, {"id", i}});
  for (const char c : requests) send_raw(socket, Bytes(1, c));  // byte by byte
  FrameReader reader(kControlReplyMax);
  for (int i = 0; i < 50;) {
    char part[4096];
    const ssize_t got = ::recv(socket.get(), part, sizeof(part), 0);
    REQUIRE(got > 0);
    reader.feed(BytesView(part, static_cast<std::size_t>(got)));
    for (;;) {
      const Expected<std::optional<Bytes>> frame = reader.next();
      REQUIRE(frame.has_value());
      if (!*frame) break;
      const json reply = json::parse(**frame);
      CHECK(reply["id"] == i);
      CHECK(reply["ok"]["op"] == "echo");
      ++i;
    }
  }
}

TEST_CASE("control server: errors and exceptions come back, and the connection lives on") {
  Fixture f;
  ControlClient client = f.connect();
  const Expected<json> wrong = client.call({{"op", "nonsense"}});
  REQUIRE_FALSE(wrong.has_value());
  CHECK(wrong.error().text() == "nonsense: no such thing; try echo");
  CHECK(wrong.error().code == Errc::invalid_argument);
  const Expected<json> failing = client.call({{"op", "throw"}});
  REQUIRE_FALSE(failing.has_value());
  CHECK(failing.error().what == "the machine fails");
  CHECK(client.call({{"op", "echo"}}).has_value());
}

TEST_CASE("control server: garbage is answered with an error, then the connection is closed") {
  Fixture f;
  ByteWriter oversize;
  oversize.be32(kControlRequestMax + 1);
  for (const Bytes& bad : {Bytes("GET / HTTP/1.1\r\n\r\n"), oversize.take(), Bytes(4, '\0'), encode_frame(BytesView("{]")),
                           encode_frame(BytesView("[1]"))}) {
    CAPTURE(to_hex(bad));
    const FileDescriptor socket = f.connect_raw();
    send_raw(socket, bad);
    const Bytes reply = receive_all(socket);
    REQUIRE(reply.size() > kControlHeader);
    CHECK(json::parse(BytesView(reply).substr(kControlHeader)).contains("error"));
    f.check_alive();
  }
}

TEST_CASE("control server: a client that stops in the middle of a frame, or goes, delays nobody") {
  Fixture f;
  const FileDescriptor half = f.connect_raw();
  send_raw(half, encode_frame(json{{"op", "echo"}}).substr(0, 7));
  f.check_alive();
  {
    const FileDescriptor gone = f.connect_raw();
    send_raw(gone, encode_frame(json{{"op", "echo"}}).substr(0, 7));
  }
  f.check_alive();
}

TEST_CASE("control server: a client that asks much and reads nothing delays nobody") {
  Fixture f;
  std::vector<FileDescriptor> lazy;
  for (int i = 0; i < 5; ++i) {
    lazy.push_back(f.connect_raw());
    for (int j = 0; j < 20; ++j) send_raw(lazy.back(), encode_frame(json{{"op", "big"}}));
  }
  for (int i = 0; i < 5; ++i) f.check_alive();
  CHECK(soon([&] { return f.big == 5; }));
  f.check_alive();
  CHECK(f.big == 5);  // one each: their further requests wait until they read
}

TEST_CASE("control server: a long request tells how far it is, and quick ones pass it") {
  Fixture f;
  ControlClient client = f.connect();
  int steps = 0;
  std::thread quick([&] {
    CHECK(soon([&] { return f.running == 1; }));
    f.check_alive();
    f.release = true;
  });
  const Expected<json> reply = client.call({{"op", "long"}}, [&](const json& progress) {
    CHECK(progress.contains("step"));
    ++steps;
    return true;
  });
  quick.join();
  REQUIRE(reply.has_value());
  CHECK((*reply)["done"] == true);
  CHECK(steps > 0);
}

TEST_CASE("control server: a client that goes cancels its long request, and the next one gets its turn") {
  Fixture f;
  {
    const FileDescriptor socket = f.connect_raw();
    send_raw(socket, encode_frame(json{{"op", "long"}}));
    CHECK(soon([&] { return f.running == 1; }));
  }
  CHECK(soon([&] { return f.cancelled == 1 && f.running == 0; }));
  f.release = true;
  ControlClient client = f.connect();
  CHECK(client.call({{"op", "long"}}).has_value());
}

TEST_CASE("control server: a client that does not read its progress keeps it bounded, and is answered in the end") {
  Fixture f;
  const FileDescriptor socket = f.connect_raw();
  send_raw(socket, encode_frame(json{{"op", "long"}}));
  std::this_thread::sleep_for(300ms);
  f.release = true;
  CHECK(soon([&] { return f.running == 0; }));
  ::shutdown(socket.get(), SHUT_WR);
  f.check_alive();
}

TEST_CASE("control server: stop() ends a long request and returns soon") {
  Fixture f;
  std::thread waiting([&] {
    ControlClient client = f.connect();
    const Expected<json> reply = client.call({{"op", "long"}});
    REQUIRE_FALSE(reply.has_value());
    CHECK(reply.error().what == "cancelled");
  });
  CHECK(soon([&] { return f.running == 1; }));
  const SteadyClock::time_point start = SteadyClock::now();
  f.server->stop();
  CHECK(SteadyClock::now() - start < kSoon);
  waiting.join();
  CHECK_FALSE(std::filesystem::exists(socket_path(f.temp.path())));
  const Expected<ControlClient> client = ControlClient::connect(f.temp.path());
  REQUIRE_FALSE(client.has_value());
  CHECK(client.error().code == Errc::unreachable);
}

TEST_CASE("control server: beyond the greatest number of connections one waits until another goes") {
  Fixture f;
  std::vector<ControlClient> clients;
  for (int i = 0; i < 32; ++i) {
    clients.push_back(f.connect());
    REQUIRE(clients.back().call({{"op", "echo"}}).has_value());
  }
  ControlClient late = f.connect();  // in the kernel's queue
  CHECK_FALSE(late.call({{"op", "echo"}}, {}, 200ms).has_value());
  clients.pop_back();
  CHECK(late.call({{"op", "echo"}}).has_value());
}

TEST_CASE("control socket: only its user may open it, a dead daemon's is replaced, and its path may be long") {
  test::TempFolder temp;
  const std::filesystem::path folder = temp / std::string(120, 'f');
  std::filesystem::create_directories(folder);
  const std::filesystem::path path = socket_path(folder);
  CHECK(path.string().size() > 108);
  {
    const Expected<FileDescriptor> dead = listen_unix(path);
    REQUIRE_MESSAGE(dead.has_value(), (dead ? "" : dead.error().text()));
  }
  const Expected<FileDescriptor> nobody = connect_unix(path);
  REQUIRE_FALSE(nobody.has_value());
  CHECK(nobody.error().code == Errc::unreachable);
  const Expected<FileDescriptor> listener = listen_unix(path);
  REQUIRE(listener.has_value());
  CHECK(connect_unix(path).has_value());
  struct stat s{};
  REQUIRE(::stat(path.c_str(), &s) == 0);
  CHECK((s.st_mode & 07777) == 0600);
}

}  // namespace starling::apps
