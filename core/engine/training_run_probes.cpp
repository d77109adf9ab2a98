// Probes of a run: when they are measured and what becomes of what they find.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>

#include "core/base/clock.h"
#include "core/base/process_memory.h"
#include "core/base/text.h"
#include "core/engine/trainer.h"
#include "core/engine/training_run.h"
#include "core/task/task.h"

namespace mofo {

Result<void> TrainingRun::loadProbes() {
    if (config().probes.empty()) return {};
    m_log.status("load", 0, "reading the probes");
    const auto setting = m_registry.setting(taskDataSetting);
    const Probes::Sources sources{m_training.pretrained(), m_training.tokenizer(), m_training.data(),
                                  taskDataFolders(setting.ok() ? *setting : std::nullopt)};
    MOFO_TRY(m_probes, Probes::load(config(), sources));
    m_log.event(m_probes->anyMissing() ? "warning" : "state", "engine", m_probes->summary());
    if (m_probes->empty()) return {};
    const Json facts = m_probes->facts();
    MOFO_CHECK(m_queue.writeFact("probes", facts));
    MOFO_CHECK(m_queue.writeFact("samples", m_probes->sampleFacts()));
    // What an earlier engine measured of the same items; of others the start is measured anew.
    std::vector<ProbeRow> known;
    for (const ProbeRow& row : m_earlier.probes) {
        const bool same = m_earlier.probeFacts.contains(row.probe) && facts.contains(row.probe) &&
                          m_earlier.probeFacts[row.probe].value("items_sha256", "") == facts[row.probe].value("items_sha256", "-");
        if (same && !row.superseded) known.push_back(row);
    }
    std::map<std::int64_t, double> seconds;
    for (const ProbeRow& row : known) {
        m_probedAt[row.step].insert(row.probe);
        seconds[row.step] += row.seconds;
    }
    if (!seconds.empty()) m_pace.noteDone(seconds.rbegin()->second);
    std::erase_if(known, [](const ProbeRow& row) { return row.step != 0; });
    m_probes->takeStart(known);
    return {};
}

Result<void> TrainingRun::probeStartBeforeResuming() {
    if (!m_probes || m_probes->empty() || (!m_earlier.any && m_run.parentStep == 0)) return {};
    // The weights are the pretrained ones until a checkpoint is read over them. Commands wait: which step they are for is not known yet.
    const Probes::Model model{m_training.decoder(), m_training.tokenizer(), m_training.device()};
    const auto progress = [&](double share, const std::string& what) {
        m_log.status("probe", share, what + ", at the start");
        return !stopSignalled();
    };
    MOFO_CHECK(m_probes->computeBase(model, progress));
    if (m_probes->knowsStart()) return {};
    std::vector<std::string> failures;
    MOFO_TRY(ProbesMeasured measured, m_probes->measure(0, model, progress, failures));
    keepMeasured(0, std::move(measured), failures);
    return {};
}

void TrainingRun::keepMeasured(std::int64_t step, ProbesMeasured measured, const std::vector<std::string>& failures) {
    for (const std::string& failure : failures) m_log.event("warning", "engine", failure);
    std::vector<std::string> values;
    for (const ProbeRow& row : measured.rows) {
        m_probedAt[step].insert(row.probe);
        if (row.measure != "acc_norm" && row.measure != "reverse_kl" && row.measure != "bits_per_byte")
            values.push_back(row.probe + " " + row.measure + " " + formatShortest(std::round(row.value * 1e4) / 1e4));
    }
    spdlog::info("step {}: probes in {:.1f} s: {}", step, measured.seconds, joinText(values, ", "));
    if (step == 0) m_probes->takeStart(measured.rows);
    m_pace.noteDone(measured.seconds);
    m_sinceProbe.restart();
    MetricsBatch batch;
    batch.probes = std::move(measured.rows);
    batch.generations = std::move(measured.samples);
    m_queue.add(std::move(batch));
}

bool TrainingRun::isProbed(std::int64_t step) const {
    const auto found = m_probedAt.find(step);
    if (found == m_probedAt.end()) return false;
    const std::vector<std::string> names = m_probes->names();
    return std::all_of(names.begin(), names.end(), [&](const std::string& name) { return found->second.contains(name); });
}

bool TrainingRun::probesAreDue() {
    if (!m_probes || m_probes->empty()) return false;
    if (m_state.step == 0 || m_state.step == m_total) return true;
    m_pace.notePassed(m_sinceProbe.elapsedMs() * 1e-3);
    bool stretched = false;
    const bool due = m_pace.isDue(config(), m_state.step, stretched);
    if (stretched && !m_stretchSaid) {
        m_stretchSaid = true;
        m_log.event("state", "engine",
                    "probes come less often than asked, so that they take no more than " + formatShortest(100 * config().probeBudget) +
                        " % of the time (probe_budget)");
    }
    return due;
}

Result<void> TrainingRun::probe() {
    if (!m_probes || m_probes->empty() || isProbed(m_state.step)) return {};
    const Probes::Model model{m_training.decoder(), m_training.tokenizer(), m_training.device()};
    const auto progress = [&](double share, const std::string& what) {
        m_log.status("probe", share, what);
        // Whoever stops the run waits for no probe.
        return lookMeanwhile() && m_goMeanwhile == Go::On && !stopSignalled();
    };
    // Before and after: a step's pieces have other sizes than a probe's, and neither finds room between what the other left.
    releaseFreedMemory();
    std::vector<std::string> failures;
    auto done = [&]() -> Result<ProbesMeasured> {
        if (m_state.step == 0 && !m_probes->hasBaseStates()) MOFO_CHECK(m_probes->computeBase(model, progress));
        return m_probes->measure(m_state.step, model, progress, failures);
    }();
    if (!done.ok()) {
        if (done.error().code == ErrorCode::Interrupted && (m_goMeanwhile != Go::On || m_errorMeanwhile || stopSignalled())) return {};
        return std::move(done).error();
    }
    releaseFreedMemory();
    if (m_state.step > 0) m_probes->compareWithStart(done->rows, m_reading);
    keepMeasured(m_state.step, std::move(*done), failures);
    return {};
}

}  // namespace mofo
