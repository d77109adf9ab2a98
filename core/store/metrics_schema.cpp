#include <array>

#include "core/store/schema.h"

namespace mofo {

namespace {

// Version 2. tensor_measures: further columns of `tensors`, a row each. log_histograms: bin b of s to an octave holds
// 2^e (1 + j/s) <= |m| < 2^e (1 + (j + 1)/s) with e = floor(b/s), j = b - s e; counts are packed (packed_counts.h). partitions: one number per
// partition, in their order.
constexpr std::array<std::string_view, 5> toSecond{
    R"(CREATE TABLE tensor_measures(
  tensors INTEGER NOT NULL REFERENCES tensors(seq),
  measure TEXT NOT NULL CHECK (length(measure) BETWEEN 1 AND 40),
  amounts BLOB NOT NULL CHECK (length(amounts) <= 65536),
  PRIMARY KEY (tensors, measure)
) STRICT)",
    R"(CREATE TABLE log_histograms(
  seq INTEGER PRIMARY KEY,
  step INTEGER NOT NULL CHECK (step >= 0),
  parameter INTEGER NOT NULL REFERENCES parameters(place),
  steps_per_octave INTEGER NOT NULL CHECK (steps_per_octave BETWEEN 1 AND 64),
  first_bin INTEGER NOT NULL CHECK (first_bin BETWEEN -16384 AND 16384),
  counts BLOB NOT NULL CHECK (length(counts) <= 4096),
  superseded INTEGER NOT NULL CHECK (superseded IN (0, 1))
) STRICT)",  R"(CREATE UNIQUE INDEX log_histograms_by_step ON log_histograms(step, parameter) WHERE superseded = 0)",
    R"(CREATE TABLE partitions(
  seq INTEGER PRIMARY KEY,
  step INTEGER NOT NULL CHECK (step >= 0),
  granularity TEXT NOT NULL CHECK (length(granularity) BETWEEN 1 AND 80),
  selected BLOB NOT NULL CHECK (length(selected) BETWEEN 4 AND 65536),
  threshold BLOB NOT NULL CHECK (length(threshold) = length(selected)),
  squared_update BLOB NOT NULL CHECK (length(squared_update) = length(selected)),
  superseded INTEGER NOT NULL CHECK (superseded IN (0, 1))
) STRICT)",      R"(CREATE UNIQUE INDEX partitions_by_step ON partitions(step) WHERE superseded = 0)",
};

// Version 3. checkpoint_states: what became of a checkpoint; rows of older versions were complete where they are verified.
constexpr std::array<std::string_view, 1> toThird{
    R"(CREATE TABLE checkpoint_states(
  checkpoint INTEGER PRIMARY KEY REFERENCES checkpoints(seq),
  state TEXT NOT NULL CHECK (state IN ('complete', 'failed', 'lost')),
  reason TEXT NOT NULL,
  eval_loss REAL,
  state_digest TEXT NOT NULL
) STRICT)",
};
constexpr std::array<Migration, 2> migrations{{{1, toSecond}, {2, toThird}}};

// "MoFM". Append-only: seq orders, readers ask for what is greater than the last they saw, and what was undone is marked superseded,
// never removed. A blob holds 4-byte little-endian numbers, one per parameter in the order of `parameters` where nothing else is said;
// that their number fits is checked when they are read. A REAL that is NULL is a NaN. Tables that later versions fill (probes,
// probe_items, log) exist from version 1 on.
//
// `histograms` is version 1's: 64 bins of an octave each, the first one of 2^-40; it is read where log_histograms has nothing.
constexpr std::array<std::string_view, 32> statements{
    R"(CREATE TABLE facts(
  key TEXT NOT NULL PRIMARY KEY CHECK (length(key) BETWEEN 1 AND 200),
  value TEXT NOT NULL
) STRICT)",
    R"(CREATE TABLE parameters(
  place INTEGER PRIMARY KEY CHECK (place >= 0),
  name TEXT NOT NULL UNIQUE CHECK (length(name) >= 1),
  kind TEXT NOT NULL,
  layer INTEGER NOT NULL CHECK (layer >= -1),
  size INTEGER NOT NULL CHECK (size >= 0),
  filtered INTEGER NOT NULL CHECK (filtered IN (0, 1)),
  pretrained_l2 REAL
) STRICT)",
    R"(CREATE TABLE steps(
  seq INTEGER PRIMARY KEY,
  step INTEGER NOT NULL CHECK (step >= 1),
  loss REAL,
  loss_state TEXT NOT NULL CHECK (loss_state IN ('finite', 'nan', 'inf') AND (loss_state <> 'finite' OR loss IS NOT NULL)),
  grad_norm REAL,
  clipped_norm REAL,
  gradient_top_l1 REAL,
  lr REAL,
  alpha REAL,
  granularity TEXT NOT NULL,
  tokens INTEGER NOT NULL CHECK (tokens >= 0),
  input_tokens INTEGER NOT NULL CHECK (input_tokens >= 0),
  epoch REAL,
  tokens_per_second REAL,
  step_ms REAL,
  data_ms REAL,
  forward_backward_ms REAL,
  optimizer_ms REAL,
  statistics_ms REAL,
  memory_bytes INTEGER NOT NULL CHECK (memory_bytes >= 0),
  moved_count INTEGER NOT NULL CHECK (moved_count >= 0),
  wall_ns INTEGER NOT NULL,
  superseded INTEGER NOT NULL CHECK (superseded IN (0, 1))
) STRICT)",
    R"(CREATE UNIQUE INDEX steps_by_step ON steps(step) WHERE superseded = 0)",
    R"(CREATE TABLE tensors(
  seq INTEGER PRIMARY KEY,
  step INTEGER NOT NULL CHECK (step >= 0),
  superseded INTEGER NOT NULL CHECK (superseded IN (0, 1)),
  selected BLOB NOT NULL CHECK (length(selected) <= 65536),
  masked BLOB NOT NULL CHECK (length(masked) <= 65536),
  threshold BLOB NOT NULL CHECK (length(threshold) <= 65536),
  drift_l2 BLOB NOT NULL CHECK (length(drift_l2) <= 65536),
  drift_l1 BLOB NOT NULL CHECK (length(drift_l1) <= 65536),
  drift_max BLOB NOT NULL CHECK (length(drift_max) <= 65536),
  changed BLOB NOT NULL CHECK (length(changed) <= 65536),
  changed_bf16 BLOB NOT NULL CHECK (length(changed_bf16) <= 65536),
  churn BLOB NOT NULL CHECK (length(churn) <= 65536),
  coverage BLOB NOT NULL CHECK (length(coverage) <= 65536)
) STRICT)",
    R"(CREATE UNIQUE INDEX tensors_by_step ON tensors(step) WHERE superseded = 0)",
    R"(CREATE TABLE histograms(
  seq INTEGER PRIMARY KEY,
  step INTEGER NOT NULL CHECK (step >= 0),
  parameter INTEGER NOT NULL REFERENCES parameters(place),
  bins BLOB NOT NULL CHECK (length(bins) = 256),
  superseded INTEGER NOT NULL CHECK (superseded IN (0, 1))
) STRICT)",
    R"(CREATE UNIQUE INDEX histograms_by_step ON histograms(step, parameter) WHERE superseded = 0)",
    R"(CREATE TABLE row_counts(
  seq INTEGER PRIMARY KEY,
  step INTEGER NOT NULL CHECK (step >= 0),
  parameter INTEGER NOT NULL REFERENCES parameters(place),
  first_row INTEGER NOT NULL CHECK (first_row >= 0),
  counts BLOB NOT NULL CHECK (length(counts) BETWEEN 4 AND 65536),
  superseded INTEGER NOT NULL CHECK (superseded IN (0, 1))
) STRICT)",
    R"(CREATE INDEX row_counts_by_step ON row_counts(step, parameter, first_row) WHERE superseded = 0)",
    R"(CREATE TABLE threshold_spreads(
  seq INTEGER PRIMARY KEY,
  step INTEGER NOT NULL CHECK (step >= 0),
  minimum BLOB NOT NULL CHECK (length(minimum) <= 65536),
  first_quartile BLOB NOT NULL CHECK (length(first_quartile) <= 65536),
  third_quartile BLOB NOT NULL CHECK (length(third_quartile) <= 65536),
  maximum BLOB NOT NULL CHECK (length(maximum) <= 65536),
  superseded INTEGER NOT NULL CHECK (superseded IN (0, 1))
) STRICT)",
    R"(CREATE INDEX threshold_spreads_by_step ON threshold_spreads(step) WHERE superseded = 0)",
    R"(CREATE TABLE evals(
  seq INTEGER PRIMARY KEY,
  step INTEGER NOT NULL CHECK (step >= 0),
  task TEXT NOT NULL CHECK (length(task) BETWEEN 1 AND 200),
  loss REAL,
  loss_state TEXT NOT NULL CHECK (loss_state IN ('finite', 'nan', 'inf') AND (loss_state <> 'finite' OR loss IS NOT NULL)),
  tokens INTEGER NOT NULL CHECK (tokens >= 0),
  seconds REAL,
  superseded INTEGER NOT NULL CHECK (superseded IN (0, 1))
) STRICT)",
    R"(CREATE TABLE eval_rows(
  eval INTEGER NOT NULL REFERENCES evals(seq),
  first_row INTEGER NOT NULL CHECK (first_row >= 0),
  losses BLOB NOT NULL CHECK (length(losses) BETWEEN 4 AND 65536),
  tokens BLOB NOT NULL CHECK (length(tokens) = length(losses)),
  PRIMARY KEY (eval, first_row)
) STRICT)",
    R"(CREATE TABLE events(
  seq INTEGER PRIMARY KEY,
  step INTEGER NOT NULL CHECK (step >= 0),
  kind TEXT NOT NULL CHECK (length(kind) BETWEEN 1 AND 40),
  who TEXT NOT NULL,
  key TEXT NOT NULL,
  old_value TEXT NOT NULL,
  new_value TEXT NOT NULL,
  text TEXT NOT NULL,
  wall_ns INTEGER NOT NULL,
  superseded INTEGER NOT NULL CHECK (superseded IN (0, 1))
) STRICT)",
    R"(CREATE TABLE acknowledgements(
  seq INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE CHECK (length(uuid) = 36),
  applied_step INTEGER NOT NULL CHECK (applied_step >= 0),
  accepted INTEGER NOT NULL CHECK (accepted IN (0, 1)),
  reason TEXT NOT NULL,
  wall_ns INTEGER NOT NULL,
  superseded INTEGER NOT NULL CHECK (superseded IN (0, 1))
) STRICT)",
    R"(CREATE TABLE checkpoints(
  seq INTEGER PRIMARY KEY,
  step INTEGER NOT NULL CHECK (step >= 0),
  folder TEXT NOT NULL UNIQUE CHECK (length(folder) BETWEEN 1 AND 200),
  kind TEXT NOT NULL CHECK (kind IN ('full', 'weights')),
  manifest_sha256 TEXT NOT NULL,
  size_bytes INTEGER NOT NULL CHECK (size_bytes >= 0),
  seconds REAL,
  verified INTEGER NOT NULL CHECK (verified IN (0, 1)),
  superseded INTEGER NOT NULL CHECK (superseded IN (0, 1)),
  pinned INTEGER NOT NULL CHECK (pinned IN (0, 1)),
  removed INTEGER NOT NULL CHECK (removed IN (0, 1)),
  wall_ns INTEGER NOT NULL
) STRICT)",
    R"(CREATE TABLE status(
  id INTEGER PRIMARY KEY CHECK (id = 1),
  phase TEXT NOT NULL,
  progress REAL NOT NULL CHECK (progress BETWEEN 0 AND 1),
  detail TEXT NOT NULL,
  step INTEGER NOT NULL CHECK (step >= 0),
  total_steps INTEGER NOT NULL CHECK (total_steps >= 0),
  heartbeat_boot_ns INTEGER NOT NULL,
  boot_id TEXT NOT NULL,
  eta_seconds REAL NOT NULL
) STRICT)",
    R"(CREATE TABLE generations(
  seq INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL CHECK (length(uuid) BETWEEN 1 AND 64),
  text TEXT NOT NULL,
  last INTEGER NOT NULL CHECK (last IN (0, 1)),
  details TEXT NOT NULL
) STRICT)",
    R"(CREATE INDEX generations_by_uuid ON generations(uuid, seq))",
    R"(CREATE TABLE machine(
  seq INTEGER PRIMARY KEY,
  wall_ns INTEGER NOT NULL,
  cpu_share REAL,
  resident_bytes INTEGER NOT NULL CHECK (resident_bytes >= 0),
  host_used_bytes INTEGER NOT NULL CHECK (host_used_bytes >= 0),
  host_total_bytes INTEGER NOT NULL CHECK (host_total_bytes >= 0),
  disk_free_bytes INTEGER NOT NULL CHECK (disk_free_bytes >= 0),
  device_share REAL,
  device_used_bytes INTEGER,
  device_total_bytes INTEGER,
  device_celsius REAL,
  device_watts REAL
) STRICT)",
    R"(CREATE TABLE probes(
  seq INTEGER PRIMARY KEY,
  step INTEGER NOT NULL CHECK (step >= 0),
  probe TEXT NOT NULL CHECK (length(probe) BETWEEN 1 AND 200),
  measure TEXT NOT NULL,
  value REAL,
  low REAL,
  high REAL,
  items INTEGER NOT NULL CHECK (items >= 0),
  seconds REAL,
  wall_ns INTEGER NOT NULL,
  superseded INTEGER NOT NULL CHECK (superseded IN (0, 1))
) STRICT)",
    R"(CREATE INDEX probes_by_probe ON probes(probe, step))",
    R"(CREATE TABLE probe_items(
  probe INTEGER NOT NULL REFERENCES probes(seq),
  first_item INTEGER NOT NULL CHECK (first_item >= 0),
  measure TEXT NOT NULL,
  amounts BLOB NOT NULL CHECK (length(amounts) BETWEEN 4 AND 65536),
  PRIMARY KEY (probe, measure, first_item)
) STRICT)",
    R"(CREATE TABLE log(
  seq INTEGER PRIMARY KEY,
  wall_ns INTEGER NOT NULL,
  level TEXT NOT NULL CHECK (level IN ('debug', 'info', 'warning', 'error')),
  text TEXT NOT NULL
) STRICT)",
    R"(CREATE TABLE supersessions(
  seq INTEGER PRIMARY KEY,
  step INTEGER NOT NULL CHECK (step >= 0),
  wall_ns INTEGER NOT NULL
) STRICT)",
    toSecond[0],
    toSecond[1],
    toSecond[2],
    toSecond[3],
    toSecond[4],
    toThird[0],
};

}  // namespace

const Schema& metricsSchema() {
    static const Schema schema{"run's metrics database", 0x4D6F464D, 3, 8192, statements, migrations, true};
    return schema;
}

}  // namespace mofo
