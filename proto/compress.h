// Compression of payloads: zstd level 1, in blocks that end where the kind of bytes changes.
//
// zstd gives each block one Huffman table. Left to itself it makes blocks of 128 KiB, and the random bytes of keys then
// spoil the table for the text beside them; ending a block where one column ends and the next begins takes a tenth off
// a batch of rows (ADR 0004). Any zstd reads the result. The size is declared in front, so that a reader can refuse
// before it allocates.
#pragma once

#include <optional>
#include <span>

#include "core/base/bytes.h"

namespace starling {

// Appends the compressed bytes to `out`, unless they are not smaller: then `out` stays as it is. Gives whether.
[[nodiscard]] bool compress(BytesView bytes, Bytes& out);

// What the whole of `compressed` says that it decompresses to; nullopt: it says nothing, or is not one zstd frame.
[[nodiscard]] std::optional<std::size_t> decompressed_size(BytesView compressed);

// Fills all of `out`, which has the size declared. False: malformed.
[[nodiscard]] bool decompress(BytesView compressed, std::span<char> out);

}  // namespace starling
