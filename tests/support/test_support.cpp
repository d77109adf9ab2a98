#include "tests/support/test_support.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "core/base/paths.h"

namespace mofo::test {

namespace fs = std::filesystem;

TemporaryFolder::TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "mofo-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "cannot make a folder like " << name;
    m_path = name;
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    // Sealed models are read-only; removing them needs write permission on their folders.
    for (fs::recursive_directory_iterator it(m_path, ignored), end; it != end; it.increment(ignored)) {
        if (it->is_directory(ignored)) fs::permissions(it->path(), fs::perms::owner_all, fs::perm_options::add, ignored);
    }
    fs::remove_all(m_path, ignored);
}

fs::path sharedFolder() {
    const fs::path folder = fs::path(MOFO_SOURCE_DIR).parent_path() / "shared";
    std::error_code ec;
    return fs::is_directory(folder / "reference", ec) ? folder : fs::path();
}

fs::path smolGguf() {
    std::error_code ec;
    if (const char* named = std::getenv("MOFO_TEST_GGUF"); named != nullptr && fs::exists(named, ec)) return named;
    const fs::path cached = cachePath() / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf";
    return fs::exists(cached, ec) ? cached : fs::path();
}

fs::path binFolder() {
    // A bundle's wrapper says where its programs are.
    const char* named = std::getenv("MOFO_BIN_DIR");
    return named != nullptr && *named != '\0' ? named : MOFO_BIN_DIR;
}

void writeFile(const fs::path& path, std::string_view bytes) {
    std::ofstream out(path, std::ios::binary);
    out << bytes;
    if (!out.flush()) ADD_FAILURE() << "cannot write " << path;
}

std::string readFile(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) ADD_FAILURE() << "cannot read " << path;
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace mofo::test
