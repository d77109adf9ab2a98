#include "ui/widgets/run_tables.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QPainter>
#include <QScrollBar>
#include <QSortFilterProxyModel>
#include <QSplitter>
#include <QStackedWidget>
#include <QStringListModel>
#include <QStyledItemDelegate>
#include <QTableView>
#include <QTimer>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

#include "ui/models/config_table_model.h"
#include "ui/models/display_text.h"
#include "ui/models/event_log_model.h"
#include "ui/models/probe_table_model.h"
#include "ui/models/sample_table_model.h"
#include "ui/models/tensor_table_model.h"
#include "ui/widgets/run_charts.h"
#include "ui/widgets/small_widgets.h"
#include "ui/widgets/table_tools.h"
#include "ui/widgets/theme.h"

namespace mofo {

namespace {

/// A small line through the drift of a tensor; where it is NaN the line breaks.
class TrendDelegate : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
        QStyledItemDelegate::paint(painter, option, index);
        const auto values = index.data(TensorTableModel::TrendRole).value<QVector<double>>();
        double greatest = 0;
        for (const double value : values) {
            if (std::isfinite(value)) greatest = std::max(greatest, value);
        }
        if (values.size() < 2 || greatest <= 0) return;
        painter->save();
        painter->setRenderHint(QPainter::Antialiasing);
        const bool selected = option.state.testFlag(QStyle::State_Selected);
        painter->setPen(QPen(selected ? option.palette.color(QPalette::HighlightedText) : Theme::current().train, 1.3));
        const QRectF room = QRectF(option.rect).adjusted(4, 3, -4, -3);
        QPolygonF line;
        const auto flush = [&] {
            if (line.size() > 1) painter->drawPolyline(line);
            line.clear();
        };
        for (qsizetype i = 0; i < values.size(); ++i) {
            if (!std::isfinite(values[i])) {
                flush();
                continue;
            }
            line << QPointF(room.left() + room.width() * static_cast<double>(i) / static_cast<double>(values.size() - 1),
                            room.bottom() - room.height() * values[i] / greatest);
        }
        flush();
        painter->restore();
    }
};

QLineEdit* makeFind(const QString& objectName, const QString& accessibleName, QWidget* parent) {
    auto* find = new QLineEdit(parent);
    find->setObjectName(objectName);
    find->setAccessibleName(accessibleName);
    find->setPlaceholderText(RunTables::tr("Find"));
    find->setClearButtonEnabled(true);
    find->setMaximumWidth(textPixels(260));
    return find;
}

/// A table with a field that filters it, which a narrow bar above holds.
QWidget* withBar(const QList<QWidget*>& bar, QWidget* content) {
    auto* page = new QWidget;
    auto* layout = new QVBoxLayout(page);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(2);
    auto* row = new QHBoxLayout;
    row->setContentsMargins(8, 3, 8, 0);
    for (QWidget* widget : bar) row->addWidget(widget);
    row->addStretch(1);
    layout->addLayout(row);
    layout->addWidget(content, 1);
    return page;
}

}  // namespace

RunTables::RunTables(WorkspaceSession* session, StepAxis* axis, QWidget* parent)
    : QTabWidget(parent), m_session(session), m_data(&session->run()), m_axis(axis) {
    setObjectName(QStringLiteral("run.tables"));
    setAccessibleName(tr("Tables"));
    setDocumentMode(true);
    setMinimumHeight(80);
    addTab(makeProbes(), QString());
    addTab(makeEvents(), QString());
    addTab(makeTensors(), QString());
    addTab(makeMachine(), QString());
    addTab(makeSamples(), QString());
    addTab(makeConfig(), QString());
    addTab(makeLog(), QString());
    refreshTitles();
    setCurrentIndex(Events);
    connect(this, &QTabWidget::currentChanged, this, [this] {
        refreshTensors();
        drawIfNeeded();
        refreshLog();
    });
    for (const auto signal : {&RunData::eventsChanged, &RunData::probesChanged, &RunData::parametersChanged, &RunData::cleared}) {
        connect(m_data, signal, this, &RunTables::refreshTitles);
    }
    connect(m_data, &RunData::logChanged, this, &RunTables::refreshLog);
    connect(m_data, &RunData::machineChanged, this, &RunTables::drawIfNeeded);
    for (ChartView* chart : m_charts) connect(chart, &ChartView::said, this, &RunTables::said);
}

void RunTables::refreshTitles() {
    const auto counted = [](const QString& name, std::size_t count) {
        return count > 0 ? QStringLiteral("%1 %2").arg(name, ui::count(static_cast<std::int64_t>(count))) : name;
    };
    const ProbeTableModel* probes = findChild<ProbeTableModel*>();
    setTabText(Probes, tr("&1 %1").arg(counted(tr("Probes"), probes != nullptr ? static_cast<std::size_t>(probes->rowCount()) : 0)));
    setTabText(Events, tr("&2 %1").arg(counted(tr("Events"), m_data->events().size())));
    setTabText(Tensors, tr("&3 %1").arg(counted(tr("Tensors"), m_data->parameters().size())));
    setTabText(Machine, tr("&4 %1").arg(tr("Machine")));
    setTabText(Samples, tr("&5 %1").arg(tr("Samples")));
    setTabText(Config, tr("&6 %1").arg(tr("Config")));
    setTabText(Log, tr("&7 %1").arg(tr("Log")));
}

QWidget* RunTables::makeProbes() {
    auto* splitter = new QSplitter(Qt::Horizontal);
    splitter->setObjectName(QStringLiteral("run.probesSplitter"));
    splitter->setChildrenCollapsible(false);
    auto* table = new QTableView;
    setUpTable(table, QStringLiteral("run.probesTable"), tr("Probes"));
    table->setModel(new ProbeTableModel(m_data, this));
    sizeColumns(table, {16, 10, 8, 8, 10, 17, 7, 7, 9});
    auto* chart = new ProbesChart(m_data, m_axis);
    chart->setStepLabelsVisible(true);
    m_charts.push_back(chart);
    splitter->addWidget(table);
    splitter->addWidget(chart);
    splitter->setStretchFactor(0, 1);
    splitter->setStretchFactor(1, 1);
    return splitter;
}

QWidget* RunTables::makeEvents() {
    m_events = new QTableView;
    setUpTable(m_events, QStringLiteral("run.events"), tr("Events"));
    auto* events = new EventLogModel(m_data, this);
    m_events->setModel(events);
    m_events->horizontalHeader()->setStretchLastSection(true);
    sizeColumns(m_events, {9, 19, 13, 16, 24});
    connect(events, &QAbstractItemModel::rowsInserted, m_events, [this] {
        // Keeps up only where the newest was in view.
        if (m_events->verticalScrollBar()->value() <= 1) QTimer::singleShot(0, m_events, &QTableView::scrollToTop);
    });
    connect(m_events, &QTableView::activated, this, [this](const QModelIndex& index) {
        const qlonglong step = index.data(EventLogModel::StepRole).toLongLong();
        if (step > 0) m_axis->setPinned(static_cast<double>(step));
    });
    return m_events;
}

QWidget* RunTables::makeTensors() {
    m_tensors = new QTableView;
    setUpTable(m_tensors, QStringLiteral("run.tensors"), tr("Tensors"));
    m_tensorModel = new TensorTableModel(m_data, this);
    auto* sorted = new QSortFilterProxyModel(this);
    sorted->setSourceModel(m_tensorModel);
    sorted->setSortRole(TensorTableModel::SortRole);
    sorted->setFilterKeyColumn(TensorTableModel::Name);
    sorted->setFilterCaseSensitivity(Qt::CaseInsensitive);
    m_tensors->setModel(sorted);
    m_tensors->setSortingEnabled(true);
    m_tensors->sortByColumn(TensorTableModel::Name, Qt::AscendingOrder);
    m_tensors->setItemDelegateForColumn(TensorTableModel::Trend, new TrendDelegate(m_tensors));
    sizeColumns(m_tensors, {40, 7, 7, 12, 10, 10, 12, 12, 16, 12, 12, 14, 13, 13, 9, 11});
    m_tensorsFind = makeFind(QStringLiteral("run.tensorsFind"), tr("Find a tensor"), this);
    connect(m_tensorsFind, &QLineEdit::textChanged, sorted, &QSortFilterProxyModel::setFilterFixedString);
    return withBar({m_tensorsFind}, m_tensors);
}

QWidget* RunTables::makeMachine() {
    auto* splitter = new QSplitter(Qt::Horizontal);
    splitter->setObjectName(QStringLiteral("run.machineSplitter"));
    splitter->setChildrenCollapsible(false);
    for (LineChart* chart : {makeSpeedChart(m_data, m_axis), makeTimePerStepChart(m_data, m_axis), makeLoadChart(m_data, m_axis),
                             makeMemoryChart(m_data, m_axis), makeHeatChart(m_data, m_axis)}) {
        chart->setStepLabelsVisible(true);
        splitter->addWidget(chart);
        m_charts.push_back(chart);
    }
    // Known of GPUs only; a chart that can never fill takes no room.
    ChartView* heat = m_charts.back();
    heat->hide();
    connect(m_data, &RunData::machineChanged, heat, [this, heat] {
        const bool known = !m_data->machine().empty() &&
                           (std::isfinite(m_data->machine().back().deviceCelsius) || std::isfinite(m_data->machine().back().deviceWatts));
        heat->setVisible(known);
    });
    return splitter;
}

QWidget* RunTables::makeSamples() {
    auto* stack = new QStackedWidget;
    auto* label = makeLabel(QStringLiteral("run.samples"), stack);
    label->setAlignment(Qt::AlignCenter);
    label->setWordWrap(true);
    label->setText(
        tr("No sample has been answered in this run. Fixed prompts are answered at each probe, and stand here side by side, step by step."));
    auto* table = new QTableView;
    setUpTable(table, QStringLiteral("run.samplesTable"), tr("Samples"));
    auto* model = new SampleTableModel(m_data, this);
    table->setModel(model);
    // Answers are sentences: whole, in columns of equal width beside each other.
    table->setWordWrap(true);
    table->setSelectionBehavior(QAbstractItemView::SelectItems);
    table->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
    table->horizontalHeader()->setDefaultSectionSize(textPixels(320));
    table->verticalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
    stack->addWidget(label);
    stack->addWidget(table);
    const auto show = [stack, model] { stack->setCurrentIndex(model->rowCount() > 0 ? 1 : 0); };
    connect(model, &QAbstractItemModel::modelReset, stack, show);
    show();
    return stack;
}

QWidget* RunTables::makeConfig() {
    auto* config = new QTableView;
    setUpTable(config, QStringLiteral("run.config"), tr("Config"));
    auto* model = new ConfigTableModel(m_data, this);
    auto* filtered = new QSortFilterProxyModel(this);
    filtered->setSourceModel(model);
    filtered->setFilterKeyColumn(-1);
    filtered->setFilterCaseSensitivity(Qt::CaseInsensitive);
    config->setModel(filtered);
    config->horizontalHeader()->setStretchLastSection(true);
    sizeColumns(config, {20, 44, 34});
    QLineEdit* find = makeFind(QStringLiteral("run.configFind"), tr("Find a key"), this);
    connect(find, &QLineEdit::textChanged, filtered, &QSortFilterProxyModel::setFilterFixedString);
    return withBar({find}, config);
}

QWidget* RunTables::makeLog() {
    auto* list = new QListView;
    list->setObjectName(QStringLiteral("run.log"));
    list->setAccessibleName(tr("Log of the engine"));
    list->setEditTriggers(QAbstractItemView::NoEditTriggers);
    list->setSelectionMode(QAbstractItemView::ExtendedSelection);
    list->setFrameShape(QFrame::NoFrame);
    list->setUniformItemSizes(true);
    QFont fixed(QStringLiteral("monospace"));
    fixed.setStyleHint(QFont::Monospace);
    fixed.setPointSizeF(list->font().pointSizeF());
    list->setFont(fixed);
    m_logLines = new QStringListModel(this);
    list->setModel(m_logLines);
    m_logView = list;
    m_logFind = makeFind(QStringLiteral("run.logFind"), tr("Find in the log"), this);
    m_logLevel = new QComboBox;
    m_logLevel->setObjectName(QStringLiteral("run.logLevel"));
    m_logLevel->setAccessibleName(tr("Which lines of the log"));
    m_logLevel->addItems({tr("all lines"), tr("warnings and errors")});
    connect(m_logFind, &QLineEdit::textChanged, this, &RunTables::refreshLog);
    connect(m_logLevel, &QComboBox::currentIndexChanged, this, &RunTables::refreshLog);
    return withBar({m_logFind, m_logLevel}, list);
}

void RunTables::refreshLog() {
    if (currentIndex() != Log) return;
    const QString wanted = m_logFind->text();
    const bool onlyBad = m_logLevel->currentIndex() == 1;
    QStringList lines;
    for (const QString& line : m_data->logTail()) {
        const bool bad = line.contains(QLatin1String("warning"), Qt::CaseInsensitive) || line.contains(QLatin1String("error"), Qt::CaseInsensitive) ||
                         line.contains(QLatin1String("fail"), Qt::CaseInsensitive);
        if ((!onlyBad || bad) && (wanted.isEmpty() || line.contains(wanted, Qt::CaseInsensitive))) lines << line;
    }
    if (lines.isEmpty()) {
        lines << (m_data->logTail().isEmpty() ? tr("The engine has written nothing to its log.") : tr("No line of the log matches."));
    }
    if (lines == m_logLines->stringList()) return;
    auto* list = static_cast<QListView*>(m_logView);
    const bool atEnd = list->verticalScrollBar()->value() >= list->verticalScrollBar()->maximum() - 1;
    m_logLines->setStringList(lines);
    if (atEnd) list->scrollToBottom();
}

void RunTables::drawIfNeeded() {
    for (ChartView* chart : m_charts) chart->drawIfNeeded();
}

void RunTables::showTensor(const QString& name) {
    setCurrentIndex(Tensors);
    m_tensorsFind->setText(name);
    refreshTensors();
    m_tensors->setFocus(Qt::OtherFocusReason);
    if (m_tensors->model()->rowCount() > 0) m_tensors->setCurrentIndex(m_tensors->model()->index(0, 0));
}

void RunTables::refreshTensors() {
    if (m_tensorModel == nullptr || !m_tensors->isVisible()) return;
    m_tensorModel->setColumn(m_data->columnNear(m_axis->cursor().value_or(static_cast<double>(m_data->newestStep()))));
}

}  // namespace mofo
