#include "net/tls_identity.h"

#include <doctest/doctest.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>
#include <thread>

#include "core/base/sha256.h"
#include "net/key_file.h"
#include "tests/net/temp_folder.h"

using namespace starling;

namespace {

void put(const std::filesystem::path& path, const std::string& text, mode_t mode = 0600) {
  std::ofstream(path) << text;
  REQUIRE(::chmod(path.c_str(), mode) == 0);
}

std::string content(const std::filesystem::path& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

}  // namespace

TEST_CASE("the key is created once, private, and the id stays") {
  const TempFolder temp;
  const auto path = temp / "device.key";
  const Expected<TlsIdentity> first = TlsIdentity::load(path);
  REQUIRE(first);
  struct stat found {};
  REQUIRE(::stat(path.c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0600);
  CHECK(found.st_nlink == 1);  // nothing is left of the making
  const std::string key = content(path);

  const Expected<TlsIdentity> second = TlsIdentity::load(path);
  REQUIRE(second);
  CHECK(second->device() == first->device());
  CHECK(content(path) == key);
  CHECK(!first->device().is_zero());

  const Expected<TlsIdentity> other = TlsIdentity::load(temp / "other.key");
  REQUIRE(other);
  CHECK(other->device() != first->device());
}

TEST_CASE("the id is the first 16 bytes of SHA-256 over the raw public key") {
  const TempFolder temp;
  // RFC 8410, section 10.3: an example of an Ed25519 private key; its public key is 19bf44096984cdfe8541bac167dc3b96…
  put(temp / "device.key",
      "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
      "-----END PRIVATE KEY-----\n");
  Bytes raw;
  REQUIRE(from_hex("19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1", raw));
  const Expected<TlsIdentity> identity = TlsIdentity::load(temp / "device.key");
  REQUIRE(identity);
  CHECK(identity->device().view() == hash128(raw).view());
}

TEST_CASE("a key that others may read, that is a link, or that is none, is refused with a remedy") {
  const TempFolder temp;
  const auto path = temp / "device.key";
  REQUIRE(TlsIdentity::load(path));
  for (const mode_t mode : {0640U, 0604U, 0660U, 0611U}) {
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    const Expected<TlsIdentity> refused = TlsIdentity::load(path);
    REQUIRE(!refused);
    CHECK(refused.error().code == Errc::invalid_argument);
    CHECK(refused.error().remedy.find("chmod 600") == 0);
  }
  REQUIRE(::chmod(path.c_str(), 0600) == 0);
  CHECK(TlsIdentity::load(path));

  std::filesystem::create_symlink(path, temp / "link.key");
  CHECK(!TlsIdentity::load(temp / "link.key"));
  std::filesystem::create_directory(temp / "folder.key");
  CHECK(!TlsIdentity::load(temp / "folder.key"));
  put(temp / "empty.key", "");
  put(temp / "garbage.key", "not a key");
  put(temp / "large.key", std::string(100'000, 'x'));
  for (const char* name : {"empty.key", "garbage.key", "large.key"}) {
    const Expected<TlsIdentity> refused = TlsIdentity::load(temp / name);
    REQUIRE(!refused);
    CHECK(refused.error().code == Errc::corrupt);
  }
  CHECK(!TlsIdentity::load(temp / "missing" / "device.key"));
}

TEST_CASE("a key of another kind, or behind a passphrase, is refused without a question on the terminal") {
  const TempFolder temp;
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> ec(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> ed(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"),
                                                               EVP_PKEY_free);
  const auto write = [&](const char* name, EVP_PKEY* key, const EVP_CIPHER* cipher) {
    std::FILE* file = std::fopen((temp / name).c_str(), "w");
    unsigned char pass[] = "secret";
    REQUIRE(PEM_write_PrivateKey(file, key, cipher, cipher != nullptr ? pass : nullptr, 6, nullptr, nullptr) == 1);
    std::fclose(file);
    REQUIRE(::chmod((temp / name).c_str(), 0600) == 0);
  };
  write("ec.key", ec.get(), nullptr);
  write("locked.key", ed.get(), EVP_aes_256_cbc());
  CHECK(!TlsIdentity::load(temp / "ec.key"));
  CHECK(!TlsIdentity::load(temp / "locked.key"));
}

TEST_CASE("many that create the key at once agree on one") {
  for (int round = 0; round < 20; ++round) {
    const TempFolder temp;
    std::vector<DeviceId> ids(8);
    std::vector<std::thread> threads;
    for (DeviceId& id : ids) {
      threads.emplace_back([&id, path = temp / "device.key"] {
        const Expected<TlsIdentity> identity = TlsIdentity::load(path);
        if (identity) id = identity->device();
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const DeviceId& id : ids) CHECK(id == ids.front());
    CHECK(!ids.front().is_zero());
    const std::filesystem::directory_iterator files(temp.path());
    CHECK(std::distance(begin(files), end(files)) == 1);
  }
}

TEST_CASE("a key file is never replaced") {
  const TempFolder temp;
  const Expected<bool> first = create_key_file(temp / "k", "one");
  const Expected<bool> second = create_key_file(temp / "k", "two");
  REQUIRE(first);
  REQUIRE(second);
  CHECK(*first);
  CHECK(!*second);
  CHECK(content(temp / "k") == "one");
}
