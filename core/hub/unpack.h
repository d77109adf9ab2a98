// gzip. Private to core/hub.
#pragma once

#include <filesystem>
#include <functional>

#include "core/base/result.h"

namespace mofo {

/// Replaces a gzip file (RFC 1952, told by its first two bytes) by what is in it, at most 4 GiB; any other file stays as it is. InvalidInput (GZIP)
/// where it is damaged or cut off. `goOn` is asked for each piece; false ends with Interrupted.
Result<void> unpackGzip(const std::filesystem::path& file, const std::function<bool()>& goOn);

}  // namespace mofo
