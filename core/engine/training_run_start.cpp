// How a run begins or goes on: from its own newest checkpoint, its parent's, or the sealed model.
#include <ATen/Parallel.h>

#include <algorithm>

#include "core/base/file.h"
#include "core/base/text.h"
#include "core/engine/device.h"
#include "core/engine/fingerprints.h"
#include "core/engine/random_state.h"
#include "core/engine/torch_guard.h"
#include "core/engine/trainer.h"
#include "core/engine/training_run.h"
#include "kernels/include/execution.h"

namespace mofo {

Result<void> TrainingRun::loadAll() {
    if (!m_run.deviceWarning.empty()) m_log.event("warning", "engine", m_run.deviceWarning);
    const auto progress = [&](std::string_view phase, double share, const std::string& detail) {
        m_log.status(phase, share, detail);
        return !stopSignalled();
    };
    const std::filesystem::path model = m_workspace.modelFolder(m_run.modelId);
    MOFO_CHECK(m_training.load(model.string(), m_run.device, config(), progress));
    m_total = m_training.data().totalSteps();
    m_log.setTotal(m_total);
    for (const std::string& warning : m_training.data().warnings()) m_log.event("warning", "engine", warning);
    m_log.status("load", 0, "hashing the model");
    // The id is made of the hash the model was sealed with; what lies there now decides.
    MOFO_TRY(const std::string modelSha256, sha256OfFile(model / "model.safetensors"));
    MOFO_CHECK(m_queue.writeFact("data", m_training.data().facts()));
    MOFO_CHECK(m_queue.writeFact("initial_config", configToJson(m_run.config)));
    MOFO_CHECK(m_queue.writeFact("engine", {{"device", deviceLabel(m_training.device())},
                                            {"threads", at::get_num_threads()},
                                            {"libtorch", TORCH_VERSION},
                                            {"kernels", kernels::instructionSetName(kernels::bestInstructionSet())},
                                            {"model_sha256", modelSha256}}));
    MOFO_CHECK(m_training.build(config(), progress));
    if (config().offload == Offload::Optimizer && m_training.device().is_cpu())
        m_log.event("warning", "engine", "offload=optimizer changes nothing on the CPU: everything is in host memory already");
    if (config().precision != Precision::Fp32 && m_training.device().is_cpu() && !multipliesBf16())
        m_log.event("warning", "engine",
                    "precision=" + configValue(config(), "precision") +
                        ": this processor has no instructions for bf16 (AVX-512 BF16, AMX), so that training is slower than in fp32");
    m_fingerprints = fingerprintsOf(m_training.data(), config(), modelSha256, m_training.tokenizer().sha256(), m_training.device());
    return guardTorch([&]() -> Result<void> {
        seedRandomState(static_cast<std::uint64_t>(config().seed), m_training.device());
        m_firstRandomState = randomState(m_training.device());
        return {};
    });
}

std::uint64_t TrainingRun::stateBytes() {
    std::vector<StateBytes> bytes;
    m_training.statistics().addStateTo(bytes);
    std::uint64_t sum = 0;
    for (const StateBytes& one : bytes) sum += one.bytes.size();
    for (const NamedBytes& one : m_firstRandomState) sum += one.bytes.size();
    return sum;
}

Result<void> TrainingRun::prepare() {
    MOFO_CHECK(loadAll());
    MOFO_CHECK(loadProbes());
    MOFO_CHECK(m_keeper.reconcile(m_earlier.checkpoints));
    MOFO_CHECK(probeStartBeforeResuming());
    MOFO_CHECK(startOrResume());
    std::erase_if(m_probedAt, [&](const auto& one) { return one.first > m_state.step; });
    MOFO_TRY(m_replay, m_inbox.replayAfter(m_state.step, m_earlier.acknowledged));
    // As in the first life: a guard's change was decided before other changes for the same step were read.
    std::stable_partition(m_replay.begin(), m_replay.end(), [](const auto& one) { return one.second.who == "guard"; });
    MOFO_CHECK(m_training.configure(config()));
    MOFO_CHECK(rehearseMemory());
    return m_keeper.forecast(config(), m_training, m_total - m_state.step, stateBytes());
}

Result<void> TrainingRun::startOrResume() {
    const std::vector<CheckpointRow> candidates = m_keeper.candidates();
    for (const CheckpointRow& row : candidates) {
        MOFO_TRY(const bool resumed, resumeFrom(row));
        if (resumed) return {};
    }
    if (!m_run.parentId.empty() && m_run.parentStep > 0) return startFromParent();
    // Never by itself: what is missing may only be unmounted.
    std::string missing;
    for (const CheckpointRow& row : m_earlier.checkpoints) {
        if (row.removed || row.superseded || row.kind != checkpointFull || row.state == "failed") continue;
        missing += (missing.empty() ? "" : ", ") + std::to_string(row.step);
    }
    if (!missing.empty()) {
        return Error{ErrorCode::Conflict, "none of the run's checkpoints (of step " + missing + ") can be used: they are damaged or gone",
                     escapeForDisplay(m_workspace.checkpointsFolder(m_run.id).string()),
                     "Bring one back and resume again, or start anew from the pretrained weights: mofo branch " + m_run.id + " --at 0", "LOST"};
    }
    if (m_earlier.any) {
        MOFO_CHECK(m_queue.supersedeAfter(0));
        m_log.event("resume", "engine", "there is no checkpoint: starting again from the pretrained weights");
    }
    return {};
}

Result<void> TrainingRun::readTensors(const FoundCheckpoint& checkpoint) {
    std::vector<NamedBytes> random;
    for (const NamedBytes& one : m_firstRandomState) random.push_back({one.name, {}});
    std::vector<std::byte> previous, ever;
    std::vector<RestoredBytes> bytes{{TensorStatistics::previousName, &previous, false}, {TensorStatistics::everName, &ever, false}};
    for (NamedBytes& one : random) bytes.push_back({one.name, &one.bytes, true});
    return guardTorch([&]() -> Result<void> {
        MOFO_CHECK(restoreCheckpoint(checkpoint, m_training.trained().parameters(), m_training.weights(), m_training.optimizer().firstMoments(),
                                     m_training.optimizer().secondMoments(), bytes));
        MOFO_CHECK(m_training.optimizer().stateReplaced());
        m_training.statistics().restoreState(previous, ever);
        // Nothing draws between here and the first step.
        restoreRandomState(random, m_training.device());
        return {};
    });
}

Result<void> TrainingRun::adoptState(TrainingState state) {
    MOFO_CHECK(m_training.data().startAfter(state.step, state.samples));
    m_state = std::move(state);
    m_usedConfig = config();
    m_total = m_training.data().totalSteps();
    m_log.setStep(m_state.step, m_total);
    m_keeper.noteRestored(m_state.step);
    m_queue.setConfig(config());
    return {};
}

Error TrainingRun::refusal(std::int64_t step, const Json& fingerprints, const std::vector<std::string>& differences) const {
    const Json::json_pointer threads("/numerics/threads");
    const Json then = fingerprints.contains(threads) ? fingerprints[threads] : Json(), now = m_fingerprints[threads];
    std::string remedy = "Put back what changed and resume again";
    if (then.is_string() && then != now) {
        if (differences.size() == 1) remedy = "Resume it with as many threads as then";
        remedy += ": OMP_NUM_THREADS=" + escapeForDisplay(then.get<std::string>()) + " mofo resume " + m_run.id;
    }
    return Error{ErrorCode::Conflict,
                 "the run cannot go on bit for bit from its checkpoint of step " + std::to_string(step) +
                     ", because this changed: " + joinText(differences, ", "),
                 "", remedy + "; or go on in a branch that is marked as not bit-exact: mofo resume " + m_run.id + " --as-branch", "CHANGED"};
}

Result<bool> TrainingRun::resumeFrom(const CheckpointRow& row) {
    m_log.status("load", 0, "reading the checkpoint of step " + std::to_string(row.step));
    const auto lost = [&](const Error& error) {
        m_keeper.markLost(row, error.text());
        return false;
    };
    auto found = openCheckpoint(m_keeper.folderOf(row), false);
    if (!found.ok()) {
        if (isDamage(found.error())) return lost(found.error());
        return std::move(found).error();
    }
    auto state = TrainingState::fromJson(found->state);
    if (!state.ok()) return lost(state.error());
    if (state->step != row.step || found->step != row.step)
        return lost(Error{ErrorCode::InvalidInput, "its files name different steps", escapeForDisplay(row.folder), "", "CHANGED"});
    const Json& then = found->state["fingerprints"];
    if (const auto differences = fingerprintDifferences(then, m_fingerprints); !differences.empty()) return refusal(row.step, then, differences);
    if (auto read = readTensors(*found); !read.ok()) {
        if (isDamage(read.error())) return lost(read.error());
        return std::move(read).error();
    }
    MOFO_CHECK(adoptState(std::move(*state)));
    MOFO_CHECK(m_queue.supersedeAfter(m_state.step));
    m_keeper.supersedeAfter(m_state.step);
    restoreJournal();
    m_log.event("resume", "engine",
                "resumed from the checkpoint of step " + std::to_string(m_state.step) +
                    (isOtherBuild(then, m_fingerprints) ? "; the program was built anew since, and its arithmetic is the same" : ""));
    return true;
}

void TrainingRun::restoreJournal() {
    // The store has these already, unless one of its files was put back to an earlier copy.
    for (const TrainingState::AppliedChange& one : m_state.applied) {
        if (one.uuid.empty() || !m_inbox.markHandled(one.uuid)) continue;
        AcknowledgementRow row;
        row.uuid = one.uuid;
        row.appliedStep = one.step;
        row.accepted = true;
        MetricsBatch batch;
        batch.acknowledgements.push_back(std::move(row));
        m_queue.add(std::move(batch));
    }
    for (CommandRow command : m_state.pending) {
        command.runId = m_run.id;
        if (auto added = m_registry.addCommand(command); !added.ok())
            m_log.event("warning", "engine", "a change for a later step could not be put back: " + added.error().text());
    }
}

Result<void> TrainingRun::startFromParent() {
    const std::string step = std::to_string(m_run.parentStep), parent = m_run.parentId;
    m_log.status("load", 0, "reading the checkpoint of step " + step + " of run " + parent);
    const auto refused = [&](const std::string& why) {
        return Error{ErrorCode::NotFound, "the branch cannot start from step " + step + " of run " + parent + ": " + why, "",
                     "Branch from another step: mofo show " + parent + " lists them", ""};
    };
    const auto reader = MetricsReader::open(m_workspace.metricsFile(parent));
    if (!reader.ok()) return refused(reader.error().text());
    MOFO_TRY(const std::vector<CheckpointRow> rows, reader->checkpoints());
    const CheckpointRow* chosen = nullptr;
    for (const CheckpointRow& row : rows) {
        if (row.step == m_run.parentStep && !row.superseded && (chosen == nullptr || row.kind == checkpointFull)) chosen = &row;
    }
    if (chosen == nullptr) return refused("it has no checkpoint of that step");
    const auto found = openCheckpoint(m_workspace.checkpointsFolder(parent) / chosen->folder, false);
    if (!found.ok()) return refused(found.error().text());
    auto state = TrainingState::fromJson(found->state);
    if (!state.ok()) return refused(state.error().text());
    if (auto read = readTensors(*found); !read.ok()) return refused(read.error().text());
    const std::vector<std::string> differences = fingerprintDifferences(found->state["fingerprints"], m_fingerprints);
    // History stays, for the digest; it is not this run's journal.
    for (TrainingState::AppliedChange& one : state->applied) one.uuid.clear();
    state->pending.clear();
    state->config = m_run.config;
    MOFO_CHECK(adoptState(std::move(*state)));
    m_keeper.noteRestored(-1);
    if (m_earlier.any) MOFO_CHECK(m_queue.supersedeAfter(m_state.step));
    m_log.event("resume", "engine", "branch of run " + parent + ": goes on from its step " + step);
    std::vector<std::string> reasons = differences;
    if (!m_run.notExact.empty() && differences.empty()) reasons.push_back(m_run.notExact);
    if (!reasons.empty()) {
        MOFO_CHECK(m_queue.writeFact("not_bit_exact", reasons));
        m_log.event("warning", "engine", "not bit-exact with its parent: " + joinText(reasons, ", "));
    }
    return {};
}

}  // namespace mofo
