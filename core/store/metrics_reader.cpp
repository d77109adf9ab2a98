#include <sys/stat.h>

#include <algorithm>
#include <cstring>

#include "core/base/text.h"
#include "core/store/database.h"
#include "core/store/packed_counts.h"
#include "core/store/run_metrics.h"

namespace mofo {

struct MetricsReader::State {
    std::unique_ptr<Database> database;
    std::size_t parameterCount = 0;  ///< 0 until the engine has written them
    std::int64_t refused = 0;
    int version = 0;  ///< of the file's schema, as last seen; an engine that goes on with an old run may raise it any time

    bool has(int wanted) {
        if (version < wanted) version = database->schemaVersion();
        return version >= wanted;
    }
    bool hasSecond() { return has(2); }

    std::size_t countParameters() {
        if (parameterCount == 0) {
            Query query(*database, "SELECT count(*) FROM parameters");
            if (query.next()) parameterCount = static_cast<std::size_t>(query.integer(0));
        }
        return parameterCount;
    }
};

namespace {

constexpr std::int64_t octaveHistogramLowest = -40;  ///< exponent of the first bin in schema version 1

/// A blob as numbers. False where its length is not that of `count` numbers; an empty blob is a measure that was not taken.
template <class T>
bool readBlob(Query& row, int column, std::size_t count, std::vector<T>& out) {
    static_assert(sizeof(T) == 4);
    const std::string_view bytes = row.blob(column);
    if (!bytes.empty() && bytes.size() != count * sizeof(T)) return false;
    out.resize(bytes.size() / sizeof(T));
    if (!bytes.empty()) std::memcpy(out.data(), bytes.data(), bytes.size());
    return true;
}

bool isLossState(std::string_view text) { return text == "finite" || text == "nan" || text == "inf"; }

/// The loss of a row, with the state deciding: NULL is a NaN or an infinity whose sign nobody kept. False where they do not fit together.
bool readLoss(Query& row, int valueColumn, int stateColumn, double& loss, std::string& state) {
    const std::optional<double> value = row.optionalNumber(valueColumn);
    state = row.text(stateColumn);
    if (!isLossState(state) || (state == "finite" && (!value || !std::isfinite(*value)))) return false;
    loss = value ? *value : state == "inf" ? HUGE_VAL : std::nan("");
    return true;
}

bool readTensorRow(Query& row, std::size_t count, TensorRow& out) {
    out.seq = row.integer(0);
    out.step = row.integer(1);
    out.superseded = row.flag(2);
    return out.step >= 0 && readBlob(row, 3, count, out.selected) && readBlob(row, 4, count, out.masked) && readBlob(row, 5, count, out.threshold) &&
           readBlob(row, 6, count, out.driftL2) && readBlob(row, 7, count, out.driftL1) && readBlob(row, 8, count, out.driftMax) &&
           readBlob(row, 9, count, out.changed) && readBlob(row, 10, count, out.changedBf16) && readBlob(row, 11, count, out.churn) &&
           readBlob(row, 12, count, out.coverage) && readBlob(row, 13, count, out.squaredUpdate);
}

#define MOFO_SELECT_TENSORS \
    "SELECT seq, step, superseded, selected, masked, threshold, drift_l2, drift_l1, drift_max, changed, changed_bf16, churn, coverage, "
#define MOFO_MEASURES_1 "NULL FROM tensors "
#define MOFO_MEASURES_2 "m.amounts FROM tensors LEFT JOIN tensor_measures AS m ON m.tensors = seq AND m.measure = 'squared_update' "
#define MOFO_SELECT_ACKNOWLEDGEMENTS "SELECT uuid, applied_step, accepted, reason, wall_ns, superseded FROM acknowledgements "
#define MOFO_SELECT_CHECKPOINTS "SELECT step, folder, kind, manifest_sha256, size_bytes, seconds, verified, superseded, pinned, wall_ns, removed, "

AcknowledgementRow readAcknowledgement(Query& row) {
    return {.uuid = row.text(0),
            .appliedStep = row.integer(1),
            .accepted = row.flag(2),
            .reason = row.text(3),
            .wallNs = row.integer(4),
            .superseded = row.flag(5)};
}

}  // namespace

MetricsReader::MetricsReader(std::unique_ptr<State> state) : m_state(std::move(state)) {}
MetricsReader::MetricsReader(MetricsReader&&) noexcept = default;
MetricsReader& MetricsReader::operator=(MetricsReader&&) noexcept = default;
MetricsReader::~MetricsReader() = default;

Result<MetricsReader> MetricsReader::open(const std::filesystem::path& file) {
    struct stat info {};
    if (lstat(file.c_str(), &info) != 0 && (errno == ENOENT || errno == ENOTDIR)) {
        return Error{ErrorCode::NotFound, "the run has measured nothing yet", escapeForDisplay(file.string()), "Wait until its engine has started",
                     ""};
    }
    MOFO_TRY(auto database, Database::open(file, metricsSchema(), Database::Mode::Observer));
    auto state = std::make_unique<State>();
    state->database = std::move(database);
    return MetricsReader(std::move(state));
}

std::int64_t MetricsReader::dataVersion() const { return m_state->database->dataVersion(); }
std::int64_t MetricsReader::refusedRows() const { return m_state->refused; }

Result<std::int64_t> MetricsReader::supersessions() const {
    return m_state->database->attempt([&]() -> Result<std::int64_t> {
        Query query(*m_state->database, "SELECT count(*) FROM supersessions");
        query.next();
        return query.integer(0);
    });
}

Result<std::vector<ParameterRow>> MetricsReader::parameters() const {
    return m_state->database->attempt([&]() -> Result<std::vector<ParameterRow>> {
        std::vector<ParameterRow> list;
        Query query(*m_state->database, "SELECT place, name, kind, layer, size, filtered, pretrained_l2 FROM parameters ORDER BY place");
        while (query.next()) {
            list.push_back({.index = query.integer(0),
                            .name = query.text(1),
                            .kind = query.text(2),
                            .layer = query.integer(3),
                            .size = query.integer(4),
                            .filtered = query.flag(5),
                            .pretrainedL2 = query.number(6)});
        }
        return list;
    });
}

Result<std::vector<StepRow>> MetricsReader::stepsAfter(std::int64_t seq, std::int64_t limit) const {
    return m_state->database->attempt([&]() -> Result<std::vector<StepRow>> {
        std::vector<StepRow> list;
        Query query(*m_state->database,
                    "SELECT seq, step, loss, loss_state, grad_norm, clipped_norm, lr, alpha, granularity, tokens, input_tokens, epoch, "
                    "tokens_per_second, step_ms, data_ms, "
                    "forward_backward_ms, optimizer_ms, statistics_ms, memory_bytes, moved_count, wall_ns, superseded, gradient_top_l1 FROM steps "
                    "WHERE seq > ? ORDER BY seq LIMIT ?");
        query.with(seq, limit);
        while (query.next()) {
            StepRow r;
            r.seq = query.integer(0);
            r.step = query.integer(1);
            if (!readLoss(query, 2, 3, r.loss, r.lossState) || r.step < 1) {
                ++m_state->refused;
                continue;
            }
            r.gradNorm = query.number(4);
            r.clippedNorm = query.number(5);
            r.lr = query.number(6);
            r.alpha = query.number(7);
            r.granularity = query.text(8);
            r.tokens = query.integer(9);
            r.inputTokens = query.integer(10);
            r.epoch = query.number(11);
            r.tokensPerSecond = query.number(12);
            r.stepMs = query.number(13);
            r.dataMs = query.number(14);
            r.forwardBackwardMs = query.number(15);
            r.optimizerMs = query.number(16);
            r.statisticsMs = query.number(17);
            r.memoryBytes = query.integer(18);
            r.movedCount = query.integer(19);
            r.wallNs = query.integer(20);
            r.superseded = query.flag(21);
            r.topGradientNorm = query.number(22);
            list.push_back(std::move(r));
        }
        return list;
    });
}

Result<std::vector<TensorRow>> MetricsReader::tensorsAfter(std::int64_t seq, std::int64_t limit) const {
    return m_state->database->attempt([&]() -> Result<std::vector<TensorRow>> {
        const std::size_t count = m_state->countParameters();
        std::vector<TensorRow> list;
        Query query(*m_state->database, m_state->hasSecond() ? MOFO_SELECT_TENSORS MOFO_MEASURES_2 "WHERE seq > ? ORDER BY seq LIMIT ?"
                                                             : MOFO_SELECT_TENSORS MOFO_MEASURES_1 "WHERE seq > ? ORDER BY seq LIMIT ?");
        query.with(seq, limit);
        while (query.next()) {
            if (TensorRow& row = list.emplace_back(); !readTensorRow(query, count, row)) {
                list.pop_back();
                ++m_state->refused;
            }
        }
        return list;
    });
}

Result<std::optional<TensorRow>> MetricsReader::newestTensors() const {
    return m_state->database->attempt([&]() -> Result<std::optional<TensorRow>> {
        const std::size_t count = m_state->countParameters();
        Query query(*m_state->database, m_state->hasSecond() ? MOFO_SELECT_TENSORS MOFO_MEASURES_2 "WHERE superseded = 0 ORDER BY step DESC"
                                                             : MOFO_SELECT_TENSORS MOFO_MEASURES_1 "WHERE superseded = 0 ORDER BY step DESC");
        while (query.next()) {
            if (TensorRow row; readTensorRow(query, count, row)) return std::optional(std::move(row));
            ++m_state->refused;
        }
        return std::optional<TensorRow>();
    });
}

Result<std::vector<HistogramRow>> MetricsReader::histograms(std::int64_t step) const {
    return m_state->database->attempt([&]() -> Result<std::vector<HistogramRow>> {
        std::vector<HistogramRow> list;
        if (m_state->hasSecond()) {
            Query query(*m_state->database,
                        "SELECT step, parameter, steps_per_octave, first_bin, counts FROM log_histograms WHERE step = ? AND superseded = 0 ORDER BY "
                        "parameter");
            query.with(step);
            while (query.next()) {
                HistogramRow row{.step = query.integer(0), .parameter = query.integer(1), .firstBin = query.integer(3)};
                row.stepsPerOctave = static_cast<int>(query.integer(2));
                const bool known = query.integer(2) >= 1 && query.integer(2) <= 64 && std::abs(row.firstBin) <= 16384;
                if (known && unpackCounts(query.blob(4), row.counts)) {
                    list.push_back(std::move(row));
                } else {
                    ++m_state->refused;
                }
            }
            if (!list.empty()) return list;
        }
        Query query(*m_state->database, "SELECT step, parameter, bins FROM histograms WHERE step = ? AND superseded = 0 ORDER BY parameter");
        query.with(step);
        while (query.next()) {
            HistogramRow row{.step = query.integer(0), .parameter = query.integer(1), .stepsPerOctave = 1};
            if (!readBlob(query, 2, 64, row.counts) || row.counts.size() != 64) {
                ++m_state->refused;
                continue;
            }
            while (!row.counts.empty() && row.counts.back() == 0) row.counts.pop_back();
            const auto first = std::find_if(row.counts.begin(), row.counts.end(), [](std::uint32_t count) { return count != 0; });
            row.firstBin = first == row.counts.end() ? 0 : octaveHistogramLowest + (first - row.counts.begin());
            row.counts.erase(row.counts.begin(), first);
            list.push_back(std::move(row));
        }
        return list;
    });
}

Result<std::optional<PartitionRow>> MetricsReader::partitions(std::int64_t step) const {
    return m_state->database->attempt([&]() -> Result<std::optional<PartitionRow>> {
        if (!m_state->hasSecond()) return std::optional<PartitionRow>();
        Query query(*m_state->database,
                    "SELECT step, granularity, selected, threshold, squared_update FROM partitions WHERE step = ? AND superseded = 0");
        if (!query.with(step).next()) return std::optional<PartitionRow>();
        PartitionRow row{.step = query.integer(0), .granularity = query.text(1)};
        const std::size_t count = query.blob(2).size() / sizeof(std::uint32_t);
        if (count > 0 && readBlob(query, 2, count, row.selected) && readBlob(query, 3, count, row.threshold) &&
            readBlob(query, 4, count, row.squaredUpdate) && row.threshold.size() == count && row.squaredUpdate.size() == count)
            return std::optional(std::move(row));
        ++m_state->refused;
        return std::optional<PartitionRow>();
    });
}

Result<std::optional<ThresholdSpreadRow>> MetricsReader::thresholdSpreads(std::int64_t step) const {
    return m_state->database->attempt([&]() -> Result<std::optional<ThresholdSpreadRow>> {
        const std::size_t count = m_state->countParameters();
        Query query(*m_state->database,
                    "SELECT step, minimum, first_quartile, third_quartile, maximum FROM threshold_spreads WHERE step = ? AND superseded = 0");
        if (!query.with(step).next()) return std::optional<ThresholdSpreadRow>();
        ThresholdSpreadRow row{.step = query.integer(0)};
        if (readBlob(query, 1, count, row.minimum) && readBlob(query, 2, count, row.firstQuartile) && readBlob(query, 3, count, row.thirdQuartile) &&
            readBlob(query, 4, count, row.maximum))
            return std::optional(std::move(row));
        ++m_state->refused;
        return std::optional<ThresholdSpreadRow>();
    });
}

Result<std::vector<RowCountsRow>> MetricsReader::rowCounts(std::int64_t step) const {
    return m_state->database->attempt([&]() -> Result<std::vector<RowCountsRow>> {
        std::vector<RowCountsRow> list;
        Query query(*m_state->database,
                    "SELECT parameter, first_row, counts FROM row_counts WHERE step = ? AND superseded = 0 ORDER BY parameter, first_row");
        query.with(step);
        while (query.next()) {
            const std::int64_t parameter = query.integer(0);
            if (list.empty() || list.back().parameter != parameter) list.push_back({.step = step, .parameter = parameter});
            std::vector<std::uint32_t> piece;
            const std::size_t count = query.blob(2).size() / sizeof(std::uint32_t);
            std::vector<std::uint32_t>& counts = list.back().counts;
            if (static_cast<std::size_t>(query.integer(1)) != counts.size() || count == 0 || !readBlob(query, 2, count, piece)) {
                ++m_state->refused;
                continue;
            }
            counts.insert(counts.end(), piece.begin(), piece.end());
        }
        return list;
    });
}

Result<std::vector<EvalRow>> MetricsReader::evalsAfter(std::int64_t seq) const {
    return m_state->database->attempt([&]() -> Result<std::vector<EvalRow>> {
        std::vector<EvalRow> list;
        // Newest rows of a large set are in a table of their own, so one statement cannot give both; eval rows are written with their eval.
        Query query(*m_state->database,
                    "SELECT seq, step, task, loss, loss_state, tokens, seconds, superseded FROM evals WHERE seq > ? ORDER BY seq");
        Query rows(*m_state->database, "SELECT first_row, losses, tokens FROM eval_rows WHERE eval = ? ORDER BY first_row");
        query.with(seq);
        while (query.next()) {
            EvalRow r;
            std::string state;
            r.seq = query.integer(0);
            r.step = query.integer(1);
            r.task = query.text(2);
            bool whole = readLoss(query, 3, 4, r.loss, state) && r.step >= 0;
            r.tokens = query.integer(5);
            r.seconds = query.number(6);
            r.superseded = query.flag(7);
            rows.with(r.seq);
            while (whole && rows.next()) {
                const std::size_t count = rows.blob(1).size() / sizeof(float);
                std::vector<float> losses;
                std::vector<std::uint32_t> tokens;
                whole = static_cast<std::size_t>(rows.integer(0)) == r.rowLoss.size() && readBlob(rows, 1, count, losses) &&
                        readBlob(rows, 2, count, tokens) && losses.size() == tokens.size();
                r.rowLoss.insert(r.rowLoss.end(), losses.begin(), losses.end());
                r.rowTokens.insert(r.rowTokens.end(), tokens.begin(), tokens.end());
            }
            if (whole) {
                list.push_back(std::move(r));
            } else {
                ++m_state->refused;
            }
        }
        return list;
    });
}

Result<std::vector<EventRow>> MetricsReader::eventsAfter(std::int64_t seq) const {
    return m_state->database->attempt([&]() -> Result<std::vector<EventRow>> {
        std::vector<EventRow> list;
        Query query(*m_state->database,
                    "SELECT seq, step, kind, who, key, old_value, new_value, text, wall_ns, superseded FROM events WHERE seq > ? ORDER BY seq");
        query.with(seq);
        while (query.next()) {
            list.push_back({.seq = query.integer(0),
                            .step = query.integer(1),
                            .kind = query.text(2),
                            .who = query.text(3),
                            .key = query.text(4),
                            .oldValue = query.text(5),
                            .newValue = query.text(6),
                            .text = query.text(7),
                            .wallNs = query.integer(8),
                            .superseded = query.flag(9)});
        }
        return list;
    });
}

Result<std::optional<AcknowledgementRow>> MetricsReader::acknowledgement(std::string_view uuid) const {
    return m_state->database->attempt([&]() -> Result<std::optional<AcknowledgementRow>> {
        Query query(*m_state->database, MOFO_SELECT_ACKNOWLEDGEMENTS "WHERE uuid = ?");
        if (!query.with(uuid).next()) return std::optional<AcknowledgementRow>();
        return std::optional(readAcknowledgement(query));
    });
}

Result<std::vector<AcknowledgementRow>> MetricsReader::acknowledgements() const {
    return m_state->database->attempt([&]() -> Result<std::vector<AcknowledgementRow>> {
        std::vector<AcknowledgementRow> list;
        Query query(*m_state->database, MOFO_SELECT_ACKNOWLEDGEMENTS "ORDER BY seq");
        while (query.next()) list.push_back(readAcknowledgement(query));
        return list;
    });
}

Result<std::vector<CheckpointRow>> MetricsReader::checkpoints(bool all) const {
    return m_state->database->attempt([&]() -> Result<std::vector<CheckpointRow>> {
        std::vector<CheckpointRow> list;
        Query query(*m_state->database, m_state->has(3) ? MOFO_SELECT_CHECKPOINTS
                                            "coalesce(s.state, CASE verified WHEN 1 THEN 'complete' ELSE 'failed' END), coalesce(s.reason, ''), "
                                            "s.eval_loss, coalesce(s.state_digest, '') FROM checkpoints LEFT JOIN checkpoint_states AS s ON "
                                            "s.checkpoint = seq ORDER BY seq"
                                                        : MOFO_SELECT_CHECKPOINTS
                                            "CASE verified WHEN 1 THEN 'complete' ELSE 'failed' END, '', NULL, '' FROM checkpoints ORDER BY seq");
        while (query.next()) {
            CheckpointRow row{.step = query.integer(0),
                              .folder = query.text(1),
                              .kind = query.text(2),
                              .manifestSha256 = query.text(3),
                              .sizeBytes = query.integer(4),
                              .seconds = query.number(5),
                              .verified = query.flag(6),
                              .superseded = query.flag(7),
                              .pinned = query.flag(8)};
            row.wallNs = query.integer(9);
            row.removed = query.flag(10);
            row.state = query.text(11);
            row.reason = query.text(12);
            row.evalLoss = query.number(13);
            row.stateDigest = query.text(14);
            if (!all && (row.removed || row.state != "complete")) continue;
            // The folder becomes part of a path: a name that leads elsewhere is no checkpoint of ours.
            if (row.folder.empty() || row.folder.front() == '.' || row.folder.find_first_of(std::string_view("/\0", 2)) != std::string::npos) {
                ++m_state->refused;
                continue;
            }
            list.push_back(std::move(row));
        }
        return list;
    });
}

Result<std::vector<GenerationRow>> MetricsReader::generationsAfter(std::string_view uuid, std::int64_t seq) const {
    return m_state->database->attempt([&]() -> Result<std::vector<GenerationRow>> {
        std::vector<GenerationRow> list;
        Query query(*m_state->database, "SELECT seq, uuid, text, last, details FROM generations WHERE uuid = ? AND seq > ? ORDER BY seq");
        query.with(uuid, seq);
        while (query.next()) {
            GenerationRow row{.seq = query.integer(0), .uuid = query.text(1), .text = query.text(2), .last = query.flag(3)};
            if (auto details = parseJson(query.text(4)); details.ok()) row.details = std::move(details).value();
            list.push_back(std::move(row));
        }
        return list;
    });
}

Result<std::vector<MachineRow>> MetricsReader::machineAfter(std::int64_t seq) const {
    return m_state->database->attempt([&]() -> Result<std::vector<MachineRow>> {
        std::vector<MachineRow> list;
        Query query(*m_state->database,
                    "SELECT seq, wall_ns, cpu_share, resident_bytes, host_used_bytes, host_total_bytes, disk_free_bytes, device_share, "
                    "device_used_bytes, device_total_bytes, device_celsius, device_watts FROM machine WHERE seq > ? ORDER BY seq");
        query.with(seq);
        while (query.next()) {
            list.push_back({.seq = query.integer(0),
                            .wallNs = query.integer(1),
                            .cpuShare = query.number(2),
                            .residentBytes = query.integer(3),
                            .hostUsedBytes = query.integer(4),
                            .hostTotalBytes = query.integer(5),
                            .diskFreeBytes = query.integer(6),
                            .deviceShare = query.number(7),
                            .deviceUsedBytes = query.optionalInteger(8).value_or(0),
                            .deviceTotalBytes = query.optionalInteger(9).value_or(0),
                            .deviceCelsius = query.number(10),
                            .deviceWatts = query.number(11)});
        }
        return list;
    });
}

Result<std::vector<ProbeRow>> MetricsReader::probesAfter(std::int64_t seq) const {
    return m_state->database->attempt([&]() -> Result<std::vector<ProbeRow>> {
        std::vector<ProbeRow> list;
        Query query(*m_state->database,
                    "SELECT seq, step, probe, measure, value, low, high, items, seconds, wall_ns, superseded FROM probes WHERE seq > ? ORDER BY seq");
        query.with(seq);
        while (query.next()) {
            list.push_back({.seq = query.integer(0),
                            .step = query.integer(1),
                            .probe = query.text(2),
                            .measure = query.text(3),
                            .value = query.number(4),
                            .low = query.number(5),
                            .high = query.number(6),
                            .items = query.integer(7),
                            .seconds = query.number(8),
                            .wallNs = query.integer(9),
                            .superseded = query.integer(10) != 0});
        }
        return list;
    });
}

Result<std::vector<ProbeItems>> MetricsReader::probeItems(std::int64_t seq) const {
    return m_state->database->attempt([&]() -> Result<std::vector<ProbeItems>> {
        std::vector<ProbeItems> list;
        Query query(*m_state->database, "SELECT measure, first_item, amounts FROM probe_items WHERE probe = ? ORDER BY measure, first_item");
        query.with(seq);
        bool whole = true;
        while (query.next()) {
            const std::string measure = query.text(0);
            if (list.empty() || list.back().measure != measure) list.push_back({measure, {}});
            std::vector<float>& amounts = list.back().amounts;
            std::vector<float> piece;
            whole = whole && static_cast<std::size_t>(query.integer(1)) == amounts.size() &&
                    readBlob(query, 2, query.blob(2).size() / sizeof(float), piece);
            amounts.insert(amounts.end(), piece.begin(), piece.end());
        }
        if (whole) return list;
        ++m_state->refused;
        return std::vector<ProbeItems>{};
    });
}

Result<std::optional<StatusRow>> MetricsReader::status() const {
    return m_state->database->attempt([&]() -> Result<std::optional<StatusRow>> {
        Query query(*m_state->database,
                    "SELECT phase, progress, detail, step, total_steps, heartbeat_boot_ns, boot_id, eta_seconds FROM status WHERE id = 1");
        if (!query.next()) return std::optional<StatusRow>();
        return std::optional(StatusRow{.phase = query.text(0),
                                       .progress = query.number(1),
                                       .detail = query.text(2),
                                       .step = query.integer(3),
                                       .totalSteps = query.integer(4),
                                       .heartbeatBootNs = query.integer(5),
                                       .bootId = query.text(6),
                                       .etaSeconds = query.number(7)});
    });
}

Result<std::optional<Json>> MetricsReader::fact(std::string_view key) const {
    return m_state->database->attempt([&]() -> Result<std::optional<Json>> {
        Query query(*m_state->database, "SELECT value FROM facts WHERE key = ?");
        if (!query.with(key).next()) return std::optional<Json>();
        MOFO_TRY(Json value, parseJson(query.text(0)));
        return std::optional<Json>(std::move(value));
    });
}

}  // namespace mofo
