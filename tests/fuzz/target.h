// Fuzz targets: what is promised of one decoder for any bytes at all, as a function of the bytes.
//
// A target returns where the promise holds, and throws where it does not. libfuzzer.cpp hands it the bytes that
// libFuzzer invents, replay_test.cpp those that are kept in tests/fuzz/corpus. docs/testing.md says how to run both.
#pragma once

#include <span>
#include <vector>

#include "core/base/bytes.h"

namespace starling::fuzz {

struct Target {
  const char* name;
  void (*check)(BytesView);
  std::vector<Bytes> (*seeds)();  // good bytes to begin with
};

[[nodiscard]] std::span<const Target> targets();

void check_frames(BytesView stream);
void check_compressed(BytesView payload);
void check_entry(BytesView);
void check_digest_page(BytesView);
void check_snapshot_page(BytesView);
void check_state_page(BytesView);
void check_vector(BytesView);
[[nodiscard]] std::vector<Bytes> frame_seeds();
[[nodiscard]] std::vector<Bytes> compressed_seeds();
[[nodiscard]] std::vector<Bytes> entry_seeds();
[[nodiscard]] std::vector<Bytes> digest_page_seeds();
[[nodiscard]] std::vector<Bytes> snapshot_page_seeds();
[[nodiscard]] std::vector<Bytes> state_page_seeds();
[[nodiscard]] std::vector<Bytes> vector_seeds();

// `kind`: the index in the variant Message.
void check_message(std::size_t kind, BytesView);
[[nodiscard]] std::vector<Bytes> message_seeds(std::size_t kind);

}  // namespace starling::fuzz
