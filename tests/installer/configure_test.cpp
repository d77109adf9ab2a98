// Machines that lack something optional: the project configures all the same, for what can be built there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "core/base/text.h"
#include "tests/installer/fake_tools.h"

namespace mofo::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

/// The system's programs without those of the CUDA toolkit.
fs::path programsWithoutToolkit(const TemporaryFolder& folder) {
    const fs::path programs = folder / "programs";
    fs::create_directories(programs);
    for (const char* place : {"/usr/bin", "/bin"}) {
        for (const auto& entry : fs::directory_iterator(place)) {
            const std::string name = entry.path().filename().string();
            std::error_code exists;
            if (!name.starts_with("nvcc") && !name.starts_with("cuda")) fs::create_symlink(entry.path(), programs / name, exists);
        }
    }
    return programs;
}

Outcome configure(const TemporaryFolder& folder, const std::string& options) {
    return runShell("env -u CUDACXX -u CUDA_PATH -u CUDA_HOME -u CUDAToolkit_ROOT PATH='" + programsWithoutToolkit(folder).string() +
                    "' timeout 280 cmake -S '" MOFO_SOURCE_DIR "' -B '" + (folder / "build").string() + "' -G Ninja -DCMAKE_BUILD_TYPE=Release " +
                    options);
}

TEST(Configure, WithoutACudaToolkitForTheCpu) {
    const char* torch = std::getenv("MOFO_TEST_TORCH_DIR");
    const TemporaryFolder folder;
    const Outcome outcome = configure(folder, torch != nullptr && *torch != '\0' ? "'-DMOFO_TORCH_DIR=" + std::string(torch) + "'" : std::string());
    ASSERT_EQ(outcome.exitCode, 0) << outcome.text;
    const std::string cache = readFile(folder / "build/CMakeCache.txt");
    EXPECT_THAT(cache, HasSubstr("MOFO_WITH_CUDA:BOOL=OFF"));
    EXPECT_THAT(cache, HasSubstr("MOFO_WITH_ENGINE:BOOL=ON"));
    EXPECT_THAT(cache, Not(HasSubstr("CMAKE_CUDA_COMPILER")));
    const std::string ninja = readFile(folder / "build/build.ninja");
    EXPECT_THAT(ninja, HasSubstr("libtorch_cpu.so"));
    EXPECT_THAT(ninja, Not(HasSubstr("libtorch_cuda.so")));
}

TEST(Configure, WithoutQtForAServer) {
    const char* torch = std::getenv("MOFO_TEST_TORCH_DIR");
    const TemporaryFolder folder;
    const Outcome outcome =
        configure(folder, "-DMOFO_WITH_GUI=OFF -DCMAKE_DISABLE_FIND_PACKAGE_Qt6=ON -DCMAKE_DISABLE_FIND_PACKAGE_QCustomPlotQt6=ON" +
                              (torch != nullptr && *torch != '\0' ? " '-DMOFO_TORCH_DIR=" + std::string(torch) + "'" : std::string()));
    ASSERT_EQ(outcome.exitCode, 0) << outcome.text;
    const std::string ninja = readFile(folder / "build/build.ninja");
    EXPECT_THAT(ninja, HasSubstr("bin/mofo-engine"));
    EXPECT_THAT(ninja, Not(HasSubstr("libQt6Core")));
}

TEST(Configure, WithoutLibTorchForAllButTheEngine) {
    const TemporaryFolder folder;
    const Outcome outcome = configure(folder, "-DMOFO_WITH_ENGINE=OFF -DMOFO_WITH_GUI=OFF -DMOFO_TORCH_DIR=/nowhere");
    ASSERT_EQ(outcome.exitCode, 0) << outcome.text;
    const std::string ninja = readFile(folder / "build/build.ninja");
    EXPECT_THAT(ninja, HasSubstr("bin/mofo"));
    EXPECT_THAT(ninja, Not(HasSubstr("bin/mofo-engine")));
    EXPECT_THAT(ninja, Not(HasSubstr("libtorch")));
}

TEST(Configure, MissingLibTorchSaysWhatToDo) {
    const TemporaryFolder folder;
    const Outcome outcome = configure(folder, "-DMOFO_WITH_GUI=OFF -DMOFO_TORCH_DIR=/nowhere");
    EXPECT_NE(outcome.exitCode, 0);
    EXPECT_THAT(outcome.text, HasSubstr("There is no LibTorch in /nowhere: run installer/bootstrap build, or set MOFO_TORCH_DIR"));
}

TEST(Configure, CudaWithoutACompilerSaysWhatToDo) {
    const TemporaryFolder folder;
    const Outcome outcome = configure(folder, "-DMOFO_WITH_ENGINE=OFF -DMOFO_WITH_GUI=OFF -DMOFO_WITH_CUDA=ON -DMOFO_CUDA_ROOT=/nowhere");
    EXPECT_NE(outcome.exitCode, 0);
    // CMake breaks lines where it likes.
    std::string text;
    for (const char c : outcome.text) {
        const bool blank = c == '\n' || c == ' ';
        if (!blank || (!text.empty() && text.back() != ' ')) text += blank ? ' ' : c;
    }
    EXPECT_THAT(text, HasSubstr("there is no nvcc of CUDA 13 (looked at /nowhere/bin/nvcc)"));
    EXPECT_THAT(text, HasSubstr("set MOFO_CUDA_ROOT to a toolkit's folder, or leave MOFO_WITH_CUDA off"));
}

TEST(Configure, CudaWithACompilerForEveryCardFromAmpereOn) {
    const Outcome found = runShell("readlink -f /usr/local/cuda");
    const fs::path toolkit = std::string(trimText(found.text));
    if (found.exitCode != 0 || runShell("'" + (toolkit / "bin/nvcc").string() + "' --version | grep 'release 13'").exitCode != 0) {
        GTEST_SKIP() << "/usr/local/cuda is no toolkit of CUDA 13";
    }
    const char* torch = std::getenv("MOFO_TEST_TORCH_DIR");
    const TemporaryFolder folder;
    const Outcome outcome =
        configure(folder, "-DMOFO_WITH_GUI=OFF -DMOFO_WITH_CUDA=ON -DMOFO_CUDA_ROOT='" + toolkit.string() + "'" +
                              (torch != nullptr && *torch != '\0' ? " '-DMOFO_TORCH_DIR=" + std::string(torch) + "'" : std::string()));
    ASSERT_EQ(outcome.exitCode, 0) << outcome.text;
    EXPECT_THAT(readFile(folder / "build/bundle-programs.txt"), HasSubstr("program 0 " + (folder / "build/bin/libmofo_cuda.so").string() + "\n"));
    EXPECT_THAT(readFile(folder / "build/bundle-version.txt"), HasSubstr("for 80-real,90,120\n"));
    const std::string ninja = readFile(folder / "build/build.ninja");
    EXPECT_THAT(ninja, HasSubstr("libtorch_cuda.so"));
    EXPECT_THAT(ninja, Not(HasSubstr("libcudart_static"))) << "kernels and LibTorch share one runtime";
}

}  // namespace
}  // namespace mofo::test
