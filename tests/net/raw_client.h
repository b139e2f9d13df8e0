// A client that does what ours never would: TLS as it likes, or none, and any bytes. Blocking.
#pragma once

#include <openssl/ssl.h>

#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/ssl.hpp>
#include <asio/write.hpp>
#include <chrono>
#include <optional>

#include "net/tls_identity.h"
#include "proto/codec.h"

namespace starling {

class RawSocket {
 public:
  explicit RawSocket(std::uint16_t port) : socket_(io_) { socket_.connect({asio::ip::address_v4::loopback(), port}); }
  void write(BytesView bytes) {
    asio::error_code ignored;
    asio::write(socket_, asio::buffer(bytes.data(), bytes.size()), ignored);
  }
  // How long until the other side hangs up; ten seconds and more: it did not.
  [[nodiscard]] std::chrono::milliseconds until_closed() {
    const auto start = std::chrono::steady_clock::now();
    const timeval limit{10, 0};
    ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    char buffer[4096];
    ssize_t n = 0;
    do n = ::recv(socket_.native_handle(), buffer, sizeof buffer, 0);
    while (n > 0);
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
  }

 private:
  asio::io_context io_;
  asio::ip::tcp::socket socket_;
};

class RawTls {
 public:
  explicit RawTls(asio::ssl::context context) : context_(std::move(context)), stream_(io_, context_) {
    stream_.set_verify_mode(asio::ssl::verify_none);
  }
  // As a device would connect; the certificate of the server is not looked at.
  explicit RawTls(const TlsIdentity& identity) : RawTls(identity.context(TlsRole::client)) {}

  asio::error_code connect(std::uint16_t port) {
    asio::error_code error;
    stream_.lowest_layer().connect({asio::ip::address_v4::loopback(), port}, error);
    if (!error) stream_.handshake(asio::ssl::stream_base::client, error);
    return error;
  }
  // Takes one connection at `acceptor` as a server.
  asio::error_code accept(asio::ip::tcp::acceptor& acceptor) {
    asio::error_code error;
    acceptor.accept(stream_.lowest_layer(), error);
    if (!error) stream_.handshake(asio::ssl::stream_base::server, error);
    return error;
  }
  asio::error_code write(BytesView bytes) {
    asio::error_code error;
    asio::write(stream_, asio::buffer(bytes.data(), bytes.size()), error);
    return error;
  }
  // What comes next; nothing: the other side has hung up, see closed(), or nothing came in time.
  Bytes read(std::chrono::milliseconds timeout = std::chrono::seconds(10)) {
    Bytes bytes(65536, '\0');
    bool done = false;
    stream_.async_read_some(asio::buffer(bytes), [&](const asio::error_code& error, std::size_t n) {
      done = true;
      closed_ = static_cast<bool>(error);
      bytes.resize(n);
    });
    io_.restart();
    io_.run_for(timeout);
    if (done) return bytes;
    stream_.lowest_layer().cancel();
    io_.restart();
    io_.run();
    closed_ = false;
    return {};
  }
  [[nodiscard]] bool closed() const { return closed_; }
  // How long until the other side hangs up; ten seconds and more: it did not.
  [[nodiscard]] std::chrono::milliseconds until_closed() {
    const auto start = std::chrono::steady_clock::now();
    const auto passed = [&] {
      return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
    };
    while (!closed_ && passed() < std::chrono::seconds(10)) (void)read(std::chrono::seconds(10) - passed());
    return passed();
  }
  void hang_up() {
    asio::error_code ignored;
    stream_.lowest_layer().close(ignored);
  }
  [[nodiscard]] asio::ssl::stream<asio::ip::tcp::socket>& stream() { return stream_; }

 private:
  asio::io_context io_;
  asio::ssl::context context_;
  asio::ssl::stream<asio::ip::tcp::socket> stream_;
  bool closed_ = false;
};

}  // namespace starling
