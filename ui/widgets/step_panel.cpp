#include "ui/widgets/step_panel.h"

#include <QComboBox>
#include <QEvent>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QPainter>
#include <QScrollArea>
#include <QStyledItemDelegate>
#include <QTableView>
#include <QTableWidget>
#include <QVBoxLayout>
#include <algorithm>
#include <array>
#include <cmath>

#include "ui/models/display_text.h"
#include "ui/models/what_if.h"
#include "ui/widgets/histogram_plot.h"
#include "ui/widgets/small_widgets.h"
#include "ui/widgets/theme.h"

namespace mofo {

namespace {

enum FactIndex { LossFact, LrFact, GradFact, MovedFact, ThresholdFact, ChurnFact, CoverageFact, DriftFact, FactCount };
constexpr int topCount = 5;

}  // namespace

/// Chart C8: a bar per kind, the asked alpha as a line through all rows.
class StepPanel::ShareDelegate : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    double asked = 0;
    double scale = 0.3;

    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
        const Theme theme = Theme::current();
        QStyleOptionViewItem plain(option);
        initStyleOption(&plain, index);
        const QString text = plain.text;
        plain.text.clear();
        plain.widget->style()->drawControl(QStyle::CE_ItemViewItem, &plain, painter, plain.widget);
        const int textWidth = plain.fontMetrics.horizontalAdvance(QStringLiteral("100.00 %")) + 4;
        const QRect room = option.rect.adjusted(4, 0, -textWidth - 4, 0);
        const double share = index.data(KindTableModel::ValueRole).toDouble();
        const bool filtered = index.data(KindTableModel::FilteredRole).toBool();
        painter->save();
        painter->setRenderHint(QPainter::Antialiasing, false);
        if (std::isfinite(share) && share > 0 && room.width() > 8) {
            const double part = std::min(1.0, share / scale);
            const QRect bar(room.left(), room.top() + 3, std::max(1, static_cast<int>(std::lround(part * room.width()))), room.height() - 6);
            // Not filtered: hatched, cut at the edge, never compared with the line.
            painter->fillRect(bar, filtered ? QBrush(theme.train) : QBrush(theme.hatch, Qt::BDiagPattern));
        }
        const double estimate = index.data(KindTableModel::EstimateRole).toDouble();
        if (filtered && std::isfinite(estimate) && estimate > 0 && room.width() > 8) {
            const int width = std::max(2, static_cast<int>(std::lround(std::min(1.0, estimate / scale) * room.width())));
            painter->setPen(QPen(theme.accent, 1.4, Qt::DashLine));
            painter->setBrush(Qt::NoBrush);
            painter->drawRect(QRect(room.left(), room.top() + 2, width, room.height() - 5));
        }
        if (asked > 0 && asked <= scale) {
            const int x = room.left() + static_cast<int>(std::lround(asked / scale * room.width()));
            painter->setPen(QPen(theme.surface, 3));
            painter->drawLine(x, option.rect.top(), x, option.rect.bottom() + 1);
            painter->setPen(QPen(theme.ink, 1, Qt::DashLine));
            painter->drawLine(x, option.rect.top(), x, option.rect.bottom() + 1);
        }
        painter->setPen(option.palette.color(QPalette::Text));
        painter->setFont(plain.font);
        painter->drawText(option.rect.adjusted(0, 0, -4, 0), Qt::AlignRight | Qt::AlignVCenter, text);
        painter->restore();
    }
};

StepPanel::StepPanel(WorkspaceSession* session, StepAxis* axis, QWidget* parent)
    : QWidget(parent), m_session(session), m_data(&session->run()), m_axis(axis) {
    const RunData* data = m_data;
    setObjectName(QStringLiteral("run.step"));
    setAccessibleName(tr("At one step"));
    setMinimumWidth(246);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(10, 8, 10, 8);
    layout->setSpacing(4);
    m_heading = makeHeading(QString(), this);
    m_heading->setObjectName(QStringLiteral("run.step.heading"));
    m_note = makeLabel(QStringLiteral("run.step.note"), this);
    m_note->setWordWrap(true);
    layout->addWidget(m_heading);
    layout->addWidget(m_note);

    auto* grid = new QGridLayout;
    grid->setHorizontalSpacing(10);
    grid->setVerticalSpacing(2);
    grid->setColumnStretch(1, 1);
    static const std::array<const char*, FactCount> names{"loss", "lr", "grad", "moved", "threshold", "churn", "coverage", "drift"};
    for (int i = 0; i < FactCount; ++i) {
        auto* name = makeLabel(QStringLiteral("run.step.%1.name").arg(QLatin1String(names[static_cast<std::size_t>(i)])), this);
        auto* value = makeLabel(QStringLiteral("run.step.%1").arg(QLatin1String(names[static_cast<std::size_t>(i)])), this);
        value->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
        value->setTextInteractionFlags(Qt::TextSelectableByMouse);
        value->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
        grid->addWidget(name, i, 0);
        grid->addWidget(value, i, 1);
        m_facts.push_back({name, value});
    }
    layout->addLayout(grid);

    layout->addSpacing(6);
    m_kindHeading = makeHeading(tr("Moved"), this);
    m_grouping = new QComboBox(this);
    m_grouping->setObjectName(QStringLiteral("run.step.grouping"));
    m_grouping->setAccessibleName(tr("What the bars are of"));
    m_grouping->addItems({tr("by kind"), tr("by layer")});
    new WheelGuard(m_grouping);
    auto* kindRow = new QHBoxLayout;
    kindRow->addWidget(m_kindHeading);
    kindRow->addWidget(m_grouping);
    kindRow->addStretch(1);
    layout->addLayout(kindRow);
    m_kinds = new KindTableModel(data, this);
    m_kindView = new QTableView(this);
    m_kindView->setObjectName(QStringLiteral("run.step.kinds"));
    m_kindView->setAccessibleName(tr("Moved share and drift by tensor kind"));
    m_kindView->setModel(m_kinds);
    m_delegate = new ShareDelegate(m_kindView);
    m_kindView->setItemDelegateForColumn(KindTableModel::Share, m_delegate);
    m_kindView->setShowGrid(false);
    m_kindView->setTabKeyNavigation(false);
    m_kindView->setFrameShape(QFrame::NoFrame);
    m_kindView->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_kindView->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_kindView->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_kindView->setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_kindView->verticalHeader()->hide();
    m_kindView->verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    m_kindView->verticalHeader()->setMinimumSectionSize(1);
    m_kindView->verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 4);
    m_kindView->horizontalHeader()->setSectionResizeMode(KindTableModel::Kind, QHeaderView::ResizeToContents);
    m_kindView->horizontalHeader()->setSectionResizeMode(KindTableModel::Share, QHeaderView::Stretch);
    m_kindView->horizontalHeader()->setSectionResizeMode(KindTableModel::Drift, QHeaderView::Fixed);
    m_kindView->horizontalHeader()->resizeSection(KindTableModel::Drift, fontMetrics().horizontalAdvance(QStringLiteral("0.0000000")) + 14);
    m_kindView->horizontalHeader()->setHighlightSections(false);
    layout->addWidget(m_kindView);
    m_kindNote = makeLabel(QStringLiteral("run.step.kindNote"), this);
    m_kindNote->setWordWrap(true);
    layout->addWidget(m_kindNote);

    layout->addSpacing(6);
    m_histogramHeading = makeHeading(tr("|m| of the filtered tensors"), this);
    layout->addWidget(m_histogramHeading);
    m_histogram = new HistogramPlot(QStringLiteral("run.step.histogram"), this);
    layout->addWidget(m_histogram);
    m_spreadNote = makeLabel(QStringLiteral("run.step.spread"), this);
    m_spreadNote->setWordWrap(true);
    layout->addWidget(m_spreadNote);

    layout->addSpacing(6);
    m_topHeading = makeHeading(tr("Tensors that drifted most"), this);
    layout->addWidget(m_topHeading);
    m_top = new QTableWidget(0, 2, this);
    m_top->setObjectName(QStringLiteral("run.step.top"));
    m_top->setAccessibleName(tr("Tensors that drifted most"));
    m_top->horizontalHeader()->hide();
    m_top->verticalHeader()->hide();
    m_top->verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    m_top->verticalHeader()->setMinimumSectionSize(1);
    m_top->verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 4);
    m_top->horizontalHeader()->setSectionResizeMode(0, QHeaderView::Stretch);
    m_top->horizontalHeader()->setSectionResizeMode(1, QHeaderView::ResizeToContents);
    m_top->setShowGrid(false);
    m_top->setWordWrap(false);
    m_top->setTabKeyNavigation(false);
    m_top->setFrameShape(QFrame::NoFrame);
    m_top->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_top->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_top->setTextElideMode(Qt::ElideLeft);
    m_top->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_top->setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_top->setFixedHeight(topCount * (fontMetrics().height() + 4) + 2);
    layout->addWidget(m_top);
    layout->addStretch(1);

    connect(axis, &StepAxis::cursorChanged, this, &StepPanel::refresh);
    const auto fitKinds = [this] {
        const int rows = m_kinds->rowCount();
        m_kindView->setFixedHeight(rows * (fontMetrics().height() + 4) + m_kindView->horizontalHeader()->sizeHint().height() + 2);
    };
    connect(data, &RunData::parametersChanged, this, fitKinds);
    connect(m_grouping, &QComboBox::activated, this, [this, fitKinds](int index) {
        m_kinds->setByLayer(index == 1);
        fitKinds();
        refresh();
    });
    connect(data, &RunData::histogramsChanged, this, &StepPanel::refresh);
    fitKinds();
    refresh();
}

QString StepPanel::heading() const { return m_heading->text(); }

void StepPanel::refresh() {
    const double at = m_axis->cursor().value_or(static_cast<double>(m_data->newestStep()));
    const StepRow* step = m_data->stepNear(at);
    const std::optional<std::size_t> column = m_data->columnNear(step != nullptr ? static_cast<double>(step->step) : at);
    if (step == nullptr)
        m_heading->setText(tr("No step yet"));
    else if (m_axis->cursor())
        m_heading->setText(tr("At step %1").arg(ui::count(step->step)));
    else
        m_heading->setText(tr("At step %1 (newest)").arg(ui::count(step->step)));
    QString note = tr("First statistics after step 1");
    if (column) {
        const std::int64_t measured = m_data->mapColumns()[*column].step;
        note = step != nullptr && step->step == measured ? tr("Statistics of this step")
                                                         : tr("Statistics of step %1, the nearest measured").arg(ui::count(measured));
    }
    m_note->setText(note);
    QPalette soft = palette();
    soft.setColor(QPalette::WindowText, Theme::current().inkSoft);
    m_note->setPalette(soft);
    m_kindNote->setPalette(soft);
    fillFacts(step, column);

    // Before anything is measured there is nothing to head.
    for (QWidget* widget : {static_cast<QWidget*>(m_kindHeading), static_cast<QWidget*>(m_grouping), static_cast<QWidget*>(m_histogramHeading),
                            static_cast<QWidget*>(m_histogram), static_cast<QWidget*>(m_spreadNote), static_cast<QWidget*>(m_kindView),
                            static_cast<QWidget*>(m_kindNote), static_cast<QWidget*>(m_topHeading), static_cast<QWidget*>(m_top)}) {
        widget->setVisible(column.has_value());
    }
    m_kinds->setColumn(column);
    m_delegate->asked = 0;
    if (column) {
        if (const StepRow* measuredStep = m_data->stepNear(static_cast<double>(m_data->mapColumns()[*column].step)))
            m_delegate->asked = measuredStep->alpha;
    }
    double greatest = 0;
    for (int row = 0; row < m_kinds->rowCount(); ++row) {
        const QModelIndex index = m_kinds->index(row, KindTableModel::Share);
        const double share = index.data(KindTableModel::ValueRole).toDouble();
        if (index.data(KindTableModel::FilteredRole).toBool() && std::isfinite(share)) greatest = std::max(greatest, share);
    }
    m_delegate->scale = std::clamp(std::max(1.6 * m_delegate->asked, 1.1 * greatest), 0.002, 1.0);
    m_kindView->viewport()->update();
    m_kindNote->setText(m_delegate->asked > 0
                            ? tr("Dashed line: α = %1 as asked. Hatched: not filtered. ◌: idle rows.").arg(ui::percent(m_delegate->asked))
                            : QString());
    fillHistogram(column);
    fillTop(column);
}

void StepPanel::setEstimate(const WhatIf* estimate) {
    m_kinds->setEstimate(estimate != nullptr ? estimate->movedShare : std::vector<double>());
    m_stagedThreshold = estimate != nullptr ? estimate->threshold : 0;
    m_kindView->viewport()->update();
    refresh();
}

void StepPanel::fillHistogram(std::optional<std::size_t> column) {
    if (!column) return;
    const TensorRow& row = m_data->tensors()[*column];
    if (isVisible()) m_session->wantHistograms(row.step);
    const HistogramBatch* batch = m_data->histogramsOf(row.step);
    m_histogram->show(*m_data, batch, batch == nullptr ? tr("Reading …") : tr("No histogram of |m| is stored for this step"), m_stagedThreshold);
    QString spread;
    if (batch != nullptr && batch->spread) {
        double low = INFINITY, high = 0;
        std::vector<float> first, third;
        for (std::size_t i = 0; i < batch->spread->minimum.size() && i < m_data->parameters().size(); ++i) {
            if (!m_data->parameters()[i].filtered || i >= batch->spread->maximum.size()) continue;
            low = std::min<double>(low, batch->spread->minimum[i]);
            high = std::max<double>(high, batch->spread->maximum[i]);
            first.push_back(batch->spread->firstQuartile[i]);
            third.push_back(batch->spread->thirdQuartile[i]);
        }
        const auto middle = [](std::vector<float>& values) {
            const auto place = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
            std::nth_element(values.begin(), place, values.end());
            return *place;
        };
        if (!first.empty()) {
            spread = tr("Thresholds of the partitions: least %1, quartiles %2 and %3, greatest %4")
                         .arg(ui::fourDigits(low), ui::fourDigits(middle(first)), ui::fourDigits(middle(third)), ui::fourDigits(high));
        }
    }
    m_spreadNote->setText(spread);
    m_spreadNote->setVisible(!spread.isEmpty());
}

QString StepPanel::thresholdText(const TensorRow& row) const {
    std::vector<float> thresholds;
    for (std::size_t i = 0; i < row.threshold.size() && i < m_data->parameters().size(); ++i) {
        if (m_data->parameters()[i].filtered && std::isfinite(row.threshold[i])) thresholds.push_back(row.threshold[i]);
    }
    if (thresholds.empty()) return QStringLiteral("–");
    const auto middle = thresholds.begin() + static_cast<std::ptrdiff_t>(thresholds.size() / 2);
    std::nth_element(thresholds.begin(), middle, thresholds.end());
    return ui::fourDigits(*middle);
}

void StepPanel::fillFacts(const StepRow* step, std::optional<std::size_t> column) {
    const QString none = QStringLiteral("–");
    const auto set = [&](FactIndex index, const QString& name, const QString& value, const QString& help = {}) {
        const Fact& fact = m_facts[index];
        fact.name->setText(name);
        fact.name->setToolTip(help);
        fact.value->setText(value);
        fact.value->setToolTip(help);
        fact.value->setAccessibleName(name);
    };
    QString loss = none;
    if (step != nullptr) {
        const std::size_t index = *m_data->loss().nearest(static_cast<double>(step->step));
        loss = ui::fourDigits(m_data->loss().value(index));
    }
    set(LossFact, tr("loss"), loss, tr("Nats per trained token"));
    set(LrFact, tr("learning rate"), step != nullptr ? ui::shortNumber(step->lr) : none);
    set(GradFact, tr("gradient norm"), step != nullptr ? ui::fourDigits(step->gradNorm) : none, tr("L2 before clipping"));
    QString moved = none;
    if (step != nullptr && m_data->parameterCount() > 0) {
        moved = tr("%1 of %2", "moved share of all parameters")
                    .arg(ui::measuredPercent(static_cast<double>(step->movedCount) / static_cast<double>(m_data->parameterCount())),
                         ui::shortCount(static_cast<double>(m_data->parameterCount())));
    }
    set(MovedFact, tr("moved"), moved, tr("Coordinates that this step changed: selected, and momentum not zero"));
    const TensorRow* row = column ? &m_data->tensors()[*column] : nullptr;
    set(ThresholdFact, tr("threshold"), row != nullptr ? thresholdText(*row) : none,
        tr("Least |momentum| that was selected; median over the filtered tensors"));
    double churn = 0, coverage = 0, size = 0, churnSize = 0;
    for (std::size_t i = 0; row != nullptr && i < m_data->parameters().size(); ++i) {
        const ParameterRow& info = m_data->parameters()[i];
        if (!info.filtered) continue;
        const auto weight = static_cast<double>(info.size);
        if (i < row->churn.size() && std::isfinite(row->churn[i])) {
            churn += weight * row->churn[i];
            churnSize += weight;
        }
        if (i < row->coverage.size() && std::isfinite(row->coverage[i])) {
            coverage += weight * row->coverage[i];
            size += weight;
        }
    }
    set(ChurnFact, tr("churn"), churnSize > 0 ? ui::measuredPercent(churn / churnSize) : none,
        tr("Share of the previous logged selection that was not selected again"));
    set(CoverageFact, tr("ever moved"), size > 0 ? ui::measuredPercent(coverage / size) : none,
        tr("Share of the filtered coordinates selected at one logged step at least"));
    set(DriftFact, tr("drift"), column ? ui::fourDigits(m_data->mapColumns()[*column].wholeDrift) : none,
        tr("Relative L2 distance of the whole model from its pretrained weights"));
}

void StepPanel::fillTop(std::optional<std::size_t> column) {
    std::vector<std::pair<double, std::size_t>> drifts;
    if (column) {
        const TensorRow& row = m_data->tensors()[*column];
        for (std::size_t i = 0; i < row.driftL2.size() && i < m_data->parameters().size(); ++i) {
            const double pretrained = m_data->parameters()[i].pretrainedL2;
            if (pretrained > 0 && std::isfinite(row.driftL2[i])) drifts.emplace_back(row.driftL2[i] / pretrained, i);
        }
    }
    const std::size_t shown = std::min<std::size_t>(topCount, drifts.size());
    std::partial_sort(drifts.begin(), drifts.begin() + static_cast<std::ptrdiff_t>(shown), drifts.end(), std::greater<>());
    m_top->setRowCount(static_cast<int>(shown));
    for (std::size_t i = 0; i < shown; ++i) {
        const auto cell = [&](int tableColumn, const QString& text, Qt::Alignment alignment) {
            const int tableRow = static_cast<int>(i);
            QTableWidgetItem* item = m_top->item(tableRow, tableColumn);
            if (item == nullptr) {
                item = new QTableWidgetItem;
                item->setTextAlignment(alignment);
                m_top->setItem(tableRow, tableColumn, item);
            }
            if (item->text() != text) item->setText(text);
        };
        cell(0, ui::shortTensorName(m_data->parameters()[drifts[i].second].name), Qt::AlignLeft | Qt::AlignVCenter);
        cell(1, ui::fourDigits(drifts[i].first), Qt::AlignRight | Qt::AlignVCenter);
    }
}

bool StepPanel::event(QEvent* event) {
    const bool done = QWidget::event(event);
    // Wrapped texts need more height where they are narrow; a scroll area asks for the least height alone.
    if (event->type() == QEvent::LayoutRequest || event->type() == QEvent::Resize) setMinimumHeight(layout()->totalHeightForWidth(width()));
    return done;
}

void StepPanel::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::ApplicationPaletteChange) refresh();
}

}  // namespace mofo
