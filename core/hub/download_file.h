// One file: from the Hub, from an address or from the user's cache, into ours. Private to core/hub.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/file.h"
#include "core/base/result.h"
#include "core/hub/hub_client.h"
#include "core/hub/listing.h"

namespace mofo {

/// Bytes of the file that are there now; `checking`: a part that was there is being read. False cancels.
using FileProgress = std::function<bool(std::uint64_t doneBytes, bool checking)>;

/// Bytes of `file`.part that a download goes on from; 0 where there is none or it is too long.
[[nodiscard]] std::uint64_t sizeOfPart(const std::filesystem::path& file, std::uint64_t sizeBytes);

using OnHead = std::function<Result<void>(const HttpHead&)>;
using OnBytes = std::function<Result<void>(std::string_view)>;

/// A file that is to come, what is known of it, and who gives it.
struct ByteSource {
    HubFile file;                            ///< name (to be shown) and hashes
    std::optional<std::uint64_t> sizeBytes;  ///< nothing: what the answer says, at most 4 GiB
    std::string listed = "the Hub lists";    ///< who says so, in errors
    bool keepsPart = true;                   ///< a part of an earlier call is gone on with; only where a hash then says whether they fit
    int retries = 0;
    std::function<Result<void>(std::uint64_t firstByte, const OnHead&, const OnBytes&)> read;  ///< as HubClient::read
    std::function<Result<void>(int attempt)> backOff;
    /// Where the size was not known: once it is, before the first byte. An error ends the download.
    std::function<Result<void>(std::uint64_t sizeBytes, std::uint64_t doneBytes)> onSize;
};

/// Downloads into `target` by way of target.part: goes on from a part that is there, compares the hash, syncs, renames. A wrong hash removes the part
/// (tag HASH); a broken connection is tried again, and the part stays.
Result<void> downloadBytes(const ByteSource& source, const std::filesystem::path& target, const FileProgress& progress);

/// A file of the Hub into folder/name: as downloadBytes.
Result<void> downloadFile(HubClient& client, const std::string& commit, const HubFile& file, const std::filesystem::path& folder,
                          const FileProgress& progress);

/// The same from a file of the user's cache. InvalidInput (HASH) where that is not what the Hub lists.
Result<void> copyFile(const std::filesystem::path& source, const HubFile& file, const std::filesystem::path& folder, const FileProgress& progress);

/// The lock of a commit's folder, whose folder is made; waits for whoever has it.
Result<FileLock> waitForDownload(const std::filesystem::path& lockFile, const std::function<bool()>& goOn);

}  // namespace mofo
