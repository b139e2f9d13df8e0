// Everybody who is not a peer, and a peer that misbehaves: refused within five seconds, while a pair that is connected
// notices nothing.
#include <doctest/doctest.h>

#include "tests/net/busy_pair.h"
#include "tests/net/raw_client.h"

using namespace starling;

namespace {

constexpr auto kRefusedWithin = 5500ms;  // five seconds, and what a busy machine adds

asio::ssl::context client_context() {
  asio::ssl::context context(asio::ssl::context::tls_client);
  const unsigned char alpn[] = "\x0astarling/1";
  SSL_CTX_set_alpn_protos(context.native_handle(), alpn, 11);
  return context;
}

}  // namespace

TEST_CASE("[N27] no certificate, a stranger's, the wrong kind of key, no or another ALPN, TLS 1.2: refused") {
  BusyPair busy;
  const std::uint64_t ups = busy.server().seen().ups;

  RawTls nobody(client_context());
  if (!nobody.connect(busy.port())) CHECK(nobody.until_closed() < 1s);  // in TLS 1.3 the client finds out by reading

  RawTls stranger(new_identity());
  if (!stranger.connect(busy.port())) CHECK(stranger.until_closed() < 1s);

  asio::ssl::context other_key = client_context();
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_set_pubkey(certificate, key);
  X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 1000);
  X509_sign(certificate, key, EVP_sha256());
  SSL_CTX_use_certificate(other_key.native_handle(), certificate);
  SSL_CTX_use_PrivateKey(other_key.native_handle(), key);
  X509_free(certificate);
  EVP_PKEY_free(key);
  RawTls elliptic(std::move(other_key));
  if (!elliptic.connect(busy.port())) CHECK(elliptic.until_closed() < 1s);

  const TlsIdentity peer = new_identity();
  busy.server().knows(peer.device());
  for (const char* protocol : {"\x06http/1", "\x0astarling/2"}) {
    asio::ssl::context context = peer.context(TlsRole::client);
    SSL_CTX_set_alpn_protos(context.native_handle(), reinterpret_cast<const unsigned char*>(protocol),
                            static_cast<unsigned>(std::strlen(protocol)));
    RawTls other(std::move(context));
    CHECK(other.connect(busy.port()));
  }
  asio::ssl::context silent = peer.context(TlsRole::client);
  SSL_CTX_set_alpn_protos(silent.native_handle(), nullptr, 0);
  RawTls no_alpn(std::move(silent));
  if (!no_alpn.connect(busy.port())) CHECK(no_alpn.until_closed() < 1s);

  asio::ssl::context old = peer.context(TlsRole::client);
  SSL_CTX_set_min_proto_version(old.native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_max_proto_version(old.native_handle(), TLS1_2_VERSION);
  RawTls tls12(std::move(old));
  CHECK(tls12.connect(busy.port()));

  CHECK(busy.server().seen().ups == ups);
  CHECK(busy.server().seen().logged("refused a connection from 127.0.0.1"));
  CHECK(busy.stop() < 500ms);
}

TEST_CASE("[F8] a peer whose certificate is out of date, or not yet in it, gets in: its key counts, dates do not") {
  BusyPair busy;
  const TlsIdentity peer = new_identity();
  busy.server().knows(peer.device());
  for (const auto& [from, until] : {std::pair(-2L, -1L), std::pair(1L, 2L)}) {  // hours from now
    CAPTURE(from);
    asio::ssl::context context = peer.context(TlsRole::client);
    EVP_PKEY* key = SSL_CTX_get0_privatekey(context.native_handle());
    X509* certificate = X509_new();
    X509_set_pubkey(certificate, key);
    X509_gmtime_adj(X509_getm_notBefore(certificate), from * 3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), until * 3600);
    X509_sign(certificate, key, nullptr);
    REQUIRE(SSL_CTX_use_certificate(context.native_handle(), certificate) == 1);
    X509_free(certificate);
    RawTls client(std::move(context));
    REQUIRE(!client.connect(busy.port()));
    CHECK(!client.read().empty());  // the server's Hello: it is in
    client.hang_up();
    CHECK(busy.server().wait_for([&](const Endpoint::Seen& s) { return s.session_of(peer.device()) == 0; }));
  }
  CHECK(busy.stop() < 500ms);
}

TEST_CASE("[N27] garbage and plain TCP: refused") {
  BusyPair busy;
  Prng prng(1);
  for (int round = 0; round < 50; ++round) {
    Bytes garbage;
    const std::size_t size = 1 + prng.below(20'000);
    while (garbage.size() < size) garbage.push_back(static_cast<char>(prng.next()));
    RawSocket socket(busy.port());
    socket.write(garbage);
    CHECK(socket.until_closed() < kRefusedWithin);
    if (round > 5) continue;
    RawSocket plain(busy.port());
    plain.write(encode_frame(some_hello()));
    CHECK(plain.until_closed() < 1s);
    RawSocket http(busy.port());
    http.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    CHECK(http.until_closed() < 1s);
  }
  CHECK(busy.stop() < 500ms);
}

TEST_CASE("forty that connect and say nothing are gone within five seconds; meanwhile a peer gets in at once") {
  BusyPair busy;
  const TlsIdentity peer = new_identity();
  busy.server().knows(peer.device());
  std::vector<std::unique_ptr<RawSocket>> mute;
  for (int i = 0; i < 40; ++i) mute.push_back(std::make_unique<RawSocket>(busy.port()));
  for (int i = 0; i < 5; ++i) mute[static_cast<std::size_t>(i)]->write("\x16");  // the first byte of a record

  const auto start = std::chrono::steady_clock::now();
  RawTls client(peer);
  REQUIRE(!client.connect(busy.port()));
  CHECK(!client.read().empty());  // its Hello: we are in
  CHECK(std::chrono::steady_clock::now() - start < 1s);
  for (const auto& socket : mute) (void)socket->until_closed();
  CHECK(std::chrono::steady_clock::now() - start < kRefusedWithin);
  CHECK(busy.stop() < 500ms);
}

TEST_CASE("[N27] a paired device that breaks the format is closed, before and after its Hello") {
  BusyPair busy;
  const auto header = [](std::uint32_t length, std::uint8_t flags) {
    ByteWriter w;
    w.be32(length);
    w.u8(flags);
    w.raw(BytesView("\0\0\0", 3));
    return w.take();
  };
  const Bytes hello = encode_frame(some_hello());
  const std::vector<Bytes> broken = {
      header(limits::kFrameBeforeHelloMax + 8, 0),
      header(0xffffffff, 0),
      header(0, 0),
      header(16, 0x80),
      header(16, 0) + Bytes(16, '\xff'),
      header(16, 1) + Bytes(16, 'z'),
      hello + header(limits::kFrameMax + 8, 0),
      hello + header(64, 0) + Bytes(64, '\x7f'),
  };
  for (const Bytes& bytes : broken) {
    const TlsIdentity peer = new_identity();
    busy.server().knows(peer.device());
    RawTls client(peer);
    REQUIRE(!client.connect(busy.port()));
    REQUIRE(!client.write(bytes));
    CHECK(client.until_closed() < 1s);
    client.hang_up();
    CHECK(busy.server().wait_for([&](const Endpoint::Seen& s) { return s.session_of(peer.device()) == 0; }));
  }
  CHECK(busy.stop() < 500ms);
}

TEST_CASE("who answers at an address must be the peer; the dialer says who it was") {
  Endpoint a, impostor;
  const TlsIdentity absent = new_identity();
  impostor.knows(a.device());
  impostor.start();
  a.knows(absent.device(), {impostor.address()});
  a.knows(impostor.device());  // a peer as well, but not the one that was dialled
  a.start("");
  CHECK(a.wait_for(
      [&](const Endpoint::Seen& s) { return s.logged("device " + to_string(impostor.device()) + " answers there"); }));
  CHECK(a.link(absent.device()).state == PeerState::refused);
  CHECK(a.seen().ups == 0);
  CHECK(impostor.seen().ups == 0);
}

TEST_CASE("a device that is refused says so, and knocks ever less often") {
  Endpoint a, b;
  b.start();
  a.knows(b.device(), {b.address()});
  a.start("");
  REQUIRE(a.wait_for([&](const Endpoint::Seen& s) { return s.logged("the peer refuses this device"); }));
  CHECK(a.link(b.device()).state == PeerState::refused);
  std::this_thread::sleep_for(4s);
  CHECK(a.seen().ups == 0);
  std::size_t tries = 0;
  for (const std::string& line : a.seen().log) tries += line.find("no connection to") != std::string::npos ? 1 : 0;
  CHECK(tries >= 3);
  CHECK(tries <= 16);  // on average: at 0, 0.1, 0.3, 0.7, 1.5, 3.1 seconds
  CHECK(b.seen().logged("device " + to_string(a.device()) + " is not a peer"));
  b.knows(a.device());
  a.knows(b.device(), {b.address()});  // dials at once
  CHECK(a.wait_for_peer(b.device()));
}
