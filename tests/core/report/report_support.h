// Workspaces with runs that have probes, items and answers, and a reader of HTML that takes nothing for granted.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/report/report.h"
#include "tests/support/recorded_run.h"

namespace mofo::test {

struct ProbedRunOptions {
    RecordedRunOptions run;
    std::string model = "";        ///< sha256 in the fact "engine"
    double taskDrop = 0.4;         ///< held-out loss removed at the end, nats per token
    double generalRise = 0.05;     ///< general loss gained at the end
    std::int64_t lostAnswers = 3;  ///< items of 200 that only the base gets right at the end
    std::int64_t wonAnswers = 0;   ///< items that only the run gets right
    bool probes = true;
    std::string probe = "piqa";  ///< name and title of the accuracy probe
    std::string prompt = "What is 3 x 14?";
    std::string dataSha256 = "da7a";
    std::int64_t evalItems = 40;
    bool end = true;
};

/// A run of 100 steps with held-out losses and probes at 0, 50 and 100; its id.
Result<std::string> addProbedRun(const Workspace& workspace, const ProbedRunOptions& options);

struct HtmlElement {
    std::string name;
    std::map<std::string, std::string> attributes;
};
struct HtmlPage {
    std::vector<HtmlElement> elements;
    std::string text;                   ///< character data, references resolved, style left out
    std::vector<std::string> problems;  ///< a tag that is not closed, an attribute without quotes, a bare & or < ...
};
/// Stricter than a browser: what a browser would mend is a problem here.
[[nodiscard]] HtmlPage readHtml(std::string_view html);

}  // namespace mofo::test
