#include "core/base/assert.h"
#include "core/base/expected.h"

#include <doctest/doctest.h>

#include <memory>
#include <set>

using namespace starling;

namespace {

const Error kError{Errc::busy, "the folder is locked", "/data", "stop the other program"};

Expected<std::unique_ptr<int>> boxed(bool well) {
  if (!well) return kError;
  return std::make_unique<int>(42);
}

}  // namespace

TEST_CASE("Expected: holds a value or the error, and says which") {
  const Expected<int> good = 42;
  CHECK(good.has_value());
  CHECK(good);
  CHECK(*good == 42);
  CHECK(good.value() == 42);

  const Expected<int> bad = kError;
  CHECK_FALSE(bad.has_value());
  CHECK_FALSE(bad);
  CHECK(bad.error().code == Errc::busy);
  CHECK(bad.error().where == "/data");
}

TEST_CASE("Expected: a value that can only move is moved out") {
  const std::unique_ptr<int> out = boxed(true).value();
  CHECK(*out == 42);
  const std::unique_ptr<int> also = *boxed(true);
  CHECK(*also == 42);
  Expected<std::unique_ptr<int>> kept = boxed(true);
  **kept = 43;
  CHECK(*kept.value() == 43);
  CHECK(kept->get() == kept.value().get());
  CHECK(boxed(false).error().what == "the folder is locked");
}

TEST_CASE("Expected: taking what is not there is a bug, never a wild read") {
  Expected<int> good = 1;
  Expected<int> bad = kError;
  CHECK_THROWS_AS((void)good.error(), InvariantBroken);
  CHECK_THROWS_AS((void)bad.value(), InvariantBroken);
  CHECK_THROWS_AS((void)*bad, InvariantBroken);
  CHECK_THROWS_AS((void)Expected<int>(kError).value(), InvariantBroken);
}

TEST_CASE("Expected<void>: is well unless given an error") {
  const Expected<void> good;
  CHECK(good);
  good.value();
  CHECK_THROWS_AS((void)good.error(), InvariantBroken);

  Expected<void> bad = kError;
  CHECK_FALSE(bad);
  CHECK(bad.error().what == "the folder is locked");
  CHECK_THROWS_AS(bad.value(), InvariantBroken);
  CHECK(std::move(bad).error().remedy == "stop the other program");
}

TEST_CASE("Error: its text is one line of place, cause and remedy, as far as they are known") {
  CHECK(kError.text() == "/data: the folder is locked; stop the other program");
  CHECK(Error{Errc::corrupt, "bad varint", "", ""}.text() == "bad varint");
  CHECK(Error{Errc::clock, "", "", ""}.text() == "clock");
}

TEST_CASE("Errc: every code has a text of its own") {
  std::set<std::string> texts;
  const int last = static_cast<int>(Errc::internal);
  for (int code = 0; code <= last; ++code) texts.insert(to_string(static_cast<Errc>(code)));
  CHECK(texts.size() == static_cast<std::size_t>(last) + 1);
  CHECK(texts.count("unknown") == 0);
}

TEST_CASE("ASSERT: names the condition and the place") {
  try {
    ASSERT(1 + 1 == 3);
    FAIL("must throw");
  } catch (const InvariantBroken& broken) {
    const std::string text = broken.what();
    CHECK(text.find("1 + 1 == 3") != std::string::npos);
    CHECK(text.find("expected_test.cpp:") != std::string::npos);
  }
}
