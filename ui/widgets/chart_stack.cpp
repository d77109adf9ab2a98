#include "ui/widgets/chart_stack.h"

#include <QAction>
#include <QScrollArea>
#include <QSettings>
#include <QSplitter>
#include <QVBoxLayout>

#include "ui/widgets/chart_view.h"

namespace mofo {

namespace {

constexpr int leastHeight = 104;  // of a chart with weight, before the column scrolls

}  // namespace

ChartStack::ChartStack(const QString& objectName, QWidget* parent) : QWidget(parent) {
    setObjectName(objectName);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    m_area = new QScrollArea(this);
    m_area->setObjectName(objectName + QStringLiteral(".area"));
    m_area->setFrameShape(QFrame::NoFrame);
    m_area->setWidgetResizable(true);
    m_area->setFocusPolicy(Qt::NoFocus);
    m_area->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_splitter = new QSplitter(Qt::Vertical);
    m_splitter->setObjectName(objectName + QStringLiteral(".splitter"));
    m_splitter->setChildrenCollapsible(false);
    m_splitter->setHandleWidth(4);
    m_area->setWidget(m_splitter);
    layout->addWidget(m_area);
}

void ChartStack::add(ChartView* chart, int weight, bool shown) {
    m_splitter->addWidget(chart);
    m_splitter->setStretchFactor(m_splitter->count() - 1, weight);
    m_charts.push_back(chart);
    m_weights.push_back(weight);
    auto* choice = new QAction(chart->title(), this);
    choice->setObjectName(chart->objectName() + QStringLiteral(".shown"));
    choice->setCheckable(true);
    choice->setChecked(shown);
    chart->setVisible(shown);
    connect(choice, &QAction::toggled, this, &ChartStack::arrange);
    connect(chart, &ChartView::said, this, &ChartStack::said);
    connect(chart, &ChartView::fullWanted, this, [this, chart] { Q_EMIT fullWanted(chart); });
    m_choices.push_back(choice);
    arrange();
}

void ChartStack::arrange() {
    int height = 0;
    ChartView* lowest = nullptr;
    QList<int> sizes;
    for (std::size_t i = 0; i < m_charts.size(); ++i) {
        const bool shown = m_alone != nullptr ? m_charts[i] == m_alone : m_choices[i]->isChecked();
        m_charts[i]->setVisible(shown);
        const int least = m_weights[i] > 0 ? leastHeight : m_charts[i]->minimumHeight();
        if (shown) {
            height += least + m_splitter->handleWidth();
            lowest = m_charts[i];
        }
        sizes << (m_weights[i] > 0 ? 100 * m_weights[i] : 1);
    }
    // The axis is named once, below all that share it.
    for (ChartView* chart : m_charts) chart->setStepLabelsVisible(chart == lowest);
    m_splitter->setMinimumHeight(height);
    m_splitter->setSizes(sizes);
    drawIfNeeded();
}

void ChartStack::drawIfNeeded() {
    for (ChartView* chart : m_charts) chart->drawIfNeeded();
}

void ChartStack::setAlone(ChartView* chart) {
    if (chart == m_alone) return;
    m_alone = chart;
    arrange();
    if (chart != nullptr) chart->setFocus(Qt::OtherFocusReason);
}

void ChartStack::saveLayout(QSettings& settings) const {
    QStringList shown;
    for (std::size_t i = 0; i < m_charts.size(); ++i) {
        if (m_choices[i]->isChecked()) shown << m_charts[i]->objectName();
    }
    settings.setValue(objectName() + QStringLiteral("/shown"), shown);
    if (m_alone == nullptr) settings.setValue(objectName() + QStringLiteral("/sizes"), m_splitter->saveState());
}

void ChartStack::restoreLayout(QSettings& settings) {
    const QString key = objectName() + QStringLiteral("/shown");
    if (!settings.contains(key)) return;
    const QStringList shown = settings.value(key).toStringList();
    for (std::size_t i = 0; i < m_charts.size(); ++i) m_choices[i]->setChecked(shown.contains(m_charts[i]->objectName()));
    m_splitter->restoreState(settings.value(objectName() + QStringLiteral("/sizes")).toByteArray());
}

}  // namespace mofo
