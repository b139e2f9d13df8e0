#include "net/session.h"

#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>

#include "net/message_cost.h"

namespace starling {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kReadSize = 64 * limits::KiB;
constexpr std::size_t kGatherMax = 16 * limits::KiB;  // a TLS record: small frames share one

std::string seconds(std::chrono::seconds s) { return std::to_string(s.count()) + " s"; }

}  // namespace

Session::Session(SessionId id, Link link, PeerBook& book, SessionOwner& owner)
    : id_(id),
      device_(link.device),
      dialled_(link.dialled),
      stream_(std::move(link.stream)),
      book_(book),
      owner_(owner),
      frames_(limits::kFrameBeforeHelloMax),
      input_(kReadSize),
      inbox_changed_(stream_->get_executor()),
      outbox_changed_(stream_->get_executor()),
      silence_(stream_->get_executor()),
      stall_(stream_->get_executor()),
      linger_(stream_->get_executor()) {
  frames_.feed(link.first);
}

void Session::start() {
  const auto self = shared_from_this();
  const auto on_exit = [self](const std::exception_ptr& thrown) { self->on_exit(thrown); };
  asio::co_spawn(
      stream_->get_executor(), [self] { return self->read_loop(); }, on_exit);
  asio::co_spawn(
      stream_->get_executor(), [self] { return self->write_loop(); }, on_exit);
}

bool Session::try_send(Frame frame) {
  if (state_ != State::open) return true;  // nobody misses it
  if (outbox_bytes_ + frame->size() > limits::kOutboxMax) return false;
  outbox_bytes_ += frame->size();
  outbox_.push_back(std::move(frame));
  outbox_changed_.cancel();
  return true;
}

void Session::accept() {
  if (state_ != State::open || accepted()) return;
  accepted_at_ = steady_clock::now();
  frames_.set_limit(limits::kFrameMax);
  inbox_changed_.cancel();
  book_.accepted(device_);
}

steady_clock::duration Session::accepted_for() const {
  return accepted() ? steady_clock::now() - accepted_at_ : steady_clock::duration::zero();
}

void Session::consumed(std::size_t cost) {
  inbox_ -= std::min(cost, inbox_);
  if (room()) inbox_changed_.cancel();
}

void Session::close(Error why) {
  if (state_ != State::open) return;
  state_ = State::closing;
  why_ = std::move(why);
  linger_.arm(limits::kLingerMax, [self = shared_from_this()] { self->end(self->why_); });
  outbox_changed_.cancel();
  inbox_changed_.cancel();
}

void Session::end(Error why) {
  if (state_ == State::ended) return;
  const auto self = shared_from_this();  // the owner lets go of us
  if (state_ == State::closing) why = std::move(why_);
  state_ = State::ended;
  silence_.lift();
  stall_.lift();
  linger_.lift();
  outbox_changed_.cancel();
  inbox_changed_.cancel();
  asio::error_code ignored;
  stream_->lowest_layer().close(ignored);
  owner_.on_end(*this, why);
}

// Hands over whole messages while the replica has room for them.
void Session::deliver() {
  while (state_ == State::open && room()) {
    Expected<std::optional<Message>> next = frames_.next();
    if (!next) {
      const ErrorMessage goodbye{next.error().code, next.error().what, 0};
      (void)try_send(std::make_shared<const Bytes>(encode_frame(goodbye)));
      return close(next.error());
    }
    if (!*next) return;
    const std::size_t cost = message_cost(**next);
    inbox_ += cost;
    heard_ = true;
    if (const auto* error = std::get_if<ErrorMessage>(&**next)) goodbye_ = Error{error->code, error->text, "", ""};
    owner_.on_message(*this, std::move(**next), cost);
  }
}

asio::awaitable<void> Session::read_loop() {
  const auto self = shared_from_this();
  deliver();  // what came with the handshake
  while (state_ != State::ended) {
    if (state_ == State::open && !room()) {
      never(inbox_changed_);
      co_await inbox_changed_.async_wait(as_result);
      deliver();
      continue;
    }
    silence_.arm(limits::kSilenceMax, [self] {
      self->end({Errc::unreachable, "the peer was silent for " + seconds(limits::kSilenceMax), "", ""});
    });
    const asio::mutable_buffer input = asio::buffer(input_);
    const auto [failed, size] = co_await stream_->async_read_some(input, as_result);
    silence_.lift();
    if (failed) {
      end(goodbye_ ? *goodbye_ : explain(failed));
      break;
    }
    book_.count_bytes(device_, size, 0);
    if (state_ != State::open) continue;  // only waiting for the peer to hang up
    frames_.feed(BytesView(input_.data(), size));
    deliver();
  }
}

// The next frame to write, or several small ones as one.
Frame Session::next_write() {
  Frame first = std::move(outbox_.front());
  outbox_.pop_front();
  if (outbox_.empty() || first->size() + outbox_.front()->size() > kGatherMax) return first;
  auto gathered = std::make_shared<Bytes>(*first);
  while (!outbox_.empty() && gathered->size() + outbox_.front()->size() <= kGatherMax) {
    gathered->append(*outbox_.front());
    outbox_.pop_front();
  }
  return gathered;
}

asio::awaitable<void> Session::write_loop() {
  const auto self = shared_from_this();
  while (state_ != State::ended) {
    if (outbox_.empty()) {
      if (state_ == State::closing) break;
      never(outbox_changed_);
      co_await outbox_changed_.async_wait(as_result);
      continue;
    }
    const Frame frame = next_write();
    for (std::size_t sent = 0; sent < frame->size();) {
      stall_.arm(limits::kSendDeadline, [self] {
        self->end({Errc::unreachable, "the peer took nothing for " + seconds(limits::kSendDeadline), "", ""});
      });
      const asio::const_buffer rest = asio::buffer(frame->data() + sent, frame->size() - sent);
      const auto [failed, size] = co_await stream_->async_write_some(rest, as_result);
      stall_.lift();
      if (failed) {
        end(explain(failed));
        co_return;
      }
      book_.count_bytes(device_, 0, size);
      sent += size;
    }
    outbox_bytes_ -= frame->size();
  }
  asio::error_code ignored;  // the peer sees the end and hangs up, which the reader waits for
  stream_->lowest_layer().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
}

void Session::on_exit(const std::exception_ptr& thrown) {
  if (!thrown) return;
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& e) {
    end({Errc::internal, e.what(), "session with " + short_string(device_), ""});
  } catch (...) {
    end({Errc::internal, "unknown exception", "session with " + short_string(device_), ""});
  }
}

}  // namespace starling
