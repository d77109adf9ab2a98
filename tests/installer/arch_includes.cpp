#include "tests/installer/arch_includes.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <string_view>

namespace mofo::test {

namespace fs = std::filesystem;

namespace {

/// What one folder may include of the project, itself apart. The longest matching folder decides.
struct FolderRule {
    std::string_view folder;
    std::vector<std::string_view> mayInclude;
};

const std::vector<FolderRule>& folderRules() {
    static const std::vector<FolderRule> rules = {
        {"core/base", {}},
        {"core/config", {"core/base"}},
        {"core/stats", {"core/base"}},
        {"core/store", {"core/base", "core/config"}},
        {"core/tensorio", {"core/base"}},
        {"core/text", {"core/base", "core/config", "core/tensorio"}},
        {"core/model", {"core/base", "core/config", "core/tensorio", "core/text"}},
        {"core/task", {"core/base", "core/config", "core/stats", "core/text"}},
        {"core/library", {"core/base", "core/config", "core/store", "core/tensorio", "core/text", "core/model"}},
        {"core/plan", {"core/base", "core/config", "core/model", "core/text"}},
        // Starting a run looks into model and data, so that refused input leaves no run behind.
        {"core/client", {"core/base", "core/config", "core/store", "core/library", "core/model", "core/plan", "core/text", "core/task"}},
        {"core/report", {"core/base", "core/config", "core/store", "core/stats"}},
        {"core/hub", {"core/base"}},
        {"core/engine",
         {"core/base", "core/config", "core/stats", "core/store", "core/tensorio", "core/text", "core/task", "core/model", "core/library",
          "core/plan", "kernels/include"}},
        {"core/engine/cuda",
         {"core/base", "core/config", "core/stats", "core/store", "core/tensorio", "core/text", "core/task", "core/model", "core/library",
          "core/plan", "core/engine", "kernels/include"}},
        {"kernels/include", {}},
        {"kernels/shared", {"kernels/include"}},
        {"kernels/cpu", {"kernels/include", "kernels/shared"}},
        {"kernels/cuda", {"kernels/include", "kernels/shared"}},
        {"ui/models",
         {"core/base", "core/config", "core/stats", "core/store", "core/text", "core/tensorio", "core/model", "core/library", "core/plan",
          "core/client", "core/report", "core/hub"}},
        {"ui/controllers",
         {"core/base", "core/config", "core/stats", "core/store", "core/text", "core/tensorio", "core/model", "core/library", "core/plan",
          "core/client", "core/report", "core/hub", "ui/models"}},
        {"ui/widgets",
         {"core/base", "core/config", "core/stats", "core/store", "core/plan", "core/client", "core/report", "ui/models", "ui/controllers"}},
        {"app/cli",
         {"core/base", "core/config", "core/stats", "core/store", "core/tensorio", "core/text", "core/task", "core/model", "core/library",
          "core/plan", "core/client", "core/report", "core/hub"}},
        {"app/engine", {"core/base", "core/config", "core/store", "core/library", "core/engine"}},
        {"app/workbench", {"core/base", "core/config", "core/store", "core/client", "ui/models", "ui/controllers", "ui/widgets"}},
        {"installer", {"core/base"}},
    };
    return rules;
}

bool isBelow(std::string_view path, std::string_view folder) {
    return path.substr(0, folder.size()) == folder && (path.size() == folder.size() || path[folder.size()] == '/');
}

const FolderRule* ruleOf(std::string_view path) {
    const FolderRule* best = nullptr;
    for (const FolderRule& rule : folderRules()) {
        if (isBelow(path, rule.folder) && (best == nullptr || rule.folder.size() > best->folder.size())) best = &rule;
    }
    return best;
}

/// A library that only some folders may see. A name that ends in '*' stands for all that begin so.
struct LibraryRule {
    std::string_view what;
    std::vector<std::string_view> headers;
    std::vector<std::string_view> folders;  ///< empty: nobody
};

const std::vector<LibraryRule>& libraryRules() {
    static const std::vector<LibraryRule> rules = {
        {"LibTorch", {"torch/*", "ATen/*", "c10/*", "caffe2/*"}, {"core/engine"}},
        {"SQLite", {"sqlite3.h", "SQLiteCpp/*"}, {"core/store"}},
        {"QCustomPlot", {"qcustomplot.h"}, {"ui/widgets"}},
        {"CUDA", {"cuda.h", "cuda_*", "cub/*", "cublas*", "thrust/*", "cooperative_groups*", "nvml.h"}, {"kernels/cuda", "core/engine/cuda"}},
        {"libcurl", {"curl/*"}, {"core/hub"}},
        {"zlib", {"zlib.h"}, {"core/hub"}},
        {"GoogleTest", {"gtest/*", "gmock/*"}, {}},
        {"std::regex, which crashes on long lines", {"regex"}, {}},
    };
    return rules;
}

bool matches(std::string_view header, std::string_view pattern) {
    if (pattern.back() == '*') return header.substr(0, pattern.size() - 1) == pattern.substr(0, pattern.size() - 1);
    return header == pattern;
}

/// Qt's headers: <QWidget>, <QtCore/QObject>, <qglobal.h>.
bool isQt(std::string_view header) {
    const auto upper = [](char c) { return c >= 'A' && c <= 'Z'; };
    if (header.size() > 1 && header[0] == 'Q' && (upper(header[1]) || header[1] == 't')) return true;
    return header.substr(0, 2) == "qt" || header == "qglobal.h" || header == "qobject.h";
}

bool isQtWidgets(std::string_view header) {
    constexpr std::string_view names[] = {"QWidget",    "QDialog",   "QMainWindow", "QLabel", "QPushButton",        "QMessageBox",
                                          "QTableView", "QTreeView", "QFileDialog", "QMenu",  "QStyledItemDelegate"};
    return header.substr(0, 10) == "QtWidgets/" || std::find(std::begin(names), std::end(names), header) != std::end(names);
}

struct Include {
    std::string header;
    bool quoted = false;
};

/// The include of one line, if it is one.
std::optional<Include> includeOf(std::string_view line) {
    const auto skipBlanks = [&](std::size_t at) {
        const std::size_t next = line.find_first_not_of(" \t", at);
        return next == std::string_view::npos ? line.size() : next;
    };
    std::size_t at = skipBlanks(0);
    if (at >= line.size() || line[at] != '#') return std::nullopt;
    at = skipBlanks(at + 1);
    if (line.substr(at, 7) != "include") return std::nullopt;
    at = skipBlanks(at + 7);
    if (at >= line.size() || (line[at] != '"' && line[at] != '<')) return std::nullopt;
    const bool quoted = line[at] == '"';
    const std::size_t end = line.find(quoted ? '"' : '>', at + 1);
    if (end == std::string_view::npos) return std::nullopt;
    return Include{std::string(line.substr(at + 1, end - at - 1)), quoted};
}

bool isSource(const fs::path& path) {
    const std::string extension = path.extension().string();
    for (const char* known : {".h", ".hpp", ".c", ".cc", ".cpp", ".cu", ".cuh", ".inl"}) {
        if (extension == known) return true;
    }
    return false;
}

/// Why `file` may not have this include, or nothing.
std::optional<std::string> objectionTo(const std::string& file, const Include& include) {
    const std::string& header = include.header;
    const FolderRule* own = ruleOf(file);
    const std::string folder = own != nullptr ? std::string(own->folder) : fs::path(file).parent_path().string();
    const std::string shown = " (" + (include.quoted ? '"' + header + '"' : '<' + header + '>') + ')';
    if (own == nullptr) return "no rule says what " + folder + " may include: add it to tests/installer/arch_includes.cpp";

    for (const std::string_view top : {"core/", "kernels/", "ui/", "app/", "tests/", "installer/"}) {
        if (header.substr(0, top.size()) != top) continue;
        const FolderRule* other = ruleOf(header);
        if (other == own) return std::nullopt;
        const bool allowed = other != nullptr && std::find(own->mayInclude.begin(), own->mayInclude.end(), other->folder) != own->mayInclude.end();
        if (allowed) return std::nullopt;
        return folder + " may not include " + (other != nullptr ? std::string(other->folder) : std::string(top.substr(0, top.size() - 1))) + shown;
    }
    if (include.quoted && header.find("..") != std::string::npos) return "includes are relative to the project root, without \"..\"" + shown;

    for (const LibraryRule& rule : libraryRules()) {
        if (std::none_of(rule.headers.begin(), rule.headers.end(), [&](std::string_view pattern) { return matches(header, pattern); })) continue;
        if (std::none_of(rule.folders.begin(), rule.folders.end(), [&](std::string_view allowed) { return isBelow(file, allowed); })) {
            return folder + " may not see " + std::string(rule.what) + shown;
        }
        const std::string extension = fs::path(file).extension().string();
        if (rule.what == "LibTorch" && (extension == ".cu" || extension == ".cuh")) return "CUDA sources may not see LibTorch" + shown;
    }
    if (isQt(header)) {
        if (!isBelow(file, "ui") && !isBelow(file, "app/workbench")) return folder + " may not see Qt" + shown;
        if ((folder == "ui/models" || folder == "ui/controllers") && isQtWidgets(header)) return folder + " may not know widgets" + shown;
    }
    return std::nullopt;
}

}  // namespace

IncludeReport checkIncludes(const fs::path& root) {
    IncludeReport report;
    std::vector<fs::path> files;
    for (const char* top : {"kernels", "core", "ui", "app", "installer"}) {
        std::error_code ec;
        for (fs::recursive_directory_iterator it(root / top, ec), end; !ec && it != end; it.increment(ec)) {
            if (it->is_regular_file(ec) && isSource(it->path())) files.push_back(it->path());
        }
    }
    std::sort(files.begin(), files.end());
    for (const fs::path& path : files) {
        ++report.files;
        const std::string file = path.lexically_relative(root).generic_string();
        std::ifstream in(path);
        int number = 0;
        for (std::string line; std::getline(in, line);) {
            ++number;
            const auto include = includeOf(line);
            if (!include) continue;
            ++report.includes;
            if (auto reason = objectionTo(file, *include)) report.findings.push_back({file + ':' + std::to_string(number), std::move(*reason)});
        }
    }
    return report;
}

}  // namespace mofo::test
