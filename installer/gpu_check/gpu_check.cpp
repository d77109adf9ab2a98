#include "installer/gpu_check/gpu_check.h"

#include <gnu/libc-version.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/gpu_probe.h"
#include "core/base/text.h"
#include "installer/gpu_check/child.h"
#include "installer/gpu_check/report.h"

namespace mofo {

namespace fs = std::filesystem;

namespace {

/// What the tests have to leave for each benchmark; and the share of its own time that a benchmark is told to measure for, the rest being for the
/// start of the engine and for the weights.
constexpr double kBenchmarkSeconds = 60;
constexpr double kMeasuringShare = 0.6;
constexpr int kLeastMeasuringSeconds = 5;
constexpr double kLeastSeconds = 1;
constexpr std::uint64_t kResultLimit = 64ull << 20;

struct Benchmark {
    const char* name;
    std::vector<std::string> arguments;  ///< of mofo
};

const std::vector<Benchmark>& benchmarks() {
    const auto optimizer = [](const char* precision, const char* model) {
        return std::vector<std::string>{"bench", "optimizer", "--device", "cuda:0", "--precision", precision, "--model", model, "--json"};
    };
    static const std::vector<Benchmark> all = {
        {"optimizer, fp32, random:smollm2", optimizer("fp32", "random:smollm2")},
        {"optimizer, bf16-pure, random:smollm2", optimizer("bf16-pure", "random:smollm2")},
        {"optimizer, fp32, random:llama-1b", optimizer("fp32", "random:llama-1b")},
        {"optimizer, bf16-pure, random:llama-1b", optimizer("bf16-pure", "random:llama-1b")},
    };
    return all;
}

std::string utcNow() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    gmtime_r(&now, &parts);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text;
}

/// A folder of the parts' own files, the workspace among them; gone with the object.
class ScratchFolder {
public:
    ScratchFolder() {
        std::error_code problem;
        std::string path = (fs::temp_directory_path(problem) / "mofo-gpu-check-XXXXXX").string();
        if (!problem && mkdtemp(path.data()) != nullptr) m_path = path;
    }
    ~ScratchFolder() {
        std::error_code ignored;
        if (!m_path.empty()) fs::remove_all(m_path, ignored);
    }
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;
    [[nodiscard]] const fs::path& path() const { return m_path; }

private:
    fs::path m_path;
};

class Check {
public:
    explicit Check(const GpuCheckOptions& options) : m_options(options) {}
    int run();

private:
    Result<void> describe();
    Result<void> write();
    /// Says `reason`, writes the report with it, returns the exit code.
    int finish(const char* verdict, const std::string& reason);
    /// Seconds that are left once `later` parts of kBenchmarkSeconds are set aside; at least kLeastSeconds as long as there is any time.
    [[nodiscard]] double secondsLeft(std::size_t later) const;
    Json runTest(const BundleProgram& program);
    /// With `later` others to come, which have as much time each.
    Json runBenchmark(const Benchmark& benchmark, std::size_t later);
    Result<void> add(const char* list, Json part);
    [[nodiscard]] std::map<std::string, std::string> environment() const {
        return {{"MOFO_REQUIRE_GPU", "1"}, {"MOFO_WORKSPACE", (m_scratch.path() / "workspace").string()}, {"TMPDIR", m_scratch.path().string()}};
    }

    const GpuCheckOptions& m_options;
    const Stopwatch m_watch;
    const ScratchFolder m_scratch;
    std::vector<BundleProgram> m_tests;
    GpuFinding m_finding;
    Json m_report;
    std::size_t m_failedParts = 0;
};

Result<void> Check::describe() {
    MOFO_TRY(const auto version, readBundleVersion(m_options.bundle));
    MOFO_TRY(const auto programs, readBundlePrograms(m_options.bundle));
    for (const BundleProgram& program : programs) {
        if (program.kind == "gpu") m_tests.push_back(program);
    }
    m_finding = probeGpu();
    Json gpus = Json::array();
    std::string card;
    for (const GpuDevice& device : m_finding.devices) {
        if (card.empty() && device.usable) card = device.name;
        gpus.push_back({{"index", device.index},
                        {"name", device.name},
                        {"capability", device.capability()},
                        {"memory_bytes", device.memoryBytes},
                        {"usable", device.usable}});
    }
    const auto named = [&](const char* key) {
        const auto found = version.find(key);
        return found != version.end() ? found->second : std::string();
    };
    m_report = {{"verdict", "unfinished"},
                {"reason", "it did not come to its end"},
                {"date", utcNow()},
                {"seconds", 0.0},
                {"commit", named("commit")},
                {"version", named("version")},
                {"card", card},
                {"driver", m_finding.driverVersion},
                {"cuda", m_finding.cudaVersion},
                {"glibc", gnu_get_libc_version()},
                {"torch", m_options.torchVersion},
                {"gpus", std::move(gpus)},
                {"tests", Json::array()},
                {"benchmarks", Json::array()}};
    return {};
}

Result<void> Check::write() {
    m_report["seconds"] = m_watch.elapsedMs() / 1000;
    return writeFileAtomic(m_options.output, m_report.dump(2, ' ', false, Json::error_handler_t::replace) + '\n', 0644);
}

int Check::finish(const char* verdict, const std::string& reason) {
    m_report["verdict"] = verdict;
    m_report["reason"] = reason;
    const auto written = write();
    std::printf("gpu-check: %s\n", reason.c_str());
    if (!written.ok()) {
        std::fprintf(stderr, "gpu-check: %s\n", written.error().text().c_str());
        return 1;
    }
    std::printf("The report is %s\n", m_options.output.c_str());
    return m_report["verdict"] == "passed" ? 0 : 1;
}

double Check::secondsLeft(std::size_t later) const {
    const double left = m_options.seconds - m_watch.elapsedMs() / 1000;
    if (left < kLeastSeconds) return 0;
    return std::max(kLeastSeconds, left - static_cast<double>(later) * kBenchmarkSeconds);
}

Json Check::runTest(const BundleProgram& program) {
    Json part = {{"program", program.name}, {"passed", 0}, {"failed", 0}, {"skipped", 0}, {"failures", Json::array()}, {"seconds", 0.0}};
    const double limit = std::min(program.seconds, secondsLeft(benchmarks().size()));
    if (limit <= 0) {
        part["error"] = "no time was left for it";
        return part;
    }
    const fs::path result = m_scratch.path() / (program.name + ".json");
    ChildCommand command{m_options.bundle / "bin" / program.name, {"--gtest_output=json:" + result.string()}, environment(), limit};
    const auto outcome = runChild(command);
    if (!outcome.ok()) {
        part["error"] = outcome.error().text();
        return part;
    }
    part["seconds"] = outcome->seconds;
    std::string problem = outcome->problem(limit);
    auto text = readWholeFile(result, kResultLimit);
    auto summary = text.ok() ? summarizeGoogleTest(*text) : Result<Json>(std::move(text).error());
    if (summary.ok()) {
        part.update(*summary);
        // An exit code of 1 says no more than the failures do.
        if (outcome->exitCode == 1 && part["failed"] != 0) problem.clear();
    } else if (problem.empty()) {
        problem = "it left no result: " + summary.error().text();
    }
    if (problem.empty() && part["failed"] == 0 && part["passed"] == 0) problem = "none of its tests ran";
    if (!problem.empty()) part["error"] = problem;
    return part;
}

Json Check::runBenchmark(const Benchmark& benchmark, std::size_t later) {
    const double limit = secondsLeft(0) / static_cast<double>(later + 1);
    std::vector<std::string> arguments = benchmark.arguments;
    arguments.insert(arguments.end(), {"--seconds", std::to_string(std::max(kLeastMeasuringSeconds, static_cast<int>(limit * kMeasuringShare)))});
    Json part = {{"name", benchmark.name}, {"arguments", arguments}, {"seconds", 0.0}};
    if (limit <= 0) {
        part["error"] = "no time was left for it";
        return part;
    }
    const auto outcome = runChild({m_options.bundle / "bin/mofo", arguments, environment(), limit});
    if (!outcome.ok()) {
        part["error"] = outcome.error().text();
        return part;
    }
    part["seconds"] = outcome->seconds;
    const std::string problem = outcome->problem(limit);
    auto result = readBenchmark(outcome->output);
    if (!problem.empty()) {
        part["error"] = problem;
    } else if (!result.ok()) {
        part["error"] = "what it printed cannot be read: " + result.error().text();
    }
    if (result.ok()) part["result"] = std::move(*result);
    return part;
}

Result<void> Check::add(const char* list, Json part) {
    const bool isTest = part.contains("program");
    const std::string name = isTest ? part["program"] : part["name"];
    std::string line = part.value("error", "");
    if (line.empty()) {
        line = isTest ? std::to_string(part["passed"].get<std::int64_t>()) + " passed, " + std::to_string(part["failed"].get<std::int64_t>()) +
                            " failed, " + std::to_string(part["skipped"].get<std::int64_t>()) + " skipped"
                      : std::to_string(part["result"]["cases"].size()) + " cases";
    }
    if (part.contains("error") || part.value("failed", 0) != 0) ++m_failedParts;
    std::printf("%s: %s (%s)\n", name.c_str(), line.c_str(), formatDuration(part["seconds"].get<double>()).c_str());
    if (isTest) {
        for (const Json& failure : part["failures"]) std::printf("    failed: %s\n", failure["test"].get_ref<const std::string&>().c_str());
    }
    std::fflush(stdout);
    m_report[list].push_back(std::move(part));
    return write();
}

int Check::run() {
    const auto fail = [](const Error& error) {
        std::fprintf(stderr, "gpu-check: %s\n", error.text().c_str());
        return 1;
    };
    if (const auto described = describe(); !described.ok()) return fail(described.error());
    // Before minutes are spent: can the report be written at all?
    if (const auto written = write(); !written.ok()) return fail(written.error());
    if (m_scratch.path().empty()) return finish("failed", "There is no folder for temporary files: set TMPDIR to one that can be written.");
    if (!m_finding.usable()) return finish("no_gpu", m_finding.sentence());
    std::printf("%s\n", m_finding.sentence().c_str());
    if (!fs::exists(m_options.torchFolder / "lib/libtorch_cuda.so")) {
        return finish("failed", "The LibTorch " + m_options.torchVersion + " in " + m_options.torchFolder.string() +
                                    " has no CUDA (lib/libtorch_cuda.so): name one with CUDA 13.0 by --torch.");
    }
    if (m_tests.empty()) return finish("failed", "This bundle has no tests of the GPU: it was built without CUDA.");

    for (const BundleProgram& test : m_tests) {
        if (const auto added = add("tests", runTest(test)); !added.ok()) return fail(added.error());
    }
    for (std::size_t i = 0; i < benchmarks().size(); ++i) {
        const std::size_t later = benchmarks().size() - i - 1;
        if (const auto added = add("benchmarks", runBenchmark(benchmarks()[i], later)); !added.ok()) return fail(added.error());
    }
    const std::size_t parts = m_tests.size() + benchmarks().size();
    if (m_failedParts != 0) return finish("failed", std::to_string(m_failedParts) + " of " + std::to_string(parts) + " parts failed.");
    return finish("passed", "All " + std::to_string(parts) + " parts passed.");
}

}  // namespace

int runGpuCheck(const GpuCheckOptions& options) { return Check(options).run(); }

}  // namespace mofo
