// Sealing a model into the workspace from the window.
#pragma once

#include <QString>
#include <atomic>
#include <functional>
#include <memory>

#include "ui/controllers/store_worker.h"

namespace mofo {

/// Copies and seals a GGUF file or a Hugging Face folder. `progress` (phase, 0..1) and `done` ({"name","bytes"}) run on the context's thread and are
/// dropped where the context is gone; `cancel` ends it within a tensor.
void importModel(StoreWorker& worker, const QString& path, QObject* context, std::function<void(const QString&, double)> progress,
                 std::shared_ptr<std::atomic<bool>> cancel, StoreWorker::Done done);

}  // namespace mofo
