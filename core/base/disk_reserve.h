// Room on a disk that is held back for the moment when it is full.
#pragma once

#include <cstdint>
#include <filesystem>

#include "core/base/result.h"

namespace mofo {

/// What the store holds back for a full disk: the journals of a few commands at a time, which are gone after each, and what they add.
constexpr std::uint64_t kStoreReserveBytes = 128 << 10;

/// A file of blocks that are really allocated, given up so that what must be said can still be written. Several processes may hold and release the
/// same one. Any thread.
class DiskReserve {
public:
    explicit DiskReserve(std::filesystem::path file) : m_file(std::move(file)) {}

    /// Makes it, or makes it larger, and syncs it; nothing to do where it is there. OutOfSpace where the disk does not have twice as much to spare:
    /// what was just freed is for others too.
    Result<void> hold(std::uint64_t bytes) const;
    /// Gives the room back; false where there was none.
    [[nodiscard]] bool release() const;
    [[nodiscard]] const std::filesystem::path& file() const { return m_file; }

private:
    std::filesystem::path m_file;
};

}  // namespace mofo
