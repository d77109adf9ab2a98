#include "installer/gpu_check/report.h"

#include <charconv>

#include "core/base/file.h"
#include "core/base/text.h"

namespace mofo {

namespace {

constexpr std::uint64_t kListLimit = 1u << 20;
constexpr std::size_t kFailureTextLimit = 4000;

Result<std::vector<std::string>> readLines(const std::filesystem::path& path) {
    MOFO_TRY(const std::string text, readWholeFile(path, kListLimit));
    std::vector<std::string> lines;
    for (const std::string& line : splitText(text, '\n')) {
        if (const std::string_view trimmed = trimText(line); !trimmed.empty()) lines.emplace_back(trimmed);
    }
    return lines;
}

Error badLine(const std::filesystem::path& path, std::size_t line, std::string_view shape) {
    return Error{ErrorCode::InvalidInput, "a line \"" + std::string(shape) + "\" was expected", path.string() + ':' + std::to_string(line),
                 "Unpack the bundle again", ""};
}

std::string textMember(const Json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

const Json& listMember(const Json& object, const char* key) {
    static const Json none = Json::array();
    if (!object.is_object()) return none;
    const auto found = object.find(key);
    return found != object.end() && found->is_array() ? *found : none;
}

}  // namespace

Result<std::vector<BundleProgram>> readBundlePrograms(const std::filesystem::path& bundle) {
    const std::filesystem::path path = bundle / "programs.txt";
    MOFO_TRY(const std::vector<std::string> lines, readLines(path));
    std::vector<BundleProgram> programs;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const std::vector<std::string> words = splitText(lines[i], ' ');
        BundleProgram program;
        if (words.size() != 3 || words[2].empty() || words[2].find('/') != std::string::npos) return badLine(path, i + 1, "KIND SECONDS NAME");
        const auto [end, problem] = std::from_chars(words[1].data(), words[1].data() + words[1].size(), program.seconds);
        if (problem != std::errc() || end != words[1].data() + words[1].size()) return badLine(path, i + 1, "KIND SECONDS NAME");
        program.kind = words[0];
        program.name = words[2];
        programs.push_back(std::move(program));
    }
    return programs;
}

Result<std::map<std::string, std::string>> readBundleVersion(const std::filesystem::path& bundle) {
    const std::filesystem::path path = bundle / "VERSION";
    MOFO_TRY(const std::vector<std::string> lines, readLines(path));
    std::map<std::string, std::string> values;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const std::size_t blank = lines[i].find(' ');
        if (blank == std::string::npos) return badLine(path, i + 1, "KEY VALUE");
        values[lines[i].substr(0, blank)] = lines[i].substr(blank + 1);
    }
    return values;
}

Result<Json> summarizeGoogleTest(std::string_view text) {
    MOFO_TRY(const Json root, parseJson(text));
    if (!root.is_object() || !root.contains("testsuites")) {
        return Error{ErrorCode::InvalidInput, "it is not what GoogleTest writes by --gtest_output=json", "", "", "JSON"};
    }
    std::int64_t passed = 0, skipped = 0;
    Json failures = Json::array();
    for (const Json& suite : listMember(root, "testsuites")) {
        for (const Json& test : listMember(suite, "testsuite")) {
            const Json& reasons = listMember(test, "failures");
            if (!reasons.empty()) {
                std::string all;
                for (const Json& reason : reasons)
                    all += (all.empty() ? "" : "\n") + (reason.is_object() ? textMember(reason, "failure") : std::string());
                if (all.size() > kFailureTextLimit) all = all.substr(0, validUtf8Prefix(std::string_view(all).substr(0, kFailureTextLimit))) + " ...";
                failures.push_back({{"test", textMember(suite, "name") + '.' + textMember(test, "name")}, {"text", all}});
            } else if (textMember(test, "result") == "SKIPPED") {
                ++skipped;
            } else if (textMember(test, "status") == "RUN") {
                ++passed;
            }
        }
    }
    const std::size_t failed = failures.size();
    return Json{{"passed", passed}, {"failed", failed}, {"skipped", skipped}, {"failures", std::move(failures)}};
}

Result<Json> readBenchmark(std::string_view text) {
    MOFO_TRY(Json root, parseJson(trimText(text)));
    if (listMember(root, "cases").empty()) {
        return Error{ErrorCode::InvalidInput, "it is not an object with at least one of \"cases\"", "", "", "JSON"};
    }
    return root;
}

}  // namespace mofo
