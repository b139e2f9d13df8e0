#include "tests/fuzz/target.h"

namespace starling::fuzz {
namespace {

template <std::size_t kKind>
Target message(const char* name) {
  return {name, [](BytesView bytes) { check_message(kKind, bytes); }, [] { return message_seeds(kKind); }};
}

}  // namespace

std::span<const Target> targets() {
  static const Target all[] = {
      message<0>("hello"),
      message<1>("state_change"),
      message<2>("state_batch"),
      message<3>("state_request"),
      message<4>("state_response"),
      message<5>("shared_change"),
      message<6>("shared_change_batch"),
      message<7>("shared_change_request"),
      message<8>("shared_change_response"),
      message<9>("ack_shared_changes"),
      message<10>("heartbeat"),
      message<11>("error"),
      message<12>("entry_part"),
      message<13>("snapshot_request"),
      message<14>("snapshot_page"),
      message<15>("digest_request"),
      message<16>("digest_response"),
      {"frames", check_frames, frame_seeds},
      {"compressed", check_compressed, compressed_seeds},
      {"entry", check_entry, entry_seeds},
      {"digest_page", check_digest_page, digest_page_seeds},
      {"snapshot_head_and_page", check_snapshot_page, snapshot_page_seeds},
      {"state_page", check_state_page, state_page_seeds},
      {"vector", check_vector, vector_seeds},
  };
  return all;
}

}  // namespace starling::fuzz
