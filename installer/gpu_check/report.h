// What `run gpu-check` reads: the bundle's lists and the results of its parts, as JSON for its report.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"

namespace mofo {

/// A line of the bundle's programs.txt.
struct BundleProgram {
    std::string kind;    ///< program, test, gpu or benchmark
    double seconds = 0;  ///< the limit of a test
    std::string name;    ///< in bin/
};

/// Reads BUNDLE/programs.txt: lines "KIND SECONDS NAME".
Result<std::vector<BundleProgram>> readBundlePrograms(const std::filesystem::path& bundle);
/// Reads BUNDLE/VERSION: lines "KEY VALUE".
Result<std::map<std::string, std::string>> readBundleVersion(const std::filesystem::path& bundle);

/// What GoogleTest wrote by --gtest_output=json as {"passed", "failed", "skipped", "failures": [{"test", "text"}]}.
Result<Json> summarizeGoogleTest(std::string_view text);
/// What `mofo bench ... --json` printed; refused where it is no object with at least one case.
Result<Json> readBenchmark(std::string_view text);

}  // namespace mofo
