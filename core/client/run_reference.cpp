#include "core/client/run_reference.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <vector>

#include "core/base/text.h"

namespace mofo {

namespace {

struct Suffix {
    RunReference::At at = RunReference::At::Newest;
    std::int64_t step = 0;
};

std::optional<Suffix> parseSuffix(std::string_view text) {
    if (text == "best") return Suffix{RunReference::At::Best, 0};
    if (text == "last") return Suffix{RunReference::At::Newest, 0};
    if (text == "now") return Suffix{RunReference::At::Now, 0};
    std::int64_t step = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), step);
    if (text.empty() || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || step < 0) return std::nullopt;
    return Suffix{RunReference::At::Step, step};
}

std::string stepList(const std::vector<CheckpointRow>& rows) {
    std::vector<std::string> steps;
    for (const CheckpointRow& row : rows) steps.push_back(std::to_string(row.step));
    return joinText(steps, ", ");
}

}  // namespace

Result<std::map<std::int64_t, double>> heldOutLosses(const MetricsReader& reader) {
    MOFO_TRY(const std::vector<EvalRow> evals, reader.evalsAfter(0));
    std::map<std::int64_t, double> losses;
    for (const EvalRow& eval : evals) {
        if (!eval.superseded && eval.task == "eval" && std::isfinite(eval.loss)) losses[eval.step] = eval.loss;
    }
    return losses;
}

Result<RunReference> findRunReference(const Registry& registry, std::string_view text) {
    RunReference reference;
    const std::size_t at = text.rfind('@');
    if (at != std::string_view::npos && at > 0) {
        if (const std::optional<Suffix> suffix = parseSuffix(text.substr(at + 1))) {
            auto run = registry.findRun(text.substr(0, at));
            if (!run.ok()) return std::move(run).error();
            return RunReference{std::move(run).value(), suffix->at, suffix->step, true};
        }
    }
    auto run = registry.findRun(text);
    if (!run.ok()) {
        if (at != std::string_view::npos && run.error().code == ErrorCode::NotFound && registry.findRun(text.substr(0, at)).ok()) {
            return Error{ErrorCode::Usage, "what follows the @ is not a step", escapeForDisplay(text), "Write digits, best, last or now after it",
                         ""};
        }
        return std::move(run).error();
    }
    reference.run = std::move(run).value();
    return reference;
}

Result<CheckpointPlace> chooseCheckpoint(const Workspace& workspace, const RunReference& reference) {
    const std::string& id = reference.run.id;
    const auto nothing = [&](const std::string& why, const std::string& remedy) { return Error{ErrorCode::NotFound, why, id, remedy, ""}; };
    const std::string noneYet = "the run has no complete checkpoint";
    const std::string howTo = "A run writes one when it finishes or stops: `mofo stop " + id + "`";
    auto reader = MetricsReader::open(workspace.metricsFile(id));
    if (!reader.ok()) {
        if (reader.error().code == ErrorCode::NotFound) return nothing(noneYet, howTo);
        return std::move(reader).error();
    }
    MOFO_TRY(std::vector<CheckpointRow> rows, reader->checkpoints(true));
    std::erase_if(rows, [](const CheckpointRow& row) { return row.superseded || row.removed || row.state == "failed"; });
    if (rows.empty()) return nothing(noneYet, howTo);
    const auto missing = [&](const CheckpointRow& row) {
        std::error_code ec;
        return !std::filesystem::exists(workspace.checkpointsFolder(id) / row.folder / "manifest.json", ec);
    };
    std::vector<CheckpointRow> unusable;
    for (const CheckpointRow& row : rows) {
        if (row.state == "lost" || missing(row)) unusable.push_back(row);
    }
    std::erase_if(rows, [&](const CheckpointRow& row) { return row.state == "lost" || missing(row); });
    const auto whatBecameOf = [&](const CheckpointRow& row) {
        return "the checkpoint of step " + std::to_string(row.step) + (missing(row) ? " is not on the disk any more" : " is damaged");
    };
    if (rows.empty()) {
        return nothing(whatBecameOf(unusable.back()) + (unusable.size() > 1 ? ", and no other can be used either" : ", and there is no other"),
                       "`mofo verify " + id + "` says more; train on from the pretrained weights with `mofo branch " + id + " --at 0`");
    }
    std::stable_sort(rows.begin(), rows.end(), [](const CheckpointRow& a, const CheckpointRow& b) { return a.step < b.step; });

    auto chosen = rows.end();
    switch (reference.at) {
        case RunReference::At::Newest: chosen = std::prev(rows.end()); break;
        case RunReference::At::Step: {
            const auto after = std::find_if(rows.rbegin(), rows.rend(), [&](const CheckpointRow& row) { return row.step == reference.step; });
            if (after == rows.rend()) {
                const auto gone =
                    std::find_if(unusable.begin(), unusable.end(), [&](const CheckpointRow& row) { return row.step == reference.step; });
                if (gone != unusable.end()) return nothing(whatBecameOf(*gone), "There are: " + stepList(rows));
                return nothing("the run has no checkpoint of step " + std::to_string(reference.step), "There are: " + stepList(rows));
            }
            chosen = std::prev(after.base());
            break;
        }
        case RunReference::At::Best: {
            MOFO_TRY(const auto losses, heldOutLosses(*reader));
            double least = 0;
            for (auto row = rows.begin(); row != rows.end(); ++row) {
                const auto loss = losses.find(row->step);
                if (loss == losses.end() || (chosen != rows.end() && loss->second >= least)) continue;
                chosen = row;
                least = loss->second;
            }
            if (chosen == rows.end()) {
                return nothing("no checkpoint of the run was evaluated, so none is the best", "Name a step: " + stepList(rows));
            }
            break;
        }
        case RunReference::At::Now:
            return Error{ErrorCode::Usage, "@now is the model inside the engine, not a checkpoint", id, "Use @last, or stop the run first", ""};
    }
    return CheckpointPlace{*chosen, workspace.checkpointsFolder(id) / chosen->folder};
}

}  // namespace mofo
