// Does MoFO forget less than AdamW at equal learning? The pilot, the arms, their evaluations and the report, each part done once: run it again after
// an interruption and it goes on where it was. README.md beside this file says what is asked and when it was fixed.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/file.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/stats/paired.h"

namespace fs = std::filesystem;
using namespace mofo;

namespace {

struct Places {
    std::string mofo, models, data, workspace, configs, results;
};

Result<Json> readJson(const fs::path& file) {
    MOFO_TRY(const std::string text, readWholeFile(file, 1ull << 30));
    return parseJson(text);
}

Result<void> writeJson(const fs::path& file, const Json& json) { return writeFileAtomic(file, json.dump(1) + "\n", 0644); }

std::string commandLine(const Places& places, const std::vector<std::string>& words) {
    std::string line = "cd " + shellWord(places.configs) + " && MOFO_TASK_DATA=" + shellWord(places.data) + ' ' + shellWord(places.mofo) + " --workspace " +
                       shellWord(places.workspace);
    for (const std::string& word : words) line += ' ' + shellWord(word);
    return line;
}

/// What the program prints as JSON; Io with its exit status.
Result<Json> ask(const Places& places, const std::vector<std::string>& words) {
    FILE* pipe = ::popen(commandLine(places, words).c_str(), "r");
    if (pipe == nullptr) return Error{ErrorCode::Io, "no process could be started", places.mofo, "", ""};
    std::string text;
    char buffer[65536];
    for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) text.append(buffer, n);
    if (const int status = ::pclose(pipe); status != 0)
        return Error{ErrorCode::Io, fmt::format("mofo {} ended with status {}", words.front(), status), places.mofo, "", ""};
    return parseJson(text);
}

Result<void> act(const Places& places, const std::vector<std::string>& words) {
    if (const int status = std::system(commandLine(places, words).c_str()); status != 0)
        return Error{ErrorCode::Io, fmt::format("mofo {} ended with status {}", words.front(), status), places.mofo, "", ""};
    return {};
}

/// Trains the run to its end: from nothing, or from where it was left.
Result<void> finishRun(const Places& places, const Json& campaign, const std::string& name, const std::vector<std::string>& own) {
    MOFO_TRY(const Json runs, ask(places, {"runs", "--all", "--json"}));
    for (const Json& run : runs) {
        if (run["name"] != name) continue;
        if (run["state"] == "finished") return {};
        fmt::print(stderr, "{}: going on\n", name);
        return act(places, {"resume", name, "--foreground"});
    }
    fmt::print(stderr, "{}: from the start\n", name);
    std::vector<std::string> words = {"train",
                                      "--model",
                                      (fs::path(places.models) / campaign["model"].get<std::string>()).string(),
                                      "--data",
                                      (fs::path(places.data) / campaign["data"].get<std::string>()).string(),
                                      "--name",
                                      name,
                                      "--foreground",
                                      "--set"};
    for (const Json& one : campaign["common"]) words.push_back(one.get<std::string>());
    words.insert(words.end(), own.begin(), own.end());
    return act(places, words);
}

/// Its results, written once: changes from the base with their items' intervals.
Result<Json> resultsOf(const Places& places, const std::string& name) {
    const fs::path file = fs::path(places.results) / (name + ".json");
    if (fs::exists(file)) return readJson(file);
    MOFO_TRY(Json results, ask(places, {"compare", name, "--json"}));
    MOFO_TRY(const Json run, ask(places, {"show", name, "--json"}));
    results["config"] = run["config"];
    MOFO_CHECK(writeJson(file, results));
    return results;
}

Result<Json> changeOf(const Json& results, const std::string& measure) {
    for (const Json& change : results["from_base"]) {
        if (change["measure"] == measure) return change;
    }
    return Error{ErrorCode::NotFound, "nothing was measured of " + measure, "", "", ""};
}

std::vector<std::string> pilotSet(const Json& campaign, const Json& regime) {
    std::vector<std::string> own;
    for (const Json& one : campaign["pilot"]["set"]) own.push_back(one.get<std::string>());
    own.push_back("lr=" + regime["lr"].get<std::string>());
    own.push_back(fmt::format("steps={}", regime["steps"].get<int>()));
    own.push_back(fmt::format("probe_every={}", regime["probe_every"].get<int>()));
    return own;
}

/// The mildest regime in which AdamW forgets; every step of the search is kept.
Result<void> pilot(const Places& places, const Json& campaign) {
    const Json& wanted = campaign["pilot"]["forgets"];
    for (const Json& regime : campaign["pilot"]["mildest_first"]) {
        const std::string name = fmt::format("pilot-lr{}-s{}", regime["lr"].get<std::string>(), regime["steps"].get<int>());
        MOFO_CHECK(finishRun(places, campaign, name, pilotSet(campaign, regime)));
        MOFO_TRY(const Json results, resultsOf(places, name));
        MOFO_TRY(const Json change, changeOf(results, wanted["measure"]));
        const double rise = change["difference"], low = change["low"];
        fmt::print("{}: {} rose by {:+.4f} (95 % interval {:+.4f} to {:+.4f}, n = {})\n", name, wanted["measure"].get<std::string>(), rise, low,
                   change["high"].get<double>(), change["n"].get<int>());
        if (rise < wanted["rise"].get<double>() || low <= 0) continue;
        Json found = regime;
        found["run"] = name;
        return writeJson(fs::path(places.results) / "regime.json", found);
    }
    return Error{ErrorCode::NotFound, "AdamW did not forget so much in any of the regimes", "", "", ""};
}

/// endpoints.json, committed before, names them and the regime that they stand for.
Result<void> arms(const Places& places, const Json& campaign) {
    MOFO_TRY(const Json endpoints, readJson(fs::path(places.configs) / "endpoints.json"));
    MOFO_TRY(const Json regime, readJson(fs::path(places.results) / "regime.json"));
    if (endpoints["regime"] != regime)
        return Error{ErrorCode::Conflict, "endpoints.json was fixed for another regime than the pilot found", "endpoints.json", "", ""};
    for (const Json& arm : endpoints["arms"]) {
        std::vector<std::string> own = pilotSet(campaign, regime);
        for (const Json& one : arm["set"]) own.push_back(one.get<std::string>());
        MOFO_CHECK(finishRun(places, campaign, arm["run"], own));
        MOFO_TRY(const Json results, resultsOf(places, arm["run"]));
        fmt::print("{}: {} changes from the base\n", arm["run"].get<std::string>(), results["from_base"].size());
    }
    return {};
}

std::string seedRun(const Json& arm, const Json& seed) { return fmt::format("{}-seed{}", arm["name"].get<std::string>(), seed.get<int>()); }

/// Every arm of seeds.json once with every seed, all arms of a seed before the next seed.
Result<void> seeds(const Places& places, const Json& campaign) {
    MOFO_TRY(const Json plan, readJson(fs::path(places.configs) / "seeds.json"));
    for (const Json& seed : plan["seeds"]) {
        for (const Json& arm : plan["arms"]) {
            std::vector<std::string> own = pilotSet(campaign, plan["regime"]);
            for (const Json& one : plan["set"]) own.push_back(one.get<std::string>());
            for (const Json& one : arm["set"]) own.push_back(one.get<std::string>());
            own.push_back(fmt::format("seed={}", seed.get<int>()));
            const std::string name = seedRun(arm, seed);
            MOFO_CHECK(finishRun(places, campaign, name, own));
            MOFO_TRY(const Json results, resultsOf(places, name));
            fmt::print("{}: {} changes from the base\n", name, results["from_base"].size());
        }
    }
    return {};
}

std::string itemsName(const std::string& who, const Json& task) { return fmt::format("{}.{}.json", who, task["task"].get<std::string>()); }

/// Accuracies and medical loss: the base once, then every arm.
Result<void> evaluations(const Places& places, const Json& campaign) {
    MOFO_TRY(const Json endpoints, readJson(fs::path(places.configs) / "endpoints.json"));
    std::vector<std::string> who = {"base"};
    for (const Json& arm : endpoints["arms"]) who.push_back(arm["run"]);
    for (const std::string& one : who) {
        const std::string subject = one == "base" ? (fs::path(places.models) / campaign["model"].get<std::string>()).string() : one;
        for (const Json& task : campaign["evaluations"]) {
            const fs::path file = fs::path(places.results) / itemsName(one, task);
            if (fs::exists(file)) continue;
            MOFO_TRY(const Json result, ask(places, {"evaluate", subject, "--task", task["task"].get<std::string>(), "--limit",
                                                     std::to_string(task["limit"].get<int>()), "--json"}));
            MOFO_CHECK(writeJson(file, result));
            fmt::print("{} {}: {}\n", one, task["task"].get<std::string>(), result["measures"].dump());
        }
    }
    return {};
}

/// What the task asks of each item: right or wrong of answers and choices (acc), nats over tokens of texts (loss).
struct Outcomes {
    const char* measure = "";
    OutcomeKind kind = OutcomeKind::Share;
    std::vector<float> values, weights;
};

Outcomes outcomesOf(const Json& result) {
    Outcomes out;
    for (const Json& item : result["items"]) {
        if (item.contains("correct")) {
            out.measure = "exact_match";
            out.values.push_back(item["correct"].get<bool>() ? 1.0F : 0.0F);
        } else if (item.contains("label")) {
            const auto likelihoods = item["log_likelihoods"].get<std::vector<double>>();
            const auto best = std::max_element(likelihoods.begin(), likelihoods.end()) - likelihoods.begin();
            out.measure = "acc";
            out.values.push_back(best == item["label"].get<std::int64_t>() ? 1.0F : 0.0F);
        } else {
            out.measure = "loss";
            out.kind = OutcomeKind::Amount;
            out.values.push_back(-item["log_likelihood"].get<float>());
            out.weights.push_back(item["tokens"].get<float>());
        }
    }
    return out;
}

/// The standard deviation of one item's difference: of shares by the items that changed, of amounts by each item's own.
double deviationOf(const PairedComparison& compared, const Outcomes& a, const Outcomes& b) {
    const auto n = static_cast<double>(a.values.size());
    if (a.kind == OutcomeKind::Share) {
        const double differ = static_cast<double>(compared.counts.onlyA + compared.counts.onlyB) / n;
        return std::sqrt(differ - compared.difference * compared.difference);
    }
    double weight = 0, squares = 0;
    for (const float one : a.weights) weight += one;
    for (std::size_t i = 0; i < a.values.size(); ++i) {
        // Linearised ratio: what item i adds to the weighted mean's difference, times n.
        const double residual = (b.values[i] - a.values[i] - compared.difference * a.weights[i]) * n / weight;
        squares += residual * residual;
    }
    return std::sqrt(squares / n);
}

/// Every arm against AdamW on each task, with the difference that 80 % of such experiments would show (two-sided, 5 %).
Result<Json> secondary(const Places& places, const Json& campaign, const Json& endpoints) {
    Json out = Json::array();
    const std::string baseline = endpoints["baseline"];
    for (const Json& task : campaign["evaluations"]) {
        MOFO_TRY(const Json from, readJson(fs::path(places.results) / itemsName(baseline, task)));
        for (const Json& arm : endpoints["arms"]) {
            if (arm["run"] == baseline) continue;
            MOFO_TRY(const Json to, readJson(fs::path(places.results) / itemsName(arm["run"], task)));
            const Outcomes a = outcomesOf(from), b = outcomesOf(to);
            MOFO_TRY(const PairedComparison compared, comparePaired({a.values, b.values, a.weights, b.weights}, a.kind));
            out.push_back({{"task", task["task"]},
                           {"measure", a.measure},
                           {"a", baseline},
                           {"b", arm["run"]},
                           {"value_a", compared.a},
                           {"value_b", compared.b},
                           {"difference", compared.difference},
                           {"low", compared.interval.low},
                           {"high", compared.interval.high},
                           {"p", compared.p},
                           {"n", a.values.size()},
                           {"detectable", (1.960 + 0.842) * deviationOf(compared, a, b) / std::sqrt(static_cast<double>(a.values.size()))}});
        }
    }
    return out;
}

/// Compares all arms with `baseline` at the task loss `target`; NAME.html and NAME.json are written, and the comparison is given back.
Result<Json> compareArms(const Places& places, const Json& endpoints, const std::string& baseline, double target, const std::string& name) {
    std::vector<std::string> words = {"compare"};
    for (const Json& arm : endpoints["arms"]) words.push_back(arm["run"]);
    const auto file = [&](const char* ending) { return (fs::path(places.results) / (name + ending)).string(); };
    for (const std::string& word :
         {std::string("--baseline"), baseline, std::string("--at-loss"), fmt::format("{:.9f}", target), std::string("--html"), file(".html"),
          std::string("--json-file"), file(".json"), std::string("--title"), std::string("Does MoFO forget less than AdamW at equal learning?")})
        words.push_back(word);
    MOFO_CHECK(act(places, words));
    return readJson(file(".json"));
}

/// Whether the run gets down to the task loss; the letter stands for it in a comparison.
bool isPlaced(const Json& equal, const Json& letter) {
    for (const Json& place : equal["places"]) {
        if (place["run"] == letter) return !place["value"].is_null();
    }
    return false;
}

Result<void> report(const Places& places, const Json& campaign) {
    MOFO_TRY(const Json endpoints, readJson(fs::path(places.configs) / "endpoints.json"));
    MOFO_TRY(const Json reference, resultsOf(places, endpoints["target_from"]));
    MOFO_TRY(const Json learned, changeOf(reference, "eval/loss"));
    // A little above the loss itself, so that its own run is there at its last measurement.
    const double target = learned["to"].get<double>() + 1e-9;
    const std::string baseline = endpoints["baseline"];
    MOFO_TRY(const Json whole, compareArms(places, endpoints, baseline, target, "report"));
    MOFO_TRY(Json accuracies, secondary(places, campaign, endpoints));
    Json summary = {{"target_task_loss", target},
                    {"primary", whole["results"]["at_equal_task_loss"]},
                    {"at_the_end", whole["results"]["between_runs"]},
                    {"secondary", std::move(accuracies)}};
    // A baseline that never learns so much cannot be compared there: then the first arm that does is what the others are compared with.
    const Json& equal = summary["primary"];
    for (std::size_t i = 0; i < endpoints["arms"].size() && !isPlaced(equal, "A"); ++i) {
        const std::string run = endpoints["arms"][i]["run"];
        if (!isPlaced(equal, std::string(1, static_cast<char>('A' + i)))) continue;
        MOFO_TRY(const Json against, compareArms(places, endpoints, run, target, "report-" + run));
        summary["primary_against"] = {{"baseline", run}, {"at_equal_task_loss", against["results"]["at_equal_task_loss"]}};
        break;
    }
    fmt::print("{}\n", summary.dump(1));
    return writeJson(fs::path(places.results) / "summary.json", summary);
}

Result<void> run(const std::string& part, const Places& places) {
    MOFO_TRY(const Json campaign, readJson(fs::path(places.configs) / "campaign.json"));
    MOFO_CHECK(makeFolder(places.results, true));
    if (part == "pilot") return pilot(places, campaign);
    if (part == "arms") return arms(places, campaign);
    if (part == "seeds") return seeds(places, campaign);
    if (part == "evaluations") return evaluations(places, campaign);
    return report(places, campaign);
}

}  // namespace

int main(int argc, char** argv) {
    Places places;
    std::string part;
    CLI::App app{"The forgetting campaign, part by part: pilot, arms, evaluations, report; seeds. What is done is not done again."};
    app.add_option("part", part)->required()->check(CLI::IsMember({"pilot", "arms", "evaluations", "report", "seeds"}));
    app.add_option("--mofo", places.mofo, "The program")->required()->check(CLI::ExistingFile);
    app.add_option("--models", places.models, "Folder with the model's GGUF file")->required()->check(CLI::ExistingDirectory);
    app.add_option("--data", places.data, "Folder with the data sets")->required()->check(CLI::ExistingDirectory);
    app.add_option("--workspace", places.workspace, "Where the runs are kept")->required();
    app.add_option("--configs", places.configs, "Folder of campaign.json")->required()->check(CLI::ExistingDirectory);
    app.add_option("--results", places.results, "Where results are written (default: results/ beside campaign.json)");
    CLI11_PARSE(app, argc, argv);
    for (std::string* place : {&places.mofo, &places.models, &places.data, &places.workspace, &places.configs})
        *place = fs::absolute(*place).lexically_normal().string();
    places.results = places.results.empty() ? (fs::path(places.configs) / "results").string() : fs::absolute(places.results).string();
    if (const auto done = run(part, places); !done.ok()) {
        fmt::print(stderr, "{}\n", done.error().text());
        return 1;
    }
    return 0;
}
