#include <array>

#include "core/store/schema.h"

namespace mofo {

namespace {

// Version 2. run_marks: why a run does not continue its parent bit for bit. checkpoint_pins: what retention must leave alone.
constexpr std::array<std::string_view, 2> toSecond{
    R"(CREATE TABLE run_marks(
  run TEXT NOT NULL PRIMARY KEY REFERENCES runs(id) ON DELETE CASCADE,
  not_exact TEXT NOT NULL
) STRICT)",
    R"(CREATE TABLE checkpoint_pins(
  run TEXT NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
  step INTEGER NOT NULL CHECK (step >= 0),
  created_ns INTEGER NOT NULL,
  PRIMARY KEY (run, step)
) STRICT)",
};
constexpr std::array<Migration, 1> migrations{{{1, toSecond}}};

// "MoFW". STRICT throughout: SQLite itself then refuses a text where a number belongs. Times are wall-clock nanoseconds, for people;
// order is seq. Tables that later versions fill (datasets, presets, reports, sweeps, drafts) exist from version 1 on.
constexpr std::array<std::string_view, 23> statements{
    R"(CREATE TABLE models(
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE CHECK (length(id) BETWEEN 1 AND 64),
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 400),
  source TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  tokenizer_sha256 TEXT NOT NULL,
  format TEXT NOT NULL,
  parameter_count INTEGER NOT NULL CHECK (parameter_count >= 0),
  size_bytes INTEGER NOT NULL CHECK (size_bytes >= 0),
  description TEXT NOT NULL,
  imported_ns INTEGER NOT NULL,
  verified_ns INTEGER
) STRICT)",
    R"(CREATE TABLE model_sources(
  source_key TEXT NOT NULL PRIMARY KEY,
  model TEXT NOT NULL REFERENCES models(id) ON DELETE CASCADE,
  seen_ns INTEGER NOT NULL
) STRICT)",
    R"(CREATE INDEX model_sources_by_model ON model_sources(model))",
    R"(CREATE TABLE sweeps(
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE CHECK (length(id) BETWEEN 1 AND 64),
  name TEXT NOT NULL,
  plan TEXT NOT NULL,
  created_ns INTEGER NOT NULL
) STRICT)",
    R"(CREATE TABLE runs(
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE CHECK (length(id) BETWEEN 1 AND 64),
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 400),
  state TEXT NOT NULL CHECK (state IN ('draft', 'queued', 'starting', 'running', 'paused', 'stopping', 'finished', 'stopped', 'failed')),
  state_boot_id TEXT NOT NULL,
  state_boot_ns INTEGER NOT NULL,
  device TEXT NOT NULL CHECK (device = 'cpu' OR device GLOB 'cuda-[0-9]*'),
  device_warning TEXT NOT NULL,
  model TEXT REFERENCES models(id),
  model_name TEXT NOT NULL,
  command_line TEXT NOT NULL,
  created_ns INTEGER NOT NULL,
  started_ns INTEGER,
  ended_ns INTEGER,
  end_reason TEXT NOT NULL,
  parent TEXT REFERENCES runs(id) ON DELETE SET NULL,
  parent_step INTEGER NOT NULL CHECK (parent_step >= 0),
  sweep TEXT REFERENCES sweeps(id) ON DELETE SET NULL,
  tags TEXT NOT NULL,
  note TEXT NOT NULL,
  pinned INTEGER NOT NULL CHECK (pinned IN (0, 1)),
  baseline INTEGER NOT NULL CHECK (baseline IN (0, 1)),
  trashed_ns INTEGER,
  queue_place INTEGER NOT NULL CHECK (queue_place >= 0 AND (state = 'queued') = (queue_place > 0)),
  restarts INTEGER NOT NULL CHECK (restarts >= 0)
) STRICT)",
    R"(CREATE INDEX runs_by_name ON runs(name))",
    R"(CREATE INDEX runs_by_model ON runs(model))",
    R"(CREATE INDEX runs_queued ON runs(queue_place) WHERE state = 'queued')",
    R"(CREATE TABLE configs(
  run TEXT NOT NULL PRIMARY KEY REFERENCES runs(id) ON DELETE CASCADE,
  initial TEXT NOT NULL,
  current TEXT NOT NULL
) STRICT)",
    R"(CREATE TABLE run_summaries(
  run TEXT NOT NULL PRIMARY KEY REFERENCES runs(id) ON DELETE CASCADE,
  step INTEGER NOT NULL CHECK (step >= 0),
  total_steps INTEGER NOT NULL CHECK (total_steps >= 0),
  loss REAL,
  loss_state TEXT NOT NULL CHECK (loss_state IN ('finite', 'nan', 'inf')),
  eval_loss REAL,
  drift REAL,
  tokens_per_second REAL NOT NULL,
  phase TEXT NOT NULL,
  updated_ns INTEGER NOT NULL
) STRICT)",
    R"(CREATE TABLE commands(
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  uuid TEXT NOT NULL UNIQUE CHECK (length(uuid) = 36),
  run TEXT NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (length(kind) BETWEEN 1 AND 40),
  payload TEXT NOT NULL CHECK (length(CAST(payload AS BLOB)) <= CASE kind WHEN 'generate' THEN 1048576 ELSE 4096 END),
  at_step INTEGER CHECK (at_step >= 0),
  who TEXT NOT NULL CHECK (length(who) BETWEEN 1 AND 40),
  created_ns INTEGER NOT NULL,
  withdrawn INTEGER NOT NULL CHECK (withdrawn IN (0, 1))
) STRICT)",
    R"(CREATE INDEX commands_by_run ON commands(run, seq))",
    R"(CREATE TABLE jobs(
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE CHECK (length(id) BETWEEN 1 AND 64),
  kind TEXT NOT NULL CHECK (length(kind) BETWEEN 1 AND 40),
  parameters TEXT NOT NULL,
  device TEXT NOT NULL CHECK (device = 'cpu' OR device GLOB 'cuda-[0-9]*'),
  state TEXT NOT NULL CHECK (state IN ('queued', 'starting', 'running', 'finished', 'failed', 'cancelled')),
  state_boot_id TEXT NOT NULL,
  state_boot_ns INTEGER NOT NULL,
  run TEXT REFERENCES runs(id) ON DELETE SET NULL,
  created_ns INTEGER NOT NULL,
  started_ns INTEGER,
  ended_ns INTEGER,
  phase TEXT NOT NULL,
  progress REAL NOT NULL CHECK (progress BETWEEN 0 AND 1),
  end_reason TEXT NOT NULL,
  cancel_requested INTEGER NOT NULL CHECK (cancel_requested IN (0, 1))
) STRICT)",
    R"(CREATE INDEX jobs_queued ON jobs(seq) WHERE state = 'queued')",
    R"(CREATE INDEX jobs_by_run ON jobs(run))",
    R"(CREATE TABLE datasets(
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  path TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size_bytes INTEGER NOT NULL CHECK (size_bytes >= 0),
  modified_ns INTEGER NOT NULL,
  row_count INTEGER NOT NULL CHECK (row_count >= 0),
  description TEXT NOT NULL,
  seen_ns INTEGER NOT NULL,
  UNIQUE (path, sha256)
) STRICT)",
    R"(CREATE TABLE presets(
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 400),
  title TEXT NOT NULL,
  help TEXT NOT NULL,
  assignments TEXT NOT NULL,
  created_ns INTEGER NOT NULL
) STRICT)",
    R"(CREATE TABLE reports(
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE CHECK (length(id) BETWEEN 1 AND 64),
  title TEXT NOT NULL,
  inputs TEXT NOT NULL,
  layout TEXT NOT NULL,
  created_ns INTEGER NOT NULL
) STRICT)",
    R"(CREATE TABLE report_runs(
  report TEXT NOT NULL REFERENCES reports(id) ON DELETE CASCADE,
  run TEXT NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
  place INTEGER NOT NULL CHECK (place >= 0),
  PRIMARY KEY (report, run)
) STRICT)",
    R"(CREATE TABLE drafts(
  key TEXT NOT NULL PRIMARY KEY CHECK (length(key) BETWEEN 1 AND 200),
  value TEXT NOT NULL,
  updated_ns INTEGER NOT NULL
) STRICT)",
    R"(CREATE TABLE settings(
  key TEXT NOT NULL PRIMARY KEY CHECK (length(key) BETWEEN 1 AND 200),
  value TEXT NOT NULL
) STRICT)",
    toSecond[0],
    toSecond[1],
};

}  // namespace

const Schema& registrySchema() {
    static const Schema schema{"workspace registry", 0x4D6F4657, 2, 4096, statements, migrations, true};
    return schema;
}

}  // namespace mofo
