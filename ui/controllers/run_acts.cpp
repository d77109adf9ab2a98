#include "ui/controllers/run_acts.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/client/branch.h"
#include "core/client/commands.h"
#include "core/store/run_metrics.h"
#include "ui/controllers/store_worker.h"
#include "ui/models/display_text.h"

namespace mofo {

namespace {

constexpr std::size_t lossPoints = 240;
constexpr std::int64_t driftPoints = 40;
constexpr std::size_t undosKept = 50;

Result<Json> readGlance(const Workspace& workspace, const std::string& id) {
    Json found = Json::object();
    MOFO_TRY(const MetricsReader reader, MetricsReader::open(workspace.metricsFile(id)));
    MOFO_TRY(const std::vector<StepRow> steps, reader.stepsAfter(0));
    Json loss = Json::array();
    const std::size_t stride = std::max<std::size_t>(1, steps.size() / lossPoints);
    for (std::size_t i = 0; i < steps.size(); i += stride) {
        if (!steps[i].superseded) loss.push_back(steps[i].lossState == "finite" ? Json(steps[i].loss) : Json());
    }
    MOFO_TRY(const std::vector<ParameterRow> parameters, reader.parameters());
    double pretrained = 0;
    for (const ParameterRow& parameter : parameters) pretrained += parameter.pretrainedL2 * parameter.pretrainedL2;
    // Some logged steps, one row each: all of them would be hundreds of megabytes for a long run.
    Json drift = Json::array();
    MOFO_TRY(const std::optional<TensorRow> newest, reader.newestTensors());
    if (newest && pretrained > 0) {
        const std::int64_t last = newest->seq, by = std::max<std::int64_t>(1, last / driftPoints);
        for (std::int64_t seq = 0; seq < last; seq += by) {
            MOFO_TRY(const std::vector<TensorRow> rows, reader.tensorsAfter(seq, 1));
            if (rows.empty() || rows.front().superseded) continue;
            double sum = 0;
            for (const float l2 : rows.front().driftL2) sum += static_cast<double>(l2) * static_cast<double>(l2);
            drift.push_back(std::sqrt(sum / pretrained));
        }
    }
    MOFO_TRY(const std::vector<CheckpointRow> checkpoints, reader.checkpoints());
    std::int64_t bytes = 0;
    for (const CheckpointRow& checkpoint : checkpoints) bytes += checkpoint.sizeBytes;
    found["loss"] = std::move(loss);
    found["drift"] = std::move(drift);
    found["checkpoints"] = checkpoints.size();
    found["bytes"] = bytes;
    return found;
}

std::vector<double> numbers(const Json& list) {
    std::vector<double> values;
    for (const Json& value : list) values.push_back(value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN());
    return values;
}

}  // namespace

RunActs::RunActs(StoreWorker* worker, QObject* parent) : QObject(parent), m_worker(worker) {}

void RunActs::submit(std::vector<Write> writes, std::function<void()> after) {
    m_worker->submit(
        StoreWorker::Needs::Workspace,
        [writes = std::move(writes)](const Workspace&, Registry& registry) -> Result<Json> {
            for (const Write& write : writes) MOFO_CHECK(write(registry));
            return Json();
        },
        this,
        [this, after = std::move(after)](const Result<Json>& result) {
            if (!result.ok()) {
                Q_EMIT failed(ui::shown(result.error().text()));
                return;
            }
            after();
            Q_EMIT storeChanged();
        });
}

void RunActs::act(const QString& sentence, Write write, Write back) {
    submit({std::move(write)}, [this, sentence, back = std::move(back)] {
        m_undo.push_back({sentence, {back}});
        if (m_undo.size() > undosKept) m_undo.erase(m_undo.begin());
        Q_EMIT done(sentence, true);
    });
}

void RunActs::undo() {
    if (m_undo.empty()) return;
    Undo last = std::move(m_undo.back());
    m_undo.pop_back();
    submit(std::move(last.writes), [this, text = last.text] { Q_EMIT done(tr("Taken back: %1").arg(text), false); });
}

void RunActs::setPinned(const RunRow& run, bool pinned) {
    const auto set = [id = run.id](bool to) { return [id, to](Registry& registry) { return registry.setRunPinned(id, to); }; };
    act(pinned ? tr("%1 is pinned").arg(ui::shown(run.name)) : tr("%1 is not pinned any more").arg(ui::shown(run.name)), set(pinned), set(!pinned));
}

void RunActs::setBaseline(const RunRow& run, bool baseline, const std::string& before) {
    const auto set = [](std::string id, bool to) { return [id = std::move(id), to](Registry& registry) { return registry.setRunBaseline(id, to); }; };
    act(baseline ? tr("%1 is the baseline").arg(ui::shown(run.name)) : tr("%1 is not the baseline any more").arg(ui::shown(run.name)),
        set(run.id, baseline), before.empty() ? set(run.id, false) : set(before, true));
}

void RunActs::rename(const RunRow& run, const QString& name) {
    const auto set = [id = run.id](std::string to) { return [id, to = std::move(to)](Registry& registry) { return registry.renameRun(id, to); }; };
    act(tr("Renamed to %1").arg(ui::shown(name.toStdString())), set(name.toStdString()), set(run.name));
}

void RunActs::setNote(const RunRow& run, const QString& note) {
    if (note.toStdString() == run.note) return;
    const auto set = [id = run.id](std::string to) { return [id, to = std::move(to)](Registry& registry) { return registry.setRunNote(id, to); }; };
    act(tr("Note of %1 changed").arg(ui::shown(run.name)), set(note.toStdString()), set(run.note));
}

void RunActs::setTags(const RunRow& run, const QStringList& tags) {
    std::vector<std::string> wanted;
    for (const QString& tag : tags) {
        if (!tag.trimmed().isEmpty()) wanted.push_back(tag.trimmed().toStdString());
    }
    if (wanted == run.tags) return;
    const auto set = [id = run.id](std::vector<std::string> to) {
        return [id, to = std::move(to)](Registry& registry) { return registry.setRunTags(id, to); };
    };
    act(tr("Tags of %1 changed").arg(ui::shown(run.name)), set(wanted), set(run.tags));
}

void RunActs::trash(const std::vector<RunRow>& runs) {
    std::vector<Write> writes, backs;
    QString name;
    for (const RunRow& run : runs) {
        if (!isEnded(run.state)) {
            Q_EMIT failed(tr("%1 is %2 and cannot go to the trash: stop it first.").arg(ui::shown(run.name), ui::stateText(run.state)));
            return;
        }
        name = ui::shown(run.name);
        writes.push_back([id = run.id](Registry& registry) { return registry.setRunTrashed(id, true); });
        backs.push_back([id = run.id](Registry& registry) { return registry.setRunTrashed(id, false); });
    }
    if (writes.empty()) return;
    const QString sentence = runs.size() == 1 ? tr("%1 is in the trash").arg(name) : tr("Runs put into the trash: %1").arg(runs.size());
    submit(std::move(writes), [this, sentence, backs = std::move(backs)] {
        m_undo.push_back({sentence, backs});
        Q_EMIT done(sentence, true);
    });
}

void RunActs::moveInQueue(const RunRow& run, int by) {
    m_worker->submit(
        StoreWorker::Needs::Workspace,
        [id = run.id, device = run.device, by](const Workspace&, Registry& registry) -> Result<Json> {
            MOFO_TRY(const std::vector<RunRow> all, registry.runs());
            std::vector<std::pair<std::int64_t, std::string>> queue;
            for (const RunRow& each : all) {
                if (each.state == RunState::Queued && each.device == device) queue.emplace_back(each.queuePlace, each.id);
            }
            std::sort(queue.begin(), queue.end());
            const auto found = std::find_if(queue.begin(), queue.end(), [&](const auto& each) { return each.second == id; });
            if (found == queue.end()) return Error{ErrorCode::Conflict, "the run is not queued any more", id, "", ""};
            const std::int64_t place = std::clamp<std::int64_t>(found - queue.begin() + 1 + by, 1, static_cast<std::int64_t>(queue.size()));
            MOFO_CHECK(registry.moveQueuedRun(id, place));
            return Json(place);
        },
        this,
        [this](const Result<Json>& result) {
            if (!result.ok())
                Q_EMIT failed(ui::shown(result.error().text()));
            else
                Q_EMIT storeChanged();
        });
}

void RunActs::resume(const RunRow& run) {
    m_worker->submit(
        StoreWorker::Needs::Workspace,
        [run](const Workspace& workspace, Registry& registry) -> Result<Json> {
            MOFO_CHECK(resumeRun(workspace, registry, run, true));
            return Json();
        },
        this,
        [this, name = ui::shown(run.name)](const Result<Json>& result) {
            if (!result.ok()) {
                Q_EMIT failed(ui::shown(result.error().text()));
                return;
            }
            Q_EMIT done(tr("%1 goes on").arg(name), false);
            Q_EMIT storeChanged();
        });
}

void RunActs::branch(const RunRow& run, const QStringList& assignments) {
    BranchOptions options;
    options.who = "window";
    for (const QString& assignment : assignments) options.assignments.push_back(assignment.toStdString());
    m_worker->submit(
        StoreWorker::Needs::Workspace,
        [run, options](const Workspace& workspace, Registry& registry) -> Result<Json> {
            // The newest from which something is left to train; a finished run's last one is its end.
            MOFO_TRY(const std::vector<CheckpointRow> checkpoints, resumableCheckpoints(workspace, run.id));
            std::int64_t step = -1;
            for (const CheckpointRow& checkpoint : checkpoints) {
                if (run.summary.totalSteps == 0 || checkpoint.step < run.summary.totalSteps) step = checkpoint.step;
            }
            if (step < 0) {
                MOFO_TRY(step, resumableStep(workspace, run, "last", true));
            }
            MOFO_TRY(const BranchedRun made, branchRun(workspace, registry, run, step, options));
            return Json{{"id", made.run.id}, {"name", made.run.name}, {"step", step}};
        },
        this,
        [this, parent = ui::shown(run.name)](const Result<Json>& result) {
            if (!result.ok()) {
                Q_EMIT failed(ui::shown(result.error().text()));
                return;
            }
            Q_EMIT done(tr("%1 branches from %2 at step %3")
                            .arg(ui::shown((*result)["name"].get<std::string>()), parent, ui::count((*result)["step"].get<std::int64_t>())),
                        false);
            Q_EMIT storeChanged();
            Q_EMIT branched(QString::fromStdString((*result)["id"].get<std::string>()));
        });
}

void RunActs::glance(const QString& id) {
    const quint64 request = ++m_glance;
    m_worker->submit(
        StoreWorker::Needs::Reading, [id = id.toStdString()](const Workspace& workspace, Registry&) { return readGlance(workspace, id); }, this,
        [this, request, id](const Result<Json>& found) {
            if (request != m_glance) return;
            RunGlance glance;
            glance.id = id;
            if (found.ok()) {
                glance.loss = numbers((*found)["loss"]);
                glance.drift = numbers((*found)["drift"]);
                glance.checkpoints = (*found)["checkpoints"].get<int>();
                glance.checkpointBytes = (*found)["bytes"].get<qint64>();
            } else if (found.error().code != ErrorCode::NotFound && found.error().code != ErrorCode::Busy) {
                glance.problem = ui::shown(found.error().text());
            }
            Q_EMIT glanced(glance);
        });
}

void RunActs::checkFiles(const std::vector<RunRow>& runs) {
    for (const RunRow& run : runs) {
        if (!isEnded(run.state) || std::exchange(m_checked[run.id], true)) continue;
        m_worker->submit(
            StoreWorker::Needs::Reading,
            [id = run.id](const Workspace& workspace, Registry&) -> Result<Json> {
                auto reader = MetricsReader::open(workspace.metricsFile(id));
                if (reader.ok()) {
                    MOFO_CHECK(reader->status());
                    MOFO_CHECK(reader->stepsAfter(0, 1));
                    return Json();
                }
                return std::move(reader).error();
            },
            this,
            [this, id = QString::fromStdString(run.id)](const Result<Json>& result) {
                const bool isDamaged = !result.ok() && result.error().code != ErrorCode::NotFound && result.error().code != ErrorCode::Busy;
                if (isDamaged) Q_EMIT foundDamaged(id, ui::shown(result.error().text()));
            });
    }
}

}  // namespace mofo
