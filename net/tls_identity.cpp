#include "net/tls_identity.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <array>
#include <asio/error.hpp>
#include <asio/ssl/error.hpp>
#include <stdexcept>
#include <string>

#include "core/base/sha256.h"
#include "net/key_file.h"

namespace starling {
namespace {

constexpr std::array<unsigned char, 11> kAlpn = {10, 's', 't', 'a', 'r', 'l', 'i', 'n', 'g', '/', '1'};
constexpr long kCertificateMax = 8192;  // bytes of a peer's chain, which is one small certificate
constexpr std::size_t kRawKeySize = 32;

using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free)>;

// OpenSSL fails here only when memory or the library itself does.
void require(bool ok, const char* what) {
  if (ok) return;
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  throw std::runtime_error(std::string("OpenSSL cannot ") + what + ": " + text.data());
}

std::optional<DeviceId> device_of_key(const EVP_PKEY* key) {
  if (key == nullptr || EVP_PKEY_get_id(key) != EVP_PKEY_ED25519) return std::nullopt;
  std::array<unsigned char, kRawKeySize> raw{};
  std::size_t size = raw.size();
  if (EVP_PKEY_get_raw_public_key(key, raw.data(), &size) != 1 || size != raw.size()) return std::nullopt;
  return DeviceId::from(hash128({reinterpret_cast<const char*>(raw.data()), raw.size()}).view());
}

Bytes new_key_pem() {
  const std::shared_ptr<EVP_PKEY> key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), EVP_PKEY_free);
  require(key != nullptr, "make a key");
  const BioPtr out(BIO_new(BIO_s_secmem()), BIO_free);
  require(out && PEM_write_bio_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
          "write a key");
  Bytes pem(static_cast<std::size_t>(BIO_ctrl_pending(out.get())), '\0');
  require(BIO_read(out.get(), pem.data(), static_cast<int>(pem.size())) == static_cast<int>(pem.size()), "write a key");
  return pem;
}

// Never asks for a passphrase: the default would read from the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

std::shared_ptr<EVP_PKEY> parse_key(BytesView pem) {
  const BioPtr in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  require(in != nullptr, "read a key");
  std::shared_ptr<EVP_PKEY> key(PEM_read_bio_PrivateKey(in.get(), nullptr, no_passphrase, nullptr), EVP_PKEY_free);
  ERR_clear_error();
  return key;
}

std::shared_ptr<X509> self_signed(EVP_PKEY* key) {
  std::shared_ptr<X509> x(X509_new(), X509_free);
  require(x != nullptr, "make a certificate");
  X509_NAME* name = X509_get_subject_name(x.get());
  const auto* text = reinterpret_cast<const unsigned char*>("starling");
  const bool filled = X509_set_version(x.get(), X509_VERSION_3) == 1 &&
                      ASN1_INTEGER_set(X509_get_serialNumber(x.get()), 1) == 1 &&
                      ASN1_TIME_set_string(X509_getm_notBefore(x.get()), "19700101000000Z") == 1 &&
                      ASN1_TIME_set_string(X509_getm_notAfter(x.get()), "99991231235959Z") == 1 &&
                      X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0) == 1 &&
                      X509_set_issuer_name(x.get(), name) == 1 && X509_set_pubkey(x.get(), key) == 1;
  require(filled && X509_sign(x.get(), key, nullptr) > 0, "sign a certificate");
  return x;
}

int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size, const unsigned char* offered,
                    unsigned offered_size, void*) {
  unsigned char* out = nullptr;
  const int found = SSL_select_next_proto(&out, chosen_size, kAlpn.data(), kAlpn.size(), offered, offered_size);
  *chosen = out;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

bool is_refusal(int reason) {
  switch (reason) {
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED: return true;
    default: return false;
  }
}

}  // namespace

Expected<TlsIdentity> TlsIdentity::load(const std::filesystem::path& key_file) {
  Expected<std::optional<Bytes>> pem = read_key_file(key_file);
  if (pem && !*pem) {
    const Expected<bool> created = create_key_file(key_file, new_key_pem());
    if (!created) return created.error();
    pem = read_key_file(key_file);  // ours, or that of another process that was faster
  }
  if (!pem) return pem.error();
  TlsIdentity identity;
  identity.key_ = *pem ? parse_key(**pem) : nullptr;
  const std::optional<DeviceId> device = device_of_key(identity.key_.get());
  if (!device) {
    return Error{Errc::corrupt, "this is not an Ed25519 private key in PEM form", key_file.string(),
                 "restore it from a backup, or remove it to become a new device"};
  }
  identity.device_ = *device;
  identity.certificate_ = self_signed(identity.key_.get());
  return identity;
}

asio::ssl::context TlsIdentity::context(TlsRole role) const {
  const bool server = role == TlsRole::server;
  asio::ssl::context context(server ? asio::ssl::context::tls_server : asio::ssl::context::tls_client);
  SSL_CTX* raw = context.native_handle();
  const bool limited = SSL_CTX_set_min_proto_version(raw, TLS1_3_VERSION) == 1 &&
                       SSL_CTX_set_max_proto_version(raw, TLS1_3_VERSION) == 1 && SSL_CTX_set_num_tickets(raw, 0) == 1;
  require(limited, "limit TLS to version 1.3");
  SSL_CTX_set_options(raw, SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_max_cert_list(raw, kCertificateMax);
  const bool ours =
      SSL_CTX_use_certificate(raw, certificate_.get()) == 1 && SSL_CTX_use_PrivateKey(raw, key_.get()) == 1;
  require(ours, "use this device's key");
  if (server) {
    SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
  } else {
    require(SSL_CTX_set_alpn_protos(raw, kAlpn.data(), kAlpn.size()) == 0, "set the protocol");
  }
  return context;
}

std::optional<DeviceId> device_of(const X509* certificate) {
  return certificate != nullptr ? device_of_key(X509_get0_pubkey(certificate)) : std::nullopt;
}

void admit_only(TlsStream& stream, Admits admits, std::shared_ptr<std::optional<DeviceId>> seen) {
  stream.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
  stream.set_verify_callback([admits = std::move(admits), seen = std::move(seen)](bool, asio::ssl::verify_context& v) {
    X509_STORE_CTX* store = v.native_handle();
    const bool leaf = X509_STORE_CTX_get_error_depth(store) == 0;
    const std::optional<DeviceId> device = leaf ? device_of(X509_STORE_CTX_get_current_cert(store)) : std::nullopt;
    if (device) *seen = device;
    if (device && admits(*device)) return true;
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
    return false;
  });
}

Expected<DeviceId> authenticated_peer(TlsStream& stream) {
  const unsigned char* protocol = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(stream.native_handle(), &protocol, &size);
  if (size != kAlpn.front() || !std::equal(protocol, protocol + size, kAlpn.begin() + 1)) {
    return Error{Errc::corrupt, "the peer does not speak starling/1", "", "run the same version on both devices"};
  }
  const std::unique_ptr<X509, decltype(&X509_free)> shown(SSL_get1_peer_certificate(stream.native_handle()), X509_free);
  const std::optional<DeviceId> device = device_of(shown.get());
  if (!device) return Error{Errc::not_member, "the peer showed no Ed25519 key", "", ""};
  return *device;
}

Error explain(const asio::error_code& error) {
  if (error == asio::error::eof || error == asio::ssl::error::stream_truncated) {
    return {Errc::unreachable, "the peer closed the connection", "", ""};
  }
  if (error.category() != asio::error::get_ssl_category()) return {Errc::unreachable, error.message(), "", ""};
  const int reason = ERR_GET_REASON(static_cast<unsigned long>(error.value()));
  if (is_refusal(reason)) {
    return {Errc::not_member, "the peer refuses this device", "", "add this device's id to the peers over there; if it was removed from the workspace, admit it again first"};
  }
  if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    return {Errc::not_member, "the device at the other end is not a peer", "", "check its id, or add it as a peer"};
  }
  return {Errc::unreachable, "TLS: " + error.message(), "", ""};
}

}  // namespace starling
