// "Does MoFO help on my data?": the new run beside AdamW and a smaller alpha, as one group in the queue.
#include "core/client/sweep.h"
#include "ui/controllers/new_run_controller.h"
#include "ui/controllers/store_worker.h"
#include "ui/models/display_text.h"

namespace mofo {

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
        [progress = progressOfStart(), cancel = m_cancel, request, prepared](const Workspace& workspace, Registry& registry) -> Result<Json> {
            MOFO_TRY(*prepared, prepareSweep(workspace, registry, request, progress));
            if (!prepared->forecast.seconds && !cancel->load()) rehearseSweep(workspace, registry, *prepared, progress);
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
