// How coroutines of net/ wait.
//
// Rules that keep GCC 12 from miscompiling them (it does so without a warning; a lint finds the shapes): co_await is a
// statement of its own or the right side of a named variable, never part of a condition; what is passed to it has a
// name. And rules of ours: a spawned coroutine is a named member function without reference parameters, held by
// [self]; its end goes to a handler that looks at the exception.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/experimental/as_tuple.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <exception>

namespace starling {

// co_await x(…, as_result) gives (error_code, …) and does not throw.
inline constexpr asio::experimental::as_tuple_t<asio::use_awaitable_t<>> as_result{asio::use_awaitable};

// A timer as a condition variable: never() and async_wait() wait, cancel() wakes. One waiter; what it waits for must
// be looked at before and after, on the network thread.
inline void never(asio::steady_timer& timer) { timer.expires_at(asio::steady_timer::time_point::max()); }

// What a coroutine of the network itself throws is a bug or a failing machine: it leaves the loop, which ends there.
inline void on_exit(const std::exception_ptr& thrown) {
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace starling
