// What reading a model and a data file found, as immutable values: made by the scanner on its thread, shown by the New run page.
#pragma once

#include <QMetaType>
#include <QString>
#include <QStringList>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/model/model_description.h"

namespace mofo {

/// The model that the form names.
struct ModelCard {
    std::uint64_t request = 0;
    QString problem;        ///< one sentence; all else is empty then
    QString name, format;   ///< "SmolLM2-135M-Instruct", "GGUF Q4_1"
    QString source;         ///< path that is read
    bool isSealed = false;  ///< a model of the workspace
    bool isQuantised = false;
    bool hasTokenizer = true;
    QString tokenizer;     ///< "49,152 tokens"
    QString chatTemplate;  ///< one line: "ChatML", or why none is known
    bool templateKnown = false;
    QString licence;  ///< name of the licence file beside the weights, or empty
    ModelDescription description;
    std::int64_t parameterCount = 0;
    QStringList warnings;
};

/// One row of the data file, rendered as training renders it but not yet cut.
struct PreviewRow {
    enum class Problem { None, ZeroTarget, Truncated, Refused };
    std::uint64_t request = 0;
    std::int64_t index = 0;  ///< of the file's rows, refused ones included, from 0
    std::uint64_t line = 0;
    Problem problem = Problem::None;
    QString reason;  ///< of the problem, one sentence
    std::vector<std::int32_t> ids;
    std::vector<std::uint8_t> trained;
    std::vector<std::uint8_t> special;
    std::vector<QString> pieces;
    std::int64_t cutFrom = 0;       ///< first token that max_length leaves out; ids.size() where none is
    std::int64_t tokenCount = 0;    ///< of the whole row; `ids` holds at most the first ones
    std::int64_t trainedCount = 0;  ///< tokens that are trained on, after the cut
};

/// A row that needs a look.
struct RowProblem {
    std::int64_t index = 0;
    std::uint64_t line = 0;
    PreviewRow::Problem kind = PreviewRow::Problem::None;
    QString reason;
};

/// Running counts of a scan.
struct DataCounts {
    std::uint64_t request = 0;
    QString problem;      ///< why the file as a whole cannot be read, or used
    QString formatName;   ///< "JSONL"
    double progress = 0;  ///< 0..1 of the file
    bool complete = false;
    double seconds = 0;  ///< since the scan began
    std::int64_t fileRows = 0, refused = 0, zeroTarget = 0, truncated = 0;
    std::int64_t tokens = 0;         ///< after the cut
    std::int64_t trainedTokens = 0;  ///< that count in the loss
    std::int64_t longest = 0;        ///< tokens of the longest row, after the cut
    std::int64_t longestUncut = 0;
    std::int64_t specialInText = 0;
    std::int64_t evalRowsInTraining = -1;  ///< rows of eval_data that are rows of the data too; -1: not looked at
    std::vector<std::uint32_t> lengths;    ///< rows by number of tokens before the cut; the last bin takes all longer ones
    std::vector<std::uint32_t> rowTokens;  ///< of every row that is not refused, after the cut
    std::vector<RowProblem> problems;      ///< at most the first 1000 of each kind, by index
    QString sha256;                        ///< of the file, once complete
    [[nodiscard]] std::int64_t rows() const { return fileRows - refused; }
};
/// DataCounts::lengths has so many bins.
constexpr std::size_t lengthBins = 8192;

/// Where a run would go.
struct DeviceCard {
    std::uint64_t request = 0;
    QString problem;
    QString device;  ///< "cpu", "cuda:0"
    QString title;   ///< "CPU", or the GPU's name
    bool isCuda = false;
    std::uint64_t freeBytes = 0, totalBytes = 0;  ///< of the memory that is trained in
    std::uint64_t diskFreeBytes = 0;              ///< where checkpoints go
    int threads = 1;
};

using ModelCardPtr = std::shared_ptr<const ModelCard>;
using PreviewRowPtr = std::shared_ptr<const PreviewRow>;
using DataCountsPtr = std::shared_ptr<const DataCounts>;
using DeviceCardPtr = std::shared_ptr<const DeviceCard>;

}  // namespace mofo

Q_DECLARE_METATYPE(mofo::ModelCardPtr)
Q_DECLARE_METATYPE(mofo::PreviewRowPtr)
Q_DECLARE_METATYPE(mofo::DataCountsPtr)
Q_DECLARE_METATYPE(mofo::DeviceCardPtr)
