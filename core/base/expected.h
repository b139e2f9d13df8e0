// Expected<T>: a value, or the Error that a user or a peer caused.
//
// Three error channels, each with one obvious path: ASSERT for bugs, Expected for what a peer or a user can cause,
// exceptions for a failing machine. An Error says what was wrong, where, and what to do about it; the code is for
// programs, the texts are for people. The interface follows std::expected (C++23), so that it can be swapped later.
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "core/base/invariant.h"

namespace starling {

enum class Errc {
  invalid_argument,   // a value outside its range, a malformed text or file
  schema,             // a table or a model that cannot be synchronised, or differs from the peer's
  not_owner,          // a write to a row that another device owns
  wrong_class,        // a device-owned change in commit_shared, or the other way round
  constraint,         // SQLite refused the statement (UNIQUE, NOT NULL, CHECK, syntax, …)
  forbidden,          // a statement that must not run inside a transaction of the engine
  too_large,          // a value, row, transaction or frame beyond limits.h
  corrupt,            // bytes that do not decode
  not_member,         // a device that is not a peer of this workspace
  wrong_workspace,    // the peer speaks for another workspace
  not_ready,          // try again later
  clock,              // clocks that differ too much
  identity_conflict,  // two histories under one origin
  busy,               // a bounded resource is taken
  unreachable,        // no connection, or it ended
  stopped,            // the node is stopping or has stopped
  internal,
};

[[nodiscard]] const char* to_string(Errc);

struct Error {
  Errc code = Errc::internal;
  std::string what;    // what was wrong
  std::string where;   // the file and line, table, field, peer or statement it concerns; may be empty
  std::string remedy;  // what to do about it; may be empty

  [[nodiscard]] std::string text() const;  // one line for people: "where: what; remedy"
};

template <class T>
class [[nodiscard]] Expected {
 public:
  using value_type = T;

  Expected(T value) : state_(std::in_place_index<0>, std::move(value)) {}    // NOLINT: as std::expected
  Expected(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: as std::unexpected

  [[nodiscard]] bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  [[nodiscard]] T& value() & { return checked(); }
  [[nodiscard]] const T& value() const& { return const_cast<Expected*>(this)->checked(); }
  [[nodiscard]] T&& value() && { return std::move(checked()); }
  T& operator*() & { return checked(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(checked()); }
  T* operator->() { return &checked(); }
  const T* operator->() const { return &value(); }

  [[nodiscard]] const Error& error() const& { return const_cast<Expected*>(this)->checked_error(); }
  [[nodiscard]] Error&& error() && { return std::move(checked_error()); }

 private:
  T& checked() {
    if (!has_value()) invariant_broken("this Expected holds a value", __FILE__, __LINE__);
    return *std::get_if<0>(&state_);
  }
  Error& checked_error() {
    if (has_value()) invariant_broken("this Expected holds an error", __FILE__, __LINE__);
    return *std::get_if<1>(&state_);
  }

  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Expected<void> {
 public:
  using value_type = void;

  Expected() = default;
  Expected(Error error) : failed_(true), error_(std::move(error)) {}  // NOLINT: as std::unexpected

  [[nodiscard]] bool has_value() const { return !failed_; }
  explicit operator bool() const { return has_value(); }
  void value() const { check(!failed_); }

  [[nodiscard]] const Error& error() const& {
    check(failed_);
    return error_;
  }
  [[nodiscard]] Error&& error() && {
    check(failed_);
    return std::move(error_);
  }

 private:
  static void check(bool good) {
    if (!good) invariant_broken("this Expected holds what is asked for", __FILE__, __LINE__);
  }

  bool failed_ = false;
  Error error_;
};

}  // namespace starling
