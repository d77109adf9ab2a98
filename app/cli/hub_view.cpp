#include "app/cli/hub_view.h"

#include <fmt/format.h>

#include "app/cli/context.h"
#include "core/base/text.h"

namespace mofo::cli {

namespace {

constexpr double kRedrawMs = 100;
constexpr double kLineMs = 10'000;  // between two lines where nothing can be redrawn

std::string progressText(const HubProgress& progress) {
    switch (progress.phase) {
        case HubProgress::Phase::Ask: return "asking the Hub";
        case HubProgress::Phase::Wait: return "waiting for another download of the same";
        case HubProgress::Phase::Check: return fmt::format("checking what is there of {}", progress.file);
        case HubProgress::Phase::Download:
        case HubProgress::Phase::Copy: break;
    }
    const double share = progress.totalBytes > 0 ? static_cast<double>(progress.doneBytes) / static_cast<double>(progress.totalBytes) : 0;
    std::string text = progress.totalBytes > 0 ? fmt::format("{} {:3.0f} % of {}", barText(share, 24), share * 100, formatBytes(progress.totalBytes))
                                               : formatBytes(progress.doneBytes);
    if (progress.bytesPerSecond > 0) text += fmt::format(", {}/s", formatBytes(static_cast<std::uint64_t>(progress.bytesPerSecond)));
    if (progress.etaSeconds) text += fmt::format(", {} left", formatDuration(*progress.etaSeconds));
    return text + "  " + progress.file;
}

}  // namespace

bool HubView::operator()(const HubProgress& progress) {
    if (stderrIsTerminal()) {
        if (m_redrawn.elapsedMs() > kRedrawMs) {
            m_line.show(progressText(progress));
            m_redrawn.restart();
        }
    } else if (m_told.elapsedMs() > kLineMs) {
        printNote(progressText(progress));
        m_told.restart();
    }
    return !interrupted();
}

}  // namespace mofo::cli
