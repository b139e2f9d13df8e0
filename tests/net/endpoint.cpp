#include "tests/net/endpoint.h"

#include <doctest/doctest.h>

#include <thread>

namespace starling {

TlsIdentity new_identity() {
  const TempFolder temp;
  Expected<TlsIdentity> identity = TlsIdentity::load(temp / "device.key");
  REQUIRE(identity);
  return std::move(*identity);
}

Hello some_hello() {
  Hello hello;
  hello.workspace_name = "test";
  return hello;
}

Message some_entry(std::size_t bytes, std::uint64_t seq) {
  Prng prng(seq);
  SharedChange change;
  change.seq = Seq{seq};
  while (change.entry.size() < bytes) change.entry.push_back(static_cast<char>(prng.next()));
  return change;
}

Endpoint::Endpoint() : Endpoint(new_identity()) {}

Endpoint::Endpoint(TlsIdentity identity) : identity_(std::move(identity)), book_(identity_.device()) {
  Log log([this](LogLevel, const std::string& text) {
    const std::scoped_lock lock(mutex_);
    seen_.log.push_back(text);
    changed_.notify_all();
  });
  network_ = std::make_unique<ConnectionManager>(identity_, book_, *this, log, 42);
}

void Endpoint::knows(const DeviceId& device, std::vector<std::string> addresses) {
  REQUIRE(book_.add(Peer{device, std::move(addresses)}));
  network_->dial(device);
}

void Endpoint::start(const std::string& listen) {
  const Expected<std::uint16_t> port = network_->start(listen);
  REQUIRE(port);
  port_ = *port;
}

void Endpoint::stop(std::chrono::milliseconds linger) {
  if (!network_) return;
  network_->stop(linger);
  CHECK(network_->wait_stopped(std::chrono::steady_clock::now() + 10s));
  network_.reset();
}

void Endpoint::send(SessionId session, const Message& message) {
  std::vector<NetCommand> commands;
  commands.emplace_back(SendFrame{{session}, std::make_shared<const Bytes>(encode_frame(message))});
  network_->execute(std::move(commands));
}

bool Endpoint::send_to(const DeviceId& device, const Message& message) {
  const SessionId session = seen().session_of(device);
  if (session != 0) send(session, message);
  return session != 0;
}

void Endpoint::close(SessionId session, Error why) {
  std::vector<NetCommand> commands;
  commands.emplace_back(Close{session, std::move(why)});
  network_->execute(std::move(commands));
}

void Endpoint::consume(bool on) {
  std::vector<NetCommand> commands;
  {
    const std::scoped_lock lock(mutex_);
    consuming_ = on;
    if (!on) return;
    for (const auto& [session, cost] : unconsumed_) commands.emplace_back(Consumed{session, cost});
    unconsumed_.clear();
  }
  network_->execute(std::move(commands));
}

Endpoint::Seen Endpoint::seen() const {
  const std::scoped_lock lock(mutex_);
  return seen_;
}

SessionId Endpoint::Seen::session_of(const DeviceId& device) const {
  for (const auto& [session, peer] : sessions)
    if (peer == device) return session;
  return 0;
}

std::size_t Endpoint::Seen::count_of(const DeviceId& device) const {
  std::size_t count = 0;
  for (const auto& [session, peer] : sessions) count += peer == device ? 1 : 0;
  return count;
}

bool Endpoint::Seen::logged(const std::string& part) const {
  for (const std::string& line : log)
    if (line.find(part) != std::string::npos) return true;
  return false;
}

void Endpoint::push(Event event, std::size_t cost) {
  const std::scoped_lock lock(mutex_);
  if (const auto* up = std::get_if<PeerUp>(&event)) {
    seen_.sessions[up->session] = up->device;
    ++seen_.ups;
    send(up->session, some_hello());
  } else if (const auto* down = std::get_if<PeerDown>(&event)) {
    CHECK(seen_.sessions.erase(down->session) == 1);
    unconsumed_.erase(down->session);
    ++seen_.downs;
  } else if (const auto* received = std::get_if<Received>(&event)) {
    on(*received, cost);
  } else if (std::holds_alternative<OutboxFull>(event)) {
    ++seen_.full;
  }
  changed_.notify_all();
}

void Endpoint::on(const Received& received, std::size_t cost) {
  const DeviceId from = seen_.sessions.at(received.session);
  std::vector<NetCommand> commands;
  if (consuming_) {
    commands.emplace_back(Consumed{received.session, cost});
  } else {
    unconsumed_[received.session] += cost;
  }
  if (std::holds_alternative<Hello>(received.message)) {
    ++seen_.hellos;
    commands.emplace_back(Accepted{received.session});
  } else if (const auto* error = std::get_if<ErrorMessage>(&received.message)) {
    commands.emplace_back(Close{received.session, Error{error->code, error->text, "", ""}});
  } else if (const auto* change = std::get_if<SharedChange>(&received.message)) {
    ++seen_.entries[from];
    seen_.last_seq[from] = change->seq.value;
  }
  network_->execute(std::move(commands));
}

void Endpoint::network_failed(const std::string& why) {
  const std::scoped_lock lock(mutex_);
  seen_.failed = why;
  changed_.notify_all();
}

Pair::Pair() {
  b.knows(a.device());
  b.start();
  a.knows(b.device(), {b.address()});
  a.start("");
  REQUIRE(a.wait_for_peer(b.device()));
  REQUIRE(b.wait_for_peer(a.device()));
}

std::chrono::milliseconds longest_round_trip(Endpoint& a, Endpoint& b, int rounds, std::chrono::milliseconds pause) {
  auto longest = std::chrono::steady_clock::duration::zero();
  const std::uint64_t start = a.seen().last_seq[b.device()];
  for (std::uint64_t i = start + 1; i <= start + static_cast<std::uint64_t>(rounds); ++i) {
    const auto sent = std::chrono::steady_clock::now();
    REQUIRE(a.send_to(b.device(), some_entry(200, i)));
    REQUIRE(b.wait_for(
        [&](const Endpoint::Seen& s) { return s.last_seq.contains(a.device()) && s.last_seq.at(a.device()) == i; }));
    REQUIRE(b.send_to(a.device(), some_entry(200, i)));
    REQUIRE(a.wait_for(
        [&](const Endpoint::Seen& s) { return s.last_seq.contains(b.device()) && s.last_seq.at(b.device()) == i; }));
    longest = std::max(longest, std::chrono::steady_clock::now() - sent);
    std::this_thread::sleep_for(pause);
  }
  return std::chrono::duration_cast<std::chrono::milliseconds>(longest);
}

}  // namespace starling
