#include "core/config/name_pattern.h"

#include "core/base/text.h"

namespace mofo {

namespace {

bool matchesOne(std::string_view pattern, std::string_view name) {
    // The classic greedy match: on a mismatch the last `*` takes one character more.
    std::size_t p = 0, n = 0, star = std::string_view::npos, resume = 0;
    while (n < name.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            resume = n;
        } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
            ++p;
            ++n;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            n = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

}  // namespace

bool matchesNamePattern(std::string_view patterns, std::string_view name) {
    if (patterns.empty()) return false;
    std::size_t begin = 0;
    while (true) {
        const std::size_t comma = patterns.find(',', begin);
        if (matchesOne(trimText(patterns.substr(begin, comma == std::string_view::npos ? comma : comma - begin)), name)) return true;
        if (comma == std::string_view::npos) return false;
        begin = comma + 1;
    }
}

Result<void> checkNamePattern(std::string_view patterns) {
    if (patterns.empty()) return {};
    for (const std::string& part : splitText(patterns, ',')) {
        if (trimText(part).empty()) {
            return Error{ErrorCode::Usage, "a pattern between the commas is empty", "",
                         "Write name patterns such as model.layers.*.mlp.*,lm_head.weight", "VALUE"};
        }
    }
    return {};
}

bool isFilteredParameter(const RunConfig& config, std::string_view name) {
    const bool byRule = name.find("norm") == std::string_view::npos && name.find("bias") == std::string_view::npos;
    const bool chosen = config.filterInclude.empty() ? byRule : matchesNamePattern(config.filterInclude, name);
    return chosen && !matchesNamePattern(config.filterExclude, name);
}

}  // namespace mofo
