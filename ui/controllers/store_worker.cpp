#include "ui/controllers/store_worker.h"

#include <QPointer>
#include <utility>

#include "core/base/paths.h"

namespace mofo {

StoreWorker::StoreWorker(std::filesystem::path workspace, QObject* parent) : QObject(parent), m_folder(std::move(workspace)), m_place(new QObject) {
    m_thread.setObjectName(QStringLiteral("store worker"));
    m_place->moveToThread(&m_thread);
    connect(&m_thread, &QThread::finished, m_place, &QObject::deleteLater);
    m_thread.start();
}

StoreWorker::~StoreWorker() {
    // In line behind what was asked for: a draft that was just typed is still written.
    QMetaObject::invokeMethod(m_place, [this] { m_thread.quit(); });
    m_thread.wait();
}

void StoreWorker::submit(Needs needs, Job job, QObject* context, Done done) {
    const QPointer<QObject> asked(context);
    QMetaObject::invokeMethod(m_place, [this, needs, job = std::move(job), asked, done = std::move(done)] {
        Result<Json> result = run(needs, job);
        if (!done) return;
        // Through this object, whose thread is the asking one: a pointer to the context is only looked at there.
        QMetaObject::invokeMethod(this, [asked, done, result = std::move(result)] {
            if (asked) done(result);
        });
    });
}

Result<Json> StoreWorker::run(Needs needs, const Job& job) {
    if (needs == Needs::Reading) {
        if (!m_readRegistry) {
            MOFO_TRY(m_readWorkspace, Workspace::open(m_folder));
            MOFO_TRY(m_readRegistry, Registry::open(*m_readWorkspace, Registry::Access::ReadOnly));
        }
        return job(*m_readWorkspace, *m_readRegistry);
    }
    if (!m_workspace) {
        const bool isDefault = m_folder == defaultWorkspacePath();
        auto opened = needs == Needs::NewWorkspace ? Workspace::openOrCreate(m_folder, isDefault) : Workspace::open(m_folder);
        if (!opened.ok()) return std::move(opened).error();
        m_workspace = std::move(opened).value();
    }
    if (!m_registry) {
        auto opened = Registry::open(*m_workspace, Registry::Access::ReadWrite);
        if (!opened.ok()) {
            m_workspace.reset();
            return std::move(opened).error();
        }
        m_registry = std::move(opened).value();
    }
    return job(*m_workspace, *m_registry);
}

}  // namespace mofo
