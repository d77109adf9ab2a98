#include "ui/widgets/compare_page.h"

#include <QCheckBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QStackedWidget>
#include <QTabWidget>
#include <QTableView>
#include <QVBoxLayout>

#include "core/store/run_metrics.h"
#include "ui/models/display_text.h"
#include "ui/widgets/small_widgets.h"
#include "ui/widgets/table_tools.h"
#include "ui/widgets/window_parts.h"

namespace mofo {

namespace {

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

ComparePage::ComparePage(StoreWorker* worker, QWidget* parent) : QWidget(parent), m_worker(worker), m_model(new ConfigDiffModel(this)) {
    setObjectName(QStringLiteral("compare"));
    setAccessibleName(tr("Compare"));
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(10, 8, 10, 8);
    m_stack = new QStackedWidget(this);
    m_stack->addWidget(new LaterPage(
        QStringLiteral("compare.empty"), tr("Compare runs"),
        tr("Choose two or more runs in Runs (Space selects, Ctrl+Return compares). Their configurations stand side by side here, with what was "
           "changed while they ran."),
        {{tr("All values of a run"), QStringLiteral("mofo show RUN --json")}}));
    auto* page = new QWidget;
    auto* column = new QVBoxLayout(page);
    column->setContentsMargins(0, 0, 0, 0);
    auto* top = new QHBoxLayout;
    m_chips = makeLabel(QStringLiteral("compare.runs"), page);
    m_chips->setAccessibleName(tr("Compared runs"));
    m_chips->setWordWrap(true);
    m_all = new QCheckBox(tr("Show equal keys too"), page);
    m_all->setObjectName(QStringLiteral("compare.all"));
    m_all->setAccessibleName(tr("Show equal keys too"));
    top->addWidget(m_chips, 1);
    top->addWidget(m_all);
    column->addLayout(top);
    m_note = new MessageBar(QStringLiteral("compare.note"), page);
    column->addWidget(m_note);
    m_table = new QTableView(page);
    setUpTable(m_table, QStringLiteral("compare.diff"), tr("Differences of the configurations"));
    m_table->setModel(m_model);
    m_same = makeLabel(QStringLiteral("compare.same"), page);
    m_same->setText(tr("The configurations are equal."));
    m_same->setAlignment(Qt::AlignCenter);
    auto* tabs = new QTabWidget(page);
    tabs->setObjectName(QStringLiteral("compare.tabs"));
    tabs->setAccessibleName(tr("Ways to compare"));
    auto* diff = new QWidget;
    auto* inner = new QVBoxLayout(diff);
    inner->setContentsMargins(0, 6, 0, 0);
    inner->addWidget(m_same);
    inner->addWidget(m_table, 1);
    tabs->addTab(diff, tr("Config diff"));
    column->addWidget(tabs, 1);
    m_stack->addWidget(page);
    layout->addWidget(m_stack);
    connect(m_all, &QCheckBox::toggled, this, [this](bool on) {
        m_model->setShowAll(on);
        refresh();
    });
}

void ComparePage::compare(const QStringList& ids) {
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
        [this](const Result<Json>& found) {
            if (!found.ok()) {
                m_note->setMessage(MessageBar::Kind::Error, ui::shown(found.error().text()));
                m_stack->setCurrentIndex(1);
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
            m_stack->setCurrentIndex(1);
            refresh();
        });
}

void ComparePage::refresh() {
    QStringList names;
    char letter = 'A';
    for (const ComparedRun& run : m_model->runs()) names << QStringLiteral("%1  %2").arg(QChar::fromLatin1(letter++), run.name);
    m_chips->setText(names.join(QStringLiteral("    ")));
    m_note->setMessage(MessageBar::Kind::Warning, m_model->unfairness().join(QLatin1Char(' ')));
    m_same->setVisible(m_model->rowCount() == 0);
    m_table->setVisible(m_model->rowCount() > 0);
    m_table->resizeColumnsToContents();
    for (int column = 0; column < m_model->columnCount(); ++column)
        m_table->setColumnWidth(column, std::clamp(m_table->columnWidth(column) + 16, 120, 420));
}

}  // namespace mofo
