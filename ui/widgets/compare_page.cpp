#include "ui/widgets/compare_page.h"

#include <QCheckBox>
#include <QComboBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QKeyEvent>
#include <QLabel>
#include <QPushButton>
#include <QSettings>
#include <QSignalBlocker>
#include <QStackedWidget>
#include <QTabBar>
#include <QTabWidget>
#include <QTableView>
#include <QTimer>
#include <QVBoxLayout>

#include "core/store/run_metrics.h"
#include "ui/controllers/store_worker.h"
#include "ui/models/display_text.h"
#include "ui/widgets/chart_stack.h"
#include "ui/widgets/overlay_chart.h"
#include "ui/widgets/run_chips.h"
#include "ui/widgets/small_widgets.h"
#include "ui/widgets/table_tools.h"

namespace mofo {

namespace {

constexpr int drawMs = 33;
const char* const firstSeries[] = {"loss", "drift"};

/// {"id","name","model","config":{...},"changes":[{key, old, new, step}]} of one run.
Result<Json> readCompared(const Workspace& workspace, Registry& registry, const std::string& id) {
    MOFO_TRY(const RunRow run, registry.findRun(id));
    MOFO_TRY(const RunConfig config, registry.initialRunConfig(id));
    Json changes = Json::array();
    if (auto reader = MetricsReader::open(workspace.metricsFile(id)); reader.ok()) {
        MOFO_TRY(const std::vector<EventRow> events, reader->eventsAfter(0));
        for (const EventRow& event : events) {
            if (event.kind != "set" || event.key.empty() || event.superseded) continue;
            // The event stands after its step; the next update is the first to use the value.
            changes.push_back({{"key", event.key}, {"old", event.oldValue}, {"new", event.newValue}, {"step", event.step + 1}});
        }
    }
    return Json{{"id", run.id}, {"name", run.name}, {"model", run.modelId}, {"config", configToJson(config)}, {"changes", changes}};
}

}  // namespace

ComparePage::ComparePage(WorkspaceSession* session, StoreWorker* worker, QWidget* parent)
    : QWidget(parent),
      m_session(session),
      m_worker(worker),
      m_runs(new ComparedRuns(this)),
      m_follower(new CompareFollower(session->folder(), m_runs, this)),
      m_none(new RunData(this)),
      m_axis(new StepAxis(this)),
      m_model(new ConfigDiffModel(this)) {
    setObjectName(QStringLiteral("compare"));
    setAccessibleName(tr("Compare"));
    setFocusPolicy(Qt::StrongFocus);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(10, 8, 10, 8);
    m_stack = new QStackedWidget(this);
    m_stack->addWidget(makeEmpty());
    auto* page = new QWidget;
    auto* column = new QVBoxLayout(page);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(6);
    m_chips = new RunChips(m_runs, page);
    column->addWidget(m_chips);
    m_problem = new MessageBar(QStringLiteral("compare.problem"), page);
    column->addWidget(m_problem);
    m_tabs = new QTabWidget(page);
    m_tabs->setObjectName(QStringLiteral("compare.tabs"));
    m_tabs->setAccessibleName(tr("Ways to compare"));
    m_tabs->setDocumentMode(true);
    m_tabs->addTab(makeOverlay(), tr("Overlay"));
    m_tabs->addTab(makeDiff(), tr("Config diff"));
    for (int i = 0; i < m_tabs->count(); ++i) m_tabs->setTabToolTip(i, tr("Key %1").arg(i + 1));
    m_tabs->setCornerWidget(makeTools());
    column->addWidget(m_tabs, 1);
    m_stack->addWidget(page);
    layout->addWidget(m_stack);
    m_chooser = new RunChooser(this);
    connect(m_chooser, &RunChooser::chosen, m_runs, &ComparedRuns::add);
    connect(m_chips->addButton(), &QToolButton::clicked, this, [this] { openChooser(m_chips->addButton()); });
    connect(m_chips, &RunChips::openWanted, this, &ComparePage::openRequested);
    connect(m_tabs, &QTabWidget::currentChanged, this, [this](int tab) {
        m_tools->setVisible(tab == 0);
        drawSoon();
    });

    connect(m_runs, &ComparedRuns::runsChanged, this, &ComparePage::onRuns);
    connect(m_runs, &ComparedRuns::pointsChanged, this, &ComparePage::drawSoon);
    for (auto signal : {&StepAxis::rangeChanged, &StepAxis::unitChanged}) connect(m_axis, signal, this, &ComparePage::drawSoon);
    connect(session, &WorkspaceSession::listChanged, this, [this] {
        m_runs->takeList(m_session->runs().runPointers());
        resolveWanted();
    });
    m_runs->setWanted({firstSeries[0], firstSeries[1]}, {});
    for (std::size_t i = 0; i < m_overlays.size(); ++i) m_overlays[i]->setSeries(firstSeries[i]);
    m_runs->setSmoothing(0, 0.6);
    m_overlays[0]->setSeries(firstSeries[0]);
    onRuns();
}

ComparePage::~ComparePage() = default;

QWidget* ComparePage::makeEmpty() {
    auto* page = new QWidget;
    auto* layout = new QVBoxLayout(page);
    layout->addStretch(2);
    QLabel* heading = makeHeading(tr("Compare runs"), page);
    heading->setAlignment(Qt::AlignCenter);
    QLabel* text = makeLabel(QStringLiteral("compare.empty"), page);
    text->setText(
        tr("Choose two or more runs in Runs (Space selects, Ctrl+Return compares), or add them here. Their curves are drawn over one axis, their "
           "configurations stand side by side."));
    text->setAccessibleName(tr("What this page does"));
    text->setWordWrap(true);
    text->setAlignment(Qt::AlignCenter);
    text->setFixedWidth(textPixels(520));
    auto* add = new QPushButton(tr("+ Add"), page);
    add->setObjectName(QStringLiteral("compare.addFirst"));
    add->setAccessibleName(tr("Add a run to the comparison"));
    connect(add, &QPushButton::clicked, this, [this, add] { openChooser(add); });
    layout->addWidget(heading);
    layout->addSpacing(6);
    // Without an alignment of its own, which would take the height of another width.
    auto* row = new QHBoxLayout;
    row->addStretch(1);
    row->addWidget(text);
    row->addStretch(1);
    layout->addLayout(row);
    layout->addSpacing(10);
    layout->addWidget(add, 0, Qt::AlignHCenter);
    layout->addStretch(3);
    return page;
}

QWidget* ComparePage::makeOverlay() {
    m_charts = new ChartStack(QStringLiteral("compare.charts"));
    for (std::size_t i = 0; i < std::size(firstSeries); ++i) {
        auto* chart = new OverlayChart(QStringLiteral("compare.overlay%1").arg(i), i, m_runs, m_none, m_axis);
        connect(chart, &OverlayChart::seriesChosen, this, [this, i](const std::string& id) { chooseSeries(i, id); });
        m_charts->add(chart, i == 0 ? 5 : 4, true);
        m_overlays.push_back(chart);
    }
    m_charts->choices()[1]->setText(tr("Second chart"));
    connect(m_charts, &ChartStack::said, this, [this](const QString& sentence) { Q_EMIT said(sentence); });
    connect(m_charts, &ChartStack::fullWanted, this, [this](ChartView* chart) { m_charts->setAlone(m_charts->alone() == chart ? nullptr : chart); });
    return m_charts;
}

QWidget* ComparePage::makeTools() {
    m_tools = new QWidget;
    auto* row = new QHBoxLayout(m_tools);
    row->setContentsMargins(0, 0, 0, 4);
    row->setSpacing(6);
    m_means = new QCheckBox(tr("Mean of seeds"), m_tools);
    m_means->setObjectName(QStringLiteral("compare.means"));
    m_means->setAccessibleName(tr("Draw runs that differ in their seed alone as their mean"));
    m_means->setToolTip(tr("Runs of equal configuration but the seed become one line, their mean, in a band from least to greatest"));
    connect(m_means, &QCheckBox::toggled, m_runs, &ComparedRuns::setMeans);
    m_unit = new QComboBox(m_tools);
    m_unit->setObjectName(QStringLiteral("compare.xUnit"));
    m_unit->setAccessibleName(tr("What the x axis counts"));
    m_unit->setToolTip(tr("What the x axis of the charts counts. Training time leaves pauses out."));
    m_unit->addItems({tr("x: step"), tr("x: epoch"), tr("x: trained tokens"), tr("x: wall time"), tr("x: training time")});
    m_align = new QComboBox(m_tools);
    m_align->setObjectName(QStringLiteral("compare.align"));
    m_align->setAccessibleName(tr("Where the x axis of each run begins"));
    m_align->setToolTip(tr("Branches go on counting where they left their parent: from their own first step they begin at zero"));
    m_align->addItems({tr("as counted"), tr("from own start")});
    for (QComboBox* box : {m_unit, m_align}) {
        new WheelGuard(box);
        connect(box, &QComboBox::activated, this, &ComparePage::chooseX);
    }
    auto* second = new QToolButton(m_tools);
    second->setObjectName(QStringLiteral("compare.second"));
    second->setDefaultAction(m_charts->choices()[1]);
    second->setAccessibleName(tr("Second chart"));
    second->setFocusPolicy(Qt::StrongFocus);
    second->setMinimumHeight(24);
    auto* fit = new QToolButton(m_tools);
    fit->setObjectName(QStringLiteral("compare.fit"));
    fit->setAccessibleName(tr("Fit"));
    fit->setText(tr("Fit"));
    fit->setToolTip(tr("Show all of the runs (0 in a chart)"));
    fit->setFocusPolicy(Qt::StrongFocus);
    fit->setMinimumHeight(24);
    connect(fit, &QToolButton::clicked, m_axis, &StepAxis::fit);
    for (QWidget* tool : std::initializer_list<QWidget*>{m_means, m_unit, m_align, second, fit}) row->addWidget(tool);
    return m_tools;
}

QWidget* ComparePage::makeDiff() {
    auto* diff = new QWidget;
    auto* inner = new QVBoxLayout(diff);
    inner->setContentsMargins(0, 6, 0, 0);
    auto* top = new QHBoxLayout;
    m_note = new MessageBar(QStringLiteral("compare.note"), diff);
    m_all = new QCheckBox(tr("Show equal keys too"), diff);
    m_all->setObjectName(QStringLiteral("compare.all"));
    m_all->setAccessibleName(tr("Show equal keys too"));
    top->addWidget(m_note, 1);
    top->addStretch();
    top->addWidget(m_all);
    m_table = new QTableView(diff);
    setUpTable(m_table, QStringLiteral("compare.diff"), tr("Differences of the configurations"));
    m_table->setModel(m_model);
    m_same = makeLabel(QStringLiteral("compare.same"), diff);
    m_same->setText(tr("The configurations are equal."));
    m_same->setAlignment(Qt::AlignCenter);
    inner->addLayout(top);
    inner->addWidget(m_same, 1);
    inner->addWidget(m_table, 1);
    connect(m_all, &QCheckBox::toggled, this, [this](bool on) {
        m_model->setShowAll(on);
        refreshDiff();
    });
    return diff;
}

void ComparePage::openChooser(QWidget* below) {
    m_chooser->open(m_session->runs(), m_runs->ids(), below->mapToGlobal(QPoint(0, below->height() + 2)));
}

void ComparePage::chooseX() {
    const CompareX x{static_cast<CompareUnit>(m_unit->currentIndex()), m_align->isEnabled() && m_align->currentIndex() == 1};
    m_scale.clear();
    m_scale.append(0, 0);
    m_scale.append(1, resolutionOf(x.unit));
    m_axis->setUnit(axisUnitOf(x.unit), &m_scale);
    m_axis->reset();
    m_runs->setWanted(m_runs->wanted(), x);
    refreshTools();
}

void ComparePage::refreshTools() {
    // Tokens and times are counted by each run alone.
    const CompareUnit unit = static_cast<CompareUnit>(m_unit->currentIndex());
    m_align->setEnabled(unit == CompareUnit::Step || unit == CompareUnit::Epoch);
    m_means->setVisible(m_runs->hasTwins());
}

void ComparePage::chooseSeries(std::size_t chart, const std::string& id) {
    std::vector<std::string> wanted = m_runs->wanted();
    if (wanted[chart] == id) return;
    wanted[chart] = id;
    m_runs->setSmoothing(chart, id == "loss" ? 0.6 : 0);
    m_runs->setWanted(std::move(wanted), m_runs->x());
    m_overlays[chart]->setSeries(id);
}

void ComparePage::drawSoon() {
    if (m_drawQueued || !isVisible()) return;
    m_drawQueued = true;
    QTimer::singleShot(drawMs, this, [this] {
        m_drawQueued = false;
        refresh();
    });
}

void ComparePage::refresh() {
    const auto newest = static_cast<std::int64_t>(std::ceil(m_runs->newest()));
    // While one is running the axis grows in strides; else it ends with the longest.
    const bool live = std::any_of(m_runs->runs().begin(), m_runs->runs().end(), [](const ComparedRuns::Run& run) { return run.live; });
    m_axis->setExtent(newest, live ? 0 : newest);
    m_charts->drawIfNeeded();
}

void ComparePage::compare(const QStringList& ids) {
    m_wantedRuns.clear();
    m_runs->setRuns(ids.mid(0, ComparedRuns::most));
    m_runs->takeList(m_session->runs().runPointers());
    m_axis->reset();
    if (ids.size() > static_cast<qsizetype>(ComparedRuns::most))
        m_problem->setMessage(MessageBar::Kind::Hint,
                              tr("%1 runs are the most that can be compared: the others were left out.").arg(ComparedRuns::most));
}

void ComparePage::compareNamed(const QStringList& texts) {
    m_wantedRuns = texts;
    resolveWanted();
}

void ComparePage::resolveWanted() {
    if (m_wantedRuns.isEmpty() || !m_session->isListRead()) return;
    const std::vector<const RunRow*> list = m_session->runs().runPointers();
    QStringList there;
    for (const QString& text : std::exchange(m_wantedRuns, {})) {
        const std::string wanted = text.toStdString();
        const auto only = [&](auto&& fits) {
            const auto found = std::find_if(list.begin(), list.end(), [&](const RunRow* run) { return fits(*run); });
            if (found == list.end() || std::any_of(std::next(found), list.end(), [&](const RunRow* run) { return fits(*run); })) return false;
            there << QString::fromStdString((*found)->id);
            return true;
        };
        if (only([&](const RunRow& run) { return run.id == wanted; }) || only([&](const RunRow& run) { return run.name == wanted; })) continue;
        only([&](const RunRow& run) { return run.id.starts_with(wanted); });
    }
    if (!there.isEmpty()) compare(there);
}

void ComparePage::onRuns() {
    const auto& runs = m_runs->runs();
    m_stack->setCurrentIndex(runs.empty() ? 0 : 1);
    refreshTools();
    QStringList problems;
    for (const ComparedRuns::Run& run : runs) {
        if (!run.problem.isEmpty()) problems << tr("%1: %2", "run, what is wrong").arg(run.title, run.problem);
    }
    m_problem->setMessage(MessageBar::Kind::Error, problems.join(QLatin1Char(' ')));
    const bool fresh = std::any_of(runs.begin(), runs.end(), [](const ComparedRuns::Run& run) { return run.configId.empty(); });
    if (fresh) m_runs->takeList(m_session->runs().runPointers());
    if (m_read != m_runs->ids()) readConfigs();
    drawSoon();
}

void ComparePage::readConfigs() {
    const QStringList ids = m_read = m_runs->ids();
    if (ids.isEmpty()) {
        m_model->setRuns({});
        return;
    }
    m_worker->submit(
        StoreWorker::Needs::Reading,
        [ids](const Workspace& workspace, Registry& registry) -> Result<Json> {
            Json runs = Json::array();
            for (const QString& id : ids) {
                MOFO_TRY(Json run, readCompared(workspace, registry, id.toStdString()));
                runs.push_back(std::move(run));
            }
            return runs;
        },
        this,
        [this, ids](const Result<Json>& found) {
            if (ids != m_read) return;
            if (!found.ok()) {
                m_note->setMessage(MessageBar::Kind::Error, ui::shown(found.error().text()));
                return;
            }
            std::vector<ComparedRun> runs;
            for (const Json& each : *found) {
                Result<RunConfig> config = configFromJson(each["config"]);
                ComparedRun run;
                run.id = QString::fromStdString(each["id"].get<std::string>());
                run.name = ui::shown(each["name"].get<std::string>());
                run.modelId = each["model"].get<std::string>();
                if (config.ok()) run.config = std::move(config).value();
                for (const Json& change : each["changes"]) {
                    run.changes.push_back({change["key"].get<std::string>(), change["old"].get<std::string>(), change["new"].get<std::string>(),
                                           change["step"].get<std::int64_t>()});
                }
                runs.push_back(std::move(run));
            }
            m_model->setRuns(std::move(runs));
            refreshDiff();
        });
}

void ComparePage::refreshDiff() {
    m_note->setMessage(MessageBar::Kind::Warning, m_model->unfairness().join(QLatin1Char(' ')));
    m_same->setVisible(m_model->rowCount() == 0);
    m_table->setVisible(m_model->rowCount() > 0);
    m_table->resizeColumnsToContents();
    for (int column = 0; column < m_model->columnCount(); ++column)
        m_table->setColumnWidth(column, std::clamp(m_table->columnWidth(column) + 16, 120, 420));
}

void ComparePage::keyPressEvent(QKeyEvent* event) {
    const int tab = event->key() - Qt::Key_1;
    if (event->modifiers() == Qt::NoModifier && tab >= 0 && tab < m_tabs->count() && m_stack->currentIndex() == 1) {
        m_tabs->setCurrentIndex(tab);
        return;
    }
    QWidget::keyPressEvent(event);
}

void ComparePage::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    m_follower->setActive(true);
    drawSoon();
}

void ComparePage::hideEvent(QHideEvent* event) {
    QWidget::hideEvent(event);
    m_follower->setActive(false);
}

void ComparePage::saveLayout(QSettings& settings) const {
    settings.setValue(QStringLiteral("compare/runs"), m_runs->runs().empty() ? m_wantedRuns : m_runs->ids());
    settings.setValue(QStringLiteral("compare/tab"), m_tabs->currentIndex());
    m_charts->saveLayout(settings);
}

void ComparePage::restoreLayout(QSettings& settings) {
    compareNamed(settings.value(QStringLiteral("compare/runs")).toStringList());
    m_tabs->setCurrentIndex(settings.value(QStringLiteral("compare/tab"), 0).toInt());
    m_charts->restoreLayout(settings);
}

}  // namespace mofo
