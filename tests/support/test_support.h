// What every test program shares: a temporary folder, the place of the real data, and skipping with a reason.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace mofo::test {

/// A fresh folder under $TMPDIR, removed with everything in it by the destructor.
class TemporaryFolder {
public:
    TemporaryFolder();
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const { return m_path; }
    [[nodiscard]] std::filesystem::path operator/(std::string_view name) const { return m_path / name; }

private:
    std::filesystem::path m_path;
};

/// ../shared beside the checkout, or empty where it is missing. Tests that need it use MOFO_REQUIRE_SHARED.
[[nodiscard]] std::filesystem::path sharedFolder();
/// The SmolLM2-135M-Instruct GGUF that installer/bootstrap fetched ($MOFO_TEST_GGUF, else the cache), or empty.
[[nodiscard]] std::filesystem::path smolGguf();
/// Folder of the built programs (build/bin, or $MOFO_BIN_DIR).
[[nodiscard]] std::filesystem::path binFolder();
/// Writes a file, failing the test if that does not work.
void writeFile(const std::filesystem::path& path, std::string_view bytes);
[[nodiscard]] std::string readFile(const std::filesystem::path& path);

}  // namespace mofo::test

#define MOFO_REQUIRE_SHARED() \
    if (mofo::test::sharedFolder().empty()) GTEST_SKIP() << "../shared (design, reference and data) is not beside this checkout"
#define MOFO_REQUIRE_SMOL() \
    if (mofo::test::smolGguf().empty()) GTEST_SKIP() << "SmolLM2-135M-Instruct.Q4_1.gguf is not in the cache: run installer/bootstrap build"
/// ASSERT_OK(result): fails with the error's own text.
#define ASSERT_OK(expression)                                          \
    do {                                                               \
        const auto& mofoOk_ = (expression);                            \
        ASSERT_TRUE(mofoOk_.ok()) << mofoOk_.error().text();           \
    } while (false)
#define EXPECT_OK(expression)                                          \
    do {                                                               \
        const auto& mofoOk_ = (expression);                            \
        EXPECT_TRUE(mofoOk_.ok()) << mofoOk_.error().text();           \
    } while (false)
