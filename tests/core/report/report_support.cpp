#include "tests/core/report/report_support.h"

#include <cmath>

namespace mofo::test {

namespace {

/// Numbers that look random and are the same in every run with the same items.
double noise(std::int64_t item, std::int64_t salt) {
    const auto mixed = static_cast<std::uint64_t>(item * 2654435761 + salt * 40503) % 1000;
    return static_cast<double>(mixed) / 1000.0 - 0.5;
}

ProbeRow probeRow(const std::string& probe, const std::string& measure, std::int64_t step, std::vector<float> outcome, std::vector<float> weight) {
    ProbeRow row;
    row.step = step;
    row.probe = probe;
    row.measure = measure;
    double sum = 0, weights = 0;
    for (std::size_t i = 0; i < outcome.size(); ++i) {
        sum += static_cast<double>(outcome[i]);
        weights += weight.empty() ? 1.0 : static_cast<double>(weight[i]);
    }
    row.value = sum / weights;
    row.low = row.value - 0.02;
    row.high = row.value + 0.02;
    row.items = static_cast<std::int64_t>(outcome.size());
    row.seconds = 1.5;
    row.perItem.push_back({"outcome", std::move(outcome)});
    if (!weight.empty()) row.perItem.push_back({"weight", std::move(weight)});
    return row;
}

Result<void> writeMeasurements(RecordedRun& run, const ProbedRunOptions& options) {
    MetricsBatch batch;
    for (const std::int64_t step : {0, 50, 100}) {
        const double progress = static_cast<double>(step) / 100;
        EvalRow eval;
        eval.step = step;
        double sum = 0;
        for (std::int64_t item = 0; item < options.evalItems; ++item) {
            const std::uint32_t tokens = 20 + static_cast<std::uint32_t>(item % 7);
            const double loss = 1.6 + noise(item, 1) - progress * (options.taskDrop + 0.05 * noise(item, 2));
            eval.rowLoss.push_back(static_cast<float>(loss * tokens));
            eval.rowTokens.push_back(tokens);
            eval.tokens += tokens;
            sum += loss * tokens;
        }
        eval.loss = sum / static_cast<double>(eval.tokens);
        eval.seconds = 2;
        batch.evals.push_back(std::move(eval));
        if (!options.probes) continue;
        std::vector<float> text, tokens, kl, answers;
        for (std::int64_t item = 0; item < 64; ++item) {
            const double count = 50 + static_cast<double>(item % 11);
            tokens.push_back(static_cast<float>(count));
            text.push_back(static_cast<float>(count * (3.0 + noise(item, 3) + progress * (options.generalRise + 0.02 * noise(item, 4)))));
            kl.push_back(static_cast<float>(count * progress * options.generalRise * (1.2 + noise(item, 5))));
        }
        for (std::int64_t item = 0; item < 200; ++item) {
            bool right = item % 3 != 0;
            if (step == 100 && right && item / 3 < options.lostAnswers && item % 3 == 1) right = false;
            if (step == 100 && item % 3 == 0 && item / 3 < options.wonAnswers) right = true;
            answers.push_back(right ? 1.0f : 0.0f);
        }
        batch.probes.push_back(probeRow("text", "loss", step, text, tokens));
        batch.probes.push_back(probeRow("kl", "kl", step, kl, tokens));
        batch.probes.push_back(probeRow(options.probe, "acc", step, answers, {}));
    }
    for (const std::int64_t step : {0, 100}) {
        GenerationRow row;
        row.uuid = "sample-0";
        row.text = step == 0 ? "The answer is 42." : "3 x 14 = 42. " + options.prompt;
        row.last = true;
        row.details = {{"step", step}, {"prompt", options.prompt}};
        batch.generations.push_back(std::move(row));
    }
    return run.writer().write(batch);
}

Json probesFact(const ProbedRunOptions& options) {
    return {{"text",
             {{"title", "public-domain text"},
              {"mark", "general"},
              {"measures", {{"loss", {{"unit", "nats"}, {"better", "lower"}}}}},
              {"items", 64},
              {"trained_on", 0},
              {"items_sha256", "t3x7"}}},
            {"kl",
             {{"title", "KL to the base"},
              {"mark", "general"},
              {"measures", {{"kl", {{"unit", "nats"}, {"better", "lower"}}}}},
              {"items", 64},
              {"trained_on", 0},
              {"items_sha256", "c1"}}},
            {options.probe,
             {{"title", options.probe},
              {"mark", "general"},
              {"measures", {{"acc", {{"unit", "share"}, {"better", "higher"}}}}},
              {"items", 200},
              {"trained_on", 2},
              {"items_sha256", "p19a"}}}};
}

}  // namespace

Result<std::string> addProbedRun(const Workspace& workspace, const ProbedRunOptions& options) {
    RecordedRunOptions recorded = options.run;
    recorded.totalSteps = 100;
    recorded.evalEvery = 1000;
    MOFO_TRY(RecordedRun run, RecordedRun::create(workspace, recorded));
    MOFO_CHECK(run.writer().writeFact("data", {{"sha256", options.dataSha256},
                                               {"rows", 1293},
                                               {"file_rows", 1319},
                                               {"eval_rows", options.evalItems},
                                               {"truncated", 7},
                                               {"refused", 0},
                                               {"order", "fy-splitmix64-1"}}));
    MOFO_CHECK(run.writer().writeFact("engine", {{"device", "cpu, 2 threads"},
                                                 {"libtorch", "2.11.0"},
                                                 {"kernels", "avx512"},
                                                 {"model_sha256", options.model.empty() ? "a672" : options.model}}));
    if (options.probes) MOFO_CHECK(run.writer().writeFact("probes", probesFact(options)));
    MOFO_CHECK(run.writer().writeFact("samples", Json::array({{{"id", "sample-0"}, {"prompt", options.prompt}}})));
    MOFO_CHECK(run.begin());
    MOFO_CHECK(run.advance(100, false));
    MOFO_CHECK(writeMeasurements(run, options));
    if (options.end) {
        MOFO_CHECK(run.end(RunState::Finished, ""));
    } else {
        run.die();
    }
    return run.id();
}

HtmlPage readHtml(std::string_view html) {
    static const std::set<std::string> voids = {"meta", "br"};
    HtmlPage page;
    std::vector<std::string> open;
    const auto problem = [&](std::size_t at, const std::string& what) {
        page.problems.push_back(what + " at byte " + std::to_string(at) + ": " + std::string(html.substr(at, 60)));
    };
    const auto isName = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'; };
    const auto resolve = [&](std::size_t begin, std::size_t end) {
        static const std::map<std::string, char> names = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"#39", '\''}};
        std::string text;
        for (std::size_t at = begin; at < end; ++at) {
            if (html[at] != '&') {
                text += html[at];
                continue;
            }
            const std::size_t stop = html.find(';', at);
            const auto found = stop < end ? names.find(std::string(html.substr(at + 1, stop - at - 1))) : names.end();
            if (found == names.end()) {
                problem(at, "an & that is no reference");
                text += '&';
                continue;
            }
            text += found->second;
            at = stop;
        }
        return text;
    };
    std::size_t at = 0;
    if (html.starts_with("<!DOCTYPE html>\n")) at = 16;
    while (at < html.size()) {
        if (html[at] != '<') {
            const std::size_t end = std::min(html.find('<', at), html.size());
            const std::string text = resolve(at, end);
            if (html.substr(at, end - at).find('>') != std::string_view::npos) problem(at, "a bare >");
            page.text += text;
            at = end;
            continue;
        }
        const std::size_t start = at++;
        const bool closing = at < html.size() && html[at] == '/';
        if (closing) ++at;
        std::size_t end = at;
        while (end < html.size() && isName(html[end])) ++end;
        const std::string name(html.substr(at, end - at));
        if (name.empty()) {
            problem(start, "a < that opens nothing");
            continue;
        }
        at = end;
        if (closing) {
            if (at >= html.size() || html[at] != '>') problem(start, "an end tag with more in it");
            if (open.empty() || open.back() != name) {
                problem(start, "an end tag that closes nothing");
            } else {
                open.pop_back();
            }
            at = std::min(html.find('>', at), html.size() - 1) + 1;
            continue;
        }
        HtmlElement element{name, {}};
        bool selfClosed = false;
        while (at < html.size() && html[at] != '>') {
            if (html[at] == ' ') {
                ++at;
                continue;
            }
            if (html.substr(at, 2) == "/>") {
                selfClosed = true;
                ++at;
                continue;
            }
            end = at;
            while (end < html.size() && isName(html[end])) ++end;
            const std::string attribute(html.substr(at, end - at));
            if (attribute.empty() || html.substr(end, 2) != "=\"") {
                problem(start, "an attribute without quotes");
                break;
            }
            const std::size_t stop = html.find('"', end + 2);
            if (stop == std::string_view::npos) {
                problem(start, "an attribute without end");
                return page;
            }
            if (!element.attributes.emplace(attribute, resolve(end + 2, stop)).second) problem(start, "an attribute twice");
            at = stop + 1;
        }
        at = std::min(html.find('>', at), html.size() - 1) + 1;
        if (!selfClosed && !voids.contains(name)) open.push_back(name);
        page.elements.push_back(std::move(element));
        if (name == "style") at = std::min(html.find("</style>", at), html.size());
    }
    for (const std::string& name : open) page.problems.push_back("never closed: " + name);
    return page;
}

}  // namespace mofo::test
