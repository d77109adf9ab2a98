// installer/bootstrap on machines made of stand-ins: when the CUDA part is built, and what a bundle is made of.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "core/base/text.h"
#include "tests/installer/fake_tools.h"

namespace mofo::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// A machine whose GPU probe need not be compiled first.
class ProbedMachine : public FakeMachine {
public:
    ProbedMachine() {
        fs::create_directories(project() / "build/bootstrap");
        fs::copy_file(MOFO_GPU_PROBE, project() / "build/bootstrap/gpu-probe");
        withPackages();
    }
};

std::string settings(const FakeMachine& machine) { return readFile(machine.project() / "build/CMakeCache.txt"); }

/// A root folder with a toolkit of this release and no GPU.
fs::path makeToolkit(const FakeMachine& machine, const std::string& folder, const std::string& release) {
    const fs::path root = machine.folder() / "with-toolkit";
    makeProgram(root / "usr/local" / folder / "bin/nvcc", "echo 'Cuda compilation tools, release " + release + ", V" + release + ".88'\n");
    return root;
}

TEST(BootstrapCuda, ToolkitAtHandMeansTheCudaPartIsBuiltWithoutAGpu) {
    for (const char* folder : {"cuda", "cuda-13.0"}) {
        ProbedMachine machine;
        const fs::path root = makeToolkit(machine, folder, "13.0");
        const Outcome outcome = machine.set("MOFO_GPU_ROOT", root.string()).bootstrap("build");
        EXPECT_EQ(outcome.exitCode, 0) << outcome.text;
        EXPECT_THAT(settings(machine), AllOf(HasSubstr("MOFO_WITH_CUDA:UNINITIALIZED=ON"),
                                             HasSubstr("MOFO_CUDA_ROOT:UNINITIALIZED=" + (root / "usr/local" / folder).string())));
        EXPECT_THAT(machine.calls("python"), Not(Contains(HasSubstr("nvcc.txt"))));
        EXPECT_THAT(machine.calls("python"), Not(Contains(HasSubstr("cuda.txt"))));
    }
}

TEST(BootstrapCuda, WithoutCudaOrWithAnOldToolkitOnlyTheCpuPartIsBuilt) {
    ProbedMachine machine;
    machine.set("MOFO_GPU_ROOT", makeToolkit(machine, "cuda", "12.4").string());
    EXPECT_EQ(machine.bootstrap("build").exitCode, 0);
    EXPECT_THAT(settings(machine), HasSubstr("MOFO_WITH_CUDA:UNINITIALIZED=OFF"));
    makeToolkit(machine, "cuda-13.1", "13.1");
    EXPECT_EQ(machine.bootstrap("build").exitCode, 0);
    EXPECT_THAT(settings(machine), HasSubstr("MOFO_WITH_CUDA:UNINITIALIZED=ON"));
    EXPECT_EQ(machine.bootstrap("build --no-cuda").exitCode, 0);
    EXPECT_THAT(settings(machine), HasSubstr("MOFO_WITH_CUDA:UNINITIALIZED=OFF"));
}

TEST(BootstrapCuda, NamedToolkitIsTakenOrRefused) {
    ProbedMachine machine;
    const fs::path toolkit = makeToolkit(machine, "cuda", "13.0") / "usr/local/cuda";
    EXPECT_EQ(machine.set("MOFO_CUDA_ROOT", toolkit.string()).bootstrap("build").exitCode, 0);
    EXPECT_THAT(settings(machine), HasSubstr("MOFO_CUDA_ROOT:UNINITIALIZED=" + toolkit.string()));
    const Outcome refused = machine.set("MOFO_CUDA_ROOT", "/nowhere").bootstrap("build");
    EXPECT_EQ(refused.exitCode, 1);
    EXPECT_THAT(refused.text, HasSubstr("bootstrap: MOFO_CUDA_ROOT: there is no bin/nvcc of CUDA 13 in /nowhere"));
}

TEST(BootstrapCuda, LibTorchWithoutCudaLeavesTheCudaPartOut) {
    ProbedMachine machine;
    const fs::path torch = machine.folder() / "torch";
    makeFakeTorch(torch, "2.11.0", false);
    machine.set("MOFO_GPU_ROOT", makeToolkit(machine, "cuda", "13.0").string());
    const Outcome built = machine.bootstrap("build --torch '" + torch.string() + "'");
    EXPECT_EQ(built.exitCode, 0) << built.text;
    EXPECT_THAT(built.text, HasSubstr("has no CUDA: the CUDA part is left out"));
    EXPECT_THAT(settings(machine), HasSubstr("MOFO_WITH_CUDA:UNINITIALIZED=OFF"));
    const Outcome bundle = machine.bootstrap("bundle --torch '" + torch.string() + "'");
    EXPECT_EQ(bundle.exitCode, 1);
    EXPECT_THAT(bundle.text, HasSubstr("bootstrap: The LibTorch in " + torch.string() + " has no lib/libtorch_cuda.so, which a bundle needs"));
}

class BundleTest : public ::testing::Test {
protected:
    [[nodiscard]] fs::path folder() const { return m_machine.project() / "build/bundle"; }
    [[nodiscard]] fs::path archive() const { return m_machine.project() / "build/mofo-workbench-bundle.tar.gz"; }
    /// Hidden folders left in the build folder.
    [[nodiscard]] std::size_t leftovers() const {
        std::size_t count = 0;
        for (const auto& entry : fs::directory_iterator(m_machine.project() / "build")) {
            if (entry.path().filename().string().starts_with(".bundle-")) ++count;
        }
        return count;
    }
    ProbedMachine m_machine;
};

TEST_F(BundleTest, FetchesTheCompilerAndHoldsProgramsLibrariesAndLicences) {
    const Outcome outcome = m_machine.bootstrap("bundle");
    ASSERT_EQ(outcome.exitCode, 0) << outcome.text;
    EXPECT_THAT(outcome.text, HasSubstr("CUDA 13.0's compiler (104 MB to fetch, 271 MB unpacked)"));
    EXPECT_THAT(m_machine.calls("python"), Contains(HasSubstr("nvcc.txt")));
    EXPECT_THAT(m_machine.calls("python"), Not(Contains(HasSubstr("/cuda.txt")))) << "building needs none of the GPU's libraries";
    EXPECT_THAT(settings(m_machine), AllOf(HasSubstr("MOFO_WITH_CUDA:UNINITIALIZED=ON"), HasSubstr("MOFO_WITH_GUI:UNINITIALIZED=OFF"),
                                           HasSubstr("MOFO_CUDA_ROOT:UNINITIALIZED=" + (m_machine.cache() / "cuda-13.0/nvidia/cu13").string())));
    EXPECT_EQ(leftovers(), 0u);

    const TemporaryFolder elsewhere;
    const Outcome unpacked = runShell("tar -C '" + elsewhere.path().string() + "' -xf '" + archive().string() + "'");
    ASSERT_EQ(unpacked.exitCode, 0) << unpacked.text;
    const fs::path bundle = elsewhere / "mofo-workbench-bundle";
    for (const char* name :
         {"run", "VERSION", "programs.txt", "LICENSE", "NOTICE", "THIRD_PARTY_NOTICES.md", "bin/mofo", "bin/mofo_cuda", "lib/libcrypto.so.3"}) {
        EXPECT_TRUE(fs::exists(bundle / name)) << name;
    }
    EXPECT_EQ(readFile(bundle / "programs.txt"), "program 0 mofo\ngpu 90 mofo_cuda\n");
    EXPECT_THAT(readFile(bundle / "VERSION"), AllOf(HasSubstr("version 1.2.3\n"), HasSubstr("commit 0123456789abcdef0123456789abcdef01234567\n"),
                                                    HasSubstr("torch 2.11\n"), HasSubstr("glibc 2.")));
    EXPECT_LT(fs::file_size(bundle / "bin/mofo"), fs::file_size(m_machine.project() / "build/bin/mofo")) << "stripped";
    for (const auto& entry : fs::directory_iterator(bundle / "lib")) {
        EXPECT_THAT(entry.path().filename().string(), AllOf(Not(HasSubstr("libc.so")), Not(HasSubstr("libm.so")), Not(HasSubstr("libstdc++"))));
    }
    EXPECT_EQ(fs::exists(bundle / "licenses/libgtest-dev.txt"), fs::exists("/usr/share/doc/libgtest-dev/copyright"));
    EXPECT_THAT(m_machine.calls("patchelf"), AllOf(Each(HasSubstr("--set-rpath $ORIGIN/../lib ")), ::testing::SizeIs(2)));
    // It runs there, with the libraries it brought.
    makeFakeTorch(elsewhere / "torch", "2.11.0");
    const Outcome ran = runShell("'" + (bundle / "run").string() + "' --torch '" + (elsewhere / "torch").string() + "' mofo --gtest_list_tests");
    EXPECT_EQ(ran.exitCode, 0) << ran.text;
    EXPECT_THAT(ran.text, HasSubstr("BundleTest."));

    m_machine.clearCalls();
    const Outcome second = m_machine.set("FAKE_CHANGES", " M core/x.cpp").bootstrap("bundle");
    EXPECT_EQ(second.exitCode, 0) << second.text;
    EXPECT_THAT(m_machine.calls("python"), IsEmpty());
    EXPECT_THAT(readFile(folder() / "VERSION"), HasSubstr("01234567-changed\n"));
}

TEST_F(BundleTest, NeedsPatchelfAndNoQt) {
    EXPECT_EQ(m_machine.set("FAKE_PACKAGES", "").bootstrap("bundle --no-cuda").exitCode, 0);
    EXPECT_THAT(m_machine.calls("apt-get").back(), AllOf(HasSubstr("patchelf"), Not(HasSubstr("qt6")), Not(HasSubstr("xvfb"))));
    EXPECT_THAT(m_machine.calls("python"), Not(Contains(HasSubstr("nvcc.txt"))));
    EXPECT_THAT(settings(m_machine), HasSubstr("MOFO_WITH_CUDA:UNINITIALIZED=OFF"));
}

TEST_F(BundleTest, KeepsTheWindowOfTheBuildFolder) {
    EXPECT_EQ(m_machine.bootstrap("build --no-cuda").exitCode, 0);
    EXPECT_EQ(m_machine.bootstrap("bundle --no-cuda").exitCode, 0);
    EXPECT_THAT(settings(m_machine), HasSubstr("MOFO_WITH_GUI:UNINITIALIZED=ON"));
    EXPECT_FALSE(fs::exists(folder() / "bin/mofo-workbench"));
}

TEST_F(BundleTest, TooLargeAnArchiveIsRefusedByItsLargestFiles) {
    ASSERT_EQ(m_machine.bootstrap("bundle --no-cuda").exitCode, 0);
    ASSERT_TRUE(fs::exists(archive()));
    // Nothing that gzip can make smaller.
    std::mt19937_64 random(1);
    std::string bytes(42'000'000, '\0');
    for (std::size_t i = 0; i + 8 <= bytes.size(); i += 8) {
        const std::uint64_t word = random();
        std::memcpy(bytes.data() + i, &word, 8);
    }
    writeFile(m_machine.project() / "NOTICE", bytes);
    const Outcome outcome = m_machine.bootstrap("bundle --no-cuda");
    EXPECT_EQ(outcome.exitCode, 1);
    EXPECT_THAT(outcome.text,
                AllOf(HasSubstr("bootstrap: The bundle's archive has 4"), HasSubstr("40 MB is the most; its largest files: NOTICE (42.0 MB), ")));
    EXPECT_FALSE(fs::exists(archive())) << "an old one would be taken for this one";
    EXPECT_EQ(leftovers(), 0u);
}

TEST_F(BundleTest, ProgramThatIsMissingIsNamed) {
    const fs::path lists = m_machine.project() / "CMakeLists.txt";
    writeFile(lists, readFile(lists) + "file(APPEND \"${CMAKE_BINARY_DIR}/bundle-programs.txt\" \"test 60 /nowhere/test_gone\\n\")\n");
    const Outcome outcome = m_machine.bootstrap("bundle --no-cuda");
    EXPECT_EQ(outcome.exitCode, 1);
    EXPECT_THAT(outcome.text, HasSubstr("bootstrap: The bundle cannot be made: the build left no /nowhere/test_gone."));
    EXPECT_EQ(leftovers(), 0u);
    EXPECT_FALSE(fs::exists(folder()));
}

}  // namespace
}  // namespace mofo::test
