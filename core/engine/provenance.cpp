#include "core/engine/provenance.h"

#include <set>
#include <vector>

#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/store/run_metrics.h"

namespace mofo {

namespace {

/// What its engine found when it went on, which is more than what was asked for.
std::string notExactOf(const Workspace& workspace, const RunRow& run) {
    const auto reader = MetricsReader::open(workspace.metricsFile(run.id));
    const auto reasons = reader.ok() ? reader->fact("not_bit_exact") : Result<std::optional<Json>>(std::nullopt);
    if (!reasons.ok() || !*reasons || !(*reasons)->is_array()) return run.notExact;
    std::vector<std::string> texts;
    for (const Json& reason : **reasons) {
        if (reason.is_string()) texts.push_back(reason.get<std::string>());
    }
    return texts.empty() ? run.notExact : joinText(texts, ", ");
}

Json changesOf(const Json& state) {
    Json changes = Json::array();
    const Json::json_pointer applied("/journal/applied");
    if (!state.contains(applied) || !state[applied].is_array()) return changes;
    for (const Json& one : state[applied]) {
        if (one.is_object())
            changes.push_back({{"step", one.value("step", Json())}, {"who", one.value("who", Json())}, {"values", one.value("change", Json())}});
    }
    return changes;
}

Json undoneOf(const Workspace& workspace, const std::string& runId) {
    Json undone = Json::array();
    const auto reader = MetricsReader::open(workspace.metricsFile(runId));
    const auto events = reader.ok() ? reader->eventsAfter(0) : Result<std::vector<EventRow>>(std::vector<EventRow>());
    if (!events.ok()) return undone;
    for (const EventRow& event : *events) {
        if (event.kind == "undo")
            undone.push_back({{"step", event.step}, {"who", event.who}, {"text", event.text}, {"when", formatLocalTime(event.wallNs)}});
    }
    return undone;
}

}  // namespace

Json provenanceOf(const Workspace& workspace, const Registry& registry, const std::string& runId, const FoundCheckpoint& checkpoint,
                  const std::string& baseModel) {
    Json json = {{"run", runId},
                 {"name", nullptr},
                 {"step", checkpoint.step},
                 {"checkpoint_manifest_sha256", checkpoint.manifestSha256},
                 {"base_model", baseModel},
                 {"program", "MoFO Workbench"},
                 {"exactness", nullptr},
                 {"initial_config", nullptr},
                 {"config", checkpoint.state.value("config", Json())},
                 {"changes", changesOf(checkpoint.state)},
                 {"undone", undoneOf(workspace, runId)},
                 {"parents", Json::array()}};
    auto run = registry.findRun(runId);
    if (!run.ok()) return json;
    json["name"] = run->name;
    if (const auto config = registry.initialRunConfig(runId); config.ok()) json["initial_config"] = configToJson(*config);
    std::vector<std::string> marks;
    const auto addMark = [&](const RunRow& row) {
        const std::string why = notExactOf(workspace, row);
        if (!why.empty()) marks.push_back(row.id == runId ? why : why + " (run " + row.id + ")");
    };
    addMark(*run);
    std::set<std::string> seen{run->id};
    while (!run->parentId.empty() && run->parentStep > 0) {
        const std::int64_t step = run->parentStep;
        run = registry.findRun(run->parentId);
        if (!run.ok() || !seen.insert(run->id).second) break;
        json["parents"].push_back({{"run", run->id}, {"name", run->name}, {"step", step}});
        addMark(*run);
    }
    if (!marks.empty()) json["exactness"] = "not bit-exact: " + joinText(marks, "; ");
    return json;
}

}  // namespace mofo
