#include <sqlite3.h>

#include <algorithm>
#include <bit>
#include <span>

#include "core/base/clock.h"
#include "core/base/failpoint.h"
#include "core/base/file.h"
#include "core/base/text.h"
#include "core/store/database.h"
#include "core/store/packed_counts.h"
#include "core/store/run_metrics.h"

namespace mofo {

static_assert(std::endian::native == std::endian::little, "blobs are written as they lie in memory");

namespace {

constexpr std::size_t blobLimit = 65536 / 4;  ///< numbers per blob

struct StoredLoss {
    std::optional<double> value;
    std::string_view state;
};

/// The number says more than the word beside it: NaN and infinities are what they are, whatever lossState claims.
StoredLoss storedLoss(double loss, const std::string& claimed) {
    if (std::isnan(loss)) return {std::nullopt, "nan"};
    if (std::isinf(loss)) return {loss, "inf"};
    if (claimed == "nan") return {std::nullopt, "nan"};
    if (claimed == "inf") return {std::nullopt, "inf"};
    return {loss, "finite"};
}

std::int64_t lastSeq(Database& database, const char* sql) {
    Query query(database, sql);
    return query.next() ? query.integer(0) : 0;
}

}  // namespace

struct MetricsWriter::State {
    std::unique_ptr<Database> database;
    /// The last number given in each table; taken over from a batch only after its commit.
    struct Numbers {
        std::int64_t steps = 0, tensors = 0, histograms = 0, partitions = 0, thresholdSpreads = 0, rowCounts = 0, evals = 0, events = 0,
                     acknowledgements = 0, checkpoints = 0, generations = 0, machine = 0, probes = 0;
    } numbers;

    ~State() {
        // So that the file alone is whole when the engine has gone. PASSIVE waits for nobody.
        if (database) sqlite3_wal_checkpoint_v2(database->handle().getHandle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
    }
    void readNumbers();
    Result<void> writeRows(const MetricsBatch& batch, Numbers& last);
    Result<void> writeParameters(const std::vector<ParameterRow>& rows);
    void writeSteps(const std::vector<StepRow>& rows, Numbers& last);
    void writeTensors(const std::vector<TensorRow>& rows, Numbers& last);
    void writeHistograms(const std::vector<HistogramRow>& rows, Numbers& last);
    void writePartitions(const std::vector<PartitionRow>& rows, Numbers& last);
    void writeThresholdSpreads(const std::vector<ThresholdSpreadRow>& rows, Numbers& last);
    void writeRowCounts(const std::vector<RowCountsRow>& rows, Numbers& last);
    void writeEvals(const std::vector<EvalRow>& rows, Numbers& last);
    void writeEvents(const std::vector<EventRow>& rows, Numbers& last);
    void writeAcknowledgements(const std::vector<AcknowledgementRow>& rows, Numbers& last);
    void writeCheckpoints(const std::vector<CheckpointRow>& rows, Numbers& last);
    void writeGenerations(const std::vector<GenerationRow>& rows, Numbers& last);
    void writeMachine(const std::vector<MachineRow>& rows, Numbers& last);
    void writeProbes(const std::vector<ProbeRow>& rows, Numbers& last);
    void writeStatus(const StatusRow& status);
};

void MetricsWriter::State::readNumbers() {
    Database& db = *database;
    numbers.steps = lastSeq(db, "SELECT max(seq) FROM steps");
    numbers.tensors = lastSeq(db, "SELECT max(seq) FROM tensors");
    numbers.histograms = lastSeq(db, "SELECT max(seq) FROM log_histograms");
    numbers.partitions = lastSeq(db, "SELECT max(seq) FROM partitions");
    numbers.thresholdSpreads = lastSeq(db, "SELECT max(seq) FROM threshold_spreads");
    numbers.rowCounts = lastSeq(db, "SELECT max(seq) FROM row_counts");
    numbers.evals = lastSeq(db, "SELECT max(seq) FROM evals");
    numbers.events = lastSeq(db, "SELECT max(seq) FROM events");
    numbers.acknowledgements = lastSeq(db, "SELECT max(seq) FROM acknowledgements");
    numbers.checkpoints = lastSeq(db, "SELECT max(seq) FROM checkpoints");
    numbers.generations = lastSeq(db, "SELECT max(seq) FROM generations");
    numbers.machine = lastSeq(db, "SELECT max(seq) FROM machine");
    numbers.probes = lastSeq(db, "SELECT max(seq) FROM probes");
}

bool MetricsBatch::empty() const {
    return parameters.empty() && steps.empty() && tensors.empty() && histograms.empty() && partitions.empty() && thresholdSpreads.empty() && rowCounts.empty() &&
           evals.empty() && events.empty() && acknowledgements.empty() && checkpoints.empty() && generations.empty() && machine.empty() &&
           probes.empty() && !status;
}

MetricsWriter::MetricsWriter(std::unique_ptr<State> state) : m_state(std::move(state)) {}
MetricsWriter::MetricsWriter(MetricsWriter&&) noexcept = default;
MetricsWriter& MetricsWriter::operator=(MetricsWriter&&) noexcept = default;
MetricsWriter::~MetricsWriter() = default;

Result<MetricsWriter> MetricsWriter::open(const std::filesystem::path& file, std::string_view runId) {
    MOFO_CHECK(Database::createIfMissing(file, metricsSchema(), true));
    auto state = std::make_unique<State>();
    MOFO_TRY(state->database, Database::open(file, metricsSchema(), Database::Mode::SoleWriter));
    Database& database = *state->database;
    MOFO_CHECK(database.attempt([&]() -> Result<void> {
        WriteTransaction transaction(database);
        const std::string id = storedJson(runId);
        Query(database, "INSERT INTO facts(key, value) VALUES ('run_id', ?) ON CONFLICT (key) DO NOTHING").with(id).run();
        Query owner(database, "SELECT value FROM facts WHERE key = 'run_id'");
        if (!owner.next() || owner.text(0) != id) {
            return Error{ErrorCode::Conflict, "the metrics belong to another run", escapeForDisplay(file.string()),
                         "Each run has a folder of its own", ""};
        }
        state->readNumbers();
        transaction.commit();
        return {};
    }));
    return MetricsWriter(std::move(state));
}

Result<void> MetricsWriter::writeFact(std::string_view key, const Json& value) {
    Database& database = *m_state->database;
    if (key == "run_id") return Error{ErrorCode::Internal, "the fact run_id is the writer's own", "", "", ""};
    return database.attempt([&]() -> Result<void> {
        WriteTransaction transaction(database);
        Query(database, "INSERT INTO facts(key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value")
            .with(key, storedJson(value))
            .run();
        transaction.commit();
        return {};
    });
}

Result<void> MetricsWriter::write(const MetricsBatch& batch) {
    if (batch.empty()) return {};
    State& state = *m_state;
    auto written = state.database->attempt([&]() -> Result<void> {
        if (const int planned = failpoint("db.begin")) return errnoError(planned, "cannot write the database", state.database->file());
        State::Numbers last = state.numbers;
        WriteTransaction transaction(*state.database);
        MOFO_CHECK(state.writeRows(batch, last));
        if (const int planned = failpoint("db.commit")) return errnoError(planned, "cannot write the database", state.database->file());
        transaction.commit();
        state.numbers = last;
        static_cast<void>(failpoint("db.committed"));
        return {};
    });
    // What the log holds goes into the database, where there is room for it: the log then starts anew and needs no more of a full disk.
    if (!written.ok() && written.error().code == ErrorCode::OutOfSpace)
        sqlite3_wal_checkpoint_v2(state.database->handle().getHandle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
    return written;
}

void MetricsWriter::restartLog() {
    Database& database = *m_state->database;
    static_cast<void>(database
                          .attempt([&]() -> Result<void> {
                              constexpr std::int64_t spareBytes = 64 << 10;
                              std::error_code ec;
                              const auto present = static_cast<std::int64_t>(std::filesystem::file_size(database.file(), ec));
                              if (ec) return {};
                              const std::int64_t whole = database.handle().execAndGet("PRAGMA page_count").getInt64() *
                                                         database.handle().execAndGet("PRAGMA page_size").getInt64();
                              MOFO_TRY(const std::uint64_t available, freeBytes(database.file()));
                              if (whole - present + spareBytes > static_cast<std::int64_t>(available)) return {};
                              sqlite3_wal_checkpoint_v2(database.handle().getHandle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
                              return {};
                          })
                          .ok());
}

Result<void> MetricsWriter::State::writeRows(const MetricsBatch& batch, Numbers& last) {
    MOFO_CHECK(writeParameters(batch.parameters));
    writeSteps(batch.steps, last);
    writeTensors(batch.tensors, last);
    writeHistograms(batch.histograms, last);
    writePartitions(batch.partitions, last);
    writeThresholdSpreads(batch.thresholdSpreads, last);
    writeRowCounts(batch.rowCounts, last);
    writeEvals(batch.evals, last);
    writeEvents(batch.events, last);
    writeAcknowledgements(batch.acknowledgements, last);
    writeCheckpoints(batch.checkpoints, last);
    writeGenerations(batch.generations, last);
    writeMachine(batch.machine, last);
    writeProbes(batch.probes, last);
    if (batch.status) writeStatus(*batch.status);
    return {};
}

std::int64_t MetricsWriter::lastEventSeq() const { return m_state->numbers.events; }

Result<void> MetricsWriter::supersedeAfter(std::int64_t step, Supersede what, const MetricsBatch& with) {
    Database& database = *m_state->database;
    return database.attempt([&]() -> Result<void> {
        if (const int planned = failpoint("db.supersede")) return errnoError(planned, "cannot write the database", database.file());
        State::Numbers last = m_state->numbers;
        WriteTransaction transaction(database);
        for (const char* sql : {"UPDATE steps SET superseded = 1 WHERE step > ? AND superseded = 0",
                                "UPDATE tensors SET superseded = 1 WHERE step > ? AND superseded = 0",
                                "UPDATE histograms SET superseded = 1 WHERE step > ? AND superseded = 0",
                                "UPDATE log_histograms SET superseded = 1 WHERE step > ? AND superseded = 0",
                                "UPDATE partitions SET superseded = 1 WHERE step > ? AND superseded = 0",
                                "UPDATE row_counts SET superseded = 1 WHERE step > ? AND superseded = 0",
                                "UPDATE threshold_spreads SET superseded = 1 WHERE step > ? AND superseded = 0",
                                "UPDATE evals SET superseded = 1 WHERE step > ? AND superseded = 0",
                                "UPDATE events SET superseded = 1 WHERE step > ? AND superseded = 0",
                                "UPDATE checkpoints SET superseded = 1 WHERE step > ? AND superseded = 0",
                                "UPDATE probes SET superseded = 1 WHERE step > ? AND superseded = 0"}) {
            Query(database, sql).with(step).run();
        }
        if (what == Supersede::Changes)
            Query(database, "UPDATE acknowledgements SET superseded = 1 WHERE applied_step > ? AND superseded = 0").with(step).run();
        Query(database, "INSERT INTO supersessions(step, wall_ns) VALUES (?, ?)").with(step, wallNs()).run();
        MOFO_CHECK(m_state->writeRows(with, last));
        transaction.commit();
        m_state->numbers = last;
        return {};
    });
}

Result<void> MetricsWriter::State::writeParameters(const std::vector<ParameterRow>& rows) {
    if (rows.empty()) return {};
    if (rows.size() > blobLimit) {
        return Error{ErrorCode::Unsupported, "the model has more than " + std::to_string(blobLimit) + " tensors", "", "", "LIMIT"};
    }
    std::vector<ParameterRow> present;
    {
        Query query(*database, "SELECT place, name, size FROM parameters ORDER BY place");
        while (query.next()) present.push_back({.index = query.integer(0), .name = query.text(1), .size = query.integer(2)});
    }
    const bool same = std::equal(present.begin(), present.end(), rows.begin(), rows.end(), [](const ParameterRow& a, const ParameterRow& b) {
        return a.index == b.index && a.name == b.name && a.size == b.size;
    });
    const auto holdsTensors = [&] {
        Query query(*database,
                    "SELECT 1 FROM tensors UNION ALL SELECT 1 FROM histograms UNION ALL SELECT 1 FROM log_histograms UNION ALL SELECT 1 FROM "
                    "row_counts LIMIT 1");
        return query.next();
    };
    if (!same) {
        if (!present.empty() && holdsTensors()) {
            return Error{ErrorCode::Conflict, "the run has measurements of another set of parameters", escapeForDisplay(database->file().string()),
                         "Start a new run for another model", ""};
        }
        Query(*database, "DELETE FROM parameters").run();
    }
    Query insert(*database,
                 "INSERT INTO parameters(place, name, kind, layer, size, filtered, pretrained_l2) VALUES (?, ?, ?, ?, ?, ?, ?) "
                 "ON CONFLICT (place) DO UPDATE SET kind = excluded.kind, layer = excluded.layer, filtered = excluded.filtered, pretrained_l2 = "
                 "excluded.pretrained_l2");
    for (const ParameterRow& p : rows) insert.with(p.index, p.name, p.kind, p.layer, p.size, p.filtered, p.pretrainedL2).run();
    return {};
}

void MetricsWriter::State::writeSteps(const std::vector<StepRow>& rows, Numbers& last) {
    if (rows.empty()) return;
    Query insert(*database,
                 "INSERT INTO steps(seq, step, loss, loss_state, grad_norm, clipped_norm, gradient_top_l1, lr, alpha, granularity, tokens, "
                 "input_tokens, epoch, "
                 "tokens_per_second, step_ms, data_ms, "
                 "forward_backward_ms, optimizer_ms, statistics_ms, memory_bytes, moved_count, wall_ns, superseded) "
                 "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    for (const StepRow& r : rows) {
        const StoredLoss loss = storedLoss(r.loss, r.lossState);
        insert
            .with(++last.steps, r.step, loss.value, loss.state, r.gradNorm, r.clippedNorm, r.topGradientNorm, r.lr, r.alpha, r.granularity, r.tokens,
                  r.inputTokens, r.epoch, r.tokensPerSecond, r.stepMs, r.dataMs, r.forwardBackwardMs, r.optimizerMs, r.statisticsMs, r.memoryBytes,
                  r.movedCount, r.wallNs, r.superseded)
            .run();
    }
}

void MetricsWriter::State::writeTensors(const std::vector<TensorRow>& rows, Numbers& last) {
    if (rows.empty()) return;
    Query insert(*database,
                 "INSERT INTO tensors(seq, step, superseded, selected, masked, threshold, drift_l2, drift_l1, drift_max, changed, changed_bf16, "
                 "churn, coverage) "
                 "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    Query insertMeasure(*database, "INSERT INTO tensor_measures(tensors, measure, amounts) VALUES (?, ?, ?)");
    for (const TensorRow& r : rows) {
        insert
            .with(++last.tensors, r.step, r.superseded, r.selected, r.masked, r.threshold, r.driftL2, r.driftL1, r.driftMax, r.changed, r.changedBf16,
                  r.churn, r.coverage)
            .run();
        if (!r.squaredUpdate.empty()) insertMeasure.with(last.tensors, "squared_update", r.squaredUpdate).run();
    }
}

void MetricsWriter::State::writeHistograms(const std::vector<HistogramRow>& rows, Numbers& last) {
    if (rows.empty()) return;
    Query insert(*database,
                 "INSERT INTO log_histograms(seq, step, parameter, steps_per_octave, first_bin, counts, superseded) VALUES (?, ?, ?, ?, ?, ?, ?)");
    for (const HistogramRow& r : rows) {
        const std::vector<std::uint8_t> packed = packCounts(r.counts);
        insert.with(++last.histograms, r.step, r.parameter, r.stepsPerOctave, r.firstBin, packed, r.superseded).run();
    }
}

void MetricsWriter::State::writePartitions(const std::vector<PartitionRow>& rows, Numbers& last) {
    if (rows.empty()) return;
    Query insert(*database,
                 "INSERT INTO partitions(seq, step, granularity, selected, threshold, squared_update, superseded) VALUES (?, ?, ?, ?, ?, ?, ?)");
    for (const PartitionRow& r : rows)
        insert.with(++last.partitions, r.step, r.granularity, r.selected, r.threshold, r.squaredUpdate, r.superseded).run();
}

void MetricsWriter::State::writeThresholdSpreads(const std::vector<ThresholdSpreadRow>& rows, Numbers& last) {
    if (rows.empty()) return;
    Query insert(
        *database,
        "INSERT INTO threshold_spreads(seq, step, minimum, first_quartile, third_quartile, maximum, superseded) VALUES (?, ?, ?, ?, ?, ?, ?)");
    for (const ThresholdSpreadRow& r : rows)
        insert.with(++last.thresholdSpreads, r.step, r.minimum, r.firstQuartile, r.thirdQuartile, r.maximum, r.superseded).run();
}

void MetricsWriter::State::writeRowCounts(const std::vector<RowCountsRow>& rows, Numbers& last) {
    if (rows.empty()) return;
    Query insert(*database, "INSERT INTO row_counts(seq, step, parameter, first_row, counts, superseded) VALUES (?, ?, ?, ?, ?, ?)");
    for (const RowCountsRow& r : rows) {
        for (std::size_t first = 0; first < r.counts.size(); first += blobLimit) {
            const std::size_t n = std::min(blobLimit, r.counts.size() - first);
            insert.with(++last.rowCounts, r.step, r.parameter, first, std::span(r.counts).subspan(first, n), r.superseded).run();
        }
    }
}

void MetricsWriter::State::writeEvals(const std::vector<EvalRow>& rows, Numbers& last) {
    if (rows.empty()) return;
    Query insert(*database, "INSERT INTO evals(seq, step, task, loss, loss_state, tokens, seconds, superseded) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    Query insertRows(*database, "INSERT INTO eval_rows(eval, first_row, losses, tokens) VALUES (?, ?, ?, ?)");
    for (const EvalRow& r : rows) {
        const StoredLoss loss = storedLoss(r.loss, "finite");
        insert.with(++last.evals, r.step, r.task, loss.value, loss.state, r.tokens, r.seconds, r.superseded).run();
        // One blob stays small; a large evaluation set takes several rows.
        const std::size_t count = std::min(r.rowLoss.size(), r.rowTokens.size());
        for (std::size_t first = 0; first < count; first += blobLimit) {
            const std::size_t n = std::min(blobLimit, count - first);
            insertRows.with(last.evals, first, std::span(r.rowLoss).subspan(first, n), std::span(r.rowTokens).subspan(first, n)).run();
        }
    }
}

void MetricsWriter::State::writeEvents(const std::vector<EventRow>& rows, Numbers& last) {
    if (rows.empty()) return;
    Query insert(
        *database,
        "INSERT INTO events(seq, step, kind, who, key, old_value, new_value, text, wall_ns, superseded) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    for (const EventRow& r : rows)
        insert.with(++last.events, r.step, r.kind, r.who, r.key, r.oldValue, r.newValue, r.text, r.wallNs, r.superseded).run();
}

void MetricsWriter::State::writeAcknowledgements(const std::vector<AcknowledgementRow>& rows, Numbers& last) {
    if (rows.empty()) return;
    // The first answer stands: a command is applied once, and what is delivered again is answered already.
    Query insert(*database,
                 "INSERT INTO acknowledgements(seq, uuid, applied_step, accepted, reason, wall_ns, superseded) VALUES (?, ?, ?, ?, ?, ?, 0) ON "
                 "CONFLICT (uuid) DO NOTHING");
    for (const AcknowledgementRow& r : rows) insert.with(++last.acknowledgements, r.uuid, r.appliedStep, r.accepted, r.reason, r.wallNs).run();
}

void MetricsWriter::State::writeCheckpoints(const std::vector<CheckpointRow>& rows, Numbers& last) {
    if (rows.empty()) return;
    Query insert(
        *database,
        "INSERT INTO checkpoints(seq, step, folder, kind, manifest_sha256, size_bytes, seconds, verified, superseded, pinned, removed, wall_ns) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (folder) DO UPDATE SET manifest_sha256 = excluded.manifest_sha256, size_bytes = "
        "excluded.size_bytes, "
        "seconds = excluded.seconds, verified = excluded.verified, superseded = excluded.superseded, pinned = excluded.pinned, removed = "
        "excluded.removed");
    Query insertState(*database,
                      "INSERT INTO checkpoint_states(checkpoint, state, reason, eval_loss, state_digest) SELECT seq, ?, ?, ?, ? FROM checkpoints "
                      "WHERE folder = ? ON CONFLICT (checkpoint) DO UPDATE SET state = excluded.state, reason = excluded.reason, eval_loss = "
                      "excluded.eval_loss, state_digest = excluded.state_digest");
    for (const CheckpointRow& r : rows) {
        insert
            .with(++last.checkpoints, r.step, r.folder, r.kind, r.manifestSha256, r.sizeBytes, r.seconds, r.verified, r.superseded, r.pinned,
                  r.removed, r.wallNs)
            .run();
        insertState.with(r.state, r.reason, r.evalLoss, r.stateDigest, r.folder).run();
    }
}

void MetricsWriter::State::writeGenerations(const std::vector<GenerationRow>& rows, Numbers& last) {
    if (rows.empty()) return;
    Query insert(*database, "INSERT INTO generations(seq, uuid, text, last, details) VALUES (?, ?, ?, ?, ?)");
    for (const GenerationRow& r : rows) insert.with(++last.generations, r.uuid, r.text, r.last, storedJson(r.details)).run();
}

void MetricsWriter::State::writeMachine(const std::vector<MachineRow>& rows, Numbers& last) {
    if (rows.empty()) return;
    Query insert(*database,
                 "INSERT INTO machine(seq, wall_ns, cpu_share, resident_bytes, host_used_bytes, host_total_bytes, disk_free_bytes, device_share, "
                 "device_used_bytes, device_total_bytes, device_celsius, device_watts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    for (const MachineRow& r : rows) {
        const bool device = r.deviceTotalBytes > 0;
        insert
            .with(++last.machine, r.wallNs, r.cpuShare, r.residentBytes, r.hostUsedBytes, r.hostTotalBytes, r.diskFreeBytes, r.deviceShare,
                  device ? std::optional(r.deviceUsedBytes) : std::nullopt, device ? std::optional(r.deviceTotalBytes) : std::nullopt,
                  r.deviceCelsius, r.deviceWatts)
            .run();
    }
}

void MetricsWriter::State::writeProbes(const std::vector<ProbeRow>& rows, Numbers& last) {
    if (rows.empty()) return;
    Query insert(
        *database,
        "INSERT INTO probes(seq, step, probe, measure, value, low, high, items, seconds, wall_ns, superseded) VALUES (?, ?, ?, ?, ?, ?, ?, ?, "
        "?, ?, ?)");
    Query insertItems(*database, "INSERT INTO probe_items(probe, first_item, measure, amounts) VALUES (?, ?, ?, ?)");
    for (const ProbeRow& r : rows) {
        insert.with(++last.probes, r.step, r.probe, r.measure, r.value, r.low, r.high, r.items, r.seconds, r.wallNs, r.superseded ? 1 : 0).run();
        for (const ProbeItems& items : r.perItem) {
            for (std::size_t first = 0; first < items.amounts.size(); first += blobLimit) {
                const std::size_t n = std::min(blobLimit, items.amounts.size() - first);
                insertItems.with(last.probes, first, items.measure, std::span(items.amounts).subspan(first, n)).run();
            }
        }
    }
}

void MetricsWriter::State::writeStatus(const StatusRow& s) {
    const double progress = s.progress > 0 ? std::min(s.progress, 1.0) : 0.0;
    const double eta = std::isfinite(s.etaSeconds) ? s.etaSeconds : -1.0;
    Query(*database,
          "INSERT INTO status(id, phase, progress, detail, step, total_steps, heartbeat_boot_ns, boot_id, eta_seconds) VALUES (1, ?, ?, ?, ?, ?, ?, "
          "?, ?) "
          "ON CONFLICT (id) DO UPDATE SET phase = excluded.phase, progress = excluded.progress, detail = excluded.detail, step = excluded.step, "
          "total_steps = excluded.total_steps, "
          "heartbeat_boot_ns = excluded.heartbeat_boot_ns, boot_id = excluded.boot_id, eta_seconds = excluded.eta_seconds")
        .with(s.phase, progress, s.detail, s.step, s.totalSteps, s.heartbeatBootNs, s.bootId, eta)
        .run();
}

}  // namespace mofo
