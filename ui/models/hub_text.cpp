#include "ui/models/hub_text.h"

#include <QCoreApplication>
#include <QDir>
#include <QStringList>

#include "core/base/text.h"
#include "core/hub/reference.h"
#include "ui/models/display_text.h"

namespace mofo::ui {

namespace {

// As in display_text.cpp: lupdate knows the context by this class.
class HubText {
    Q_DECLARE_TR_FUNCTIONS(HubText)
};

constexpr std::size_t shortCommit = 12;

QString bytes(std::uint64_t size) { return shown(formatBytes(size)); }

QString folderText(const std::filesystem::path& folder) {
    QString text = shown(folder.string());
    if (const QString home = QDir::homePath(); text.startsWith(home + QLatin1Char('/'))) text.replace(0, home.size(), QStringLiteral("~"));
    return text;
}

}  // namespace

QString planText(const HubPlan& plan) {
    QStringList parts;
    parts << (plan.licence.empty() ? HubText::tr("no licence named") : HubText::tr("licence %1").arg(shown(plan.licence)));
    if (plan.gated) parts << HubText::tr("gated");
    parts << (plan.files.size() == 1 ? HubText::tr("1 file") : HubText::tr("%1 files").arg(count(static_cast<std::int64_t>(plan.files.size()))));
    parts << bytes(plan.totalBytes) << HubText::tr("commit %1").arg(shown(plan.commit.substr(0, shortCommit)));
    return parts.join(QStringLiteral("  ·  "));
}

QString planPlace(const HubPlan& plan) {
    if (plan.isComplete()) return HubText::tr("On this machine, in %1").arg(folderText(plan.folder));
    QStringList parts;
    const std::uint64_t copied = plan.neededBytes - plan.missingBytes, there = plan.totalBytes - plan.neededBytes;
    if (plan.missingBytes > 0) parts << HubText::tr("%1 to download").arg(bytes(plan.missingBytes));
    if (copied > 0) parts << HubText::tr("%1 to copy from your Hugging Face cache").arg(bytes(copied));
    if (there > 0) parts << HubText::tr("%1 here already").arg(bytes(there));
    // The folders of repository and commit say what stands above already.
    const std::filesystem::path cache = plan.folder.parent_path().parent_path();
    parts << HubText::tr("%1 free").arg(bytes(plan.freeBytes)) << HubText::tr("into %1").arg(folderText(cache));
    return parts.join(QStringLiteral("  ·  "));
}

QString downloadText(const HubProgress& progress, bool whole) {
    switch (progress.phase) {
        case HubProgress::Phase::Ask: return HubText::tr("asking the Hub");
        case HubProgress::Phase::Wait: return HubText::tr("waiting for another download of the same");
        case HubProgress::Phase::Check: return HubText::tr("checking %1").arg(shown(progress.file));
        case HubProgress::Phase::Download:
        case HubProgress::Phase::Copy: break;
    }
    QStringList parts{shown(progress.file)};
    if (whole) parts << HubText::tr("%1 of %2").arg(bytes(progress.doneBytes), bytes(progress.totalBytes));
    if (progress.bytesPerSecond > 0) parts << HubText::tr("%1/s").arg(bytes(static_cast<std::uint64_t>(progress.bytesPerSecond)));
    if (whole && progress.etaSeconds) parts << HubText::tr("%1 left").arg(duration(*progress.etaSeconds));
    return parts.join(QStringLiteral("  ·  "));
}

bool lacksRoom(const HubPlan& plan) {
    constexpr std::uint64_t marginDivisor = 20;  // core/base/file.cpp, requireFreeBytes
    return plan.neededBytes + plan.neededBytes / marginDivisor > plan.freeBytes;
}

QString hubAddress(const QString& text) { return parseHubReference(text.toStdString()).ok() ? text : QString(); }

}  // namespace mofo::ui
