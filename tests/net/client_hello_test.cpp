// Handshakes that stop anywhere: every beginning of a ClientHello, then the end or silence. A pair that is connected
// notices nothing, and a peer gets in all the time.
#include "core/base/limits.h"
#include "core/base/prng.h"
#include "tests/net/busy_pair.h"
#include "tests/net/crowd.h"
#include "tests/net/raw_client.h"

using namespace starling;

namespace {

// The first bytes that a device sends.
Bytes client_hello(const TlsIdentity& identity) {
  asio::ssl::context context = identity.context(TlsRole::client);
  SSL* ssl = SSL_new(context.native_handle());
  BIO* out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
  SSL_set_connect_state(ssl);
  CHECK(SSL_do_handshake(ssl) == -1);  // it waits for an answer
  Bytes hello(4096, '\0');
  const int size = BIO_read(out, hello.data(), static_cast<int>(hello.size()));
  SSL_free(ssl);
  REQUIRE(size > 100);
  hello.resize(static_cast<std::size_t>(size));
  return hello;
}

}  // namespace

TEST_CASE("every beginning of a ClientHello, then the end: refused at once") {
  BusyPair busy;
  const TlsIdentity peer = new_identity();
  busy.server().knows(peer.device());
  const Bytes hello = client_hello(peer);
  for (std::size_t from = 0; from < hello.size(); from += 100) {
    Crowd crowd(busy.port());
    for (std::size_t n = from; n < std::min(from + 100, hello.size()); ++n) crowd.add(hello.substr(0, n), true);
    CHECK(crowd.until_closed() < 2s);
  }
  CHECK(busy.server().seen().ups == 1);
  CHECK(busy.stop() < 500ms);
}

TEST_CASE("every beginning of a ClientHello, then silence: gone in five seconds; meanwhile a peer gets in at once") {
  BusyPair busy;
  const TlsIdentity peer = new_identity();
  busy.server().knows(peer.device());
  const Bytes hello = client_hello(peer);
  // Who comes when all places are taken pushes an older one out, so only the last ones see the deadline: let these be
  // spread over the whole length, with the ends of its headers (record: 5 bytes, handshake: 9) among them.
  std::vector<std::size_t> order, last{0, 1, 4, 5, 6, 8, 9, 10, hello.size() - 2, hello.size() - 1};
  for (std::size_t i = 1; last.size() < limits::kHandshakesMax; ++i) last.push_back(i * hello.size() / 24);
  for (std::size_t n = 0; n < hello.size(); ++n) order.push_back(n);
  order.insert(order.end(), last.begin(), last.end());

  Crowd crowd(busy.port());
  for (const std::size_t n : order) crowd.add(hello.substr(0, n), false);
  const auto start = std::chrono::steady_clock::now();
  RawTls client(peer);
  REQUIRE(!client.connect(busy.port()));
  CHECK(!client.read().empty());  // its Hello: we are in
  CHECK(std::chrono::steady_clock::now() - start < 1s);
  CHECK(crowd.left() < limits::kHandshakesMax);  // it took a place
  CHECK(crowd.left() > 0);
  CHECK(crowd.until_closed() < 5500ms);
  CHECK(busy.stop() < 500ms);
}
