// One file: from the Hub, or from the user's cache, into ours. Private to core/hub.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "core/base/file.h"
#include "core/base/result.h"
#include "core/hub/hub_client.h"
#include "core/hub/listing.h"

namespace mofo {

/// Bytes of the file that are there now; `checking`: a part that was there is being read. False cancels.
using FileProgress = std::function<bool(std::uint64_t doneBytes, bool checking)>;

/// Bytes of `file`.part that a download goes on from; 0 where there is none or it is too long.
[[nodiscard]] std::uint64_t sizeOfPart(const std::filesystem::path& file, std::uint64_t sizeBytes);

/// Downloads into folder/name by way of folder/name.part: goes on from a part that is there, compares the hash, syncs, renames. A wrong hash removes
/// the part (tag HASH); a broken connection is tried again and then keeps it.
Result<void> downloadFile(HubClient& client, const std::string& commit, const HubFile& file, const std::filesystem::path& folder,
                          const FileProgress& progress);

/// The same from a file of the user's cache. InvalidInput (HASH) where that is not what the Hub lists.
Result<void> copyFile(const std::filesystem::path& source, const HubFile& file, const std::filesystem::path& folder, const FileProgress& progress);

/// The lock of a commit's folder, whose folder is made; waits for whoever has it.
Result<FileLock> waitForDownload(const std::filesystem::path& lockFile, const std::function<bool()>& goOn);

}  // namespace mofo
