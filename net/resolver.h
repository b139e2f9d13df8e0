// Names to addresses, without waiting for the name server.
//
// Asio's own resolver joins its thread when the loop ends, and that thread may sit in getaddrinfo() for half a minute,
// which no call can interrupt: a node could not stop in time. So each lookup has a thread of its own that nobody waits
// for: abandon() makes every pending lookup give nothing at once, and the thread finds that out when it returns.
// Numeric addresses need no thread. At most one lookup for each dialer. Network thread only.
#pragma once

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "net/address.h"
#include "net/awaiting.h"

namespace starling {

struct Resolved {
  std::vector<asio::ip::tcp::endpoint> endpoints;
  std::string error;  // set: there are none
};

class Resolver {
 public:
  explicit Resolver(asio::io_context& io) : io_(io) {}

  [[nodiscard]] asio::awaitable<Resolved> resolve(Address);
  void abandon();

 private:
  struct Lookup;

  static void start(const std::shared_ptr<Lookup>&, Address);

  asio::io_context& io_;
  std::set<std::shared_ptr<Lookup>> pending_;
  bool abandoned_ = false;
};

// The same, waiting: for an address to listen on. An empty host is every address of the machine.
[[nodiscard]] Resolved resolve_now(const Address&);

}  // namespace starling
