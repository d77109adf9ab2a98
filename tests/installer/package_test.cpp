// The Debian package as its user meets it: made, installed into an empty root, and run from there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/base/text.h"
#include "tests/installer/fake_tools.h"
#include "tests/support/tiny_model.h"

namespace mofo::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Package : public ::testing::Test {
protected:
    void SetUp() override {
        for (const char* tool : {"cpack", "dpkg", "patchelf"}) {
            if (runShell(std::string("command -v ") + tool).exitCode != 0) GTEST_SKIP() << "there is no " << tool << " here";
        }
    }
    void make() {
        const Outcome made =
            runShell("cd '" + m_folder.path().string() + "' && timeout 300 cpack --config '" MOFO_BUILD_DIR "/CPackConfig.cmake' -B '" +
                     m_folder.path().string() + "/pack' && rm -rf pack/_CPack_Packages");
        ASSERT_EQ(made.exitCode, 0) << made.text;
        for (const auto& entry : fs::directory_iterator(m_folder / "pack")) {
            if (entry.path().extension() == ".deb") m_file = entry.path();
        }
        ASSERT_FALSE(m_file.empty()) << made.text;
        for (const char* sub : {"var/lib/dpkg/info", "var/lib/dpkg/updates"}) fs::create_directories(root() / sub);
        const Outcome installed =
            runShell("touch '" + (root() / "var/lib/dpkg/status").string() + "' && timeout 200 dpkg --force-not-root,depends --root='" +
                     root().string() + "' --log=/dev/null -i '" + m_file.string() + "'");
        ASSERT_EQ(installed.exitCode, 0) << installed.text;
    }
    void saysWhatItIs();
    /// Every library that a program needs is in the package, or in one of Debian's that it depends on.
    void asksDebianForTheRest();
    void holdsNoPathOfTheMachineThatMadeIt();
    void runsFromWhereItIsInstalled();

    [[nodiscard]] fs::path root() const { return m_folder / "root"; }
    [[nodiscard]] Outcome installed(const std::string& command) const {
        return runShell("cd / && env QT_QPA_PLATFORM=offscreen MOFO_WORKSPACE='" + (m_folder / "workspace").string() + "' timeout 120 '" +
                        root().string() + "/usr/bin/'" + command);
    }
    [[nodiscard]] Outcome field(const char* name) const { return runShell("dpkg-deb -f '" + m_file.string() + "' " + name); }

    TemporaryFolder m_folder;
    fs::path m_file;
};

void Package::saysWhatItIs() {
    EXPECT_EQ(m_file.filename().string().rfind("mofo-workbench_", 0), 0u);
    EXPECT_THAT(field("Version").text, HasSubstr(MOFO_VERSION));
    EXPECT_THAT(field("Architecture").text, HasSubstr("amd64"));
    EXPECT_THAT(field("Depends").text, AllOf(HasSubstr("qt6-wayland"), HasSubstr("libqt6widgets6")));
    for (const char* path : {"usr/share/applications/mofo-workbench.desktop", "usr/share/icons/hicolor/scalable/apps/mofo-workbench.svg",
                             "usr/share/doc/mofo-workbench/copyright", "usr/share/doc/mofo-workbench/THIRD_PARTY_NOTICES.md"})
        EXPECT_TRUE(fs::exists(root() / path)) << path;
}

void Package::asksDebianForTheRest() {
    std::set<std::string> depends;
    for (std::string one : splitText(field("Depends").text, ',')) depends.insert(splitText(std::string(trimText(one)), ' ').front());
    std::set<std::string> brought;
    for (const auto& entry : fs::recursive_directory_iterator(root() / "usr/lib/mofo-workbench")) brought.insert(entry.path().filename().string());
    for (const char* program : {"mofo", "mofo-engine", "mofo-workbench", "torch/lib/libtorch_cpu.so", "torch/lib/libc10.so"}) {
        const fs::path file = root() / "usr/lib/mofo-workbench" / program;
        ASSERT_TRUE(fs::exists(file)) << file;
        const Outcome needs = runShell("LC_ALL=C readelf -d '" + file.string() + "' | sed -n 's/.*(NEEDED).*\\[\\(.*\\)\\]/\\1/p'");
        for (const std::string& library : splitText(needs.text, '\n')) {
            if (library.empty() || brought.contains(library) || library.starts_with("ld-linux")) continue;
            const Outcome owner = runShell("dpkg -S '*/x86_64-linux-gnu/" + library + "' | head -n 1 | cut -d: -f1");
            EXPECT_TRUE(depends.contains(std::string(trimText(owner.text)))) << program << " needs " << library << " of " << owner.text;
        }
    }
}

void Package::holdsNoPathOfTheMachineThatMadeIt() {
    const Outcome paths =
        runShell("for f in '" + root().string() + "'/usr/lib/mofo-workbench/mofo*; do LC_ALL=C readelf -d \"$f\" | grep -E 'RPATH|RUNPATH'; done");
    EXPECT_THAT(paths.text, AllOf(HasSubstr("$ORIGIN/torch/lib"), Not(HasSubstr(".cache")), Not(HasSubstr(MOFO_BUILD_DIR))));
}

void Package::runsFromWhereItIsInstalled() {
    const Outcome doctor = installed("mofo doctor --json");
    EXPECT_EQ(doctor.exitCode, 0) << doctor.text;
    EXPECT_THAT(doctor.text, HasSubstr("2.11.0")) << "the engine, asked for its LibTorch";
    writeTinyModel(m_folder / "model");
    writeTinyData(m_folder / "data.jsonl", 12);
    const Outcome trained = installed("mofo train --foreground --model '" + (m_folder / "model").string() + "' --data '" +
                                      (m_folder / "data.jsonl").string() + "' --set steps=3 --set batch=4 --name packed");
    EXPECT_EQ(trained.exitCode, 0) << trained.text;
    EXPECT_THAT(trained.text, HasSubstr("finished after 3 steps"));
    std::error_code none;
    const fs::path picture = m_folder / "window.png";
    const Outcome window = installed("mofo-workbench --run packed --screenshot '" + picture.string() + "'");
    EXPECT_EQ(window.exitCode, 0) << window.text;
    EXPECT_GT(fs::file_size(picture, none), 10'000u);
}

// One test, since making the package takes longest.
TEST_F(Package, IsMadeInstalledIntoAnEmptyRootAndRunsThere) {
    make();
    if (HasFatalFailure()) return;
    saysWhatItIs();
    asksDebianForTheRest();
    holdsNoPathOfTheMachineThatMadeIt();
    runsFromWhereItIsInstalled();
}

}  // namespace
}  // namespace mofo::test
