// What clients (command line and window) do to runs: start, steer, resume. All through the store.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/client/device_choice.h"
#include "core/config/run_config.h"
#include "core/library/model_library.h"
#include "core/model/model_description.h"
#include "core/store/registry.h"
#include "core/store/run_metrics.h"
#include "core/store/workspace.h"

namespace mofo {

class Tokenizer;

struct StartOptions {
    std::string name;  ///< empty: made from model and alpha, unique
    std::vector<std::string> tags;
    std::string note;
    std::string who = "cli";
    bool startSupervisor = true;  ///< false: --foreground supervises itself
    std::string sealedModel;      ///< id: this model of the workspace, whatever the config's `model` names by now
    std::string parentId;         ///< of a branch or twin (core/client/branch.h)
    std::int64_t parentStep = 0;
    std::string notExact;     ///< RunRow::notExact
    std::string commandLine;  ///< empty: the `mofo train` line
};

/// Checks config, model and data (a data file without any usable row is refused), seals the model, resolves the device, writes the run as
/// queued and starts the supervisor. Nothing is left behind on refusal.
Result<RunRow> startRun(const Workspace& workspace, Registry& registry, const RunConfig& config, const StartOptions& options,
                        const ImportProgress& progress = {});

/// What was looked into for runs that are prepared one after another: models and data that they share are read once.
class InputChecks {
public:
    /// Of the model of a prepared run.
    [[nodiscard]] const std::vector<ParameterInfo>& parametersOf(const RunRow& run) const { return m_models.at(run.modelId).parameters; }

private:
    friend Result<RunRow> prepareRun(const Workspace&, Registry&, const RunConfig&, const StartOptions&, InputChecks&, const ImportProgress&);
    struct Model {
        ModelDescription description;
        std::vector<ParameterInfo> parameters;
    };
    std::map<std::string, Model> m_bySource, m_models;
    std::set<std::string> m_data;
};

/// What startRun does up to the registry: checks, seals the model, and gives the run that would be queued.
Result<RunRow> prepareRun(const Workspace& workspace, Registry& registry, const RunConfig& config, const StartOptions& options, InputChecks& checks,
                          const ImportProgress& progress = {});
/// Usage where a name is not usable for a run; an empty one is.
Result<void> checkRunName(std::string_view name);

/// Continues an ended (stopped, failed, lost) run from its newest complete checkpoint, or from the start where there is none; Conflict for
/// one that is live or queued, or finished without an undo that waits.
Result<void> resumeRun(const Workspace& workspace, Registry& registry, const RunRow& run, bool startSupervisor);

/// Checks that a data file opens and that at least one of its rows can be trained on with this model; InvalidInput with the first reasons
/// where none can. Reads up to the first usable row.
Result<void> checkData(const std::string& path, std::string_view columns, const Tokenizer& tokenizer, std::string_view chatTemplate,
                       std::int64_t maxLength);

/// Checks the assignments of a live change against the run's config: Usage for an unknown key, a wrong value, a key that cannot change while
/// a run is on. Returns {"key":"canonical value",...}.
Result<Json> checkLiveChange(const RunRow& run, const std::vector<std::string>& assignments);

/// Tells an end from the moment in which an engine is gone and its supervisor has not said yet what became of the run (a restart, a failure):
/// `lost` counts only after it has lasted while a supervisor is there.
class EndWatch {
public:
    explicit EndWatch(Workspace workspace) : m_workspace(std::move(workspace)) {}
    [[nodiscard]] bool hasEnded(const RunRow& run);

private:
    Workspace m_workspace;
    std::int64_t m_lostSinceNs = 0;
};

/// Writes one command row for a live, queued, starting or lost run; Conflict on one that ended, unless `goesOn` says that an undo waits for its next
/// start. Returns its uuid.
Result<std::string> sendCommand(Registry& registry, const RunRow& run, std::string_view kind, const Json& payload, std::optional<std::int64_t> atStep,
                                std::string_view who, bool goesOn = false);
/// Waits for the acknowledgement; Busy with a sentence where none came within `timeoutSeconds`, Conflict where the run ended without it,
/// Interrupted where `interrupted` says so (the command stays).
Result<AcknowledgementRow> awaitAcknowledgement(const Workspace& workspace, std::string_view runId, std::string_view uuid, double timeoutSeconds,
                                                const std::function<bool()>& interrupted = {});
/// Waits until the engine of a run that has ended has closed its files and gone (some seconds at most); false where it is still there.
bool awaitEngineExit(const Workspace& workspace, std::string_view runId, const std::function<bool()>& interrupted = {});
/// Commands of a run that no engine has taken yet, oldest first.
Result<std::vector<CommandRow>> pendingCommands(const Workspace& workspace, const Registry& registry, std::string_view runId);
/// The newest step in the run's measurements that counts; 0 before the first.
[[nodiscard]] std::int64_t currentStep(const Workspace& workspace, const RunRow& run);

}  // namespace mofo
