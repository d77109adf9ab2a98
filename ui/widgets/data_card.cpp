#include "ui/widgets/data_card.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QToolButton>
#include <QVBoxLayout>

#include "ui/models/display_text.h"
#include "ui/widgets/plan_charts.h"
#include "ui/widgets/small_widgets.h"
#include "ui/widgets/token_view.h"

namespace mofo {

DataCard::DataCard(NewRunController* controller, QWidget* parent) : QWidget(parent), m_controller(controller) {
    setObjectName(QStringLiteral("new.dataCard"));
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 2, 0, 4);
    layout->setSpacing(4);
    auto* top = new QHBoxLayout;
    top->setSpacing(4);
    m_place = makeLabel(QStringLiteral("new.row"), this);
    m_place->setAccessibleName(tr("Row on screen"));
    m_place->setMinimumWidth(m_place->fontMetrics().horizontalAdvance(tr("row %1 of %2, line %3").arg("00,000", "00,000", "00,000")));
    top->addWidget(m_place);
    m_previous = addStep("previousRow", QStringLiteral("◀"), tr("Previous row"), tr("Previous row"));
    m_next = addStep("nextRow", QStringLiteral("▶"), tr("Next row"), tr("Next row"));
    m_random = addStep("randomRow", tr("Random"), tr("A random row"), tr("A random row"));
    m_problems =
        addStep("problems", tr("Problems"), tr("Next problem"), tr("Rows that are refused, cut, or have nothing to train on (F7, Shift+F7)"));
    for (QToolButton* button : {m_previous, m_next, m_random, m_problems}) top->addWidget(button);
    m_reason = makeLabel(QStringLiteral("new.rowReason"), this);
    m_reason->setAccessibleName(tr("Problem of the row on screen"));
    top->addSpacing(8);
    top->addWidget(m_reason, 1);
    m_legend = makeLabel(QStringLiteral("new.legend"), this);
    m_legend->setText(tr("tinted and underlined: trained   grey: context   boxed: special   struck: cut"));
    m_legend->setForegroundRole(QPalette::PlaceholderText);
    layout->addLayout(top);
    m_tokens = new TokenView(this);
    m_tokens->setObjectName(QStringLiteral("new.tokens"));
    m_tokens->setAccessibleName(tr("Row as tokens"));
    m_tokens->setPlaceholder(tr("The rows appear here as the model will read them, trained tokens marked."));
    m_tokens->setFixedHeight(textPixels(190));
    layout->addWidget(m_tokens);
    layout->addWidget(m_legend);
    m_lengths = new LengthHistogram(this);
    m_lengths->setObjectName(QStringLiteral("new.lengths"));
    layout->addWidget(m_lengths);
    m_counts = makeLabel(QStringLiteral("new.counts"), this);
    m_counts->setAccessibleName(tr("Counts of rows"));
    m_counts->setWordWrap(true);
    layout->addWidget(m_counts);
    connect(m_previous, &QToolButton::clicked, controller, [controller] { controller->stepRow(-1); });
    connect(m_next, &QToolButton::clicked, controller, [controller] { controller->stepRow(1); });
    connect(m_random, &QToolButton::clicked, controller, &NewRunController::showRandomRow);
    connect(m_problems, &QToolButton::clicked, controller, [controller] { controller->stepProblem(1); });
    connect(controller, &NewRunController::countsChanged, this, &DataCard::refreshCounts);
    connect(controller, &NewRunController::rowChanged, this, &DataCard::refreshRow);
    refreshCounts();
    refreshRow();
}

QToolButton* DataCard::addStep(const char* name, const QString& text, const QString& accessibleName, const QString& toolTip) {
    auto* button = new QToolButton(this);
    button->setObjectName(QStringLiteral("new.") + QLatin1String(name));
    button->setText(text);
    button->setAccessibleName(accessibleName);
    button->setToolTip(toolTip);
    button->setMinimumSize(26, 24);
    button->setFocusPolicy(Qt::StrongFocus);
    return button;
}

void DataCard::refreshRow() {
    const PreviewRowPtr& row = m_controller->row();
    m_tokens->setRow(row);
    const bool any = row != nullptr;
    for (QToolButton* button : {m_previous, m_next, m_random}) button->setEnabled(any);
    if (!any) {
        m_place->setText(QString());
        m_reason->setText(QString());
        return;
    }
    const DataCountsPtr& counts = m_controller->counts();
    const QString of = counts ? ui::count(counts->fileRows) + (counts->complete ? QString() : QStringLiteral("…")) : QStringLiteral("…");
    m_place->setText(tr("row %1 of %2, line %3").arg(ui::count(row->index + 1), of, ui::count(static_cast<std::int64_t>(row->line))));
    const QString tokens = tr("%1 tokens, %2 trained").arg(ui::count(row->tokenCount), ui::count(row->trainedCount));
    QString note;
    switch (row->problem) {
        case PreviewRow::Problem::None: note = tokens; break;
        case PreviewRow::Problem::Refused: note = QStringLiteral("✗ ") + tr("refused: %1").arg(row->reason); break;
        default: note = QStringLiteral("⚠ ") + row->reason + QStringLiteral("  ") + tokens; break;
    }
    m_reason->setText(note);
}

void DataCard::refreshCounts() {
    const DataCountsPtr& counts = m_controller->counts();
    const std::int64_t maxLength = m_controller->form().config().maxLength;
    m_lengths->setCounts(counts, maxLength);
    m_problems->setEnabled(m_controller->problemCount() > 0);
    m_problems->setText(m_controller->problemCount() > 0 ? tr("Problems %1").arg(ui::count(m_controller->problemCount())) : tr("Problems"));
    if (!counts || counts->fileRows == 0) {
        m_counts->setText(m_controller->isScanning() ? tr("reading…") : QString());
        return;
    }
    QStringList parts;
    parts << (counts->complete ? tr("%1: %2 rows").arg(counts->formatName, ui::count(counts->fileRows))
                               : tr("%1: %2 rows so far (%3)").arg(counts->formatName, ui::count(counts->fileRows), ui::percent(counts->progress)));
    parts << tr("nothing to train on %1").arg(ui::count(counts->zeroTarget)) << tr("cut %1").arg(ui::count(counts->truncated))
          << tr("refused %1").arg(ui::count(counts->refused));
    parts << tr("%1 tokens, %2 trained")
                 .arg(ui::shortCount(static_cast<double>(counts->tokens)), ui::shortCount(static_cast<double>(counts->trainedTokens)));
    parts << tr("longest %1").arg(ui::count(counts->longestUncut));
    m_counts->setText(parts.join(QStringLiteral("   ·   ")));
    if (m_controller->row()) refreshRow();
}

}  // namespace mofo
