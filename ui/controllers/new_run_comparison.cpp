// "Does MoFO help on my data?": the new run beside AdamW and a smaller alpha, as one group in the queue.
#include <QPointer>

#include "core/client/jobs.h"
#include "core/client/sweep.h"
#include "ui/controllers/new_run_controller.h"
#include "ui/controllers/store_worker.h"
#include "ui/models/display_text.h"

namespace mofo {

namespace {

/// A few steps of the first run, measured, where no run of this model has told yet how long one takes. What fails leaves the time unknown.
void rehearse(const Workspace& workspace, Registry& registry, PreparedSweep& prepared, const ImportProgress& progress) {
    const RunRow& run = prepared.runs.front();
    const Json parameters = {{"model", run.modelId}, {"config", configToJson(run.config)}};
    const auto result = runJob(workspace, registry, "rehearse", parameters, run.device, "", progress);
    if (!result.ok() || !result->is_object()) return;
    const Json speed = result->value("ms_per_token", Json());
    if (speed.is_number()) setSpeed(prepared, speed.get<double>(), std::to_string(result->value("steps", 0)) + " steps measured just now");
}

}  // namespace

void NewRunController::prepareComparison() {
    if (m_starting || m_comparison || !whyNotQueue().isEmpty()) return;
    SweepRequest request;
    request.base = localConfig();
    request.arms = compareArms();
    request.name = m_form->name().trimmed().toStdString();
    request.compares = true;
    request.who = "window";
    m_starting = true;
    m_cancel = std::make_shared<std::atomic<bool>>(false);
    const auto prepared = std::make_shared<PreparedSweep>();
    Q_EMIT startProgress(tr("checking"), 0);
    m_starter->submit(
        StoreWorker::Needs::NewWorkspace,
        [guard = QPointer<NewRunController>(this), starter = m_starter, cancel = m_cancel, request, prepared](const Workspace& workspace,
                                                                                                              Registry& registry) -> Result<Json> {
            const ImportProgress progress = [&](std::string_view phase, double share) {
                QMetaObject::invokeMethod(starter, [guard, text = ui::shown(phase), share] {
                    if (guard) Q_EMIT guard->startProgress(text, share);
                });
                return !cancel->load();
            };
            MOFO_TRY(*prepared, prepareSweep(workspace, registry, request, progress));
            if (!prepared->forecast.seconds && !cancel->load()) rehearse(workspace, registry, *prepared, progress);
            if (cancel->load()) return Error{ErrorCode::Interrupted, "cancelled, nothing was queued", "", "", ""};
            return Json();
        },
        this,
        [this, prepared](const Result<Json>& result) {
            m_starting = false;
            if (result.ok()) {
                m_comparison = prepared;
            } else {
                Q_EMIT startFailed(ui::shown(result.error().text()));
            }
            Q_EMIT comparisonChanged();
            Q_EMIT summaryChanged();
        });
}

void NewRunController::discardComparison() {
    m_comparison.reset();
    Q_EMIT comparisonChanged();
    Q_EMIT summaryChanged();
}

void NewRunController::queueComparison() {
    if (m_starting || !m_comparison) return;
    m_starting = true;
    m_starter->submit(
        StoreWorker::Needs::NewWorkspace,
        [prepared = m_comparison](const Workspace& workspace, Registry& registry) -> Result<Json> {
            MOFO_CHECK(queueSweep(workspace, registry, *prepared));
            return Json();
        },
        this,
        [this](const Result<Json>& result) {
            m_starting = false;
            const auto prepared = std::exchange(m_comparison, nullptr);
            Q_EMIT comparisonChanged();
            Q_EMIT summaryChanged();
            if (!result.ok()) {
                Q_EMIT startFailed(ui::shown(result.error().text()));
                return;
            }
            m_form->setName({});
            forgetDraft();
            Q_EMIT comparisonQueued(ui::shown(prepared->sweep.name), static_cast<int>(prepared->runs.size()));
        });
}

}  // namespace mofo
