#include <algorithm>
#include <set>

#include "core/base/file.h"
#include "core/base/text.h"
#include "core/client/sweep.h"

namespace mofo {

namespace {

constexpr std::uint64_t kListLimit = 1 << 20;

Error wrong(std::string message, std::string_view where, std::string remedy) {
    return Error{ErrorCode::Usage, std::move(message), escapeForDisplay(where.substr(0, 80)), std::move(remedy), "VALUE"};
}

/// The words of a line; "..." keeps blanks together.
std::optional<std::vector<std::string>> wordsOf(std::string_view line) {
    std::vector<std::string> words;
    std::string word;
    bool quoted = false, any = false;
    for (const char c : line) {
        if (c == '"') {
            quoted = !quoted;
            any = true;
        } else if (!quoted && (c == ' ' || c == '\t' || c == '\r')) {
            if (any) words.push_back(std::exchange(word, {}));
            any = false;
        } else {
            word += c;
            any = true;
        }
    }
    if (quoted) return std::nullopt;
    if (any) words.push_back(std::move(word));
    return words;
}

}  // namespace

Result<std::vector<SweepArm>> gridArms(const std::vector<std::string>& grid) {
    std::vector<SweepArm> arms{{}};
    std::set<std::string> keys;
    for (const std::string& axis : grid) {
        MOFO_TRY(const auto parts, splitAssignment(axis));
        if (!keys.insert(parts.first).second) return wrong("the key is there twice", axis, "Name all its values at once: --grid alpha=0.05,0.15");
        std::vector<SweepArm> longer;
        for (const SweepArm& arm : arms) {
            for (const std::string& value : splitText(parts.second, ',')) {
                if (trimText(value).empty())
                    return wrong("there is an empty value", axis, "Write values with a comma between: --grid alpha=0.05,0.15");
                SweepArm next = arm;
                next.assignments.push_back(parts.first + '=' + std::string(trimText(value)));
                longer.push_back(std::move(next));
            }
        }
        arms = std::move(longer);
    }
    return arms;
}

Result<std::vector<SweepArm>> listArms(const std::filesystem::path& file) {
    MOFO_TRY(const std::string text, readWholeFile(file, kListLimit));
    if (!isValidUtf8(text)) return Error{ErrorCode::InvalidInput, "the list is no UTF-8 text", escapeForDisplay(file.string()), "", "ENC"};
    std::vector<SweepArm> arms;
    std::size_t number = 0;
    for (const std::string& line : splitText(text, '\n')) {
        ++number;
        const std::string where = escapeForDisplay(file.string()) + " line " + std::to_string(number);
        if (trimText(line).empty() || trimText(line).front() == '#') continue;
        const auto words = wordsOf(line);
        if (!words) return Error{ErrorCode::InvalidInput, "a quotation mark is not closed", where, "Write \"key=value with blanks\"", ""};
        for (const std::string& word : *words) {
            if (auto parts = splitAssignment(word); !parts.ok()) {
                Error error = std::move(parts).error();
                error.code = ErrorCode::InvalidInput;
                error.where += " in " + where;
                return error;
            }
        }
        arms.push_back({*words});
    }
    return arms;
}

std::vector<SweepArm> compareArms() { return {{{"optimizer=adamw"}}, {{"optimizer=mofo", "alpha=0.05"}}, {{"optimizer=mofo", "alpha=0.15"}}}; }

}  // namespace mofo
