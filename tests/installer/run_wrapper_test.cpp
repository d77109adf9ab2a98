// A bundle's `run`: where it finds LibTorch, what it refuses, what it hands on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/text.h"
#include "tests/installer/fake_tools.h"

namespace mofo::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class RunWrapper : public ::testing::Test {
protected:
    RunWrapper() {
        fs::create_directories(bundle());
        fs::copy_file(fs::path(MOFO_SOURCE_DIR) / "installer/bundle/run", bundle() / "run");
        writeFile(bundle() / "VERSION", "version 1.2.3\ncommit abc\nglibc 2.17\ntorch 2.11\n");
        makeProgram(
            bundle() / "bin/show",
            "printf 'paths %s\\nprograms %s\\n' \"$LD_LIBRARY_PATH\" \"$MOFO_BIN_DIR\"\nfor a in \"$@\"; do printf '<%s>\\n' \"$a\"; done\nexit 7\n");
        makeProgram(bundle() / "bin/libmofo_cuda.so", "");
        // A PATH without any Python.
        fs::create_directories(tools());
        for (const char* name : {"sh", "cat", "sed", "awk", "head", "uname", "getconf", "dirname", "readlink"}) {
            const Outcome found = runShell(std::string("command -v ") + name);
            fs::create_symlink(trimText(found.text), tools() / name);
        }
    }

    // Blanks in every name: nothing may fall apart.
    [[nodiscard]] fs::path bundle() const { return m_root / "a bundle"; }
    [[nodiscard]] fs::path tools() const { return m_root / "some tools"; }
    [[nodiscard]] fs::path folder(std::string_view name) const { return m_root / name; }
    [[nodiscard]] Outcome run(const std::string& arguments, const std::string& environment = "") const {
        return runShell("env -i HOME=/nowhere PATH='" + tools().string() + "' " + environment + " '" + (bundle() / "run").string() + "' " +
                        arguments);
    }
    /// A Python of this name in the PATH whose packages hold torch.
    void addPython(const std::string& name, const fs::path& packages) const {
        const Outcome found = runShell("command -v /usr/bin/python3 || command -v python3");
        makeProgram(tools() / name, "export PYTHONPATH='" + packages.string() + "'\nexec '" + std::string(trimText(found.text)) + "' -S \"$@\"\n");
    }
    static std::string quoted(const fs::path& path) { return "'" + path.string() + "'"; }

private:
    TemporaryFolder m_root;
};

void expectRefusal(const Outcome& outcome, int exitCode, const std::string& part) {
    EXPECT_EQ(outcome.exitCode, exitCode) << outcome.text;
    EXPECT_THAT(outcome.text, AllOf(StartsWith("run: "), HasSubstr(part)));
    EXPECT_EQ(splitText(std::string(trimText(outcome.text)), '\n').size(), 1u) << outcome.text;
}

TEST_F(RunWrapper, HandsOnLibrariesArgumentsAndExitCode) {
    const fs::path packages = folder("site packages");
    makeFakeTorch(packages / "torch", "2.11.0");
    fs::create_directories(packages / "nvidia/cu13/lib");
    fs::create_directories(packages / "nvidia/cudnn/lib");
    const Outcome outcome = run("--torch " + quoted(packages / "torch") + " show 'a b' --torch x", "LD_LIBRARY_PATH=/before");
    EXPECT_EQ(outcome.exitCode, 7);
    const std::string lib = packages.string();
    EXPECT_EQ(outcome.text, "paths " + (bundle() / "lib").string() + ':' + lib + "/torch/lib:" + lib + "/nvidia/cu13/lib:" + lib +
                                "/nvidia/cudnn/lib:/before\nprograms " + (bundle() / "bin").string() + "\n<a b>\n<--torch>\n<x>\n");
    // The folder above torch/, the other spelling, a link to the wrapper.
    EXPECT_EQ(run("--torch=" + quoted(packages) + " show").exitCode, 7);
    fs::create_symlink(bundle() / "run", folder("link"));
    const Outcome linked = runShell(quoted(folder("link")) + " --torch " + quoted(packages) + " show");
    EXPECT_THAT(linked.text, HasSubstr("programs " + (bundle() / "bin").string() + "\n"));
}

TEST_F(RunWrapper, LooksAtTheOptionThenTheVariableThenThePythons) {
    for (const char* name : {"option", "variable", "third", "fourth"}) {
        makeFakeTorch(folder(name) / "torch", "2.11.0");
        // Importing it would tell.
        writeFile(folder(name) / "torch/__init__.py", "open('" + folder("imported").string() + "', 'w')\n");
    }
    const auto taken = [&](const std::string& arguments, const std::string& environment) {
        const std::string text = run(arguments + " show", environment).text;
        for (const char* name : {"option", "variable", "third", "fourth"}) {
            if (text.find((folder(name) / "torch/lib").string()) != std::string::npos) return std::string(name);
        }
        return text;
    };
    const std::string variable = "MOFO_TORCH_DIR=" + quoted(folder("variable") / "torch");
    expectRefusal(run("show"), 1, "neither python3 nor python in the PATH has torch; name a folder with lib/libtorch_cpu.so by --torch DIR");
    addPython("python", folder("fourth"));
    EXPECT_EQ(taken("", ""), "fourth");
    addPython("python3", folder("nothing in it"));
    EXPECT_EQ(taken("", ""), "fourth") << "a python3 without torch is passed over";
    addPython("python3", folder("third"));
    EXPECT_EQ(taken("", ""), "third");
    EXPECT_EQ(taken("", variable), "variable");
    EXPECT_EQ(taken("--torch " + quoted(folder("option")), variable), "option");
    EXPECT_FALSE(fs::exists(folder("imported")));
}

TEST_F(RunWrapper, RefusesAnotherVersionWhereverItIsWritten) {
    const fs::path torch = folder("torch");
    makeFakeTorch(torch, "2.7.1");
    expectRefusal(run("--torch " + quoted(torch) + " show"), 1, "--torch: " + torch.string() + " holds LibTorch 2.7.1, and 2.11 is needed.");
    writeFile(torch / "build-version", "2.10.0+cpu\n");
    expectRefusal(run("--torch " + quoted(torch) + " show"), 1, "holds LibTorch 2.10.0+cpu, and 2.11 is needed.");
    writeFile(torch / "version.py", "from typing import Optional\n\n__version__ = '2.12.0+cu130'\ndebug = False\n");
    expectRefusal(run("show", "MOFO_TORCH_DIR=" + quoted(torch)), 1, "MOFO_TORCH_DIR: " + torch.string() + " holds LibTorch 2.12.0+cu130");
    // 2.110 is not 2.11.
    writeFile(torch / "version.py", "__version__ = '2.110.0'\n");
    expectRefusal(run("--torch " + quoted(torch) + " show"), 1, "holds LibTorch 2.110.0");
    writeFile(torch / "version.py", "__version__ = '2.11.1+cu130'\n");
    EXPECT_EQ(run("--torch " + quoted(torch) + " show").exitCode, 7);
    for (const char* name : {"version.py", "build-version"}) fs::remove(torch / name);
    fs::remove_all(torch / "include");
    expectRefusal(run("--torch " + quoted(torch) + " show"), 1, "holds LibTorch of an unknown version, and 2.11 is needed.");
}

TEST_F(RunWrapper, RefusesFoldersThatAreNotThereOrNotLibTorch) {
    expectRefusal(run("--torch /nowhere show"), 1, "--torch: there is no folder /nowhere.");
    expectRefusal(run("show", "MOFO_TORCH_DIR=/nowhere"), 1, "MOFO_TORCH_DIR: there is no folder /nowhere.");
    fs::create_directories(folder("empty"));
    expectRefusal(run("--torch " + quoted(folder("empty")) + " show"), 1, "has no lib/libtorch_cpu.so");
}

TEST_F(RunWrapper, RefusesAnOlderGlibcThanTheProgramsNeed) {
    makeFakeTorch(folder("torch"), "2.11.0");
    writeFile(bundle() / "VERSION", "version 1.2.3\nglibc 2.99\n");
    expectRefusal(run("--torch " + quoted(folder("torch")) + " show"), 1, "This bundle needs glibc 2.99 or newer, and this system has glibc 2.");
    // By number, not by letter.
    writeFile(bundle() / "VERSION", "version 1.2.3\nglibc 2.4\n");
    EXPECT_EQ(run("--torch " + quoted(folder("torch")) + " show").exitCode, 7);
}

TEST_F(RunWrapper, WrongUsageIsExitCodeTwo) {
    makeFakeTorch(folder("torch"), "2.11.0");
    const std::string torch = "--torch " + quoted(folder("torch")) + ' ';
    expectRefusal(run(""), 2, "Say which program");
    expectRefusal(run("--torch"), 2, "--torch needs a folder");
    expectRefusal(run("--torsh x show"), 2, "There is no option \"--torsh\"");
    expectRefusal(run(torch + "shew"), 2, "There is no program \"shew\" in this bundle");
    expectRefusal(run(torch + "../run"), 2, "There is no program \"../run\"");
    expectRefusal(run(torch + "libmofo_cuda.so"), 2, "There is no program \"libmofo_cuda.so\"");
    const Outcome help = run("--help");
    EXPECT_EQ(help.exitCode, 0);
    EXPECT_THAT(help.text, AllOf(HasSubstr("gpu-check"), HasSubstr("Programs: show\n"), HasSubstr("1.2.3, commit abc"), Not(HasSubstr("libmofo"))));
}

}  // namespace
}  // namespace mofo::test
