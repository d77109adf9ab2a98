#include "ui/controllers/new_run_controller.h"

#include <QFileInfo>
#include <QRandomGenerator>
#include <algorithm>
#include <utility>

#include "core/base/clock.h"
#include "core/base/hub_path.h"
#include "core/base/text.h"
#include "core/client/commands.h"
#include "core/client/device_choice.h"
#include "core/plan/row_stream.h"
#include "core/store/recording.h"
#include "ui/controllers/data_scanner.h"
#include "ui/controllers/hub_source.h"
#include "ui/controllers/store_worker.h"
#include "ui/models/display_text.h"
#include "ui/models/key_texts.h"

namespace mofo {

namespace {

constexpr int summaryDelayMs = 150;
constexpr int scanDelayMs = 200;
constexpr int draftDelayMs = 2000;
constexpr int recentKept = 12;
constexpr auto draftSetting = "draft.new_run";
constexpr auto presetsSetting = "presets.user";
// core/client/start_run.cpp: weights and both moments of the last checkpoint, and 5 % to spare.
constexpr std::uint64_t checkpointBytesPerParameter = 12;
constexpr double diskMargin = 1.05;

QString stampOf(const std::string& path) {
    const QFileInfo file(QString::fromStdString(path));
    return file.exists() ? QStringLiteral("%1 %2").arg(file.size()).arg(file.lastModified().toMSecsSinceEpoch()) : QString();
}

}  // namespace

NewRunController::NewRunController(StoreWorker* acts, StoreWorker* starter, QObject* parent)
    : QObject(parent),
      m_acts(acts),
      m_starter(starter),
      m_isRecording(isRecording(acts->folder())),
      m_form(new RunForm(this)),
      m_hubAccess(std::make_shared<HubAccess>()),
      m_scanner(new DataScanner(acts->folder())),
      m_planner(new QObject) {
    qRegisterMetaType<ModelCardPtr>();
    qRegisterMetaType<PreviewRowPtr>();
    qRegisterMetaType<DataCountsPtr>();
    qRegisterMetaType<DeviceCardPtr>();
    qRegisterMetaType<ScanRequest>();
    m_scanThread.setObjectName(QStringLiteral("data scanner"));
    m_planThread.setObjectName(QStringLiteral("planner"));
    m_scanner->moveToThread(&m_scanThread);
    m_planner->moveToThread(&m_planThread);
    connect(&m_scanThread, &QThread::finished, m_scanner, &QObject::deleteLater);
    connect(&m_planThread, &QThread::finished, m_planner, &QObject::deleteLater);
    connect(m_scanner, &DataScanner::modelRead, this, &NewRunController::onModel);
    connect(m_scanner, &DataScanner::deviceFound, this, &NewRunController::onDevice);
    connect(m_scanner, &DataScanner::counted, this, &NewRunController::onCounts);
    connect(m_scanner, &DataScanner::rowRead, this, &NewRunController::onRow);
    m_scanThread.start(QThread::LowPriority);
    m_planThread.start();

    const auto single = [this](QTimer& timer, int delay, auto slot) {
        timer.setSingleShot(true);
        timer.setInterval(delay);
        connect(&timer, &QTimer::timeout, this, slot);
    };
    single(m_summaryTimer, summaryDelayMs, &NewRunController::refreshForecast);
    single(m_scanTimer, scanDelayMs, &NewRunController::requestScan);
    single(m_draftTimer, draftDelayMs, &NewRunController::saveDraftNow);
    connect(m_form, &RunForm::changed, this, &NewRunController::onFormChanged);
    for (const char* key : {"model", "data", "eval_data"}) {
        auto* const source = new HubSource(std::string_view(key) == "model" ? HubKind::Model : HubKind::Dataset, m_hubAccess, this);
        connect(source, &HubSource::changed, this, &NewRunController::onHubChanged);
        m_hub[key] = source;
    }
}

NewRunController::~NewRunController() {
    if (m_draftTimer.isActive()) saveDraftNow();
    cancelStart();
    m_scanner->announce(0);
    m_scanThread.quit();
    m_planThread.quit();
    m_scanThread.wait();
    m_planThread.wait();
}

std::string NewRunController::scanKey() const {
    const RunConfig config = localConfig();
    std::string key;
    for (const std::string& part :
         {config.model, config.data, config.evalData, config.columns, config.chatTemplate, config.device, std::to_string(config.maxLength)}) {
        key += part + '\n';
    }
    return key;
}

void NewRunController::onFormChanged() {
    if (m_comparison) discardComparison();
    for (const auto& [key, source] : m_hub) source->setText(m_form->text(key));
    m_summaryTimer.start();
    m_draftTimer.start();
    if (scanKey() != m_scannedKey)
        scanSoon();
    else
        m_scanTimer.stop();
}

void NewRunController::scanSoon() {
    if (m_scanning) {
        // Nobody waits for these rows any more; should the form return to what it was, they are read from the start.
        m_scanner->announce(m_request + 1);
        m_scannedKey.clear();
        const RunConfig config = localConfig();
        if (config.model.empty() || config.data.empty()) return requestScan();
    }
    m_scanTimer.start();
}

void NewRunController::rescan() {
    m_scannedKey.clear();
    m_scanTimer.start();
}

void NewRunController::requestScan() {
    m_scanTimer.stop();
    const std::string key = scanKey();
    if (key == m_scannedKey) return;
    m_scannedKey = key;
    const RunConfig config = localConfig();
    ScanRequest request;
    request.number = ++m_request;
    request.model = config.model;
    request.data = config.data;
    request.evalData = config.evalData;
    request.columns = config.columns;
    request.chatTemplate = config.chatTemplate;
    request.device = config.device;
    request.maxLength = config.maxLength;
    m_dataStamp = stampOf(config.data);
    m_readingModel = !config.model.empty();
    m_scanning = false;
    m_firstRows.clear();
    if (config.model.empty()) {
        m_model.reset();
        m_form->setFileError("model", {});
        Q_EMIT modelChanged();
    }
    if (config.data.empty() || config.model.empty()) {
        m_counts.reset();
        m_row.reset();
        m_form->setFileError("data", {});
        Q_EMIT countsChanged();
        Q_EMIT rowChanged();
    }
    m_scanner->announce(m_request);
    QMetaObject::invokeMethod(m_scanner, [scanner = m_scanner, request] { scanner->scan(request); });
    Q_EMIT summaryChanged();
}

void NewRunController::onDevice(const DeviceCardPtr& card) {
    if (card->request != m_request) return;
    m_device = card;
    m_form->setFileError("device", card->problem);
    refreshForecast();
}

void NewRunController::onModel(const ModelCardPtr& card) {
    if (card->request != m_request) return;
    m_model = card;
    m_readingModel = false;
    const bool usable = card->problem.isEmpty();
    m_scanning = usable && card->hasTokenizer && card->templateKnown && !m_form->config().data.empty();
    QString problem = card->problem;
    if (usable && !card->hasTokenizer) problem = tr("This model has no tokenizer, so no data can be trained on with it.");
    m_form->setFileError("model", problem);
    m_form->setFileError("chat_template", usable && card->hasTokenizer && !card->templateKnown ? card->chatTemplate : QString());
    if (!m_scanning) {
        m_counts.reset();
        m_row.reset();
        Q_EMIT countsChanged();
        Q_EMIT rowChanged();
    }
    Q_EMIT modelChanged();
    refreshForecast();
}

void NewRunController::onCounts(const DataCountsPtr& counts) {
    if (counts->request != m_request) return;
    m_counts = counts;
    m_scanning = !counts->complete;
    m_form->setFileError("data", counts->problem);
    if (counts->complete && counts->fileRows == 0) m_row.reset();
    Q_EMIT countsChanged();
    refreshForecast();
}

void NewRunController::onRow(const PreviewRowPtr& row) {
    if (row->request != m_request) return;
    if (row->index == static_cast<std::int64_t>(m_firstRows.size())) m_firstRows.push_back(row);
    if (row->index != m_wantedRow && m_row && m_row->request == m_request) return;
    m_row = row;
    Q_EMIT rowChanged();
}

void NewRunController::showRow(std::int64_t index) {
    const std::int64_t rows = m_counts ? m_counts->fileRows : static_cast<std::int64_t>(m_firstRows.size());
    if (rows == 0) return;
    m_wantedRow = std::clamp<std::int64_t>(index, 0, rows - 1);
    if (m_wantedRow < static_cast<std::int64_t>(m_firstRows.size())) {
        m_row = m_firstRows[static_cast<std::size_t>(m_wantedRow)];
        Q_EMIT rowChanged();
        return;
    }
    m_scanner->wantRow(m_wantedRow);
    QMetaObject::invokeMethod(m_scanner, &DataScanner::sendWantedRow);
}

void NewRunController::stepRow(int by) { showRow((m_row ? m_row->index : 0) + by); }

void NewRunController::showRandomRow() {
    if (!m_counts || m_counts->fileRows == 0) return;
    showRow(QRandomGenerator::global()->bounded(static_cast<qint64>(m_counts->fileRows)));
}

int NewRunController::problemCount() const { return m_counts ? static_cast<int>(m_counts->problems.size()) : 0; }

void NewRunController::stepProblem(int direction) {
    if (problemCount() == 0) return;
    const std::vector<RowProblem>& problems = m_counts->problems;
    const std::int64_t here = m_wantedRow;
    const bool onProblem = std::any_of(problems.begin(), problems.end(), [&](const RowProblem& problem) { return problem.index == here; });
    const RowProblem* next = nullptr;
    if (direction > 0) {
        const auto found =
            std::find_if(problems.begin(), problems.end(), [&](const RowProblem& problem) { return problem.index > here - (onProblem ? 0 : 1); });
        next = found != problems.end() ? &*found : &problems.front();
    } else {
        const auto found = std::find_if(problems.rbegin(), problems.rend(), [&](const RowProblem& problem) { return problem.index < here; });
        next = found != problems.rend() ? &*found : &problems.back();
    }
    showRow(next->index);
}

void NewRunController::setRuns(const std::vector<RunRow>& runs) {
    m_runs = runs;
    m_recentModels.clear();
    m_recentData.clear();
    const auto remember = [](QStringList& list, const std::string& text) {
        const QString path = QString::fromStdString(text);
        if (!path.isEmpty() && !list.contains(path) && list.size() < recentKept) list << path;
    };
    for (const RunRow& run : runs) {
        if (!run.unreadable.empty()) continue;
        remember(m_recentModels, run.modelName);
        remember(m_recentData, hubNameOrPath(run.config.data));
    }
    m_summaryTimer.start();
}

std::optional<RunRow> NewRunController::busyRun() const {
    if (!m_device || m_device->device.isEmpty()) return std::nullopt;
    for (const RunRow& run : m_runs) {
        const bool waits = run.state == RunState::Queued || (!isEnded(run.state) && run.state != RunState::Draft);
        if (waits && QString::fromStdString(deviceText(run.device)) == m_device->device) return run;
    }
    return std::nullopt;
}

MemoryFit NewRunController::fit() const {
    if (!m_forecast.memory || !m_device || m_device->freeBytes == 0) return MemoryFit::Fits;
    return memoryFit(m_forecast.memory->deviceBytes(), m_device->freeBytes);
}

void NewRunController::refreshForecast() {
    const RunConfig& config = m_form->config();
    const std::optional<SelectionPlan> selection = m_forecast.selection;
    m_forecast = RunForecast();
    m_forecast.lengths.longestRow = config.maxLength;
    if (m_counts && m_counts->rows() > 0) {
        m_forecast.steps = planSteps(config, m_counts->rows());
        m_forecast.stepsKnown = m_counts->complete;
        if (m_counts->complete && m_counts->longest > 0) {
            m_forecast.lengths = batchLengths(m_counts->rowTokens, config);
            m_forecast.longestKnown = true;
        }
    }
    if (m_model && m_model->problem.isEmpty()) {
        m_forecast.memory =
            forecastMemory(m_model->description, config, m_forecast.lengths, m_device && m_device->isCuda, m_device ? m_device->threads : 1);
        if (selectsCoordinates(config.optimizer)) {
            m_forecast.selection = selection;
            planSelectionSoon();
        }
        for (const RunRow& run : m_runs) {
            const bool sameDevice = m_device && QString::fromStdString(deviceText(run.device)) == m_device->device;
            if (!sameDevice || run.summary.tokensPerSecond <= 0 || ui::shown(run.modelName) != m_model->name) continue;
            if (!m_counts || m_counts->rows() == 0 || m_counts->trainedTokens == 0) break;
            const double perRow = static_cast<double>(m_counts->trainedTokens) / static_cast<double>(m_counts->rows());
            const double rows = std::min(static_cast<double>(m_forecast.steps.steps) * static_cast<double>(config.batch),
                                         config.steps > 0 ? 1e18 : static_cast<double>(m_forecast.steps.trainRows) * config.epochs);
            m_forecast.seconds = rows * perRow / run.summary.tokensPerSecond;
            m_forecast.tokensPerSecond = run.summary.tokensPerSecond;
            m_forecast.measuredOn = ui::shown(run.name);
            break;
        }
    }
    Q_EMIT summaryChanged();
}

void NewRunController::planSelectionSoon() {
    const RunConfig config = m_form->config();
    const std::string key = m_model->source.toStdString() + '\n' + configValue(config, "alpha") + '\n' + config.granularity.text() + '\n' +
                            config.filterInclude + '\n' + config.filterExclude;
    if (key == m_plannedKey) return;
    m_plannedKey = key;
    m_forecast.selection.reset();
    const std::uint64_t request = ++m_planRequest;
    // Rows and blocks are millions of partitions: not for the window's thread.
    QMetaObject::invokeMethod(m_planner, [this, request, config, model = m_model->description] {
        const Result<SelectionPlan> plan = planSelection(model, config);
        QMetaObject::invokeMethod(this, [this, request, plan] {
            if (request != m_planRequest) return;
            if (plan.ok()) m_forecast.selection = *plan;
            m_form->setFileError("granularity", plan.ok() ? QString() : ui::shown(plan.error().message + ". " + plan.error().remedy));
            Q_EMIT summaryChanged();
        });
    });
}

std::vector<FormIssue> NewRunController::issues() const {
    std::vector<FormIssue> issues;
    const RunConfig& config = m_form->config();
    if (m_form->text("model").isEmpty()) issues.push_back({"model", tr("Choose a model."), true});
    if (m_form->text("data").isEmpty()) issues.push_back({"data", tr("Choose training data."), true});
    addHubIssues(issues);
    for (const std::string& key : m_form->wrongKeys())
        issues.push_back({key, tr("%1: %2", "field, what is wrong").arg(ui::keyLabel(key), m_form->error(key)), true});
    if (m_model && m_device && m_model->problem.isEmpty()) {
        const double needed = static_cast<double>(m_model->parameterCount) * static_cast<double>(checkpointBytesPerParameter) * diskMargin;
        if (m_device->diskFreeBytes > 0 && needed > static_cast<double>(m_device->diskFreeBytes)) {
            issues.push_back({"",
                              tr("The disk is too small for the last checkpoint: it needs %1, %2 are free.")
                                  .arg(ui::shown(formatBytes(static_cast<std::uint64_t>(needed))), ui::shown(formatBytes(m_device->diskFreeBytes))),
                              true});
        }
    }
    if (m_forecast.memory && m_device && fit() != MemoryFit::Fits) {
        const QString needed = ui::shown(formatBytes(m_forecast.memory->deviceBytes())), free = ui::shown(formatBytes(m_device->freeBytes));
        issues.push_back({"micro_batch",
                          fit() == MemoryFit::Tight
                              ? tr("Memory is tight: %1 of %2 free. A smaller micro-batch needs less.").arg(needed, free)
                              : tr("The forecast does not fit: %1 of %2 free. Lower the micro-batch or the longest row.").arg(needed, free),
                          false});
    }
    if (m_counts && m_counts->problem.isEmpty()) {
        const auto warn = [&](std::int64_t number, const QString& text) {
            if (number > 0) issues.push_back({"data", text, false});
        };
        warn(m_counts->refused, tr("Rows left out, as they cannot be read: %1").arg(ui::count(m_counts->refused)));
        warn(m_counts->zeroTarget, tr("Rows with nothing to train on: %1").arg(ui::count(m_counts->zeroTarget)));
        warn(m_counts->truncated, tr("Rows cut at %1 tokens: %2").arg(ui::count(config.maxLength), ui::count(m_counts->truncated)));
        warn(m_counts->specialInText, tr("Rows whose text spells a special token: %1").arg(ui::count(m_counts->specialInText)));
        if (m_counts->evalRowsInTraining > 0) {
            issues.push_back({"eval_data",
                              tr("Held-out rows that are training rows too, so that their loss says nothing about unseen data: %1")
                                  .arg(ui::count(m_counts->evalRowsInTraining)),
                              false});
        }
    }
    if (const std::optional<RunRow> busy = busyRun()) {
        issues.push_back({"device", tr("%1 is busy with %2: the run would wait its turn.").arg(m_device->device, ui::shown(busy->name)), false});
    }
    return issues;
}

QString NewRunController::whyNotQueue() const {
    if (m_isRecording) return tr("This workspace is a recording that nobody changes: start the run in a workspace of yours.");
    if (m_starting) return tr("The run is being started.");
    for (const FormIssue& issue : issues()) {
        if (issue.blocks) return issue.text;
    }
    if (m_readingModel) return tr("The model is being read.");
    if (!m_counts || m_counts->rows() == m_counts->zeroTarget) return tr("The data is being read.");
    return {};
}

QString NewRunController::whyNotStart() const {
    if (QString reason = whyNotQueue(); !reason.isEmpty()) return reason;
    if (const std::optional<RunRow> busy = busyRun())
        return tr("%1 is busy with %2. Add the run to the queue instead.").arg(m_device->device, ui::shown(busy->name));
    return {};
}

std::vector<Preset> NewRunController::presets() const {
    std::vector<Preset> all = builtInPresets();
    all.insert(all.end(), m_userPresets.begin(), m_userPresets.end());
    return all;
}

void NewRunController::savePreset(const QString& name) {
    Preset preset;
    preset.name = preset.title = name.trimmed().toStdString();
    if (preset.name.empty()) return;
    for (const std::string& key : m_form->changedKeys()) {
        if (key != "model" && key != "data" && key != "eval_data") preset.values.emplace_back(key, configValue(m_form->config(), key));
    }
    std::erase_if(m_userPresets, [&](const Preset& other) { return other.name == preset.name; });
    m_userPresets.push_back(preset);
    Json stored = Json::array();
    for (const Preset& each : m_userPresets) {
        Json values = Json::object();
        for (const auto& [key, value] : each.values) values[key] = value;
        stored.push_back({{"name", each.name}, {"values", values}});
    }
    m_acts->submit(
        StoreWorker::Needs::NewWorkspace,
        [text = stored.dump()](const Workspace&, Registry& registry) -> Result<Json> {
            MOFO_CHECK(registry.setSetting(presetsSetting, text));
            return Json();
        },
        this);
    Q_EMIT presetsChanged();
}

void NewRunController::lookForDraft() {
    if (std::exchange(m_draftRead, true)) return;
    m_acts->submit(
        StoreWorker::Needs::Reading,
        [](const Workspace&, Registry& registry) -> Result<Json> {
            MOFO_TRY(const std::optional<std::string> draft, registry.setting(draftSetting));
            MOFO_TRY(const std::optional<std::string> presets, registry.setting(presetsSetting));
            Json found = Json::object();
            if (draft && !draft->empty()) {
                MOFO_TRY(found["draft"], parseJson(*draft));
            }
            if (presets && !presets->empty()) {
                MOFO_TRY(found["presets"], parseJson(*presets));
            }
            return found;
        },
        this,
        [this](const Result<Json>& found) {
            if (!found.ok()) return;
            for (const Json& each : found->value("presets", Json::array())) {
                if (!each.is_object() || !each.value("values", Json()).is_object()) continue;
                Preset preset;
                preset.name = preset.title = each.value("name", std::string());
                for (const auto& [key, value] : each["values"].items()) {
                    if (value.is_string()) preset.values.emplace_back(key, value.get<std::string>());
                }
                m_userPresets.push_back(std::move(preset));
            }
            if (!m_userPresets.empty()) Q_EMIT presetsChanged();
            const Json draft = found->value("draft", Json());
            if (!draft.is_object() || !m_form->isPristine()) return;
            m_draft = draft;
            Q_EMIT draftFound();
        });
}

QString NewRunController::draftSummary() const {
    if (!m_draft) return {};
    const Json values = m_draft->value("values", Json::object());
    QStringList parts;
    for (const char* key : {"model", "data"}) {
        const auto found = values.find(key);
        if (found != values.end() && found->is_string())
            parts << ui::shown(QFileInfo(QString::fromStdString(found->get<std::string>())).fileName().toStdString());
    }
    parts << tr("settings changed: %1").arg(values.size());
    return parts.join(QStringLiteral(", "));
}

void NewRunController::restoreDraft() {
    if (!m_draft) return;
    const Json draft = *m_draft;
    m_draft.reset();
    m_form->restore(draft);
}

void NewRunController::discardDraft() {
    m_draft.reset();
    saveDraftNow();
}

void NewRunController::saveDraftNow() {
    m_draftTimer.stop();
    const bool isEmpty = m_form->isPristine();
    Json draft = m_form->draft();
    draft["savedNs"] = wallNs();
    m_acts->submit(
        isEmpty ? StoreWorker::Needs::Workspace : StoreWorker::Needs::NewWorkspace,
        [text = isEmpty ? std::string() : draft.dump()](const Workspace&, Registry& registry) -> Result<Json> {
            MOFO_CHECK(registry.setSetting(draftSetting, text));
            return Json();
        },
        this);
}

void NewRunController::forgetDraft() {
    m_draftTimer.stop();
    m_acts->submit(
        StoreWorker::Needs::Workspace,
        [](const Workspace&, Registry& registry) -> Result<Json> {
            MOFO_CHECK(registry.setSetting(draftSetting, ""));
            return Json();
        },
        this);
}

ImportProgress NewRunController::progressOfStart() {
    // The sealing of a large model can outlive the page: it looks at this only through the guard, on the window's thread.
    return [guard = QPointer<NewRunController>(this), starter = m_starter, cancel = m_cancel](std::string_view phase, double share) {
        QMetaObject::invokeMethod(starter, [guard, text = ui::shown(phase), share] {
            if (guard) Q_EMIT guard->startProgress(text, share);
        });
        return !cancel->load();
    };
}

void NewRunController::start() {
    if (m_starting || !whyNotQueue().isEmpty()) return;
    const RunConfig config = localConfig();
    if (stampOf(config.data) != m_dataStamp) {
        rescan();
        Q_EMIT startFailed(tr("The data file changed since it was read: it is read again. Start once more when the counts are right."));
        return;
    }
    m_starting = true;
    m_cancel = std::make_shared<std::atomic<bool>>(false);
    StartOptions options;
    options.name = m_form->name().trimmed().toStdString();
    options.who = "window";
    Q_EMIT startProgress(tr("checking"), 0);
    m_starter->submit(
        StoreWorker::Needs::NewWorkspace,
        [progress = progressOfStart(), config, options](const Workspace& workspace, Registry& registry) -> Result<Json> {
            MOFO_TRY(const RunRow run, startRun(workspace, registry, config, options, progress));
            return Json(run.id);
        },
        this,
        [this](const Result<Json>& result) {
            m_starting = false;
            if (!result.ok()) {
                Q_EMIT startFailed(ui::shown(result.error().text()));
                Q_EMIT summaryChanged();
                return;
            }
            const QString id = QString::fromStdString(result->get<std::string>());
            m_form->setName({});
            forgetDraft();
            Q_EMIT summaryChanged();
            Q_EMIT started(id);
        });
}

}  // namespace mofo
