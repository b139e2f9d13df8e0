// Many TCP connections at once, none of which speaks TLS to the end. One thread waits for all.
#pragma once

#include <algorithm>
#include <array>
#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/write.hpp>
#include <chrono>
#include <list>

#include "core/base/bytes.h"

namespace starling {

class Crowd {
 public:
  explicit Crowd(std::uint16_t port) : port_(port) {}

  // One more, which says these bytes and then hangs up its side or is silent.
  void add(BytesView bytes, bool then_hangs_up) {
    Guest& guest = guests_.emplace_back(io_);
    asio::error_code ignored;
    guest.socket.connect({asio::ip::address_v4::loopback(), port_}, ignored);
    asio::write(guest.socket, asio::buffer(bytes.data(), bytes.size()), ignored);
    if (then_hangs_up) guest.socket.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    wait(guest);
  }
  // How long until the other side has hung up on everybody; ten seconds and more: it did not.
  [[nodiscard]] std::chrono::milliseconds until_closed() {
    const auto start = std::chrono::steady_clock::now();
    io_.restart();
    io_.run_for(std::chrono::seconds(10));
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
  }
  // How many it has not hung up on, as far as is known now.
  [[nodiscard]] std::size_t left() {
    io_.restart();
    io_.poll();
    return static_cast<std::size_t>(std::count_if(guests_.begin(), guests_.end(), [](const Guest& g) { return g.in; }));
  }

 private:
  struct Guest {
    explicit Guest(asio::io_context& io) : socket(io) {}
    asio::ip::tcp::socket socket;
    std::array<char, 512> answer{};
    bool in = true;
  };
  void wait(Guest& guest) {
    guest.socket.async_read_some(asio::buffer(guest.answer),
                                 [this, &guest](const asio::error_code& error, std::size_t) {
                                   if (!error) return wait(guest);
                                   asio::error_code ignored;
                                   guest.socket.close(ignored);
                                   guest.in = false;
                                 });
  }

  const std::uint16_t port_;
  asio::io_context io_;
  std::list<Guest> guests_;
};

}  // namespace starling
