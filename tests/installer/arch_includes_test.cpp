// The checker itself, on small trees that break each rule once.
#include "tests/installer/arch_includes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/test_support.h"

namespace mofo::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Tree {
public:
    Tree& file(const std::string& path, std::string_view text) {
        std::filesystem::create_directories((m_root / path).parent_path());
        writeFile(m_root / path, text);
        return *this;
    }
    /// "place: reason" of each finding.
    [[nodiscard]] std::vector<std::string> findings() const {
        std::vector<std::string> lines;
        for (const IncludeFinding& finding : checkIncludes(m_root.path()).findings) lines.push_back(finding.place + ": " + finding.reason);
        return lines;
    }

private:
    TemporaryFolder m_root;
};

struct Case {
    const char* file;
    const char* line;
    const char* reason;
};

class Violation : public ::testing::TestWithParam<Case> {};

TEST_P(Violation, IsNamedByFileAndLine) {
    const Case& c = GetParam();
    Tree tree;
    tree.file(c.file, std::string("// first line\n#include <vector>\n") + c.line + "\n");
    const auto lines = tree.findings();
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_THAT(lines[0], HasSubstr(std::string(c.file) + ":3: "));
    EXPECT_THAT(lines[0], HasSubstr(c.reason));
}

INSTANTIATE_TEST_SUITE_P(
    Arrows, Violation,
    ::testing::Values(Case{"core/base/a.cpp", "#include \"core/config/x.h\"", "core/base may not include core/config"},
                      Case{"core/text/a.h", "#include \"core/store/registry.h\"", "core/text may not include core/store"},
                      Case{"core/client/a.h", "#include \"core/engine/trainer.h\"", "core/client may not include core/engine"},
                      Case{"core/engine/a.cpp", "#include \"core/client/supervisor.h\"", "core/engine may not include core/client"},
                      Case{"core/engine/a.cpp", "#include \"core/engine/cuda/graph.h\"", "core/engine may not include core/engine/cuda"},
                      Case{"core/model/a.cpp", "#include <ATen/ATen.h>", "core/model may not see LibTorch"},
                      Case{"app/engine/main.cpp", "#include <torch/torch.h>", "app/engine may not see LibTorch"},
                      Case{"core/engine/cuda/a.cu", "#include <c10/cuda/CUDAStream.h>", "CUDA sources may not see LibTorch"},
                      Case{"kernels/cuda/a.cu", "#  include <ATen/ATen.h>", "kernels/cuda may not see LibTorch"},
                      Case{"kernels/cpu/a.cpp", "#include \"core/base/text.h\"", "kernels/cpu may not include core/base"},
                      Case{"kernels/include/a.h", "#include <cuda_runtime.h>", "kernels/include may not see CUDA"},
                      Case{"core/client/a.cpp", "#include <sqlite3.h>", "core/client may not see SQLite"},
                      Case{"ui/models/a.cpp", "#include <SQLiteCpp/Database.h>", "ui/models may not see SQLite"},
                      Case{"ui/models/a.cpp", "#include <qcustomplot.h>", "ui/models may not see QCustomPlot"},
                      Case{"ui/models/a.cpp", "#include <QWidget>", "ui/models may not know widgets"},
                      Case{"ui/models/a.cpp", "#include \"ui/widgets/run_page.h\"", "ui/models may not include ui/widgets"},
                      Case{"ui/widgets/a.cpp", "#include \"core/engine/trainer.h\"", "ui/widgets may not include core/engine"},
                      Case{"app/cli/a.cpp", "#include \"core/engine/trainer.h\"", "app/cli may not include core/engine"},
                      Case{"app/cli/a.cpp", "#include <QString>", "app/cli may not see Qt"},
                      Case{"core/base/a.h", "\t#\tinclude\t<QtCore/QObject>", "core/base may not see Qt"},
                      Case{"core/text/a.cpp", "#include <regex>", "core/text may not see std::regex"},
                      Case{"core/text/a.cpp", "#include \"../base/text.h\"", "relative to the project root"},
                      Case{"core/text/a.cpp", "#include \"tests/support/test_support.h\"", "core/text may not include tests"},
                      Case{"core/text/a.cpp", "#include <gtest/gtest.h>", "core/text may not see GoogleTest"},
                      Case{"core/hub/a.cpp", "#include \"core/nowhere/a.h\"", "core/hub may not include core"}));

TEST(ArchIncludes, LetsThroughWhatTheArrowsAllow) {
    Tree tree;
    tree.file("core/base/a.cpp", "#include \"core/base/a.h\"\n#include <string>\n#include <fmt/format.h>\n")
        .file("core/store/a.cpp", "#include <SQLiteCpp/Database.h>\n#include \"core/config/run_config.h\"\n")
        .file("core/engine/a.cpp", "#include <ATen/ATen.h>\n#include \"kernels/include/step.h\"\n#include \"core/store/registry.h\"\n")
        .file("core/engine/cuda/a.cpp", "#include <c10/core/Device.h>\n#include <cuda_runtime.h>\n#include \"core/engine/device.h\"\n")
        .file("kernels/cuda/a.cu", "#include <cub/cub.cuh>\n#include \"kernels/include/step.h\"\n#include \"kernels/cuda/device.cuh\"\n")
        .file("ui/models/a.cpp", "#include <QAbstractItemModel>\n#include \"core/client/commands.h\"\n")
        .file("ui/widgets/a.cpp", "#include <qcustomplot.h>\n#include <QWidget>\n#include \"ui/models/a.h\"\n")
        .file("app/workbench/main.cpp", "#include <QApplication>\n")
        .file("tests/anything/a.cpp", "#include <ATen/ATen.h>\n#include <QWidget>\n")
        .file("core/base/notes.txt", "#include <QWidget>\n");
    EXPECT_THAT(tree.findings(), IsEmpty());
}

TEST(ArchIncludes, NewFoldersNeedARule) {
    Tree tree;
    tree.file("core/surprise/a.cpp", "#include <vector>\n");
    const auto lines = tree.findings();
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_THAT(lines[0], HasSubstr("no rule says what core/surprise may include"));
}

}  // namespace
}  // namespace mofo::test
