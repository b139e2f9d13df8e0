#include "net/session_table.h"

#include <sys/socket.h>

#include <asio/post.hpp>

#include "net/connection_manager.h"

namespace starling {
namespace {

// Whether the other end has not hung up, as far as this machine knows.
bool still_open(TlsStream& stream) {
  char peeked = 0;
  const ssize_t n = ::recv(stream.lowest_layer().native_handle(), &peeked, 1, MSG_PEEK | MSG_DONTWAIT);
  return n > 0 || (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK));
}

}  // namespace

bool newer_stays(const DeviceId& self, const DeviceId& peer, bool older_is_ours, bool newer_is_ours) {
  return older_is_ours == newer_is_ours || newer_is_ours == (self < peer);
}

SessionTable::SessionTable(asio::io_context& io, const DeviceId& self, PeerBook& book, EventSink& events, Log log,
                           Watcher watcher)
    : io_(io),
      self_(self),
      book_(book),
      events_(events),
      log_(std::move(log)),
      watcher_(std::move(watcher)),
      cut_off_(io.get_executor()) {}

void SessionTable::take(Link link) {
  if (closed_) return;
  const auto found = of_peer_.find(link.device);
  if (found == of_peer_.end()) return open(std::move(link));
  Session& older = *found->second;
  if (!older.closing() && !newer_stays(self_, link.device, older.dialled(), link.dialled)) {
    if (!link.dialled) park(std::move(link));
    return;
  }
  older.end({Errc::unreachable, "replaced by a newer connection", "", ""});
  open(std::move(link));
}

void SessionTable::open(Link link) {
  if (sessions_.size() >= limits::kSessionsMax) {
    log_.warning("no place for a session with " + short_string(link.device));
    return;
  }
  if (const auto parked = parked_.find(link.device); parked != parked_.end()) {
    parked->second->deadline.lift();
    parked_.erase(parked);
  }
  const auto session = std::make_shared<Session>(++last_id_, std::move(link), book_, *this);
  sessions_.emplace(session->id(), session);
  of_peer_[session->device()] = session.get();
  book_.handshaking(session->device());
  log_.debug(std::string(session->dialled() ? "reached " : "reached by ") + short_string(session->device()));
  events_.push(PeerUp{session->id(), session->device()}, 0);
  watcher_.up(*session);
  session->start();
}

void SessionTable::park(Link link) {
  const DeviceId device = link.device;
  auto parked = std::make_shared<Parked>(Parked{std::move(link), Deadline(io_.get_executor())});
  parked->deadline.arm(limits::kLingerMax, [this, parked] {
    const auto found = parked_.find(parked->link.device);
    if (found != parked_.end() && found->second == parked) promote(parked->link.device);
  });
  parked_[device] = std::move(parked);
}

// The parked connection takes the place of the session, unless its dialler has hung it up.
void SessionTable::promote(const DeviceId& device) {
  const auto found = parked_.find(device);
  if (found == parked_.end()) return;
  const std::shared_ptr<Parked> parked = std::move(found->second);
  parked_.erase(found);
  parked->deadline.lift();
  if (closed_ || !still_open(*parked->link.stream)) return;
  const auto older = of_peer_.find(device);
  if (older != of_peer_.end())
    older->second->end({Errc::unreachable, "the peer no longer knows this connection", "", ""});
  open(std::move(parked->link));
}

Session* SessionTable::find(SessionId id) {
  const auto found = sessions_.find(id);
  return found != sessions_.end() ? found->second.get() : nullptr;
}

void SessionTable::execute(std::vector<NetCommand> commands) {
  std::set<SessionId> full;
  for (NetCommand& command : commands) {
    if (const auto* frame = std::get_if<SendFrame>(&command)) {
      send(*frame, full);
    } else if (const auto* accepted = std::get_if<Accepted>(&command)) {
      if (Session* session = find(accepted->session)) {
        session->accept();
        log_.info("connected to " + short_string(session->device()));
      }
    } else if (auto* close = std::get_if<Close>(&command)) {
      if (Session* session = find(close->session)) session->close(std::move(close->why));
    } else if (const auto* consumed = std::get_if<Consumed>(&command)) {
      if (Session* session = find(consumed->session)) session->consumed(consumed->cost);
    }
  }
  for (const SessionId id : full) events_.push(OutboxFull{id}, 0);
}

void SessionTable::send(const SendFrame& frame, std::set<SessionId>& full) {
  for (const SessionId id : frame.sessions) {
    Session* session = find(id);
    if (session != nullptr && !session->try_send(frame.frame)) full.insert(id);
  }
}

void SessionTable::close(const DeviceId& device, const Error& why) {
  parked_.erase(device);
  const auto found = of_peer_.find(device);
  if (found != of_peer_.end()) found->second->close(why);
}

void SessionTable::reopen() {
  closed_ = false;
  cut_off_.lift();  // who is still closing has a deadline of its own
}

void SessionTable::close_all(std::chrono::milliseconds linger, const Error& why) {
  closed_ = true;
  for (const auto& [device, parked] : parked_) parked->deadline.lift();
  parked_.clear();
  for (const auto& [id, session] : sessions_) session->close(why);
  if (sessions_.empty()) return;
  cut_off_.arm(linger, [this, why] {
    while (!sessions_.empty()) sessions_.begin()->second->end(why);
  });
}

void SessionTable::on_message(const Session& session, Message message, std::size_t cost) {
  events_.push(Received{session.id(), std::move(message)}, cost);
}

void SessionTable::on_end(const Session& session, const Error& why) {
  const DeviceId device = session.device();
  of_peer_.erase(device);
  book_.failed(device, why);
  log_.info("connection to " + short_string(device) + " ended: " + why.text());
  events_.push(PeerDown{session.id()}, 0);
  watcher_.down(session);
  sessions_.erase(session.id());
  if (closed_ && sessions_.empty()) cut_off_.lift();
  if (parked_.contains(device)) asio::post(io_, [this, device] { promote(device); });
}

}  // namespace starling
