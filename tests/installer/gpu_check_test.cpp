// `run gpu-check` with tests and a command line made of shell scripts, and a driver made of a small library.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/json.h"
#include "core/base/text.h"
#include "installer/gpu_check/report.h"
#include "tests/installer/fake_tools.h"

namespace mofo::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// GoogleTest's own report of one passed, one skipped and one failed test, its options' file name in $out.
constexpr const char* kFindOut = "for a in \"$@\"; do case $a in --gtest_output=json:*) out=${a#--gtest_output=json:} ;; esac; done\n";
constexpr const char* kPassed = R"({"tests": 2, "failures": 0, "testsuites": [{"name": "Step", "testsuite": [
    {"name": "Moves", "status": "RUN", "result": "COMPLETED"}, {"name": "NeedsTwoCards", "status": "RUN", "result": "SKIPPED"},
    {"name": "DISABLED_Later", "status": "NOTRUN", "result": "SUPPRESSED"}]}]})";
constexpr const char* kFailed = R"({"tests": 2, "failures": 1, "testsuites": [{"name": "Step", "testsuite": [
    {"name": "Moves", "status": "RUN", "result": "COMPLETED"},
    {"name": "Twin", "status": "RUN", "result": "COMPLETED", "failures": [{"failure": "a.cpp:7\nm differs", "type": ""}, {"failure": "v too"}]}]}]})";

class GpuCheck : public ::testing::Test {
protected:
    GpuCheck() {
        fs::create_directories(bundle() / "bin");
        fs::copy_file(fs::path(MOFO_SOURCE_DIR) / "installer/bundle/run", bundle() / "run");
        fs::copy_file(MOFO_GPU_CHECK, bundle() / "bin/mofo-gpu-check");
        writeFile(bundle() / "VERSION", "version 1.2.3\ncommit abc\nglibc 2.17\ntorch 2.11\n");
        makeFakeTorch(torch(), "2.11.0");
        makeFakeGpu(m_root / "gpu");
        setMofo(R"(printf '%s\n' "$*" >>"$FAKE_LOG"; [ "$MOFO_REQUIRE_GPU" = 1 ] || exit 9; printf '{"cases": [{"alpha": 0.15, "ms": 1.5}]}\n')");
    }

    [[nodiscard]] fs::path bundle() const { return m_root / "bundle"; }
    [[nodiscard]] fs::path torch() const { return m_root / "torch"; }
    [[nodiscard]] fs::path report() const { return m_root / "report.json"; }
    void setMofo(const std::string& script) const { makeProgram(bundle() / "bin/mofo", script + "\n"); }
    /// A test of the GPU that leaves this result, then does `then`.
    void addTest(const std::string& name, std::string_view result, const std::string& then, int seconds = 60) {
        makeProgram(bundle() / "bin" / name,
                    std::string(kFindOut) + (result.empty() ? "" : "cat >\"$out\" <<'END'\n" + std::string(result) + "\nEND\n") + then + "\n");
        m_programs += "gpu " + std::to_string(seconds) + ' ' + name + '\n';
    }
    Outcome check(const std::string& arguments = "", const std::string& environment = "") {
        writeFile(bundle() / "programs.txt", "program 0 mofo\ntest 60 test_never_started\n" + m_programs);
        return runShell("timeout 100 env MOFO_GPU_ROOT='" + (m_root / "gpu").string() +
                        "' MOFO_LIBCUDA='" MOFO_FAKE_LIBCUDA "' FAKE_CUDA_DEVICES='9.0:85899345920:NVIDIA H100' FAKE_LOG='" +
                        (m_root / "mofo.calls").string() + "' " + environment + " '" + (bundle() / "run").string() + "' --torch '" +
                        torch().string() + "' gpu-check --json '" + report().string() + "' " + arguments);
    }
    [[nodiscard]] Json read() const {
        const auto json = parseJson(readFile(report()));
        EXPECT_OK(json);
        return json.ok() ? *json : Json::object();
    }
    TemporaryFolder m_root;
    std::string m_programs;
};

TEST_F(GpuCheck, PassesWhereEverythingDidAndSaysWhereAndWhat) {
    addTest("test_kernels_gpu", kPassed, "[ \"$MOFO_REQUIRE_GPU\" = 1 ] && [ -n \"$MOFO_WORKSPACE\" ]");
    const Outcome outcome = check();
    EXPECT_EQ(outcome.exitCode, 0) << outcome.text;
    EXPECT_THAT(outcome.text, AllOf(HasSubstr("test_kernels_gpu: 1 passed, 0 failed, 1 skipped"), HasSubstr("All 5 parts passed.")));
    const Json json = read();
    EXPECT_EQ(json["verdict"], "passed");
    EXPECT_EQ(json["card"], "NVIDIA H100");
    EXPECT_EQ(json["driver"], "580.95.05");
    EXPECT_EQ(json["commit"], "abc");
    EXPECT_EQ(json["version"], "1.2.3");
    EXPECT_EQ(json["torch"], "2.11.0");
    EXPECT_THAT(json["glibc"].get<std::string>(), HasSubstr("2."));
    EXPECT_THAT(json["date"].get<std::string>(), ::testing::MatchesRegex("20[0-9-]+T[0-9:]+Z"));
    EXPECT_EQ(json["gpus"][0]["capability"], "9.0");
    EXPECT_EQ(json["gpus"][0]["memory_bytes"], 85899345920u);
    ASSERT_EQ(json["tests"].size(), 1u);
    EXPECT_EQ(json["tests"][0]["program"], "test_kernels_gpu");
    EXPECT_EQ(json["tests"][0]["passed"], 1);
    EXPECT_EQ(json["tests"][0]["failed"], 0);
    EXPECT_EQ(json["tests"][0]["skipped"], 1);
    ASSERT_EQ(json["benchmarks"].size(), 4u);
    for (const Json& benchmark : json["benchmarks"]) EXPECT_EQ(benchmark["result"]["cases"][0]["ms"], 1.5);
    const std::vector<std::string> calls = splitText(readFile(m_root / "mofo.calls"), '\n');
    ASSERT_EQ(calls.size(), 5u);
    const char* expected[] = {"fp32 --model random:smollm2", "bf16-pure --model random:smollm2", "fp32 --model random:llama-1b",
                              "bf16-pure --model random:llama-1b"};
    for (int i = 0; i < 4; ++i) {
        EXPECT_THAT(calls[i], StartsWith(std::string("bench optimizer --device cuda:0 --precision ") + expected[i] + " --json --seconds "));
    }
}

TEST_F(GpuCheck, FailsWithTheTextsOfWhatFailed) {
    addTest("test_a", kFailed, "exit 1");
    addTest("test_b", kPassed, "true");
    addTest("test_crash", "", "echo 'illegal memory access' >&2; kill -SEGV $$");
    addTest("test_mute", "", "true");
    addTest("test_empty", R"({"testsuites": []})", "true");
    addTest("test_dies_late", kPassed, "exit 3");
    m_programs += "gpu 60 test_missing\n";
    const Outcome outcome = check();
    EXPECT_EQ(outcome.exitCode, 1);
    EXPECT_THAT(outcome.text,
                AllOf(HasSubstr("test_a: 1 passed, 1 failed, 0 skipped"), HasSubstr("    failed: Step.Twin"), HasSubstr("6 of 11 parts failed.")));
    const Json json = read();
    EXPECT_EQ(json["verdict"], "failed");
    const Json& tests = json["tests"];
    ASSERT_EQ(tests.size(), 7u);
    EXPECT_EQ(tests[0]["failures"], Json::parse(R"([{"test": "Step.Twin", "text": "a.cpp:7\nm differs\nv too"}])"));
    EXPECT_FALSE(tests[0].contains("error"));
    EXPECT_FALSE(tests[1].contains("error"));
    EXPECT_EQ(tests[2]["error"], "ended by signal 11: illegal memory access");
    EXPECT_THAT(tests[3]["error"].get<std::string>(), HasSubstr("it left no result"));
    EXPECT_EQ(tests[4]["error"], "none of its tests ran");
    EXPECT_EQ(tests[5]["error"], "exit code 3") << "passed, but not well";
    EXPECT_THAT(tests[6]["error"].get<std::string>(), HasSubstr("test_missing"));
    EXPECT_EQ(json["benchmarks"].size(), 4u) << "the rest is run all the same";
}

TEST_F(GpuCheck, EveryPartHasATimeLimitAndTheWholeHasOne) {
    // It ignores the request to end, and so does what it started.
    addTest("test_hangs", "", "trap '' TERM; sleep 60", 1);
    const Outcome outcome = check();
    EXPECT_EQ(outcome.exitCode, 1);
    EXPECT_LT(outcome.seconds, 15);
    EXPECT_EQ(read()["tests"][0]["error"], "took longer than 1 s");

    m_programs.clear();
    addTest("test_short", kPassed, "true");
    setMofo("exec sleep 60");
    const Outcome slow = check("--seconds 10");
    EXPECT_EQ(slow.exitCode, 1);
    EXPECT_LT(slow.seconds, 20);
    const Json benchmarks = read()["benchmarks"];
    ASSERT_EQ(benchmarks.size(), 4u);
    EXPECT_THAT(benchmarks[0]["error"].get<std::string>(), HasSubstr("took longer than"));
    for (const Json& benchmark : benchmarks) EXPECT_LT(benchmark["seconds"].get<double>(), 8);
}

TEST_F(GpuCheck, BenchmarkThatRefusesOrPrintsSomethingElseIsAnError) {
    addTest("test_a", kPassed, "true");
    setMofo(
        R"(case "$*" in *bf16*smollm2*) echo 'mofo: no such precision' >&2; exit 2 ;; *fp32*llama*) echo 'not JSON' ;; *bf16*) echo '{"cases": []}' ;;
    *) echo '{"cases": [{"ms": 1}]}' ;; esac)");
    EXPECT_EQ(check().exitCode, 1);
    const Json json = read();
    EXPECT_FALSE(json["benchmarks"][0].contains("error"));
    EXPECT_EQ(json["benchmarks"][1]["error"], "exit code 2: mofo: no such precision");
    EXPECT_THAT(json["benchmarks"][2]["error"].get<std::string>(), HasSubstr("what it printed cannot be read"));
    EXPECT_THAT(json["benchmarks"][3]["error"].get<std::string>(), HasSubstr("at least one of \"cases\""));
    EXPECT_EQ(json["reason"], "3 of 5 parts failed.");
}

TEST_F(GpuCheck, WithoutAGpuItSaysSoAndStillWritesTheReport) {
    addTest("test_a", kPassed, "touch '" + (m_root / "started").string() + "'");
    const Outcome outcome = check("", "MOFO_GPU_ROOT=/nowhere MOFO_LIBCUDA=/nowhere/libcuda.so.1");
    EXPECT_EQ(outcome.exitCode, 1);
    EXPECT_THAT(outcome.text, HasSubstr("gpu-check: No NVIDIA GPU was found"));
    const Json json = read();
    EXPECT_EQ(json["verdict"], "no_gpu");
    EXPECT_THAT(json["reason"].get<std::string>(), HasSubstr("No NVIDIA GPU was found"));
    EXPECT_EQ(json["card"], "");
    EXPECT_TRUE(json["tests"].empty());
    EXPECT_FALSE(fs::exists(m_root / "started"));
}

TEST_F(GpuCheck, NothingToRunIsNoPass) {
    EXPECT_EQ(check().exitCode, 1);
    EXPECT_THAT(read()["reason"].get<std::string>(), HasSubstr("no tests of the GPU"));
    addTest("test_a", kPassed, "true");
    fs::remove(torch() / "lib/libtorch_cuda.so");
    EXPECT_EQ(check().exitCode, 1);
    EXPECT_THAT(read()["reason"].get<std::string>(), AllOf(HasSubstr("2.11.0"), HasSubstr("has no CUDA")));
}

TEST_F(GpuCheck, RefusesWrongUsageAndAReportThatCannotBeWritten) {
    addTest("test_a", kPassed, "true");
    for (const char* arguments : {"--seconds 5", "--seconds ten", "--jsn x", "--json"}) EXPECT_EQ(check(arguments).exitCode, 2) << arguments;
    const Outcome outcome = check("--json /nowhere/report.json");
    EXPECT_EQ(outcome.exitCode, 1);
    EXPECT_THAT(outcome.text, HasSubstr("/nowhere/report.json"));
    EXPECT_FALSE(fs::exists(m_root / "mofo.calls")) << "said before anything is run";
}

TEST(GpuCheckReport, BrokenListsAreNamedByLine) {
    const TemporaryFolder folder;
    writeFile(folder / "programs.txt", "gpu 60 test_a\n\ngpu 60 ../test_b\n");
    const auto programs = readBundlePrograms(folder.path());
    ASSERT_FALSE(programs.ok());
    EXPECT_THAT(programs.error().text(), HasSubstr("programs.txt:2"));
    writeFile(folder / "programs.txt", "gpu sixty test_a\n");
    EXPECT_FALSE(readBundlePrograms(folder.path()).ok());
    writeFile(folder / "VERSION", "version 1\nnothing\n");
    const auto version = readBundleVersion(folder.path());
    ASSERT_FALSE(version.ok());
    EXPECT_THAT(version.error().text(), HasSubstr("VERSION:2"));
    EXPECT_FALSE(summarizeGoogleTest("[]").ok());
    EXPECT_FALSE(summarizeGoogleTest("{\"testsuites\": [").ok());
}

}  // namespace
}  // namespace mofo::test
