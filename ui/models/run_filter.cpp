#include "ui/models/run_filter.h"

#include <algorithm>
#include <cmath>

#include "core/client/device_choice.h"
#include "ui/models/display_text.h"
#include "ui/models/run_table_model.h"

namespace mofo {

namespace {

/// "20%" and "20 %" are shares, "0.2" is a number.
std::optional<double> numberOf(QString text) {
    const bool isPercent = text.endsWith(QLatin1Char('%'));
    if (isPercent) text.chop(1);
    bool isNumber = false;
    const double value = text.trimmed().toDouble(&isNumber);
    if (!isNumber) return std::nullopt;
    return isPercent ? value / 100.0 : value;
}

std::optional<double> measured(const RunRow& run, const QString& key) {
    const RunSummary& summary = run.summary;
    if (key == QLatin1String("alpha")) {
        return selectsCoordinates(run.config.optimizer) ? run.config.alpha.common.at(std::max<std::int64_t>(summary.step, 1)) : 1.0;
    }
    if (key == QLatin1String("step")) return static_cast<double>(summary.step);
    if (key == QLatin1String("loss")) return summary.loss;
    if (key == QLatin1String("eval")) return summary.evalLoss;
    if (key == QLatin1String("drift")) return summary.drift;
    if (key == QLatin1String("lr")) return run.config.lr;
    return std::nullopt;
}

QString textOf(const RunRow& run, const QString& key) {
    const auto text = [](std::string_view value) { return QString::fromUtf8(value.data(), static_cast<qsizetype>(value.size())).toCaseFolded(); };
    if (key == QLatin1String("name")) return text(run.name);
    if (key == QLatin1String("state")) {
        return run.unreadable.empty() ? text(runStateName(run.state)) + QLatin1Char('\n') + ui::stateText(run.state).toCaseFolded()
                                      : QStringLiteral("unreadable");
    }
    if (key == QLatin1String("model")) return text(run.modelName);
    if (key == QLatin1String("granularity") || key == QLatin1String("part")) return text(run.config.granularity.text());
    if (key == QLatin1String("optimizer")) return text(configValue(run.config, "optimizer"));
    if (key == QLatin1String("device")) return text(deviceText(run.device));
    if (key == QLatin1String("id")) return text(run.id);
    if (key == QLatin1String("note")) return text(run.note);
    if (key == QLatin1String("data")) return text(run.config.data);
    return {};
}

const QStringList numberKeys{QStringLiteral("alpha"), QStringLiteral("step"),  QStringLiteral("loss"),
                             QStringLiteral("eval"),  QStringLiteral("drift"), QStringLiteral("lr")};
const QStringList textKeys{QStringLiteral("name"), QStringLiteral("state"),     QStringLiteral("model"),  QStringLiteral("granularity"),
                           QStringLiteral("part"), QStringLiteral("optimizer"), QStringLiteral("device"), QStringLiteral("id"),
                           QStringLiteral("note"), QStringLiteral("data")};

}  // namespace

QStringList RunFilter::keys() { return textKeys + numberKeys + QStringList{QStringLiteral("tag"), QStringLiteral("is")}; }

RunFilter::RunFilter(const QString& text) {
    for (const QString& word : text.split(QLatin1Char(' '), Qt::SkipEmptyParts)) {
        Term term;
        const qsizetype colon = word.indexOf(QLatin1Char(':'));
        const QString key = colon > 0 ? word.left(colon).toCaseFolded() : QString();
        if (!keys().contains(key)) {
            term.text = word.toCaseFolded();
            m_terms.push_back(term);
            continue;
        }
        term.key = key;
        QString value = word.mid(colon + 1);
        static const std::vector<std::pair<QString, Comparison>> signs{{QStringLiteral("<="), Comparison::LessOrEqual},
                                                                       {QStringLiteral(">="), Comparison::GreaterOrEqual},
                                                                       {QStringLiteral("<"), Comparison::Less},
                                                                       {QStringLiteral(">"), Comparison::Greater},
                                                                       {QStringLiteral("="), Comparison::Equal}};
        for (const auto& [sign, comparison] : signs) {
            if (!value.startsWith(sign)) continue;
            term.comparison = comparison;
            value.remove(0, sign.size());
            break;
        }
        if (numberKeys.contains(key)) {
            const std::optional<double> number = numberOf(value);
            // Half typed ("alpha:<"): nothing is asked yet.
            if (!number) continue;
            term.number = *number;
            if (term.comparison == Comparison::Contains) term.comparison = Comparison::Equal;
        } else if (value.isEmpty()) {
            continue;
        }
        term.text = value.toCaseFolded();
        m_terms.push_back(term);
    }
}

bool RunFilter::holds(const Term& term, const RunRow& run) {
    if (term.key.isEmpty()) {
        for (const char* key : {"name", "state", "model", "granularity", "note", "id", "optimizer"}) {
            if (textOf(run, QLatin1String(key)).contains(term.text)) return true;
        }
        return std::any_of(run.tags.begin(), run.tags.end(),
                           [&](const std::string& tag) { return QString::fromStdString(tag).toCaseFolded().contains(term.text); });
    }
    if (term.key == QLatin1String("tag")) {
        return std::any_of(run.tags.begin(), run.tags.end(), [&](const std::string& tag) {
            const QString folded = QString::fromStdString(tag).toCaseFolded();
            return term.comparison == Comparison::Equal ? folded == term.text : folded.contains(term.text);
        });
    }
    if (term.key == QLatin1String("is")) {
        if (term.text == QLatin1String("pinned")) return run.pinned;
        if (term.text == QLatin1String("baseline")) return run.baseline;
        if (term.text == QLatin1String("branch")) return !run.parentId.empty();
        if (term.text == QLatin1String("live")) return !isEnded(run.state);
        return false;
    }
    if (!numberKeys.contains(term.key)) {
        const QString text = textOf(run, term.key);
        return term.comparison == Comparison::Equal ? text.split(QLatin1Char('\n')).contains(term.text) : text.contains(term.text);
    }
    const std::optional<double> value = measured(run, term.key);
    if (!value) return false;
    // 15 % typed is 0.15 stored, whatever the last bit.
    const double tolerance = 1e-9 * std::max(1.0, std::abs(term.number));
    switch (term.comparison) {
        case Comparison::Less: return *value < term.number - tolerance;
        case Comparison::LessOrEqual: return *value <= term.number + tolerance;
        case Comparison::Greater: return *value > term.number + tolerance;
        case Comparison::GreaterOrEqual: return *value >= term.number - tolerance;
        default: return std::abs(*value - term.number) <= tolerance;
    }
}

bool RunFilter::matches(const RunRow& run) const {
    return std::all_of(m_terms.begin(), m_terms.end(), [&](const Term& term) { return holds(term, run); });
}

RunFilterModel::RunFilterModel(RunTableModel* runs, QObject* parent) : QSortFilterProxyModel(parent), m_runs(runs) {
    setSourceModel(runs);
    setSortRole(RunTableModel::SortRole);
    setRecursiveFilteringEnabled(true);
    setDynamicSortFilter(true);
}

void RunFilterModel::setFilter(const QString& text) {
    m_filter = RunFilter(text);
    invalidateFilter();
}

int RunFilterModel::matchCount() const {
    const std::vector<const RunRow*> runs = m_runs->runPointers();
    return static_cast<int>(std::count_if(runs.begin(), runs.end(), [&](const RunRow* run) { return m_filter.matches(*run); }));
}

bool RunFilterModel::filterAcceptsRow(int row, const QModelIndex& parent) const {
    const RunRow* const run = m_runs->run(m_runs->index(row, 0, parent));
    return run != nullptr && m_filter.matches(*run);
}

bool RunFilterModel::lessThan(const QModelIndex& left, const QModelIndex& right) const {
    const bool a = left.data(RunTableModel::PinnedRole).toBool(), b = right.data(RunTableModel::PinnedRole).toBool();
    if (a != b) return a == (sortOrder() == Qt::AscendingOrder);
    return QSortFilterProxyModel::lessThan(left, right);
}

}  // namespace mofo
