// Who this device is on the network, and how it knows who others are.
//
// Rules:
//   1. A device is its Ed25519 key. Its id is the first 16 bytes of SHA-256 over the raw 32-byte public key; the
//      certificate around the key is made anew at each start, and nothing in it but the key counts: no names, no
//      dates (a clock that is wrong must not end a friendship), no issuer.
//   2. TLS 1.3 only, both sides show a certificate, ALPN "starling/1". No tickets and no session cache: resumption
//      would skip the check of the certificate.
//   3. A peer is accepted if, and only if, its certificate holds an Ed25519 key whose id is admitted. That check runs
//      inside the handshake, twice for a self-signed certificate, so it must have no effect besides its answer.
//   4. In TLS 1.3 the side that dials sees its handshake succeed before the other side has looked at its certificate. A
//      refusal arrives with the first read, so nothing but the peer's first bytes proves that it took us.
// Internal to net/: shows Asio and OpenSSL. A TlsIdentity is immutable; streams belong to the network thread.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <asio/ip/tcp.hpp>
#include <asio/ssl/context.hpp>
#include <asio/ssl/stream.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include "core/base/ids.h"

namespace starling {

using TlsStream = asio::ssl::stream<asio::ip::tcp::socket>;

enum class TlsRole { server, client };

class TlsIdentity {
 public:
  // Reads the key, or creates one where there is none.
  [[nodiscard]] static Expected<TlsIdentity> load(const std::filesystem::path& key_file);

  [[nodiscard]] const DeviceId& device() const { return device_; }
  [[nodiscard]] asio::ssl::context context(TlsRole) const;

 private:
  TlsIdentity() = default;

  std::shared_ptr<EVP_PKEY> key_;
  std::shared_ptr<X509> certificate_;
  DeviceId device_;
};

// nullopt: the certificate holds no Ed25519 key.
[[nodiscard]] std::optional<DeviceId> device_of(const X509*);

// Has the handshake of this stream refuse every peer that `admits` does not want. `seen` is told whose key was shown,
// wanted or not.
using Admits = std::function<bool(const DeviceId&)>;
void admit_only(TlsStream&, Admits admits, std::shared_ptr<std::optional<DeviceId>> seen);

// After the handshake: who is at the other end. Errors: no certificate, another application protocol.
[[nodiscard]] Expected<DeviceId> authenticated_peer(TlsStream&);

// What a failed operation on a connection means, for people. Errc::not_member: one side refused the other's key.
[[nodiscard]] Error explain(const asio::error_code&);

}  // namespace starling
