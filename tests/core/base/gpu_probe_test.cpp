// The machines a user may sit at, each as a folder with what its kernel shows and a libcuda that answers as its driver does.
#include "core/base/gpu_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <map>

#include "tests/support/test_support.h"

namespace mofo {
namespace {

namespace fs = std::filesystem;
using State = GpuFinding::State;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kH100 = "9.0:85520809984:NVIDIA H100 80GB HBM3";
constexpr const char* kT4 = "7.5:15835660288:Tesla T4";

/// One machine: its /sys, /proc and /dev, its libcuda, and how that answers.
class Machine {
public:
    Machine() {
        fs::permissions(m_root.path(),
                        fs::perms::owner_all | fs::perms::group_exec | fs::perms::group_read | fs::perms::others_exec | fs::perms::others_read);
        put("proc/cpuinfo", "processor\t: 0\nmodel name\t: Imaginary CPU 9000\n");
        // A test run where a real card is hidden on purpose must not look hidden here.
        unsetenv("CUDA_VISIBLE_DEVICES");
    }
    ~Machine() {
        for (const char* name : {"FAKE_CUDA_INIT", "FAKE_CUDA_VERSION", "FAKE_CUDA_DEVICES", "CUDA_VISIBLE_DEVICES"}) unsetenv(name);
    }

    Machine& put(const std::string& path, std::string_view text) {
        const fs::path full = m_root / path;
        fs::create_directories(full.parent_path());
        test::writeFile(full, text);
        return *this;
    }
    Machine& card(const std::string& address = "0000:01:00.0") {
        return put("sys/bus/pci/devices/" + address + "/vendor", "0x10de\n").put("sys/bus/pci/devices/" + address + "/class", "0x030200\n");
    }
    Machine& driver(const std::string& version) { return card().put("sys/module/nvidia/version", version + '\n'); }
    Machine& nodes() {
        for (const char* name : {"dev/nvidiactl", "dev/nvidia0", "dev/nvidia-uvm"}) {
            put(name, "");
            fs::permissions(m_root / name, static_cast<fs::perms>(0666));
        }
        return *this;
    }
    /// libcuda.so.1 as a link to libcuda.so.VERSION, as the driver's package installs it.
    Machine& library(const std::string& version) {
        fs::create_directories(m_root / "lib");
        fs::copy_file(MOFO_FAKE_LIBCUDA, m_root / ("lib/libcuda.so." + version));
        fs::create_symlink("libcuda.so." + version, m_root / "lib/libcuda.so.1");
        return *this;
    }
    Machine& answers(const char* name, const std::string& value) {
        setenv(name, value.c_str(), 1);
        return *this;
    }

    [[nodiscard]] GpuProbeOptions options() const {
        GpuProbeOptions options;
        options.root = m_root.path();
        options.libcuda = (m_root / "lib/libcuda.so.1").string();
        options.timeout = std::chrono::milliseconds(5000);
        return options;
    }
    [[nodiscard]] GpuFinding probe() const { return probeGpu(options()); }

private:
    test::TemporaryFolder m_root;
};

/// What every unusable GPU must lead to: a refusal for cuda, the CPU by name for auto.
void expectRefused(const GpuFinding& finding) {
    EXPECT_FALSE(finding.usable());
    EXPECT_THAT(finding.sentence(), HasSubstr("the CPU is used, Imaginary CPU 9000 ("));
    EXPECT_EQ(finding.sentence().find('\n'), std::string::npos);
    const auto automatic = chooseDevice("auto", finding);
    ASSERT_OK(automatic);
    EXPECT_EQ(*automatic, "cpu");
    for (const char* name : {"cuda", "cuda:0"}) {
        const auto chosen = chooseDevice(name, finding);
        ASSERT_FALSE(chosen.ok());
        EXPECT_EQ(chosen.error().code, ErrorCode::DeviceUnusable);
        EXPECT_EQ(chosen.error().exitCode(), 3);
        EXPECT_THAT(chosen.error().text(), HasSubstr(finding.problem));
    }
}

TEST(GpuProbe, MachineWithoutAnyGpuIsNoReasonToWarn) {
    const GpuFinding finding = Machine().probe();
    EXPECT_EQ(finding.state, State::NoGpu);
    EXPECT_FALSE(finding.worthWarning());
    EXPECT_THAT(finding.sentence(), HasSubstr("No NVIDIA GPU was found"));
    expectRefused(finding);
}

TEST(GpuProbe, CardOfAnotherMakerIsNoNvidiaGpu) {
    Machine machine;
    machine.put("sys/bus/pci/devices/0000:00:02.0/vendor", "0x8086\n").put("sys/bus/pci/devices/0000:00:02.0/class", "0x030000\n");
    // NVIDIA's network cards and audio functions carry the vendor id as well.
    machine.put("sys/bus/pci/devices/0000:01:00.1/vendor", "0x10de\n").put("sys/bus/pci/devices/0000:01:00.1/class", "0x040300\n");
    EXPECT_EQ(machine.probe().state, State::NoGpu);
}

TEST(GpuProbe, CardWithoutDriver) {
    Machine machine;
    machine.card("0000:65:00.0");
    const GpuFinding finding = machine.probe();
    EXPECT_EQ(finding.state, State::NoDriver);
    EXPECT_TRUE(finding.worthWarning());
    EXPECT_THAT(finding.sentence(), AllOf(HasSubstr("0000:65:00.0"), HasSubstr("580.65"), HasSubstr("install"), HasSubstr("535, is too old")));
    expectRefused(finding);
}

TEST(GpuProbe, Debians535IsTooOld) {
    Machine machine;
    machine.driver("535.183.01").nodes().library("535.183.01").answers("FAKE_CUDA_VERSION", "12020").answers("FAKE_CUDA_DEVICES", kH100);
    const GpuFinding finding = machine.probe();
    EXPECT_EQ(finding.state, State::DriverTooOld);
    EXPECT_EQ(finding.driverVersion, "535.183.01");
    EXPECT_THAT(finding.sentence(), AllOf(HasSubstr("535.183.01"), HasSubstr("NVIDIA H100"), HasSubstr("580.65 or newer"),
                                          HasSubstr("Debian's own driver, 535, is too old")));
    expectRefused(finding);
}

TEST(GpuProbe, Driver550IsTooOldEvenWithoutItsLibrary) {
    Machine machine;
    machine.driver("550.90.07").nodes();
    machine.put("proc/driver/nvidia/gpus/0000:01:00.0/information", "Model: \t\t NVIDIA GeForce RTX 4090\nIRQ:   \t\t 122\n");
    const GpuFinding finding = machine.probe();
    EXPECT_EQ(finding.state, State::DriverTooOld);
    EXPECT_THAT(finding.sentence(), AllOf(HasSubstr("550.90.07"), HasSubstr("NVIDIA GeForce RTX 4090"), HasSubstr("580.65")));
    expectRefused(finding);
}

TEST(GpuProbe, Driver580IsUsed) {
    Machine machine;
    machine.driver("580.65.06").nodes().library("580.65.06").answers("FAKE_CUDA_DEVICES", kH100);
    const GpuFinding finding = machine.probe();
    EXPECT_EQ(finding.state, State::Usable);
    EXPECT_FALSE(finding.worthWarning());
    ASSERT_EQ(finding.devices.size(), 1u);
    EXPECT_EQ(finding.devices[0].name, "NVIDIA H100 80GB HBM3");
    EXPECT_EQ(finding.devices[0].capability(), "9.0");
    EXPECT_EQ(finding.devices[0].memoryBytes, 85520809984u);
    EXPECT_EQ(finding.libraryVersion, "580.65.06");
    EXPECT_THAT(finding.sentence(), AllOf(HasSubstr("580.65.06"), HasSubstr("can be used"), Not(HasSubstr("CPU"))));
    EXPECT_EQ(*chooseDevice("auto", finding), "cuda:0");
    EXPECT_EQ(*chooseDevice("cuda", finding), "cuda:0");
    EXPECT_EQ(*chooseDevice("cpu", finding), "cpu");
    EXPECT_EQ(chooseDevice("cuda:1", finding).error().code, ErrorCode::DeviceUnusable);
}

TEST(GpuProbe, VersionsAreComparedAsNumbers) {
    const std::map<std::string, State> cases = {{"580.64.99", State::DriverTooOld},
                                                {"58.100", State::DriverTooOld},
                                                {"580.65", State::Usable},
                                                {"580.105.08", State::Usable},
                                                {"1000.1", State::Usable}};
    for (const auto& [version, state] : cases) {
        Machine machine;
        machine.driver(version).nodes().library(version).answers("FAKE_CUDA_DEVICES", kH100);
        EXPECT_EQ(machine.probe().state, state) << version;
    }
}

TEST(GpuProbe, OldCard) {
    Machine machine;
    machine.driver("580.95.05").nodes().library("580.95.05").answers("FAKE_CUDA_DEVICES", kT4);
    const GpuFinding finding = machine.probe();
    EXPECT_EQ(finding.state, State::CardTooOld);
    EXPECT_THAT(finding.sentence(), AllOf(HasSubstr("Tesla T4"), HasSubstr("7.5"), HasSubstr("8.0 or newer is needed"), HasSubstr("Ampere")));
    expectRefused(finding);
}

TEST(GpuProbe, Nouveau) {
    Machine machine;
    machine.card().put("sys/module/nouveau/refcnt", "1\n");
    const GpuFinding finding = machine.probe();
    EXPECT_EQ(finding.state, State::Nouveau);
    EXPECT_THAT(finding.sentence(), AllOf(HasSubstr("nouveau"), HasSubstr("580.65"), HasSubstr("install")));
    expectRefused(finding);
}

TEST(GpuProbe, ContainerWithoutDeviceFiles) {
    Machine machine;
    machine.driver("580.65.06");
    GpuFinding finding = machine.probe();
    EXPECT_EQ(finding.state, State::NoDeviceNodes);
    EXPECT_THAT(finding.sentence(), AllOf(HasSubstr("580.65.06"), HasSubstr("/dev/nvidia*"), HasSubstr("--gpus all")));
    expectRefused(finding);
    // The same with an image that brings a libcuda of its own.
    machine.library("580.65.06").answers("FAKE_CUDA_INIT", "100");
    finding = machine.probe();
    EXPECT_EQ(finding.state, State::NoDeviceNodes);
    expectRefused(finding);
}

TEST(GpuProbe, DriverWithoutItsLibrary) {
    Machine machine;
    machine.driver("580.65.06").nodes();
    const GpuFinding finding = machine.probe();
    EXPECT_EQ(finding.state, State::NoLibrary);
    EXPECT_THAT(finding.sentence(), AllOf(HasSubstr("libcuda.so.1"), HasSubstr("libcuda1")));
    expectRefused(finding);
}

TEST(GpuProbe, MismatchAfterAnUpdate) {
    Machine machine;
    machine.driver("580.65.06").nodes().library("580.82.07").answers("FAKE_CUDA_INIT", "803").answers("FAKE_CUDA_DEVICES", kH100);
    const GpuFinding finding = machine.probe();
    EXPECT_EQ(finding.state, State::VersionMismatch);
    EXPECT_THAT(finding.sentence(),
                AllOf(HasSubstr("580.65.06"), HasSubstr("580.82.07"), HasSubstr("CUDA_ERROR_SYSTEM_DRIVER_MISMATCH (803)"), HasSubstr("restart")));
    expectRefused(finding);
}

TEST(GpuProbe, UpdateFrom535AsksForTheRestartAndNotForADriver) {
    Machine machine;
    machine.driver("535.183.01").nodes().library("580.65.06").answers("FAKE_CUDA_INIT", "999");
    const GpuFinding finding = machine.probe();
    EXPECT_EQ(finding.state, State::VersionMismatch);
    EXPECT_THAT(finding.remedy, HasSubstr("restart"));
    expectRefused(finding);
}

TEST(GpuProbe, DeviceFilesOfAnotherGroup) {
    Machine machine;
    machine.driver("580.65.06").nodes().library("580.65.06").answers("FAKE_CUDA_INIT", "100").answers("FAKE_CUDA_DEVICES", kH100);
    const GpuProbeOptions options = machine.options();
    const bool root = geteuid() == 0;
    fs::permissions(options.root / "dev/nvidiactl", static_cast<fs::perms>(root ? 0660 : 0));
    if (root) {
        ASSERT_EQ(chown((options.root / "dev/nvidiactl").c_str(), 0, 44), 0);  // Debian's group video
    }
    // Nothing is forbidden to root: look as another user.
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        if (root && (setgid(65534) != 0 || setuid(65534) != 0)) _exit(2);
        const GpuFinding finding = probeGpu(options);
        const std::string text = std::string(gpuStateName(finding.state)) + '\n' + finding.sentence();
        _exit(write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : 1);
    }
    close(ends[1]);
    std::string text(4096, '\0');
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, read(ends[0], text.data(), text.size()))));
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    EXPECT_THAT(text, AllOf(HasSubstr("no_permission\n"), HasSubstr("may not open"), HasSubstr("nvidiactl (owner "), HasSubstr("the CPU is used")));
    if (root) {
        EXPECT_THAT(text, AllOf(HasSubstr("User nobody"), HasSubstr("owner root:video, mode 0660"), HasSubstr("add the user to the group video")));
    }
}

TEST(GpuProbe, TwoGpusAreEachNamed) {
    Machine machine;
    machine.driver("580.65.06").nodes().library("580.65.06").answers("FAKE_CUDA_DEVICES", std::string(kT4) + ';' + kH100);
    const GpuFinding finding = machine.probe();
    EXPECT_EQ(finding.state, State::Usable);
    EXPECT_TRUE(finding.worthWarning());
    EXPECT_THAT(finding.sentence(), AllOf(HasSubstr("cuda:0 Tesla T4 (compute capability 7.5) cannot be used"), HasSubstr("cuda:1 NVIDIA H100"),
                                          HasSubstr("can be used")));
    EXPECT_EQ(*chooseDevice("auto", finding), "cuda:1");
    EXPECT_EQ(*chooseDevice("cuda", finding), "cuda:1");
    EXPECT_EQ(*chooseDevice("cuda:1", finding), "cuda:1");
    const auto old = chooseDevice("cuda:0", finding);
    ASSERT_FALSE(old.ok());
    EXPECT_EQ(old.error().code, ErrorCode::DeviceUnusable);
    EXPECT_THAT(old.error().text(), AllOf(HasSubstr("Tesla T4"), HasSubstr("use cuda:1")));
}

TEST(GpuProbe, DriverThatHangsIsGivenUp) {
    Machine machine;
    machine.driver("580.65.06").nodes().library("580.65.06").answers("FAKE_CUDA_INIT", "hang");
    GpuProbeOptions options = machine.options();
    options.timeout = std::chrono::milliseconds(300);
    const auto start = std::chrono::steady_clock::now();
    const GpuFinding finding = probeGpu(options);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(3));
    EXPECT_EQ(finding.state, State::DriverFailed);
    EXPECT_THAT(finding.sentence(), HasSubstr("did not answer within"));
    expectRefused(finding);
}

TEST(GpuProbe, DriverThatCrashesTakesNothingDown) {
    Machine machine;
    machine.driver("580.65.06").nodes().library("580.65.06").answers("FAKE_CUDA_INIT", "crash");
    const GpuFinding finding = machine.probe();
    EXPECT_EQ(finding.state, State::DriverFailed);
    EXPECT_THAT(finding.sentence(), HasSubstr("crashed (Aborted)"));
    expectRefused(finding);
}

TEST(GpuProbe, OtherErrorsOfTheDriverAreNamed) {
    Machine machine;
    machine.driver("580.65.06").nodes().library("580.65.06").answers("FAKE_CUDA_INIT", "999");
    const GpuFinding finding = machine.probe();
    EXPECT_EQ(finding.state, State::DriverFailed);
    EXPECT_THAT(finding.sentence(), HasSubstr("answers cuInit with CUDA_ERROR_UNKNOWN (999)"));
    expectRefused(finding);
}

TEST(GpuProbe, CudaVisibleDevicesIsNamedWhereItHidesTheGpu) {
    Machine machine;
    machine.driver("580.65.06").nodes().library("580.65.06").answers("FAKE_CUDA_INIT", "100").answers("CUDA_VISIBLE_DEVICES", "");
    const GpuFinding finding = machine.probe();
    EXPECT_EQ(finding.state, State::Hidden);
    EXPECT_THAT(finding.sentence(), HasSubstr("CUDA_VISIBLE_DEVICES"));
    expectRefused(finding);
}

TEST(GpuProbe, SandboxThatHidesSysIsReadByProcAndByTheLibrary) {
    {
        Machine machine;
        machine.nodes().library("x").answers("FAKE_CUDA_DEVICES", kH100);
        machine.put("proc/driver/nvidia/version", "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12 19:39:15 UTC 2024\n");
        const GpuFinding finding = machine.probe();
        EXPECT_EQ(finding.state, State::DriverTooOld);
        EXPECT_EQ(finding.driverVersion, "535.183.01");
    }
    Machine machine;
    machine.nodes().library("x").answers("FAKE_CUDA_DEVICES", kH100).answers("FAKE_CUDA_VERSION", "12080");
    GpuFinding finding = machine.probe();
    EXPECT_EQ(finding.state, State::DriverTooOld);
    EXPECT_THAT(finding.sentence(), AllOf(HasSubstr("CUDA 12.8 only"), HasSubstr("580.65"), HasSubstr("CUDA 13.0")));
    expectRefused(finding);
    machine.answers("FAKE_CUDA_VERSION", "13000");
    finding = machine.probe();
    EXPECT_EQ(finding.state, State::Usable);
}

TEST(GpuProbe, NamesFromTheDriverAreShownHarmlessly) {
    Machine machine;
    machine.driver("580.65.06").nodes().library("580.65.06").answers("FAKE_CUDA_DEVICES", "8.6:1024:RTX\x1b[31m\n");
    const GpuFinding finding = machine.probe();
    ASSERT_EQ(finding.devices.size(), 1u);
    EXPECT_EQ(finding.devices[0].name, "RTX\\x1b[31m\\n");
}

TEST(GpuProbe, WrongDeviceNamesAreUsage) {
    const GpuFinding finding = Machine().probe();
    for (const char* name : {"", "gpu", "cuda:", "cuda:-1", "cuda:1x", "CPU", "cuda:99999999999"}) {
        const auto chosen = chooseDevice(name, finding);
        ASSERT_FALSE(chosen.ok()) << name;
        EXPECT_EQ(chosen.error().exitCode(), 2) << name;
    }
}

TEST(GpuProbe, TheEnvironmentReplacesRootAndLibrary) {
    setenv("MOFO_GPU_ROOT", "/nowhere", 1);
    setenv("MOFO_LIBCUDA", "/nowhere/libcuda.so.1", 1);
    setenv("MOFO_GPU_TIMEOUT_MS", "1234", 1);
    const GpuProbeOptions options = GpuProbeOptions::fromEnvironment();
    for (const char* name : {"MOFO_GPU_ROOT", "MOFO_LIBCUDA", "MOFO_GPU_TIMEOUT_MS"}) unsetenv(name);
    EXPECT_EQ(options.root, "/nowhere");
    EXPECT_EQ(options.libcuda, "/nowhere/libcuda.so.1");
    EXPECT_EQ(options.timeout.count(), 1234);
    EXPECT_EQ(probeGpu(options).state, State::NoGpu);
    EXPECT_EQ(GpuProbeOptions::fromEnvironment().root, "/");
}

}  // namespace
}  // namespace mofo
