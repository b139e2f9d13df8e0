#include "net/resolver.h"

#include <doctest/doctest.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>

namespace starling {
namespace {

struct Question {
  Resolver& resolver;
  std::string answer;

  asio::awaitable<void> ask() {
    const Address nowhere{"name.invalid", 1};
    const Resolved resolved = co_await resolver.resolve(nowhere);
    answer = resolved.error;
  }
};

}  // namespace

// A dialler that was stopped between two addresses asked for the second one, and a slow name server held the stop up.
TEST_CASE("Resolver: what is asked after abandon() gives nothing at once") {
  asio::io_context io(1);
  Resolver resolver(io);
  Question question{resolver, ""};
  resolver.abandon();
  asio::co_spawn(io, question.ask(), asio::detached);
  io.run();
  CHECK(question.answer == "stopped");
}

}  // namespace starling
