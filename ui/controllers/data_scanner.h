// Opens the model and reads the data file that the New run form names, through core/text and core/library exactly as training does. Lives on a
// thread of its own.
#pragma once

#include <QObject>
#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "core/base/gpu_probe.h"
#include "core/client/device_choice.h"
#include "core/model/model_source.h"
#include "core/text/dataset.h"
#include "ui/models/data_preview.h"

namespace mofo {

/// What is to be looked at. A request with a higher number ends the work on the one before.
struct ScanRequest {
    std::uint64_t number = 0;
    std::string model, data, evalData, columns, chatTemplate, device;
    std::int64_t maxLength = 0;
};

class DataScanner : public QObject {
    Q_OBJECT
public:
    explicit DataScanner(std::filesystem::path workspace);
    ~DataScanner() override;

    /// Any thread: the work on every request before `number` stops within some rows.
    void announce(std::uint64_t number) { m_wanted.store(number, std::memory_order_relaxed); }
    /// Any thread: row `index` of the file is to be shown, also while a scan is on.
    void wantRow(std::int64_t index);

public Q_SLOTS:
    void scan(const mofo::ScanRequest& request);
    /// Sends the row of wantRow(), where no scan did it.
    void sendWantedRow();

Q_SIGNALS:
    void modelRead(const mofo::ModelCardPtr& card);
    void deviceFound(const mofo::DeviceCardPtr& card);
    /// The first rows, at once, and each row that was wanted.
    void rowRead(const mofo::PreviewRowPtr& row);
    /// Several times a second while a scan is on, and once with `complete`.
    void counted(const mofo::DataCountsPtr& counts);

private:
    [[nodiscard]] bool isStale() const { return m_wanted.load(std::memory_order_relaxed) != m_request.number; }
    void readModel();
    void findDevice();
    void scanData();
    void checkEvalData(DataCounts& counts, const std::vector<std::size_t>& trainingHashes);
    [[nodiscard]] PreviewRow preview(const DatasetReader::Next& next, std::int64_t index) const;
    void describeTokens(PreviewRow& row, const TokenRow& tokens) const;

    const std::filesystem::path m_folder;
    ScanRequest m_request;
    std::atomic<std::uint64_t> m_wanted{0};
    std::mutex m_rowMutex;
    std::optional<std::int64_t> m_wantedRow;

    std::string m_deviceAsked;
    std::optional<Result<ResolvedDevice>> m_device;  ///< of m_deviceAsked
    GpuFinding m_gpus;

    std::string m_openModel;  ///< what m_source was opened from
    std::unique_ptr<ModelSource> m_source;
    std::optional<Tokenizer> m_tokenizer;
    std::optional<ChatTemplate> m_template;
    bool m_templateUsable = false;
};

}  // namespace mofo

Q_DECLARE_METATYPE(mofo::ScanRequest)
