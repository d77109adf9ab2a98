// The New run page without its widgets: the form, what reading model and data found, forecast, draft, and the start.
#pragma once

#include <QObject>
#include <QPointer>
#include <QThread>
#include <QTimer>
#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "core/library/model_library.h"
#include "core/plan/memory_plan.h"
#include "core/store/registry.h"
#include "ui/models/data_preview.h"
#include "ui/models/run_form.h"

namespace mofo {

class DataScanner;
class HubSource;
struct HubAccess;
struct PreparedSweep;
class StoreWorker;

/// A sentence about the run that is being set up.
struct FormIssue {
    std::string key;  ///< the field it is about; empty: none
    QString text;
    bool blocks = false;  ///< whether it keeps the run from starting
};

/// What can be said of the run before it starts.
struct RunForecast {
    StepPlan steps;
    bool stepsKnown = false;           ///< rows have been counted to the end
    std::optional<double> seconds;     ///< from the speed of an earlier run of this model on this device
    double tokensPerSecond = 0;        ///< of that run
    QString measuredOn;                ///< its name
    std::optional<MemoryPlan> memory;  ///< once the model has been read
    BatchLengths lengths;              ///< that the forecast reckons with
    bool longestKnown = false;         ///< from the rows; else max_length
    std::optional<SelectionPlan> selection;
};

class NewRunController : public QObject {
    Q_OBJECT
public:
    /// `acts` writes drafts and presets, `starter` starts runs; both outlive this.
    NewRunController(StoreWorker* acts, StoreWorker* starter, QObject* parent = nullptr);
    ~NewRunController() override;

    [[nodiscard]] RunForm& form() { return *m_form; }
    /// What stands in the field "model", "data" or "eval_data", where that is a name on the Hugging Face Hub.
    [[nodiscard]] HubSource* hub(const std::string& key) const;
    /// What every field of this window shares that names something on the Hub.
    [[nodiscard]] const std::shared_ptr<HubAccess>& hubAccess() const { return m_hubAccess; }
    /// The form's config with the paths that names on the Hub stand for; empty ones while they are not there.
    [[nodiscard]] RunConfig localConfig() const;
    /// The `mofo train` line that starts the same run, names on the Hub pinned to their commits once those are known.
    [[nodiscard]] QString commandLine() const;
    [[nodiscard]] const ModelCardPtr& model() const { return m_model; }
    [[nodiscard]] const DataCountsPtr& counts() const { return m_counts; }
    [[nodiscard]] const DeviceCardPtr& device() const { return m_device; }
    [[nodiscard]] const RunForecast& forecast() const { return m_forecast; }
    /// Bytes that the forecast is held against: free memory of the device.
    [[nodiscard]] MemoryFit fit() const;
    [[nodiscard]] bool isReadingModel() const { return m_readingModel; }
    [[nodiscard]] bool isScanning() const { return m_scanning; }
    [[nodiscard]] std::vector<FormIssue> issues() const;
    /// Empty where the run can start at once; else the reason.
    [[nodiscard]] QString whyNotStart() const;
    /// Empty where it can be queued behind what is on the device; else the reason.
    [[nodiscard]] QString whyNotQueue() const;

    /// The row on screen; null before the first.
    [[nodiscard]] const PreviewRowPtr& row() const { return m_row; }
    void showRow(std::int64_t index);
    void stepRow(int by);
    void showRandomRow();
    /// The next problem row in that direction from the one on screen, around the end.
    void stepProblem(int direction);
    [[nodiscard]] int problemCount() const;

    /// The runs of the workspace: for speeds, names of models, and what the device is busy with.
    void setRuns(const std::vector<RunRow>& runs);
    /// Models that runs used, newest first, for the list under the field.
    [[nodiscard]] QStringList recentModels() const { return m_recentModels; }
    [[nodiscard]] QStringList recentData() const { return m_recentData; }
    /// Takes a dropped or typed path, or a name on the Hub: folders, .gguf files and names of models are a model, all else data.
    void takePath(const QString& path);

    [[nodiscard]] std::vector<Preset> presets() const;
    void savePreset(const QString& name);

    /// Reads what an earlier window left; draftFound() where there is something.
    void lookForDraft();
    void restoreDraft();
    void discardDraft();
    [[nodiscard]] bool hasDraft() const { return m_draft.has_value(); }
    [[nodiscard]] QString draftSummary() const;
    /// Writes the draft now instead of 2 s after the last change.
    void saveDraftNow();

    /// Starts (or queues) the run; started() or startFailed() follows.
    void start();
    void cancelStart() { m_cancel->store(true); }
    /// Works out the new run beside AdamW and a smaller alpha: comparisonChanged() or startFailed() follows; nothing is queued before
    /// queueComparison(). cancelStart() ends it.
    void prepareComparison();
    void discardComparison();
    void queueComparison();
    /// What queueComparison() would queue, and for how long; null where nothing waits for an answer.
    [[nodiscard]] const std::shared_ptr<PreparedSweep>& comparison() const { return m_comparison; }
    [[nodiscard]] bool isStarting() const { return m_starting; }

    /// Looks at model and data again, though no key changed.
    void rescan();

Q_SIGNALS:
    void modelChanged();
    void countsChanged();
    void rowChanged();
    /// Forecast, issues, command line: 150 ms after an edit, and when reading found something.
    void summaryChanged();
    void presetsChanged();
    void draftFound();
    void startProgress(const QString& phase, double share);
    void started(const QString& runId);
    void comparisonChanged();
    void comparisonQueued(const QString& name, int runs);
    void startFailed(const QString& sentence);

private:
    /// Shows on the page how far a start has come, from any thread; ends it once it was cancelled.
    [[nodiscard]] ImportProgress progressOfStart();
    void onFormChanged();
    void onHubChanged();
    void addHubIssues(std::vector<FormIssue>& issues) const;
    /// Reads what the form names once nothing more is typed, and lets go of what is being read for what it named before.
    void scanSoon();
    void requestScan();
    void onModel(const ModelCardPtr& card);
    void onDevice(const DeviceCardPtr& card);
    void onCounts(const DataCountsPtr& counts);
    void onRow(const PreviewRowPtr& row);
    void refreshForecast();
    void planSelectionSoon();
    /// What the form held has become a run.
    void forgetDraft();
    [[nodiscard]] std::optional<RunRow> busyRun() const;
    [[nodiscard]] std::string scanKey() const;

    StoreWorker* m_acts;
    StoreWorker* m_starter;
    const bool m_isRecording;  ///< the workspace is looked at only
    RunForm* m_form;
    std::shared_ptr<HubAccess> m_hubAccess;
    std::map<std::string, HubSource*> m_hub;  ///< by key
    QThread m_scanThread, m_planThread;
    DataScanner* m_scanner;  ///< lives on m_scanThread
    QObject* m_planner;      ///< lives on m_planThread
    QTimer m_summaryTimer, m_scanTimer, m_draftTimer;
    std::uint64_t m_request = 0, m_planRequest = 0;
    std::string m_scannedKey, m_plannedKey;
    ModelCardPtr m_model;
    DataCountsPtr m_counts;
    DeviceCardPtr m_device;
    std::vector<PreviewRowPtr> m_firstRows;
    PreviewRowPtr m_row;
    std::int64_t m_wantedRow = 0;
    RunForecast m_forecast;
    std::vector<RunRow> m_runs;
    QStringList m_recentModels, m_recentData;
    std::vector<Preset> m_userPresets;
    std::optional<Json> m_draft;
    std::shared_ptr<PreparedSweep> m_comparison;
    QString m_dataStamp;  ///< size and time of the data file when the scan began
    std::shared_ptr<std::atomic<bool>> m_cancel = std::make_shared<std::atomic<bool>>(false);
    bool m_readingModel = false, m_scanning = false, m_starting = false, m_draftRead = false;
};

}  // namespace mofo
