#include "proto/compress.h"

#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>

#include "core/base/assert.h"

namespace starling {
namespace {

constexpr int kLevel = 1;
constexpr std::size_t kStep = 2048;  // bytes whose distribution is compared with the block's

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

// One for each thread: a context is some hundred KiB, and holds nothing from one use to the next.
ZSTD_CCtx* compressor() {
  static thread_local const std::unique_ptr<ZSTD_CCtx, FreeContext> context(ZSTD_createCCtx());
  if (context == nullptr) throw std::bad_alloc();
  return context.get();
}

ZSTD_DCtx* decompressor() {
  static thread_local const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
  if (context == nullptr) throw std::bad_alloc();
  return context.get();
}

class Histogram {
 public:
  void add(BytesView bytes) {
    for (const char c : bytes) ++counts_[static_cast<std::uint8_t>(c)];
    total_ += static_cast<std::int64_t>(bytes.size());
  }
  void add(const Histogram& other) {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    total_ += other.total_;
  }
  // The shares of all bytes differ by more than 0.9 of the 2.0 that are possible.
  [[nodiscard]] bool is_unlike(const Histogram& other) const {
    std::int64_t difference = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      difference += std::abs(counts_[i] * other.total_ - other.counts_[i] * total_);
    }
    return 10 * difference > 9 * total_ * other.total_;
  }

 private:
  std::array<std::int64_t, 256> counts_{};
  std::int64_t total_ = 0;
};

// How many bytes at the front are of one kind.
std::size_t block_length(BytesView bytes) {
  Histogram block;
  block.add(bytes.substr(0, kStep));
  std::size_t length = std::min(kStep, bytes.size());
  while (length < bytes.size()) {
    Histogram next;
    next.add(bytes.substr(length, kStep));
    if (next.is_unlike(block)) break;
    block.add(next);
    length += std::min(kStep, bytes.size() - length);
  }
  return length;
}

}  // namespace

bool compress(BytesView bytes, Bytes& out) {
  const std::size_t before = out.size();
  ZSTD_CCtx* const context = compressor();
  ASSERT(!ZSTD_isError(ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters)));
  ASSERT(!ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, kLevel)));
  ASSERT(!ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(context, bytes.size())));
  out.resize(before + bytes.size());
  ZSTD_outBuffer to{out.data() + before, bytes.size(), 0};
  std::size_t left = 0;  // in zstd's hands after the last call: no room for it
  while (!bytes.empty() && left == 0) {
    const std::size_t length = block_length(bytes);
    ZSTD_inBuffer from{bytes.data(), length, 0};
    bytes.remove_prefix(length);
    left = ZSTD_compressStream2(context, &to, &from, bytes.empty() ? ZSTD_e_end : ZSTD_e_flush);
    if (ZSTD_isError(left)) throw std::bad_alloc();  // nothing else can fail here
  }
  const bool smaller = left == 0 && to.pos < to.size;
  out.resize(before + (smaller ? to.pos : 0));
  return smaller;
}

std::optional<std::size_t> decompressed_size(BytesView compressed) {
  const std::size_t frame = ZSTD_findFrameCompressedSize(compressed.data(), compressed.size());
  if (ZSTD_isError(frame) || frame != compressed.size()) return std::nullopt;
  const unsigned long long size = ZSTD_getFrameContentSize(compressed.data(), compressed.size());
  if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR) return std::nullopt;
  return static_cast<std::size_t>(size);
}

bool decompress(BytesView compressed, std::span<char> out) {
  const std::size_t n =
      ZSTD_decompressDCtx(decompressor(), out.data(), out.size(), compressed.data(), compressed.size());
  return !ZSTD_isError(n) && n == out.size();
}

}  // namespace starling
