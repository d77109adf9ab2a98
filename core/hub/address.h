// Files by their own addresses, apart from the Hub: what a task's data are made of. No token is ever sent there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/hub/hub.h"
#include "core/hub/settings.h"

namespace mofo {

struct FileAddress {
    std::string url;                         ///< https, or http on this machine
    std::string sha256;                      ///< of what comes, or empty where nobody says
    std::optional<std::uint64_t> sizeBytes;  ///< of what comes, where it is known beforehand
};

/// Makes the file `made` of the downloaded ones, which it may move.
using MakeFile = std::function<Result<void>(const std::vector<std::filesystem::path>& files, const std::filesystem::path& made)>;

/// InvalidInput where it is no https address (http only of this machine), or has a user or password in it.
Result<void> checkFileAddress(const std::string& url);

/// Downloads the files, has `make` make the target of them (a name with the target's extension in a folder beside it), and renames that into place,
/// read-only. A gzip file is unpacked. Where the target is there already nothing is asked. A broken connection is taken up where it broke, by the
/// same command later too where a hash is known; without one the next call begins anew. One download per target at a time: others wait and find it.
/// Errors are one sentence: NotFound (no file there; offline), Permission, Busy (limited), Io (server, connection), InvalidInput (another hash; what
/// `make` says), OutOfSpace. settings.token and settings.endpoint count for nothing here.
Result<void> fetchAddresses(const HubSettings& settings, const std::vector<FileAddress>& files, const std::filesystem::path& target,
                            const MakeFile& make, const HubWatch& watch = {});

}  // namespace mofo
