#include "core/engine/probes.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "core/base/clock.h"
#include "core/base/failpoint.h"
#include "core/base/text.h"
#include "core/engine/torch_guard.h"
#include "core/stats/paired.h"

namespace mofo {

namespace {

constexpr std::int64_t kSampleTokens = 48;
constexpr std::size_t kSamplesOfRun = 2;

std::string countText(std::int64_t items) { return std::to_string(items) + (items == 1 ? " item" : " items"); }

const ProbeItems* itemsOf(const std::vector<ProbeItems>& list, std::string_view measure) {
    const auto found = std::find_if(list.begin(), list.end(), [&](const ProbeItems& one) { return one.measure == measure; });
    return found == list.end() ? nullptr : &*found;
}

ProbeRow rowOf(const PreparedTask& task, TaskMeasure measure, std::int64_t step, double seconds) {
    ProbeRow row;
    row.step = step;
    row.probe = task.task.name;
    row.measure = measure.name;
    row.value = measure.value;
    row.low = measure.low;
    row.high = measure.high;
    row.items = static_cast<std::int64_t>(measure.outcome.size());
    row.seconds = seconds;
    row.wallNs = wallNs();
    row.perItem.push_back({"outcome", std::move(measure.outcome)});
    if (!measure.weight.empty()) row.perItem.push_back({"weight", std::move(measure.weight)});
    return row;
}

std::string rounded(double value, int digits) {
    char text[40];
    std::snprintf(text, sizeof text, "%.*f", digits, value);
    return text;
}

}  // namespace

Result<std::optional<Probes::Probe>> Probes::prepare(const RunConfig& config, const Sources& sources, const ChatTemplate* chatTemplate,
                                                     TaskDescription task, std::int64_t limit, TrainedRows& trained, std::string& reason) {
    const std::int64_t most = limit > 0 ? limit : task.probeLimit;
    Probe probe;
    if (task.data.empty()) {
        std::vector<const TokenRow*> rows;
        for (const TokenRow& row : sources.data.evalRows()) {
            if (row.targetCount() > 0 && static_cast<std::int64_t>(rows.size()) < most) rows.push_back(&row);
        }
        if (rows.empty()) {
            reason = "the run holds no rows out";
            return std::optional<Probe>();
        }
        probe.task = prepareRows(task, rows);
        return std::optional(std::move(probe));
    }
    auto data = locateTaskData(task, sources.folders);
    if (!data.ok()) {
        reason = data.error().text();
        return std::optional<Probe>();
    }
    auto items = readTaskItems(task, *data, most);
    auto prepared = items.ok() ? prepareTask(*items, sources.tokenizer, chatTemplate, sources.pretrained.description().maxPositions)
                               : Result<PreparedTask>(items.error());
    if (!prepared.ok()) {
        reason = prepared.error().text();
        return std::optional<Probe>();
    }
    probe.task = std::move(*prepared);
    // Read once, and only where a probe has items of its own.
    if (!trained) trained = hashesOfFile(config.data, config.columns, config.evalData.empty() ? effectiveEvalSplit(config) : 0);
    if (trained->ok()) probe.trainedOn = countTrained(*items, **trained);
    return std::optional(std::move(probe));
}

void Probes::addSamples(const Sources& sources, const ChatTemplate* chatTemplate) {
    // What the run itself is about: what comes before the first trained token of held-out rows.
    std::size_t own = 0;
    for (const TokenRow& row : sources.data.evalRows()) {
        const auto first = std::find(row.trained.begin() + 1, row.trained.end(), std::uint8_t{1}) - row.trained.begin();
        if (own == kSamplesOfRun) break;
        if (first < 2 || row.targetCount() == 0 || std::all_of(row.trained.begin(), row.trained.end(), [](std::uint8_t t) { return t == 1; }))
            continue;
        Sample sample;
        sample.ids.assign(row.ids.begin(), row.ids.begin() + first);
        sample.prompt = sources.tokenizer.decode(sample.ids, true);
        m_samples.push_back(std::move(sample));
        ++own;
    }
    const auto general = parseJson(builtInFile("samples.json").value_or("[]"));
    if (!general.ok() || !general->is_array()) return;
    for (const Json& one : *general) {
        Sample sample;
        sample.prompt = one.get<std::string>();
        std::string text = "Question: " + sample.prompt + "\nAnswer:";
        if (chatTemplate != nullptr) {
            const std::vector<ChatMessage> chat{{"user", sample.prompt}};
            auto rendered = chatTemplate->render(chat, true);
            if (!rendered.ok()) continue;
            text = std::move(*rendered);
        }
        auto encoding = sources.tokenizer.encode(text, chatTemplate == nullptr);
        if (!encoding.ok() || encoding->ids.empty()) continue;
        sample.ids = std::move(encoding->ids);
        m_samples.push_back(std::move(sample));
    }
    const std::int64_t longest = sources.pretrained.description().maxPositions;
    std::erase_if(m_samples,
                  [&](const Sample& sample) { return longest > 0 && static_cast<std::int64_t>(sample.ids.size()) + kSampleTokens > longest; });
}

Result<Probes> Probes::load(const RunConfig& config, const Sources& sources) {
    Probes out;
    out.m_pretrained = &sources.pretrained;
    MOFO_TRY(const std::vector<ProbeName> wanted, parseProbes(config.probes));
    if (wanted.empty()) return out;
    MOFO_TRY(const std::optional<ChatTemplate> chatTemplate, chooseChatTemplate(sources.tokenizer, config.chatTemplate));
    const ChatTemplate* chosen = chatTemplate ? &*chatTemplate : nullptr;
    std::vector<std::string> present, missing;
    std::set<std::string> taken;
    TrainedRows trained;
    for (const ProbeName& name : wanted) {
        std::string reason;
        auto task = findTask(name.task);
        std::optional<Probe> probe;
        if (task.ok()) {
            // Two files of one name are two probes.
            const std::string base = task->name;
            for (int n = 2; !taken.insert(task->name).second; ++n) task->name = base + "-" + std::to_string(n);
            MOFO_TRY(probe, out.prepare(config, sources, chosen, std::move(*task), name.limit, trained, reason));
        } else {
            reason = task.error().text();
        }
        if (probe) {
            present.push_back(probe->task.task.name + " (" + countText(probe->task.itemCount()) + ")");
            if (probe->trainedOn > 0)
                present.back().insert(present.back().size() - 1, ", " + std::to_string(probe->trainedOn) + " of them trained on");
            out.m_probes.push_back(std::move(*probe));
        } else {
            missing.push_back(escapeForDisplay(name.task) + ": " + reason);
            // The default asks for held-out rows where there are some.
            out.m_anyMissing = out.m_anyMissing || name.task != "eval";
        }
    }
    if (!out.m_probes.empty()) out.addSamples(sources, chosen);
    out.m_summary = "probes: " + (present.empty() ? std::string("none") : joinText(present, ", "));
    if (!missing.empty()) out.m_summary += "; left out are " + joinText(missing, "; ");
    return out;
}

Json Probes::facts() const {
    Json facts = Json::object();
    for (const Probe& probe : m_probes) {
        Json measures = Json::object();
        const auto add = [&](const char* name) { measures[name] = {{"unit", unitOf(name)}, {"better", isShare(name) ? "higher" : "lower"}}; };
        switch (probe.task.task.scorer) {
            case Scorer::MultipleChoice: add("acc"), add("acc_norm"); break;
            case Scorer::ShortAnswer: add("exact_match"); break;
            case Scorer::Text: add("loss"), add("bits_per_byte"); break;
            case Scorer::Completion: add("loss"); break;
            case Scorer::Rows: add("loss"), add("kl"), add("reverse_kl"); break;
            case Scorer::Kl: add("kl"), add("reverse_kl"); break;
        }
        facts[probe.task.task.name] = {{"title", probe.task.task.title},
                                       {"mark", taskMarkName(probe.task.task.mark)},
                                       {"measures", measures},
                                       {"items", probe.task.itemCount()},
                                       {"trained_on", probe.trainedOn},
                                       {"items_sha256", probe.task.sha256},
                                       {"scorer", scorerName(probe.task.task.scorer)},
                                       {"source", probe.task.task.source}};
    }
    return facts;
}

Json Probes::sampleFacts() const {
    Json facts = Json::array();
    for (std::size_t i = 0; i < m_samples.size(); ++i) facts.push_back({{"id", "sample-" + std::to_string(i)}, {"prompt", m_samples[i].prompt}});
    return facts;
}

std::vector<std::string> Probes::names() const {
    std::vector<std::string> names;
    for (const Probe& probe : m_probes) {
        if (!probe.failed) names.push_back(probe.task.task.name);
    }
    return names;
}

const Probes::Probe* Probes::find(std::string_view name) const {
    const auto found = std::find_if(m_probes.begin(), m_probes.end(), [&](const Probe& probe) { return probe.task.task.name == name; });
    return found == m_probes.end() ? nullptr : &*found;
}

Result<void> Probes::computeBase(const Model& model, const Progress& progress) {
    std::size_t done = 0;
    for (Probe& probe : m_probes) {
        const auto share = [&](double part) {
            return !progress ||
                   progress((static_cast<double>(done) + part) / static_cast<double>(m_probes.size()), probe.task.task.name + ": the base model");
        };
        if (probe.task.comparesWithBase() && !probe.base) {
            MOFO_TRY(probe.base, BaseStates::compute(model.decoder, probe.task, model.device, share));
        }
        ++done;
    }
    m_baseComputed = true;
    return {};
}

Result<ProbesMeasured> Probes::measure(std::int64_t step, const Model& model, const Progress& progress, std::vector<std::string>& failures) {
    ProbesMeasured out;
    const Stopwatch whole;
    const std::size_t parts = m_probes.size() + (m_samples.empty() ? 0 : 1);
    const auto in = [&](std::size_t done, const std::string& what) {
        return [&, done, what](double part) { return !progress || progress((static_cast<double>(done) + part) / static_cast<double>(parts), what); };
    };
    for (std::size_t i = 0; i < m_probes.size(); ++i) {
        Probe& probe = m_probes[i];
        if (probe.failed) continue;
        static_cast<void>(failpoint("probe.measure"));
        const Stopwatch clock;
        EvaluationContext context{model.decoder, model.tokenizer, model.device, in(i, probe.task.task.name)};
        if (probe.base) context.base = &*probe.base;
        context.isBase = step == 0;
        context.baseHead = [&] { return readParameterTensor(*m_pretrained, model.decoder.headIndex(), model.device); };
        auto outcome = evaluateTask(probe.task, context);
        if (!outcome.ok()) {
            if (outcome.error().code == ErrorCode::Interrupted) return std::move(outcome).error();
            // One probe that cannot be measured stops neither the run nor the others.
            failures.push_back("the probe " + probe.task.task.name + " failed and is left out from here on: " + outcome.error().text());
            probe.failed = true;
            continue;
        }
        const double seconds = clock.elapsedMs() * 1e-3;
        for (TaskMeasure& measure : outcome->measures)
            out.rows.push_back(rowOf(probe.task, std::move(measure), step, seconds / static_cast<double>(outcome->measures.size())));
    }
    if (!m_samples.empty()) {
        std::vector<std::vector<TokenId>> prompts;
        for (const Sample& sample : m_samples) prompts.push_back(sample.ids);
        GreedySettings settings;
        settings.maxNewTokens = kSampleTokens;
        auto answers = answerGreedily(model.decoder, model.tokenizer, prompts, settings, model.device, in(m_probes.size(), "sample answers"));
        if (!answers.ok()) {
            if (answers.error().code == ErrorCode::Interrupted) return std::move(answers).error();
            failures.push_back("the sample answers failed and are left out from here on: " + answers.error().text());
            m_samples.clear();
        }
        for (std::size_t i = 0; i < m_samples.size(); ++i) {
            GenerationRow row;
            row.uuid = "sample-" + std::to_string(i);
            row.text = (*answers)[i];
            row.last = true;
            row.details = {{"step", step}, {"prompt", m_samples[i].prompt}, {"kind", "sample"}};
            out.samples.push_back(std::move(row));
        }
    }
    out.seconds = whole.elapsedMs() * 1e-3;
    return out;
}

void Probes::takeStart(const std::vector<ProbeRow>& rows) {
    for (const ProbeRow& row : rows) {
        const Probe* probe = find(row.probe);
        const ProbeItems* outcome = itemsOf(row.perItem, "outcome");
        const bool fits = probe != nullptr && outcome != nullptr && static_cast<std::int64_t>(outcome->amounts.size()) == probe->task.itemCount();
        if (fits) m_start[{row.probe, row.measure}] = row.perItem;
    }
}

bool Probes::knowsStart() const {
    return std::all_of(m_probes.begin(), m_probes.end(), [&](const Probe& probe) {
        return probe.failed || std::any_of(m_start.begin(), m_start.end(), [&](const auto& one) { return one.first.first == probe.task.task.name; });
    });
}

void Probes::compareWithStart(const std::vector<ProbeRow>& rows, GuardReading& reading) const {
    for (const ProbeRow& row : rows) {
        const Probe* probe = find(row.probe);
        const auto start = m_start.find({row.probe, row.measure});
        const bool looked = row.measure == "acc" || row.measure == "exact_match" || row.measure == "loss" || row.measure == "kl";
        if (probe == nullptr || start == m_start.end() || probe->task.task.mark != TaskMark::General || !looked) continue;
        const ProbeItems *before = itemsOf(start->second, "outcome"), *now = itemsOf(row.perItem, "outcome");
        const ProbeItems *weightBefore = itemsOf(start->second, "weight"), *weightNow = itemsOf(row.perItem, "weight");
        if (before == nullptr || now == nullptr || (weightBefore == nullptr) != (weightNow == nullptr)) continue;
        PairedItems items{before->amounts, now->amounts, {}, {}};
        if (weightNow != nullptr) items.weightA = weightBefore->amounts, items.weightB = weightNow->amounts;
        const bool share = isShare(row.measure);
        const auto compared = comparePaired(items, share ? OutcomeKind::Share : OutcomeKind::Amount);
        if (!compared.ok() || !compared->interval.known()) continue;
        const double sign = share ? -100 : 1;
        const double a = sign * compared->interval.low, b = sign * compared->interval.high;
        GuardReading::Forgotten forgotten;
        forgotten.least = std::min(a, b);
        const int digits = share ? 1 : 4;
        forgotten.text = "the probe " + row.probe + (share ? " lost " : "'s " + row.measure + " rose by ") +
                         rounded(sign * compared->difference, digits) + (share ? " points of " + row.measure : std::string(" nats per token")) +
                         " since the start (95 % interval " + rounded(forgotten.least, digits) + " to " + rounded(std::max(a, b), digits) + ", " +
                         countText(row.items) + ")";
        std::optional<GuardReading::Forgotten>& place = share ? reading.forgottenPoints : reading.forgottenNats;
        if (!place || place->least < forgotten.least) place = std::move(forgotten);
    }
}

bool ProbePace::isDue(const RunConfig& config, std::int64_t step, bool& stretched) const {
    stretched = false;
    const bool asked = (config.probeEvery > 0 && step % config.probeEvery == 0) || (config.probeMinutes > 0 && m_since >= 60 * config.probeMinutes);
    if (!asked) return false;
    stretched = config.probeBudget < 1 && m_cost > config.probeBudget * (m_cost + m_since);
    return !stretched;
}

}  // namespace mofo
