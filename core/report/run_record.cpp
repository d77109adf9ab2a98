#include "core/report/run_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/base/text.h"

namespace mofo::report {

namespace {

double asNumber(double value, const std::string& state) {
    if (state == "nan") return kNothing;
    if (state == "inf") return std::numeric_limits<double>::infinity();
    return value;
}

/// The rows of the maps in the order of the model, and the row of each parameter.
std::vector<std::size_t> layOutLayers(const std::vector<ParameterRow>& parameters, LayerHistory& history) {
    std::int64_t layers = 0;
    for (const ParameterRow& parameter : parameters) layers = std::max(layers, parameter.layer + 1);
    const auto before = [](const ParameterRow& p) { return p.layer < 0 && p.kind == "embed"; };
    const auto isHead = [](const ParameterRow& p) { return p.layer < 0 && p.kind == "head"; };
    const bool embedding = std::any_of(parameters.begin(), parameters.end(), before);
    const bool norm = std::any_of(parameters.begin(), parameters.end(), [&](const auto& p) { return p.layer < 0 && !before(p) && !isHead(p); });
    const bool head = std::any_of(parameters.begin(), parameters.end(), isHead);
    if (embedding) history.rows.push_back({"embed"});
    for (std::int64_t layer = 0; layer < layers; ++layer) history.rows.push_back({fmt::format("L{:02}", layer)});
    if (norm) history.rows.push_back({"norm"});
    if (head) history.rows.push_back({"head"});
    std::vector<std::size_t> rowOf;
    std::vector<double> squares(history.rows.size(), 0.0);
    for (const ParameterRow& parameter : parameters) {
        std::size_t row = (embedding ? 1u : 0u) + static_cast<std::size_t>(std::max<std::int64_t>(parameter.layer, 0));
        if (before(parameter)) row = 0;
        if (parameter.layer < 0 && !before(parameter))
            row = (embedding ? 1u : 0u) + static_cast<std::size_t>(layers) + (isHead(parameter) && norm ? 1u : 0u);
        rowOf.push_back(row);
        history.rows[row].size += parameter.size;
        squares[row] += parameter.pretrainedL2 * parameter.pretrainedL2;
    }
    for (std::size_t row = 0; row < squares.size(); ++row) history.rows[row].pretrainedL2 = std::sqrt(squares[row]);
    return rowOf;
}

/// A mean over the model, weighted by the tensors' sizes; NaN where nothing was measured.
double weightedMean(const std::vector<float>& values, const std::vector<ParameterRow>& parameters) {
    double sum = 0, weight = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (!parameters[i].filtered || !std::isfinite(values[i])) continue;
        sum += static_cast<double>(values[i]) * static_cast<double>(parameters[i].size);
        weight += static_cast<double>(parameters[i].size);
    }
    return weight > 0 ? sum / weight : kNothing;
}

/// Tensors without a threshold (nothing was selected in them, or their |m| was not finite) are left out.
void addThresholds(LayerHistory& history, const std::vector<float>& thresholds, const std::vector<ParameterRow>& parameters) {
    std::vector<double> known;
    for (std::size_t i = 0; i < thresholds.size() && i < parameters.size(); ++i) {
        if (parameters[i].filtered && std::isfinite(thresholds[i]) && thresholds[i] > 0) known.push_back(static_cast<double>(thresholds[i]));
    }
    std::sort(known.begin(), known.end());
    const std::size_t n = known.size();
    history.threshold.push_back(n == 0 ? kNothing : n % 2 == 1 ? known[n / 2] : (known[n / 2 - 1] + known[n / 2]) / 2);
    history.thresholdLow.push_back(n == 0 ? kNothing : known.front());
    history.thresholdHigh.push_back(n == 0 ? kNothing : known.back());
}

void addColumn(RunRecord& run, const TensorRow& row, const std::vector<std::size_t>& rowOf) {
    LayerHistory& history = run.layers;
    std::vector<double> squares(history.rows.size(), 0.0), moved(history.rows.size(), 0.0);
    double all = 0, pretrained = 0;
    for (std::size_t i = 0; i < rowOf.size(); ++i) {
        if (i < row.driftL2.size()) squares[rowOf[i]] += static_cast<double>(row.driftL2[i]) * static_cast<double>(row.driftL2[i]);
        if (i < row.selected.size()) moved[rowOf[i]] += static_cast<double>(row.selected[i]);
    }
    for (std::size_t at = 0; at < history.rows.size(); ++at) {
        all += squares[at];
        pretrained += history.rows[at].pretrainedL2 * history.rows[at].pretrainedL2;
        history.drift[at].push_back(
            row.driftL2.empty() || history.rows[at].pretrainedL2 <= 0 ? kNothing : std::sqrt(squares[at]) / history.rows[at].pretrainedL2);
        history.selected[at].push_back(row.selected.empty() || history.rows[at].size == 0 ? kNothing
                                                                                          : moved[at] / static_cast<double>(history.rows[at].size));
    }
    history.steps.push_back(row.step);
    history.wholeDrift.push_back(row.driftL2.empty() || pretrained <= 0 ? kNothing : std::sqrt(all / pretrained));
    history.churn.push_back(weightedMean(row.churn, run.parameters));
    history.coverage.push_back(weightedMean(row.coverage, run.parameters));
    addThresholds(history, row.threshold, run.parameters);
}

std::vector<std::pair<std::string, double>> shareByKind(const TensorRow& row, const std::vector<ParameterRow>& parameters) {
    std::map<std::string, std::pair<double, double>> sums;
    for (std::size_t i = 0; i < row.selected.size() && i < parameters.size(); ++i) {
        sums[parameters[i].kind].first += static_cast<double>(row.selected[i]);
        sums[parameters[i].kind].second += static_cast<double>(parameters[i].size);
    }
    std::vector<std::pair<std::string, double>> shares;
    for (const auto& [kind, sum] : sums) shares.emplace_back(kind, sum.second > 0 ? sum.first / sum.second : kNothing);
    return shares;
}

Result<void> readTensors(RunRecord& run, const MetricsReader& reader) {
    MOFO_TRY(run.parameters, reader.parameters());
    const std::vector<std::size_t> rowOf = layOutLayers(run.parameters, run.layers);
    run.layers.drift.resize(run.layers.rows.size());
    run.layers.selected.resize(run.layers.rows.size());
    std::vector<std::pair<std::int64_t, std::vector<std::pair<std::string, double>>>> kinds;
    TensorRow last;
    for (std::int64_t seq = 0;;) {
        MOFO_TRY(const std::vector<TensorRow> page, reader.tensorsAfter(seq, 256));
        for (const TensorRow& row : page) {
            if (row.superseded || (!run.layers.steps.empty() && row.step <= run.layers.steps.back())) continue;
            addColumn(run, row, rowOf);
            kinds.emplace_back(row.step, shareByKind(row, run.parameters));
            last = row;
        }
        if (page.size() < 256) break;
        seq = page.back().seq;
    }
    for (std::size_t i = 0; i < last.driftL2.size() && i < run.parameters.size(); ++i) {
        run.tensorDrift.push_back(run.parameters[i].pretrainedL2 > 0 ? static_cast<double>(last.driftL2[i]) / run.parameters[i].pretrainedL2
                                                                     : kNothing);
    }
    if (!kinds.empty()) {
        for (const std::size_t at : {std::size_t{0}, kinds.size() / 2, kinds.size() - 1}) {
            run.kindSteps.push_back(kinds[at].first);
            for (const auto& [kind, share] : kinds[at].second) run.kinds[kind].push_back(share);
        }
    }
    return {};
}

Mark markOf(const Json& description) {
    const std::string text = description.value("mark", "");
    return text == "task" ? Mark::Task : text == "general" ? Mark::General : Mark::None;
}

/// What the fact "probes" says of a probe's measure; nothing is taken for granted where it is silent.
void describe(MeasuredSeries& series, const Json& probes) {
    series.title = series.probe + ", " + series.measure;
    series.items = series.probe;
    series.isDistance = series.measure == "kl" || series.measure == "reverse_kl";
    if (!probes.is_object() || !probes.contains(series.probe) || !probes[series.probe].is_object()) return;
    const Json& description = probes[series.probe];
    try {
        series.mark = markOf(description);
        const std::string title = description.value("title", series.probe);
        series.title = series.measure == series.probe ? title : title + ", " + series.measure;
        series.items = description.value("items_sha256", series.probe);
        series.trainedOn = description.value("trained_on", std::int64_t{0});
        const Json measure = description.value("measures", Json::object()).value(series.measure, Json::object());
        const std::string unit = measure.value("unit", "");
        series.unit = unit == "share" ? Unit::Share : unit == "nats" ? Unit::Nats : unit == "bits" ? Unit::Bits : Unit::Other;
        series.direction = measure.value("better", "lower") == "higher" ? Direction::HigherIsBetter : Direction::LowerIsBetter;
    } catch (const Json::exception&) {
        series.mark = Mark::None;  // a fact of another shape describes nothing
    }
}

Json factOf(const RunRecord& run, const std::string& key) {
    const auto found = run.facts.find(key);
    return found != run.facts.end() && found->second.is_object() ? found->second : Json::object();
}

std::string textOf(const Json& object, const std::string& key) {
    if (!object.contains(key)) return {};
    return object[key].is_string() ? object[key].get<std::string>() : object[key].dump();
}

/// Adds points of an ancestor up to a step; those that are there stay.
void merge(MeasuredSeries& series, std::vector<Measurement> points) {
    for (Measurement& point : points) {
        const auto at =
            std::lower_bound(series.points.begin(), series.points.end(), point.step, [](const Measurement& m, std::int64_t s) { return m.step < s; });
        if (at == series.points.end() || at->step != point.step) series.points.insert(at, std::move(point));
    }
}

Result<std::vector<MeasuredSeries>> readMeasures(RunRecord& run, const MetricsReader& reader) {
    std::vector<MeasuredSeries> measures;
    MOFO_TRY(const std::vector<EvalRow> evals, reader.evalsAfter(0));
    MeasuredSeries heldOut;
    heldOut.probe = "held-out";
    heldOut.measure = "loss";
    heldOut.title = "held-out loss";
    heldOut.mark = Mark::Task;
    heldOut.unit = Unit::Nats;
    const Json data = factOf(run, "data");
    heldOut.items = textOf(data, "eval_sha256") + '|' + textOf(data, "sha256") + '|' + textOf(data, "eval_rows") + '|' +
                    configValue(run.initial, "eval_split") + '|' + configValue(run.initial, "max_length") + '|' +
                    configValue(run.initial, "chat_template");
    std::map<std::int64_t, Measurement> bySteps;
    for (const EvalRow& row : evals) {
        if (row.superseded || row.task != "eval") continue;
        run.evalSeconds += row.seconds;
        Measurement point;
        point.step = row.step;
        point.value = row.loss;
        point.outcome = row.rowLoss;
        point.weight.assign(row.rowTokens.begin(), row.rowTokens.end());
        if (point.weight.size() != point.outcome.size()) point.outcome.clear(), point.weight.clear();
        point.items = point.outcome.empty() ? run.facts["data"].is_object() ? data.value("eval_rows", std::int64_t{0}) : 0
                                            : static_cast<std::int64_t>(point.outcome.size());
        point.interval = bootstrapMean(point.outcome, point.weight, {.resamples = 2000}).interval;
        point.interval.n = point.items;
        bySteps[row.step] = std::move(point);
    }
    for (auto& [step, point] : bySteps) heldOut.points.push_back(std::move(point));

    MOFO_TRY(const std::vector<ProbeRow> rows, reader.probesAfter(0));
    std::map<std::string, MeasuredSeries> byKey;
    std::vector<std::string> order;
    const auto probes = run.facts.find("probes");
    for (const ProbeRow& row : rows) {
        if (row.superseded) continue;
        const std::string key = row.probe + '/' + row.measure;
        if (!byKey.contains(key)) {
            order.push_back(key);
            MeasuredSeries& series = byKey[key];
            series.probe = row.probe;
            series.measure = row.measure;
            describe(series, probes != run.facts.end() ? probes->second : Json());
        }
        run.probeSeconds += row.seconds;
        Measurement point;
        point.step = row.step;
        point.value = row.value;
        point.items = row.items;
        point.interval = {row.low, row.high, row.items, "as measured"};
        MOFO_TRY(const std::vector<ProbeItems> items, reader.probeItems(row.seq));
        for (const ProbeItems& one : items) {
            if (one.measure == "outcome") point.outcome = one.amounts;
            if (one.measure == "weight") point.weight = one.amounts;
        }
        if (!point.weight.empty() && point.weight.size() != point.outcome.size()) point.outcome.clear(), point.weight.clear();
        std::vector<Measurement>& points = byKey[key].points;
        const auto at = std::lower_bound(points.begin(), points.end(), point.step, [](const Measurement& m, std::int64_t s) { return m.step < s; });
        if (at != points.end() && at->step == point.step) {
            *at = std::move(point);
        } else {
            points.insert(at, std::move(point));
        }
    }
    // The probe "eval" is the held-out loss of evaluations, measured at the probes' steps.
    if (const auto own = byKey.find("eval/loss"); own != byKey.end()) {
        const bool same = heldOut.points.empty() || own->second.points.empty() || heldOut.points.front().items == own->second.points.front().items;
        if (same) {
            heldOut.trainedOn = own->second.trainedOn;
            merge(heldOut, std::move(own->second.points));
            std::erase(order, "eval/loss");
        }
    }
    if (!heldOut.points.empty()) measures.push_back(std::move(heldOut));
    for (const std::string& key : order) measures.push_back(std::move(byKey[key]));
    return measures;
}

/// What a branch was before it became one, back to the base: the measurements that hold for both.
void inheritMeasures(RunRecord& run, const Workspace& workspace, const Registry& registry) {
    std::string parent = run.row.parentId;
    std::int64_t upTo = run.row.parentStep;
    for (int depth = 0; depth < 16 && !parent.empty() && upTo > 0; ++depth) {
        const auto row = registry.findRun(parent);
        if (!row.ok() || row->modelId != run.row.modelId) return;
        const auto reader = MetricsReader::open(workspace.metricsFile(row->id));
        if (!reader.ok()) return;
        RunRecord ancestor;
        ancestor.row = *row;
        ancestor.initial = registry.initialRunConfig(row->id).ok() ? *registry.initialRunConfig(row->id) : row->config;
        for (const char* key : {"data", "probes"}) {
            if (const auto fact = reader->fact(key); fact.ok() && *fact) ancestor.facts[key] = **fact;
        }
        auto measures = readMeasures(ancestor, *reader);
        if (!measures.ok()) return;
        for (MeasuredSeries& series : *measures) {
            std::erase_if(series.points, [&](const Measurement& point) { return point.step > upTo; });
            for (Measurement& point : series.points) point.inherited = true;
            const auto own =
                std::find_if(run.measures.begin(), run.measures.end(), [&](const MeasuredSeries& one) { return one.key() == series.key(); });
            if (own != run.measures.end() && own->items == series.items) merge(*own, std::move(series.points));
        }
        parent = row->parentId;
        upTo = std::min(upTo, row->parentStep);
    }
}

std::string promptOf(const Json& payload) {
    if (!payload.is_object() || !payload.contains("messages") || !payload["messages"].is_array()) return {};
    std::string prompt;
    for (const Json& message : payload["messages"]) {
        if (!message.is_object() || !message.contains("content") || !message["content"].is_string()) continue;
        if (!prompt.empty()) prompt += '\n';
        prompt += message["content"].get<std::string>();
    }
    return prompt;
}

Result<void> readAnswers(RunRecord& run, const Registry& registry, const MetricsReader& reader) {
    const auto textOfRows = [](const std::vector<GenerationRow>& rows) {
        std::string text;
        for (const GenerationRow& row : rows) text += row.text;
        return text;
    };
    MOFO_TRY(const std::vector<CommandRow> commands, registry.commands(run.row.id));
    for (const CommandRow& command : commands) {
        if (command.kind != "generate") continue;
        MOFO_TRY(const std::optional<AcknowledgementRow> answered, reader.acknowledgement(command.uuid));
        MOFO_TRY(const std::vector<GenerationRow> rows, reader.generationsAfter(command.uuid, 0));
        if (!answered || !answered->accepted || rows.empty() || !rows.back().last) continue;
        run.answers.push_back({promptOf(command.payload), textOfRows(rows), std::max<std::int64_t>(0, answered->appliedStep - 1)});
    }
    // Fixed prompts: every last piece says what was asked and at which step.
    MOFO_TRY(const std::optional<Json> fixed, reader.fact("samples"));
    if (!fixed || !fixed->is_array()) return {};
    for (const Json& sample : *fixed) {
        if (!sample.is_object() || !sample.contains("id") || !sample["id"].is_string()) continue;
        MOFO_TRY(const std::vector<GenerationRow> rows, reader.generationsAfter(sample["id"].get<std::string>(), 0));
        std::string text;
        for (const GenerationRow& row : rows) {
            text += row.text;
            if (!row.last) continue;
            if (row.details.is_object() && row.details.contains("prompt") && row.details["prompt"].is_string() && row.details.contains("step") &&
                row.details["step"].is_number_integer()) {
                run.answers.push_back({row.details["prompt"].get<std::string>(), text, row.details["step"].get<std::int64_t>()});
            }
            text.clear();
        }
    }
    return {};
}

Result<void> readMetrics(RunRecord& run, const Workspace& workspace, const Registry& registry) {
    MOFO_TRY(const MetricsReader reader, MetricsReader::open(workspace.metricsFile(run.row.id)));
    for (const char* key : {"data", "engine", "probes", "not_bit_exact", "checkpoint_cost", "build"}) {
        MOFO_TRY(const std::optional<Json> fact, reader.fact(key));
        if (fact) run.facts[key] = *fact;
    }
    MOFO_TRY(const std::vector<StepRow> steps, reader.stepsAfter(0, 100'000'000));
    std::int64_t parameters = 0;
    MOFO_CHECK(readTensors(run, reader));
    for (const ParameterRow& parameter : run.parameters) parameters += parameter.size;
    for (const StepRow& row : steps) {
        if (row.superseded) {
            ++run.supersededSteps;
            continue;
        }
        run.steps.push_back({row.step, asNumber(row.loss, row.lossState),
                             parameters > 0 ? static_cast<double>(row.movedCount) / static_cast<double>(parameters) : kNothing, row.tokensPerSecond,
                             row.stepMs});
        run.trainSeconds += row.stepMs * 1e-3;
        run.trainedTokens += row.tokens;
        run.peakMemoryBytes = std::max(run.peakMemoryBytes, row.memoryBytes);
    }
    std::sort(run.steps.begin(), run.steps.end(), [](const StepPoint& a, const StepPoint& b) { return a.step < b.step; });
    MOFO_TRY(run.measures, readMeasures(run, reader));
    MOFO_TRY(run.events, reader.eventsAfter(0));
    std::erase_if(run.events, [](const EventRow& event) { return event.superseded; });
    for (const EventRow& event : run.events) {
        if (event.kind == "set" && !event.key.empty()) run.changes.push_back({event.step + 1, event.who, event.key, event.oldValue, event.newValue});
    }
    MOFO_TRY(run.checkpoints, reader.checkpoints());
    MOFO_CHECK(readAnswers(run, registry, reader));
    if (reader.refusedRows() > 0) {
        run.problems.push_back(formatCount(reader.refusedRows()) + " rows of its measurements are damaged and left out");
    }
    return {};
}

}  // namespace

std::string RunRecord::label() const { return letter + ' ' + row.name; }

const MeasuredSeries* RunRecord::find(const std::string& key) const {
    const auto found = std::find_if(measures.begin(), measures.end(), [&](const MeasuredSeries& one) { return one.key() == key; });
    return found == measures.end() ? nullptr : &*found;
}

double LayerHistory::wholeDriftAt(std::int64_t step) const {
    const auto found = std::lower_bound(steps.begin(), steps.end(), step);
    return found != steps.end() && *found == step ? wholeDrift[static_cast<std::size_t>(found - steps.begin())] : kNothing;
}

double RunRecord::finalDrift() const {
    for (std::size_t i = layers.wholeDrift.size(); i-- > 0;) {
        if (std::isfinite(layers.wholeDrift[i])) return layers.wholeDrift[i];
    }
    return kNothing;
}

std::string RunRecord::modelSha256() const {
    if (model && !model->sha256.empty()) return model->sha256;
    return textOf(factOf(*this, "engine"), "model_sha256");
}

Result<std::vector<RunRecord>> readRuns(const Workspace& workspace, const Registry& registry, const std::vector<RunRow>& runs) {
    if (runs.empty() || runs.size() > 26) {
        return Error{ErrorCode::Usage, "A report compares 1 to 26 runs, and " + std::to_string(runs.size()) + " were named", "", "Name fewer runs"};
    }
    std::vector<RunRecord> records;
    for (const RunRow& row : runs) {
        RunRecord& run = records.emplace_back();
        run.row = row;
        run.letter = std::string(1, static_cast<char>('A' + records.size() - 1));
        auto initial = registry.initialRunConfig(row.id);
        run.initial = initial.ok() ? *initial : row.config;
        if (!row.unreadable.empty()) run.problems.push_back("its configuration cannot be read: " + row.unreadable);
        if (!row.modelId.empty()) {
            if (auto model = registry.findModel(row.modelId); model.ok()) run.model = std::move(*model);
        }
        if (auto read = readMetrics(run, workspace, registry); !read.ok()) {
            run.readable = false;
            run.problems.push_back(read.error().code == ErrorCode::NotFound ? std::string("it has measured nothing yet")
                                                                            : "its measurements cannot be read whole: " + read.error().text());
        }
        inheritMeasures(run, workspace, registry);
    }
    return records;
}

}  // namespace mofo::report
