#include "ui/controllers/model_import.h"

#include <QPointer>
#include <utility>

#include "core/library/model_library.h"
#include "ui/models/display_text.h"

namespace mofo {

void importModel(StoreWorker& worker, const QString& path, QObject* context, std::function<void(const QString&, double)> progress,
                 std::shared_ptr<std::atomic<bool>> cancel, StoreWorker::Done done) {
    worker.submit(
        StoreWorker::Needs::NewWorkspace,
        [place = &worker, asked = QPointer<QObject>(context), progress = std::move(progress), cancel = std::move(cancel),
         source = path.toStdString()](const Workspace& workspace, Registry& registry) -> Result<Json> {
            // The window's thread calls `progress`: the worker lives there and outlives its own jobs.
            const ImportProgress tell = [&](std::string_view phase, double share) {
                QMetaObject::invokeMethod(place, [asked, progress, phase = ui::shown(phase), share] {
                    if (asked) progress(phase, share);
                });
                return !cancel->load();
            };
            MOFO_TRY(const ModelRow model, sealModel(workspace, registry, source, {}, tell));
            return Json{{"name", model.name}, {"bytes", model.sizeBytes}};
        },
        context, std::move(done));
}

}  // namespace mofo
