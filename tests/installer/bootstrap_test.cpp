// installer/bootstrap on machines made of stand-ins: what it does, what it leaves alone, and how it fails.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "core/base/text.h"
#include "tests/installer/fake_tools.h"

namespace mofo::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// Exactly one line says why it failed, and it is the last one.
void expectOneSentence(const Outcome& outcome, int exitCode, const std::string& part) {
    EXPECT_EQ(outcome.exitCode, exitCode) << outcome.text;
    std::vector<std::string> lines = splitText(std::string(trimText(outcome.text)), '\n');
    std::size_t said = 0;
    for (const std::string& line : lines) said += line.starts_with("bootstrap: ") ? 1 : 0;
    EXPECT_EQ(said, 1u) << outcome.text;
    EXPECT_TRUE(lines.back().starts_with("bootstrap: ")) << outcome.text;
    EXPECT_THAT(lines.back(), HasSubstr(part));
}

TEST(Bootstrap, FromNothingAndThenNothingTwice) {
    FakeMachine machine;
    const Outcome first = machine.bootstrap("build --no-cuda");
    ASSERT_EQ(first.exitCode, 0) << first.text;
    EXPECT_THAT(first.text, AllOf(HasSubstr("Debian packages"), HasSubstr("1.3 GB"), HasSubstr("LibTorch 2.11.0 (544 MB"),
                                  HasSubstr("SmolLM2-135M-Instruct (93 MB)")));
    // ninja-build was there; g++ had only left its settings behind.
    const auto apt = machine.calls("apt-get");
    ASSERT_FALSE(apt.empty());
    EXPECT_THAT(apt.back(), AllOf(HasSubstr(" g++ "), HasSubstr("qt6-base-dev"), HasSubstr("--no-install-recommends"), Not(HasSubstr("ninja-build")),
                                  Not(HasSubstr("xvfb"))));
    const auto pip = machine.calls("python");
    EXPECT_THAT(pip,
                Contains(AllOf(HasSubstr("--require-hashes"), HasSubstr("--no-deps"), HasSubstr("--only-binary=:all:"), HasSubstr("libtorch.txt"))));
    EXPECT_THAT(pip, Not(Contains(HasSubstr("cuda.txt"))));
    EXPECT_EQ(fs::file_size(machine.cache() / "models/SmolLM2-135M-Instruct.Q4_1.gguf"), 98362432u);
    EXPECT_EQ(fs::file_size(machine.cache() / "data/gsm8k-test.jsonl"), 748933u);
    EXPECT_TRUE(fs::exists(machine.cache() / "libtorch-2.11.0/torch/lib/libtorch_cpu.so"));
    EXPECT_TRUE(fs::exists(machine.cache() / "libtorch-2.11.0/nvidia/cu13/lib/libcupti.so.13"));
    EXPECT_TRUE(fs::exists(machine.cache() / "libtorch-2.11.0/torch-2.11.0.dist-info/licenses/LICENSE"));
    EXPECT_FALSE(fs::exists(machine.cache() / "libtorch-2.11.0/torch/lib/libtorch_python.so"));
    EXPECT_FALSE(fs::exists(machine.cache() / "libtorch-2.11.0/torch/cuda"));
    EXPECT_EQ(machine.leftovers(), 0u);
    for (const char* name : {"mofo", "mofo-engine", "mofo-workbench"}) EXPECT_TRUE(fs::exists(machine.project() / "build/bin" / name)) << name;

    machine.withPackages().clearCalls();
    const Outcome second = machine.bootstrap("build --no-cuda");
    EXPECT_EQ(second.exitCode, 0) << second.text;
    EXPECT_THAT(machine.calls("apt-get"), IsEmpty());
    EXPECT_THAT(machine.calls("python"), IsEmpty());
    EXPECT_THAT(second.text, AllOf(Not(HasSubstr("Fetching")), Not(HasSubstr("Configuring")), Not(HasSubstr("Building")), HasSubstr("Ready in")));
    EXPECT_LT(second.seconds, 2.0);
}

TEST(Bootstrap, NoGuiLeavesQtOut) {
    FakeMachine machine;
    const Outcome outcome = machine.bootstrap("build --no-gui --no-cuda");
    ASSERT_EQ(outcome.exitCode, 0) << outcome.text;
    EXPECT_THAT(machine.calls("apt-get"), Not(Contains(HasSubstr("qt6"))));
    EXPECT_THAT(machine.calls("apt-get"), Not(Contains(HasSubstr("qcustomplot"))));
    EXPECT_FALSE(fs::exists(machine.project() / "build/bin/mofo-workbench"));
    EXPECT_THAT(readFile(machine.project() / "build/CMakeCache.txt"), HasSubstr("MOFO_WITH_GUI:UNINITIALIZED=OFF"));
}

TEST(Bootstrap, TestEndsWithCtestsClosingLines) {
    FakeMachine machine;
    const Outcome outcome = machine.withPackages().bootstrap("test --no-cuda");
    EXPECT_EQ(outcome.exitCode, 0) << outcome.text;
    const std::string tail = outcome.text.substr(outcome.text.find("tests passed"));
    EXPECT_THAT(outcome.text, HasSubstr("100% tests passed, 0 tests failed out of 1"));
    EXPECT_THAT(tail, Not(HasSubstr("==>")));
    writeFile(machine.project() / "CMakeLists.txt",
              readFile(machine.project() / "CMakeLists.txt") + "add_test(NAME small.fails COMMAND ${CMAKE_COMMAND} -E false)\n");
    const Outcome failing = machine.bootstrap("test --no-cuda");
    EXPECT_EQ(failing.exitCode, 8) << "ctest's own exit code";
    EXPECT_THAT(failing.text, AllOf(HasSubstr("1 tests failed out of 2"), Not(HasSubstr("bootstrap: "))));
}

TEST(Bootstrap, DemoIsHandedThePrograms) {
    FakeMachine machine;
    const Outcome outcome = machine.withPackages().bootstrap("demo --no-cuda");
    EXPECT_EQ(outcome.exitCode, 0) << outcome.text;
    EXPECT_THAT(outcome.text, HasSubstr("demo with " + (machine.project() / "build/bin").string()));
}

TEST(Bootstrap, WrongUsageIsExitCodeTwo) {
    const FakeMachine machine;
    EXPECT_EQ(machine.bootstrap("--help").exitCode, 0);
    EXPECT_THAT(machine.bootstrap("--help").text,
                AllOf(HasSubstr("demo"), HasSubstr("bundle"), HasSubstr("--torch DIR"), HasSubstr("--no-gui"), HasSubstr("--jobs N")));
    for (const char* arguments : {"", "tset", "build test", "bundle test", "build --jobs", "build --jobs 0", "build --jobs two", "build --nogui"}) {
        EXPECT_EQ(machine.bootstrap(arguments).exitCode, 2) << arguments;
    }
    EXPECT_THAT(machine.calls("apt-get"), IsEmpty());
}

TEST(Bootstrap, WithoutNetworkForPackages) {
    FakeMachine machine;
    expectOneSentence(machine.set("FAKE_APT", "offline").bootstrap("build --no-cuda"), 1, "check the network");
    EXPECT_THAT(machine.calls("python"), IsEmpty());
}

TEST(Bootstrap, WithoutNetworkForWheels) {
    FakeMachine machine;
    machine.withPackages().set("FAKE_PIP", "offline");
    expectOneSentence(machine.bootstrap("build --no-cuda"), 1, "cannot be reached; check the network");
    EXPECT_EQ(machine.leftovers(), 0u);
    EXPECT_FALSE(fs::exists(machine.cache() / "libtorch-2.11.0"));
    // It goes on from where it was.
    EXPECT_EQ(machine.set("FAKE_PIP", "").bootstrap("build --no-cuda").exitCode, 0);
}

TEST(Bootstrap, WheelsThatAreNotThePublishedOnesAreRefused) {
    FakeMachine machine;
    machine.withPackages().set("FAKE_PIP", "hash");
    expectOneSentence(machine.bootstrap("build --no-cuda"), 1, "SHA-256");
}

TEST(Bootstrap, BrokenWheelLeavesNothingHalfUnpacked) {
    FakeMachine machine;
    machine.withPackages().set("FAKE_PIP", "broken");
    expectOneSentence(machine.bootstrap("build --no-cuda"), 1, "Could not unpack");
    EXPECT_FALSE(fs::exists(machine.cache() / "libtorch-2.11.0"));
    EXPECT_EQ(machine.leftovers(), 0u);
    EXPECT_TRUE(fs::exists(machine.cache() / "data/gsm8k-test.jsonl")) << "what was complete before stays";
}

TEST(Bootstrap, OldPackageListsAreReadAnew) {
    FakeMachine machine;
    const Outcome outcome = machine.set("FAKE_APT", "stale").bootstrap("build --no-cuda");
    EXPECT_EQ(outcome.exitCode, 0) << outcome.text;
}

TEST(Bootstrap, PackagesThatDoNotInstall) {
    FakeMachine machine;
    expectOneSentence(machine.set("FAKE_APT", "broken").bootstrap("build --no-cuda"), 1, "Sub-process dpkg returned an error code");
}

TEST(Bootstrap, TooLittleDiskSpaceIsSaidBeforeAnythingIsDone) {
    FakeMachine machine;
    expectOneSentence(machine.set("FAKE_FREE", "1000000000").bootstrap("build --no-cuda"), 1, "1.0 GB are free");
    for (const std::string& call : machine.calls("apt-get")) EXPECT_THAT(call, HasSubstr("--assume-no")) << "a question, never an act";
    EXPECT_THAT(machine.calls("python"), IsEmpty());
}

TEST(Bootstrap, SudoIsUsedWhereThereIsNoRoot) {
    FakeMachine machine;
    const Outcome outcome = machine.set("FAKE_UID", "1000").bootstrap("build --no-cuda");
    EXPECT_EQ(outcome.exitCode, 0) << outcome.text;
    EXPECT_THAT(machine.calls("sudo"), Contains(HasSubstr("apt-get")));
}

TEST(Bootstrap, SudoThatRefusesIsOneSentenceWithTheCommandForAnAdministrator) {
    FakeMachine machine;
    const Outcome outcome = machine.set("FAKE_UID", "1000").set("FAKE_SUDO", "refuses").bootstrap("build --no-cuda");
    expectOneSentence(outcome, 1, "apt-get install g++");
    // Nothing to install, no need of root.
    EXPECT_EQ(machine.withPackages().bootstrap("build --no-cuda").exitCode, 0);
}

TEST(Bootstrap, GivenTorchIsCheckedAndNotFetched) {
    FakeMachine machine;
    machine.withPackages();
    expectOneSentence(machine.bootstrap("build --no-cuda --torch /nowhere"), 1, "there is no folder /nowhere");
    const fs::path given = machine.folder() / "site-packages";
    fs::create_directories(given);
    expectOneSentence(machine.bootstrap("build --no-cuda --torch '" + given.string() + "'"), 1, "has no lib/libtorch_cpu.so");
    makeFakeTorch(given / "torch", "2.7.1");
    expectOneSentence(machine.bootstrap("build --no-cuda --torch '" + given.string() + "'"), 1, "holds LibTorch 2.7.1, and 2.11 is needed");
    makeFakeTorch(given / "torch", "2.11.0");
    const Outcome outcome = machine.bootstrap("build --no-cuda --torch '" + given.string() + "'");
    EXPECT_EQ(outcome.exitCode, 0) << outcome.text;
    EXPECT_THAT(machine.calls("python"), Not(Contains(HasSubstr("libtorch.txt"))));
    EXPECT_THAT(readFile(machine.project() / "build/CMakeCache.txt"), HasSubstr((given / "torch").string()));
}

TEST(Bootstrap, InterruptedFetchIsCleanedUp) {
    FakeMachine machine;
    machine.withPackages().set("FAKE_PIP", "slow");
    const fs::path output = machine.folder() / "output";
    const std::string command = "exec " + machine.commandLine("build --no-cuda") + " >'" + output.string() + "' 2>&1 </dev/null";
    const pid_t child = fork();
    if (child == 0) {
        // A terminal's Ctrl-C reaches all of a process group.
        setpgid(0, 0);
        execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
        _exit(127);
    }
    for (int i = 0; i < 400 && !fs::exists(machine.folder() / "log/slow"); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(25));
    EXPECT_TRUE(fs::exists(machine.folder() / "log/slow"));
    EXPECT_EQ(machine.leftovers(), 1u);
    kill(-child, SIGINT);
    int status = 0;
    waitpid(child, &status, 0);
    const std::string text = readFile(output);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 130) << status << '\n' << text;
    EXPECT_THAT(text, HasSubstr("Interrupted; what is complete stays"));
    EXPECT_EQ(machine.leftovers(), 0u);
}

TEST(Bootstrap, GpuThatCannotBeUsedIsSaidAndNothingOfCudaIsFetched) {
    FakeMachine machine;
    const fs::path root = machine.folder() / "old-driver";
    fs::create_directories(root / "sys/module/nvidia");
    writeFile(root / "sys/module/nvidia/version", "535.183.01\n");
    const Outcome outcome = machine.withPackages().set("MOFO_GPU_ROOT", root.string()).bootstrap("build");
    EXPECT_EQ(outcome.exitCode, 0) << outcome.text;
    EXPECT_THAT(outcome.text, AllOf(HasSubstr("NVIDIA driver 535.183.01 is loaded"), HasSubstr("580.65"),
                                    HasSubstr("Debian's own driver, 535, is too old"), HasSubstr("the CPU is used, ")));
    EXPECT_THAT(machine.calls("python"), Not(Contains(HasSubstr("cuda.txt"))));
    EXPECT_THAT(readFile(machine.project() / "build/CMakeCache.txt"), HasSubstr("MOFO_WITH_CUDA:UNINITIALIZED=OFF"));
}

TEST(Bootstrap, GpuThatCanBeUsedBringsCudasLibrariesOnce) {
    FakeMachine machine;
    const fs::path root = machine.folder() / "gpu";
    makeFakeGpu(root);
    machine.withPackages()
        .set("MOFO_GPU_ROOT", root.string())
        .set("MOFO_LIBCUDA", MOFO_FAKE_LIBCUDA)
        .set("FAKE_CUDA_DEVICES", "8.9:25757220864:NVIDIA L4");
    const Outcome first = machine.bootstrap("build");
    EXPECT_EQ(first.exitCode, 0) << first.text;
    EXPECT_THAT(first.text, AllOf(HasSubstr("NVIDIA L4"), HasSubstr("can be used"), HasSubstr("CUDA 13.0's libraries for LibTorch (1.8 GB"),
                                  HasSubstr("CUDA 13.0's compiler (104 MB")));
    EXPECT_TRUE(fs::exists(machine.cache() / "libtorch-2.11.0/nvidia/cudnn/lib/libcudnn.so.9"));
    EXPECT_TRUE(fs::exists(machine.cache() / "libtorch-2.11.0/nvidia/cu13/lib/libcublas.so.13"));
    EXPECT_TRUE(fs::exists(machine.cache() / "libtorch-2.11.0/nvidia/cu13/lib/libcupti.so.13"));
    EXPECT_EQ(machine.leftovers(), 0u);
    EXPECT_THAT(readFile(machine.project() / "build/CMakeCache.txt"), HasSubstr("MOFO_WITH_CUDA:UNINITIALIZED=ON"));
    EXPECT_TRUE(fs::exists(machine.project() / "build/bin/mofo_cuda"));
    machine.clearCalls();
    EXPECT_EQ(machine.bootstrap("build").exitCode, 0);
    EXPECT_THAT(machine.calls("python"), IsEmpty());
}

TEST(Bootstrap, EveryWheelIsPinnedAndEveryPackageHasItsVersion) {
    const fs::path installer = fs::path(MOFO_SOURCE_DIR) / "installer";
    std::size_t wheels = 0;
    for (const auto& entry : fs::directory_iterator(installer / "wheels")) {
        for (const std::string& line : splitText(readFile(entry.path()), '\n')) {
            if (line.empty() || line[0] == '#') continue;
            ++wheels;
            EXPECT_THAT(line, ::testing::MatchesRegex("[a-z0-9-]+==[0-9a-z.]+ --hash=sha256:[0-9a-f]{64}")) << entry.path();
        }
    }
    EXPECT_GE(wheels, 5u);
    std::size_t packages = 0;
    for (const std::string& line : splitText(readFile(installer / "debian-packages.txt"), '\n')) {
        if (line.empty() || line[0] == '#') continue;
        ++packages;
        EXPECT_THAT(line, ::testing::MatchesRegex("(build|gui|test|bundle) +[a-z0-9+.-]+ +[0-9][^ ]*"));
    }
    EXPECT_GE(packages, 20u);
}

}  // namespace
}  // namespace mofo::test
