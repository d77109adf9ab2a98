#include "ui/models/display_text.h"

#include <QCoreApplication>
#include <QLocale>
#include <array>
#include <cmath>

#include "core/base/text.h"
#include "core/config/alpha.h"

namespace mofo::ui {

namespace {

/// QLocale writes a capital E; the field writes a small one.
QString smallExponent(QString number) { return number.replace(QLatin1Char('E'), QLatin1Char('e')); }

/// The translation context of every text here.
class Display {
    Q_DECLARE_TR_FUNCTIONS(Display)
};

}  // namespace

QString shown(std::string_view foreign) { return QString::fromStdString(escapeForDisplay(foreign)); }

QString shownLines(std::string_view foreign) {
    QStringList lines;
    for (;;) {
        const std::size_t end = foreign.find('\n');
        lines << shown(foreign.substr(0, end));
        if (end == std::string_view::npos) return lines.join(QLatin1Char('\n'));
        foreign.remove_prefix(end + 1);
    }
}

QString percent(double share) {
    const double value = share * 100.0;
    return Display::tr("%1 %").arg(QLocale().toString(value, 'g', value >= 99.95 ? 4 : 3));
}

QString measuredPercent(double share) {
    if (!std::isfinite(share)) return QStringLiteral("–");
    return Display::tr("%1 %").arg(QLocale().toString(share * 100.0, 'f', 2));
}

QString fourDigits(double value) {
    if (std::isnan(value)) return QStringLiteral("NaN");
    if (std::isinf(value)) return value > 0 ? QStringLiteral("+Inf") : QStringLiteral("-Inf");
    const double magnitude = std::fabs(value);
    if (magnitude != 0 && (magnitude < 1e-4 || magnitude >= 1e5)) return smallExponent(QLocale().toString(value, 'e', 3));
    int decimals = 3;
    if (magnitude >= 1000)
        decimals = 0;
    else if (magnitude >= 100)
        decimals = 1;
    else if (magnitude >= 10)
        decimals = 2;
    else if (magnitude != 0 && magnitude < 1e-3)
        decimals = 7;
    else if (magnitude != 0 && magnitude < 0.01)
        decimals = 6;
    else if (magnitude != 0 && magnitude < 0.1)
        decimals = 5;
    else if (magnitude != 0 && magnitude < 1)
        decimals = 4;
    return QLocale().toString(value, 'f', decimals);
}

QString shortNumber(double value) { return smallExponent(QLocale().toString(value, 'g', 4)); }

QString count(std::int64_t value) { return QLocale().toString(static_cast<qlonglong>(value)); }

QString shortCount(double value) {
    const double magnitude = std::fabs(value);
    if (magnitude >= 1e9) return Display::tr("%1 B", "10^9").arg(QLocale().toString(value / 1e9, 'f', 2));
    if (magnitude >= 1e6) return Display::tr("%1 M", "10^6").arg(QLocale().toString(value / 1e6, 'f', 1));
    if (magnitude >= 1e4) return Display::tr("%1 k", "10^3").arg(QLocale().toString(value / 1e3, 'f', 1));
    return count(static_cast<std::int64_t>(std::llround(value)));
}

QString duration(double seconds) {
    if (!(seconds >= 0)) return QStringLiteral("--");
    const auto whole = static_cast<std::int64_t>(std::llround(seconds));
    if (whole < 60) return Display::tr("%1 s").arg(whole);
    if (whole < 3600) return Display::tr("%1 min %2 s").arg(whole / 60).arg(whole % 60, 2, 10, QLatin1Char('0'));
    return Display::tr("%1 h %2 min").arg(whole / 3600).arg(whole % 3600 / 60, 2, 10, QLatin1Char('0'));
}

QString whenShort(std::int64_t wallNs) {
    const QDateTime when = QDateTime::fromMSecsSinceEpoch(wallNs / 1'000'000);
    const QDate today = QDate::currentDate();
    const QString time = when.toString(QStringLiteral("HH:mm"));
    if (when.date() == today) return time;
    if (when.date() == today.addDays(-1)) return Display::tr("yesterday %1").arg(time);
    return when.toString(QStringLiteral("yyyy-MM-dd HH:mm"));
}

QString timeOfDay(std::int64_t wallNs) { return QDateTime::fromMSecsSinceEpoch(wallNs / 1'000'000).toString(QStringLiteral("HH:mm:ss")); }

QString stateText(RunState state) {
    switch (state) {
        case RunState::Draft: return Display::tr("draft", "run state");
        case RunState::Queued: return Display::tr("queued", "run state");
        case RunState::Starting: return Display::tr("starting", "run state");
        case RunState::Running: return Display::tr("running", "run state");
        case RunState::Paused: return Display::tr("paused", "run state");
        case RunState::Stopping: return Display::tr("stopping", "run state");
        case RunState::Finished: return Display::tr("finished", "run state");
        case RunState::Stopped: return Display::tr("stopped", "run state");
        case RunState::Failed: return Display::tr("failed", "run state");
        case RunState::Lost: return Display::tr("lost", "run state");
    }
    return {};
}

QString stateGlyph(RunState state) {
    switch (state) {
        case RunState::Draft: return QStringLiteral("✎");
        case RunState::Queued: return QStringLiteral("◌");
        case RunState::Starting: return QStringLiteral("◔");
        case RunState::Running: return QStringLiteral("▶");
        case RunState::Paused: return QStringLiteral("❙❙");
        case RunState::Stopping: return QStringLiteral("◼");
        case RunState::Finished: return QStringLiteral("✓");
        case RunState::Stopped: return QStringLiteral("■");
        case RunState::Failed: return QStringLiteral("✗");
        case RunState::Lost: return QStringLiteral("?");
    }
    return {};
}

QString phaseText(std::string_view phase) {
    if (phase == "load") return Display::tr("load weights", "phase");
    if (phase == "scan") return Display::tr("scan data", "phase");
    if (phase == "train") return Display::tr("train", "phase");
    if (phase == "evaluate") return Display::tr("evaluate", "phase");
    if (phase == "save") return Display::tr("save", "phase");
    if (phase == "paused") return Display::tr("paused", "phase");
    if (phase == "end") return Display::tr("end", "phase");
    return shown(phase);
}

QString granularityText(std::string_view granularity) {
    if (granularity == "tensor") return Display::tr("tensor (paper)", "granularity");
    if (granularity == "layer") return Display::tr("layer", "granularity");
    if (granularity == "model") return Display::tr("model", "granularity");
    if (granularity == "module") return Display::tr("module", "granularity");
    if (granularity == "head") return Display::tr("head", "granularity");
    if (granularity == "row") return Display::tr("row", "granularity");
    return shown(granularity);
}

QString whoText(std::string_view who) {
    if (who == "window") return Display::tr("window", "who acted");
    if (who == "cli") return Display::tr("command line", "who acted");
    if (who == "engine") return Display::tr("engine", "who acted");
    if (who == "guard") return Display::tr("guard rail", "who acted");
    return shown(who);
}

std::optional<double> constantAlpha(std::string_view canonical) {
    const Result<AlphaSchedule> parsed = AlphaSchedule::parse(canonical);
    if (!parsed.ok() || parsed->shape != AlphaSchedule::Shape::Constant) return std::nullopt;
    return parsed->from;
}

QString alphaText(std::string_view canonical) {
    const std::optional<double> share = constantAlpha(canonical);
    return share ? percent(*share) : shown(canonical);
}

QString valueText(std::string_view key, std::string_view canonical) {
    if (key == "alpha" || key.starts_with("alpha.")) return alphaText(canonical);
    if (key == "granularity") return granularityText(canonical);
    return shown(canonical);
}

QString shortTensorName(std::string_view name) {
    if (name.starts_with("model.")) name.remove_prefix(6);
    if (name.ends_with(".weight")) name.remove_suffix(7);
    return shown(name);
}

QString kindTitle(std::string_view kind) {
    if (kind == "embed") return Display::tr("token embedding");
    if (kind == "q") return Display::tr("attention: query");
    if (kind == "k") return Display::tr("attention: key");
    if (kind == "v") return Display::tr("attention: value");
    if (kind == "o") return Display::tr("attention: output");
    if (kind == "gate") return Display::tr("MLP: gate");
    if (kind == "up") return Display::tr("MLP: up");
    if (kind == "down") return Display::tr("MLP: down");
    if (kind == "norm") return Display::tr("normalisation");
    if (kind == "head") return Display::tr("output head");
    return shown(kind);
}

}  // namespace mofo::ui
