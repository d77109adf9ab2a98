// metrics.db of one run: everything measured and everything that happened. WAL; written by the run's engine alone, which is also
// its only checkpointer; everybody else opens it read-only.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"

namespace mofo {

/// One parameter, in the order of every tensor blob.
struct ParameterRow {
    std::int64_t index = 0;
    std::string name;  ///< Hugging Face name
    std::string kind;  ///< moduleKindName
    std::int64_t layer = -1;
    std::int64_t size = 0;
    bool filtered = false;
    double pretrainedL2 = 0;
};

struct StepRow {
    std::int64_t seq = 0;  ///< order of arrival; readers ask for seq greater than the last they saw
    std::int64_t step = 0;
    double loss = 0;  ///< nats per trained token; NaN and Inf kept by lossState
    std::string lossState = "finite";
    double gradNorm = 0;     ///< L2 before clipping
    double clippedNorm = 0;  ///< after
    /// The gradient's L_1,top-alpha norm after clipping: over the partitions, the sum of the k largest magnitudes of each (paper, section 4).
    /// NaN where it was not measured.
    double topGradientNorm = std::numeric_limits<double>::quiet_NaN();
    double lr = 0;
    double alpha = 0;  ///< common alpha of this step (1 with adamw)
    std::string granularity;
    std::int64_t tokens = 0;       ///< trained tokens of the step
    std::int64_t inputTokens = 0;  ///< all tokens fed
    double epoch = 0;              ///< after this step
    double tokensPerSecond = 0;    ///< trained tokens
    double stepMs = 0, dataMs = 0, forwardBackwardMs = 0, optimizerMs = 0, statisticsMs = 0;
    std::int64_t memoryBytes = 0;  ///< resident set, or device memory in use
    std::int64_t movedCount = 0;   ///< coordinates moved (mask and m != 0), whole model
    std::int64_t wallNs = 0;
    bool superseded = false;
};

/// Per-parameter measures of one logged step; every vector has one entry per parameter, in parameter order, or is empty where
/// that was not measured.
struct TensorRow {
    std::int64_t seq = 0;
    std::int64_t step = 0;
    std::vector<std::uint32_t> selected;  ///< mask and m != 0
    std::vector<std::uint32_t> masked;    ///< mask alone
    std::vector<float> threshold;         ///< median over the tensor's partitions
    std::vector<float> driftL2;           ///< ||p - p0||_2
    std::vector<float> driftL1;
    std::vector<float> driftMax;             ///< L-inf
    std::vector<std::uint32_t> changed;      ///< p != p0 in fp32
    std::vector<std::uint32_t> changedBf16;  ///< after rounding both to bf16
    std::vector<float> churn;                ///< 1 - overlap with the previous logged mask; NaN at the first
    std::vector<float> coverage;             ///< share ever selected at a logged step
    std::vector<float> squaredUpdate;        ///< sum over the selected of (lr m/h, bias-corrected)^2; none in runs of schema version 1
    bool superseded = false;
};

/// Histogram of |m| of one parameter at one logged step: only the occupied range of bins. Bin b holds 2^e (1 + j/s) <= |m| < 2^e (1 + (j + 1)/s) with
/// s = stepsPerOctave, e = floor(b / s), j = b - s e. What is missing from the parameter's size is zeros.
struct HistogramRow {
    std::int64_t step = 0;
    std::int64_t parameter = 0;
    int stepsPerOctave = 4;             ///< 1 in runs of schema version 1
    std::int64_t firstBin = 0;          ///< of counts[0]
    std::vector<std::uint32_t> counts;  ///< the first and the last are not zero; empty where all of m is
    bool superseded = false;
};

/// What the step did in each partition, in the order of partitionsOf(); written for up to PartitionRow::most partitions that are not the tensors.
struct PartitionRow {
    static constexpr std::size_t most = 16384;
    std::int64_t step = 0;
    std::string granularity;
    std::vector<std::uint32_t> selected;  ///< mask and m != 0
    std::vector<float> threshold;
    std::vector<float> squaredUpdate;
    bool superseded = false;
};

/// How the thresholds of a tensor's partitions spread: one entry per parameter; 0 where none is filtered. Written where tensors have several.
struct ThresholdSpreadRow {
    std::int64_t step = 0;
    std::vector<float> minimum, firstQuartile, thirdQuartile, maximum;
    bool superseded = false;
};

/// How many coordinates of each output row of a matrix were selected.
struct RowCountsRow {
    std::int64_t step = 0;
    std::int64_t parameter = 0;
    std::vector<std::uint32_t> counts;
    bool superseded = false;
};

struct EvalRow {
    std::int64_t seq = 0;
    std::int64_t step = 0;  ///< 0 = before the first update
    std::string task = "eval";
    double loss = 0;  ///< nats per trained token
    std::int64_t tokens = 0;
    std::vector<float> rowLoss;  ///< summed nats of each row, in file order
    std::vector<std::uint32_t> rowTokens;
    double seconds = 0;
    bool superseded = false;
};

/// Something that happened: state changes, applied or refused commands, warnings, checkpoints, errors.
struct EventRow {
    std::int64_t seq = 0;
    std::int64_t step = 0;
    std::string kind;  ///< state, set, pause, resume, stop, checkpoint, evaluate, warning, error, end
    std::string who;   ///< engine, cli, window, guard
    std::string key;   ///< of a set
    std::string oldValue, newValue;
    std::string text;  ///< one sentence
    std::int64_t wallNs = 0;
    bool superseded = false;
};

struct AcknowledgementRow {
    std::string uuid;
    std::int64_t appliedStep = 0;  ///< the first update that uses it
    bool accepted = false;
    std::string reason;  ///< of a refusal
    std::int64_t wallNs = 0;
    bool superseded = false;  ///< an undo took the change back: it is not replayed
};

struct CheckpointRow {
    std::int64_t step = 0;
    std::string folder;  ///< name under checkpoints/
    std::string kind;    ///< full, weights
    std::string manifestSha256;
    std::int64_t sizeBytes = 0;
    double seconds = 0;
    bool verified = false, superseded = false, pinned = false;
    std::int64_t wallNs = 0;
    bool removed = false;  ///< deleted by retention: written so, it is no longer read
    /// complete; failed (could not be written or verified); lost (its folder is gone or damaged)
    std::string state = "complete";
    std::string reason;                                          ///< of a failed or lost one
    double evalLoss = std::numeric_limits<double>::quiet_NaN();  ///< held-out loss of its step; NaN where none was measured
    std::string stateDigest;                                     ///< SHA-256 over all that a resume restores, or empty
};

/// One row, rewritten: where the engine is. `heartbeatBootNs` is CLOCK_BOOTTIME of `bootId`.
struct StatusRow {
    std::string phase;    ///< load, scan, train, evaluate, save, paused, end
    double progress = 0;  ///< of the phase, 0..1
    std::string detail;   ///< one line for people
    std::int64_t step = 0;
    std::int64_t totalSteps = 0;
    std::int64_t heartbeatBootNs = 0;
    std::string bootId;
    double etaSeconds = -1;  ///< -1: not known yet
};

struct GenerationRow {
    std::int64_t seq = 0;
    std::string uuid;  ///< of the generate command
    std::string text;  ///< the next piece
    bool last = false;
    Json details;  ///< with the last piece: tokens, seconds, stop reason
};

struct MachineRow {
    std::int64_t seq = 0;
    std::int64_t wallNs = 0;
    double cpuShare = 0;  ///< of all cores, 0..1
    std::int64_t residentBytes = 0;
    std::int64_t hostUsedBytes = 0, hostTotalBytes = 0;
    std::int64_t diskFreeBytes = 0;
    // Of the training device where it is a GPU; NaN and 0 where nothing is known.
    double deviceShare = std::numeric_limits<double>::quiet_NaN();  ///< load, 0..1
    std::int64_t deviceUsedBytes = 0, deviceTotalBytes = 0;
    double deviceCelsius = std::numeric_limits<double>::quiet_NaN();
    double deviceWatts = std::numeric_limits<double>::quiet_NaN();
};

/// What a probe found for each of its items, in the order of its file, which is the same at every step.
struct ProbeItems {
    std::string measure;  ///< outcome; weight, where items weigh differently: the probe's value is sum(outcome) / sum(weight)
    std::vector<float> amounts;
};

/// One measure of a probe at one step: a score or a loss with its 95 % interval. `step` 0 = before the first update.
struct ProbeRow {
    std::int64_t seq = 0;
    std::int64_t step = 0;
    std::string probe;                    ///< name of the task
    std::string measure;                  ///< accuracy, perplexity, kl ...
    double value = 0, low = 0, high = 0;  ///< NaN where there is none
    std::int64_t items = 0;
    double seconds = 0;
    std::int64_t wallNs = 0;
    bool superseded = false;
    std::vector<ProbeItems> perItem;  ///< written with the row; read by probeItems()
};

/// What a trainer wants written in one transaction.
struct MetricsBatch {
    /// Replaces the parameter table, before the batch's measurements of them; empty: as it was. The same names and sizes again update the rest;
    /// others are a Conflict once tensors are stored.
    std::vector<ParameterRow> parameters;
    std::vector<StepRow> steps;
    std::vector<TensorRow> tensors;
    std::vector<HistogramRow> histograms;
    std::vector<PartitionRow> partitions;
    std::vector<ThresholdSpreadRow> thresholdSpreads;
    std::vector<RowCountsRow> rowCounts;
    std::vector<EvalRow> evals;
    std::vector<EventRow> events;
    std::vector<AcknowledgementRow> acknowledgements;
    std::vector<CheckpointRow> checkpoints;
    std::vector<GenerationRow> generations;
    std::vector<MachineRow> machine;
    std::vector<ProbeRow> probes;
    std::optional<StatusRow> status;
    [[nodiscard]] bool empty() const;
};

/// The engine's side. One thread.
class MetricsWriter {
public:
    /// Creates the database (mode 0600), or opens the one of an earlier start of the same run.
    static Result<MetricsWriter> open(const std::filesystem::path& file, std::string_view runId);
    MetricsWriter(MetricsWriter&&) noexcept;
    ~MetricsWriter();
    MetricsWriter& operator=(MetricsWriter&&) noexcept;
    /// Free-form facts about the run (dataset counts, hashes, build, thread counts): one JSON object per key.
    Result<void> writeFact(std::string_view key, const Json& value);
    /// One IMMEDIATE transaction: all of the batch or nothing. seq numbers are assigned here. A step (or the tensors, histograms or partitions of
    /// a step) that is there and not superseded is a Conflict; an acknowledgement of a known uuid is left as it is; a checkpoint of a known
    /// folder is updated.
    Result<void> write(const MetricsBatch& batch);
    enum class Supersede {
        Measurements,  ///< a resume from an earlier checkpoint: acknowledged changes stay, to be replayed
        Changes,       ///< an undo: acknowledged changes are taken back as well
    };
    /// Marks everything after `step` as superseded (0 = all) and writes `with`, in one transaction.
    Result<void> supersedeAfter(std::int64_t step, Supersede what = Supersede::Measurements, const MetricsBatch& with = {});
    /// Moves what the log holds into the database, if that fits on a nearly full disk: the log then starts anew and needs no more room for what
    /// follows.
    void restartLog();
    /// seq of the newest event.
    [[nodiscard]] std::int64_t lastEventSeq() const;

private:
    struct State;
    explicit MetricsWriter(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

/// Everybody else's side. One connection, one thread; every call is one short read.
class MetricsReader {
public:
    /// NotFound while the engine has not created it yet.
    static Result<MetricsReader> open(const std::filesystem::path& file);
    MetricsReader(MetricsReader&&) noexcept;
    MetricsReader& operator=(MetricsReader&&) noexcept;
    ~MetricsReader();

    /// Changes whenever the engine commits: cheap to poll.
    [[nodiscard]] std::int64_t dataVersion() const;
    /// Rows left out so far because they are damaged (a blob of the wrong length, no number where one is due).
    [[nodiscard]] std::int64_t refusedRows() const;
    /// How often something was superseded: when it grows, rows read earlier have changed their flag.
    Result<std::int64_t> supersessions() const;
    Result<std::vector<ParameterRow>> parameters() const;
    Result<std::vector<StepRow>> stepsAfter(std::int64_t seq, std::int64_t limit = 1'000'000) const;
    Result<std::vector<TensorRow>> tensorsAfter(std::int64_t seq, std::int64_t limit = 1'000'000) const;
    /// The one of the highest step that is not superseded.
    Result<std::optional<TensorRow>> newestTensors() const;
    /// Of the parameters in their order; not the superseded ones.
    Result<std::vector<HistogramRow>> histograms(std::int64_t step) const;
    /// The same for the rest of what a logged step keeps: not the superseded ones; nothing where nothing was kept.
    Result<std::optional<PartitionRow>> partitions(std::int64_t step) const;
    Result<std::optional<ThresholdSpreadRow>> thresholdSpreads(std::int64_t step) const;
    Result<std::vector<RowCountsRow>> rowCounts(std::int64_t step) const;
    Result<std::vector<EvalRow>> evalsAfter(std::int64_t seq) const;
    Result<std::vector<EventRow>> eventsAfter(std::int64_t seq) const;
    Result<std::optional<AcknowledgementRow>> acknowledgement(std::string_view uuid) const;
    Result<std::vector<AcknowledgementRow>> acknowledgements() const;
    /// Those that are there; `all`: failed, lost and removed ones too.
    Result<std::vector<CheckpointRow>> checkpoints(bool all = false) const;
    Result<std::vector<GenerationRow>> generationsAfter(std::string_view uuid, std::int64_t seq) const;
    Result<std::vector<MachineRow>> machineAfter(std::int64_t seq) const;
    /// Without their items.
    Result<std::vector<ProbeRow>> probesAfter(std::int64_t seq) const;
    /// Of the probe row of that seq; nothing where none were kept.
    Result<std::vector<ProbeItems>> probeItems(std::int64_t seq) const;
    Result<std::optional<StatusRow>> status() const;
    Result<std::optional<Json>> fact(std::string_view key) const;

private:
    struct State;
    explicit MetricsReader(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

}  // namespace mofo
