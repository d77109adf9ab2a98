// What a program did to the files below a folder, in order: written by record_writes.cpp, read by crash_states_test.cpp. Plain bytes, native order.
#pragma once

#include <cstdint>

namespace mofo::test {

enum class WriteOp : std::uint32_t { Create, Write, Truncate, Sync, Rename, Unlink, MakeFolder, RemoveFolder };

/// Followed by path, second path (rename's target) and data.
struct WriteRecord {
    WriteOp op;
    std::uint32_t pathLength, secondLength;
    std::uint32_t dataLength;
    std::int64_t offset;  ///< of a write; the new size of a truncation
};

}  // namespace mofo::test
