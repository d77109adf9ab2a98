#include "core/config/key_table.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>

#include "core/base/text.h"
#include "core/config/name_pattern.h"
#include "core/config/values.h"

namespace mofo {

namespace {

using Type = KeyDescription::Type;

Error wrongValue(std::string message, std::string remedy) { return Error{ErrorCode::Usage, std::move(message), "", std::move(remedy), "VALUE"}; }

std::string inQuotes(std::string_view text) { return '"' + escapeForDisplay(text.substr(0, 60)) + '"'; }

std::string rangeText(const KeyDescription& key) {
    const std::string unit = key.unit.empty() ? "" : " " + key.unit;
    if (key.type == Type::Integer) {
        return "Give a whole number from " + std::to_string(static_cast<std::int64_t>(key.minimum)) + " to " +
               std::to_string(static_cast<std::int64_t>(key.maximum)) + unit;
    }
    return "Give a number from " + formatShortest(key.minimum) + " to " + formatShortest(key.maximum) + unit;
}

/// Builds the table; each function adds one key of a type.
class TableBuilder {
public:
    std::vector<KeyEntry> entries;

    /// Flags of the keys added from here on.
    void section(std::string name) { m_section = std::move(name); }

    KeyEntry& text(std::string name, Type type, std::string RunConfig::*member, std::string help,
                   std::function<Result<void>(std::string_view)> check = {}) {
        KeyEntry& entry = add(std::move(name), type, std::move(help));
        entry.set = [member, check = std::move(check)](RunConfig& config, std::string_view value) -> Result<void> {
            if (value.size() > 4096) return wrongValue("the text is longer than 4096 bytes", "Give a shorter one");
            if (!isValidUtf8(value)) return wrongValue("the text is not valid UTF-8", "Rename the file, or give the text as UTF-8");
            if (value.find('\0') != std::string_view::npos) return wrongValue("the text holds a zero byte", "Leave it out");
            if (check) MOFO_CHECK(check(value));
            config.*member = std::string(value);
            return {};
        };
        entry.get = [member](const RunConfig& config) { return config.*member; };
        return entry;
    }

    KeyEntry& integer(std::string name, std::int64_t RunConfig::*member, double minimum, double maximum, std::string unit, std::string help) {
        KeyEntry& entry = add(std::move(name), Type::Integer, std::move(help));
        setRange(entry, minimum, maximum, std::move(unit));
        entry.set = [member, key = entry.description](RunConfig& config, std::string_view value) -> Result<void> {
            const auto parsed = parseInteger(value);
            if (!parsed) return wrongValue(inQuotes(value) + " is not a whole number", rangeText(key));
            if (static_cast<double>(*parsed) < key.minimum || static_cast<double>(*parsed) > key.maximum) {
                return wrongValue(std::to_string(*parsed) + " is out of range", rangeText(key));
            }
            config.*member = *parsed;
            return {};
        };
        entry.get = [member](const RunConfig& config) { return std::to_string(config.*member); };
        return entry;
    }

    KeyEntry& number(std::string name, double RunConfig::*member, double minimum, double maximum, std::string unit, std::string help,
                     std::function<Result<void>(double)> check = {}) {
        KeyEntry& entry = add(std::move(name), Type::Number, std::move(help));
        setRange(entry, minimum, maximum, std::move(unit));
        entry.set = [member, check = std::move(check), key = entry.description](RunConfig& config, std::string_view value) -> Result<void> {
            const auto parsed = parseNumber(value);
            if (!parsed) return wrongValue(inQuotes(value) + " is not a number", rangeText(key));
            if (*parsed < key.minimum || *parsed > key.maximum) return wrongValue(formatShortest(*parsed) + " is out of range", rangeText(key));
            if (check) MOFO_CHECK(check(*parsed));
            config.*member = *parsed;
            return {};
        };
        entry.get = [member](const RunConfig& config) { return formatShortest(config.*member); };
        return entry;
    }

    KeyEntry& flag(std::string name, bool RunConfig::*member, std::string help) {
        KeyEntry& entry = add(std::move(name), Type::Flag, std::move(help));
        entry.set = [member](RunConfig& config, std::string_view value) -> Result<void> {
            const auto parsed = parseFlag(value);
            if (!parsed) return wrongValue(inQuotes(value) + " is neither true nor false", "Give true or false");
            config.*member = *parsed;
            return {};
        };
        entry.get = [member](const RunConfig& config) { return std::string(config.*member ? "true" : "false"); };
        return entry;
    }

    /// `values`: the words and what each stands for, in the order they are offered.
    template <class T>
    KeyEntry& choice(std::string name, T RunConfig::*member, std::vector<std::pair<std::string, T>> values, std::vector<std::string> later,
                     std::string help) {
        KeyEntry& entry = add(std::move(name), Type::Choice, std::move(help));
        for (const auto& [word, value] : values) entry.description.choices.push_back(word);
        entry.laterChoices = std::move(later);
        entry.set = [member, values, choices = entry.description.choices, later = entry.laterChoices](RunConfig& config,
                                                                                                      std::string_view value) -> Result<void> {
            for (const auto& [word, meaning] : values) {
                if (word == value) {
                    config.*member = meaning;
                    return {};
                }
            }
            const std::string allowed = "Use " + joinText(choices, choices.size() == 2 ? " or " : ", ");
            if (std::find(later.begin(), later.end(), value) != later.end()) {
                return wrongValue(inQuotes(value) + " is known but not available in this version", allowed);
            }
            std::vector<std::string> all = choices;
            all.insert(all.end(), later.begin(), later.end());
            const std::string near = nearestName(value, all);
            return wrongValue(inQuotes(value) + " is not one of its values" + (near.empty() ? "" : "; did you mean " + near + "?"), allowed);
        };
        entry.get = [member, values](const RunConfig& config) {
            for (const auto& [word, meaning] : values) {
                if (meaning == config.*member) return word;
            }
            return std::string();
        };
        return entry;
    }

    KeyEntry& custom(std::string name, Type type, std::string help, std::function<Result<void>(RunConfig&, std::string_view)> set,
                     std::function<std::string(const RunConfig&)> get) {
        KeyEntry& entry = add(std::move(name), type, std::move(help));
        entry.set = std::move(set);
        entry.get = std::move(get);
        return entry;
    }

    void finish() {
        const RunConfig defaults;
        for (KeyEntry& entry : entries) entry.description.defaultText = entry.get(defaults);
    }

private:
    KeyEntry& add(std::string name, Type type, std::string help) {
        KeyEntry& entry = entries.emplace_back();
        entry.description.name = std::move(name);
        entry.description.section = m_section;
        entry.description.type = type;
        entry.description.help = std::move(help);
        return entry;
    }
    static void setRange(KeyEntry& entry, double minimum, double maximum, std::string unit) {
        entry.description.minimum = minimum;
        entry.description.maximum = maximum;
        entry.description.unit = std::move(unit);
    }
    std::string m_section;
};

void basic(KeyEntry& entry) { entry.description.basic = true; }
void live(KeyEntry& entry) { entry.description.live = true; }

Result<void> checkWarmup(double value) {
    if (value >= 1 && value != static_cast<double>(static_cast<std::int64_t>(value))) {
        return wrongValue("from 1 on warmup counts steps, which are whole", "Give a whole number of steps, or a share of the run below 1");
    }
    return {};
}

Result<void> checkColumns(std::string_view value) {
    if (value.empty()) return {};
    const std::string form = "Write columns=prompt:A,completion:B or columns=text:A with the names of the file's own columns";
    bool prompt = false, completion = false, text = false;
    for (const std::string& part : splitText(value, ',')) {
        const std::size_t colon = part.find(':');
        if (colon == std::string::npos || colon + 1 == part.size()) return wrongValue(inQuotes(part) + " is not of the form role:column", form);
        const std::string role = part.substr(0, colon);
        bool* const seen = role == "prompt" ? &prompt : role == "completion" ? &completion : role == "text" ? &text : nullptr;
        if (seen == nullptr) return wrongValue(inQuotes(role) + " is no role of a column", form);
        if (std::exchange(*seen, true)) return wrongValue("the role " + role + " stands twice", form);
    }
    if (text == (prompt || completion) || prompt != completion) return wrongValue("either text alone or both prompt and completion are needed", form);
    return {};
}

/// Whether it has the form; what stands behind the names is known to those who measure.
Result<void> checkProbeNames(std::string_view value) {
    if (value.empty()) return {};
    for (const std::string& part : splitText(value, ',')) {
        const std::string_view name = std::string_view(part).substr(0, part.rfind(':'));
        if (trimText(name).empty()) return wrongValue("a probe without a name", "Write names or files with commas between: kl,text,eval,piqa:200");
    }
    return {};
}

Result<void> setSkipSteps(RunConfig& config, std::string_view value) {
    std::vector<std::int64_t> steps;
    if (!value.empty()) {
        for (const std::string& part : splitText(value, ',')) {
            const auto step = parseInteger(trimText(part));
            if (!step || *step < 1) return wrongValue(inQuotes(part) + " is not a step", "Write steps from 1 on with commas between: 812,900");
            steps.push_back(*step);
        }
    }
    if (steps.size() > mostSkipSteps) return wrongValue("more than " + std::to_string(mostSkipSteps) + " steps", "Leave out fewer of them");
    std::sort(steps.begin(), steps.end());
    steps.erase(std::unique(steps.begin(), steps.end()), steps.end());
    config.skipSteps = std::move(steps);
    return {};
}

Result<void> setDevice(RunConfig& config, std::string_view value) {
    if (value == "auto" || value == "cpu") {
        config.device = std::string(value);
        return {};
    }
    if (value == "cuda") {
        config.device = "cuda:0";
        return {};
    }
    const auto n = value.starts_with("cuda:") ? parseInteger(value.substr(5)) : std::nullopt;
    if (!n || *n < 0 || *n > 63) return wrongValue(inQuotes(value) + " is not a device", "Use auto, cpu, cuda, or cuda:N with N from 0 to 63");
    config.device = "cuda:" + std::to_string(*n);
    return {};
}

void addModelAndData(TableBuilder& table) {
    table.section("Model");
    basic(table.text("model", Type::Path, &RunConfig::model,
                     "What is tuned: a GGUF file, a Hugging Face folder, a model of the workspace, or random:smollm2"));
    table.text("chat_template", Type::Text, &RunConfig::chatTemplate,
               "Name of the chat template, such as chatml or llama3; empty: recognised from the model, never executed");
    table.section("Data");
    basic(
        table.text("data", Type::Path, &RunConfig::data, "Training rows: JSONL, JSON array, CSV or TSV; chats, question and answer pairs, or texts"));
    table.text("columns", Type::Text, &RunConfig::columns, "Which columns to train on where their names say nothing: prompt:A,completion:B or text:A",
               checkColumns);
    table.text("eval_data", Type::Path, &RunConfig::evalData, "Rows for the held-out loss; never trained on");
    table.number("eval_split", &RunConfig::evalSplit, 0, 0.9, "share of the rows",
                 "Share of the data, its last rows, held out for evaluation; 0 with eval_every and without eval_data: 0.05");
    live(table.integer("eval_every", &RunConfig::evalEvery, 0, 1e9, "steps",
                       "Held-out loss after every so many steps; 0: only before the first and after the last"));
    basic(table.integer("max_length", &RunConfig::maxLength, 2, 1 << 20, "tokens", "Longer rows are cut at the end and counted (MoFO paper: 1024)"));
    table.flag(
        "group_by_length", &RunConfig::groupByLength,
        "Batches of rows of like length: of 32 batches at a time the rows are sorted by length, and these batches are taken in an order drawn from "
        "the seed");
    table.flag("shuffle", &RunConfig::shuffle, "Order of the rows drawn anew each epoch from seed and epoch alone; false: file order");
    table
        .custom(
            "seed", Type::Integer, "Decides the order of the rows and every random choice; equal seeds give equal runs",
            [](RunConfig& config, std::string_view value) -> Result<void> {
                const auto parsed = parseUnsigned(value);
                if (!parsed)
                    return wrongValue(inQuotes(value) + " is not a whole number that fits 64 bits",
                                      "Give a whole number from 0 to 18446744073709551615");
                config.seed = *parsed;
                return {};
            },
            [](const RunConfig& config) { return std::to_string(config.seed); })
        .description.maximum = 18446744073709551615.0;
}

void addAlpha(TableBuilder& table) {
    KeyEntry& common = table.custom(
        "alpha", Type::Alpha, "Share of each partition's coordinates that a step moves; 5 to 20 % is advised, 1 is AdamW (MoFO paper, Algorithm 1)",
        [](RunConfig& config, std::string_view value) -> Result<void> {
            MOFO_TRY(config.alpha.common, AlphaSchedule::parse(value));
            return {};
        },
        [](const RunConfig& config) { return config.alpha.common.text(); });
    basic(common);
    live(common);
    for (const std::string kind : {"attention", "mlp", "embedding", "head"}) {
        live(table.custom(
            "alpha." + kind, Type::Alpha, "alpha of the " + kind + (kind == "head" ? " (output layer)" : "") + " parameters alone; empty: as alpha",
            [kind](RunConfig& config, std::string_view value) -> Result<void> {
                if (value.empty()) {
                    config.alpha.perKind.erase(kind);
                    return {};
                }
                MOFO_TRY(config.alpha.perKind[kind], AlphaSchedule::parse(value));
                return {};
            },
            [kind](const RunConfig& config) {
                const auto found = config.alpha.perKind.find(kind);
                return found == config.alpha.perKind.end() ? std::string() : found->second.text();
            }));
    }
}

void addMethod(TableBuilder& table) {
    table.section("Method");
    table.choice(
        "optimizer", &RunConfig::optimizer,
        {{"mofo", OptimizerKind::Mofo},
         {"adamw", OptimizerKind::AdamW},
         {"hft", OptimizerKind::Hft},
         {"fixed_mask", OptimizerKind::FixedMask},
         {"lora", OptimizerKind::Lora},
         {"lora_mofo", OptimizerKind::LoraMofo}},
        {},
        "mofo: momentum-filtered AdamW (arXiv 2407.20999); adamw: all moves; hft: half of each layer's tensors (arXiv 2404.18466); "
        "fixed_mask: a random share alpha, drawn once; lora: small matrices beside frozen weights (arXiv 2106.09685); lora_mofo: MoFO on those");
    live(table.choice(
        "rule", &RunConfig::rule,
        {{"momentum", SelectionRule::Momentum},
         {"gradient", SelectionRule::Gradient},
         {"mv", SelectionRule::MomentumOverRoot},
         {"random", SelectionRule::Random}},
        {"gv", "v", "bernoulli", "inverse", "none"},
        "What ranks a partition's coordinates: momentum |m| (MoFO), gradient |g|, mv |m/h|, random (MoFO paper, its ablation of rules)"));
    addAlpha(table);
    KeyEntry& granularity = table.custom(
        "granularity", Type::Granularity, "What a partition is: model, layer, module, tensor (the paper's), head, row, block:N or shards:S",
        [](RunConfig& config, std::string_view value) -> Result<void> {
            MOFO_TRY(config.granularity, Granularity::parse(value));
            return {};
        },
        [](const RunConfig& config) { return config.granularity.text(); });
    basic(granularity);
    live(granularity);
    live(table.integer("hft_every", &RunConfig::hftEvery, 0, 1e9, "steps",
                       "Steps after which hft draws its half anew (arXiv 2404.18466: each round); 0: after one pass over the rows"));
    table.integer("lora_rank", &RunConfig::loraRank, 1, 1 << 16, "", "Rank of LoRA's matrices A and B beside q, k, v, o, gate, up and down");
    table.number("lora_alpha", &RunConfig::loraAlpha, 1e-6, 1e6, "", "LoRA's product B A is scaled by lora_alpha / lora_rank (arXiv 2106.09685)");
    table.number("lora_dropout", &RunConfig::loraDropout, 0, 0.95, "share", "Share of the inputs of LoRA's A that a training step leaves out");
    live(table.number("l1", &RunConfig::l1, 0, 1e6, "",
                      "Pull to the pretrained weights p0 by sign: p -= lr l1 sign(p - p0), norms exempt (baseline of the MoFO paper); 0: off"));
    live(table.number("l2", &RunConfig::l2, 0, 1e6, "",
                      "Pull to the pretrained weights p0 by distance: p -= lr l2 (p - p0), norms exempt (baseline of the MoFO paper); 0: off"));
    table.text(
        "filter_include", Type::Text, &RunConfig::filterInclude,
        "Parameters that are filtered, as name patterns (* any characters, comma between patterns); empty: all but norms and biases (MoFO paper)",
        checkNamePattern);
    table.text("filter_exclude", Type::Text, &RunConfig::filterExclude,
               "Parameters that are not filtered, as name patterns: they take the whole AdamW step", checkNamePattern);
    live(
        table.number("weight_decay", &RunConfig::weightDecay, 0, 10, "", "Decoupled weight decay of everything but norms (AdamW, arXiv 1711.05101)"));
    live(table.choice("decay", &RunConfig::decaySelectedOnly, {{"all", false}, {"selected", true}}, {},
                      "Which coordinates weight decay reaches: all (MoFO paper) or only those the step moves"));
    table.number("beta1", &RunConfig::beta1, 0, 0.9999999, "", "Decay of the first moment (Adam, arXiv 1412.6980)");
    table.number("beta2", &RunConfig::beta2, 0, 0.9999999, "", "Decay of the second moment (Adam, arXiv 1412.6980)");
    table.number("eps", &RunConfig::eps, 1e-30, 1, "", "Added to the root of the second moment (Adam, arXiv 1412.6980)");
    table.choice("loss_mean", &RunConfig::lossMean, {{"token", LossMean::Token}, {"sample", LossMean::Sample}, {"micro_batch", LossMean::MicroBatch}},
                 {}, "Mean of the loss over all trained tokens of the step, per row, or per micro-batch as the MoFO authors' code does");
}

void addSchedule(TableBuilder& table) {
    table.section("Schedule");
    KeyEntry& lr = table.number("lr", &RunConfig::lr, 0, 10, "", "Peak learning rate (MoFO paper: 2e-5 on MetaMathQA, 1e-5 on PMC-LLaMA)");
    basic(lr);
    live(lr);
    table.choice("schedule", &RunConfig::schedule,
                 {{"constant", ScheduleKind::Constant}, {"linear", ScheduleKind::Linear}, {"cosine", ScheduleKind::Cosine}}, {},
                 "How lr falls after the warm-up, as Transformers defines it");
    table.number("warmup", &RunConfig::warmup, 0, 1e9, "steps, or share below 1",
                 "Linear rise of lr at the start: steps from 1 on, a share of the run below 1", checkWarmup);
    table.integer("steps", &RunConfig::steps, 0, 1e9, "steps", "Length of the run in optimizer steps; 0: from epochs");
    basic(
        table.number("epochs", &RunConfig::epochs, 1e-9, 1e6, "epochs", "Passes over the rows where steps is 0: ceil(rows x epochs / batch) steps"));
    basic(table.integer("batch", &RunConfig::batch, 1, 1 << 20, "rows", "Rows per optimizer step (MoFO paper: 128)"));
    KeyEntry& microBatch = table.integer("micro_batch", &RunConfig::microBatch, 0, 1 << 20, "rows",
                                         "Rows per forward pass: less memory, the same step; 0: the whole batch");
    basic(microBatch);
    live(microBatch);
    table.flag("oom_retry", &RunConfig::oomRetry,
               "Out of memory, a step is tried again with half as many rows per forward pass, and so are those after it: the same batch, smaller "
               "pieces; false: the run ends with what it needed");
    live(table.number("clip", &RunConfig::clip, 0, 1e9, "", "Largest L2 norm of the whole gradient; 0: off (MoFO paper: 1.0)"));
    live(table.choice("on_nonfinite", &RunConfig::onNonFinite, {{"stop", OnNonFinite::Stop}, {"skip", OnNonFinite::Skip}}, {},
                      "At a NaN or infinite loss or gradient: stop before the update, or leave the update out (ten in a row stop the run)"));
    live(table.custom("skip_steps", Type::Text, "Steps whose update is left out, such as 812,900: a batch that breaks the run; empty: none",
                      setSkipSteps, [](const RunConfig& config) {
                          std::vector<std::string> steps;
                          for (const std::int64_t step : config.skipSteps) steps.push_back(std::to_string(step));
                          return joinText(steps, ",");
                      }));
}

void addGuards(TableBuilder& table) {
    table.section("Guard rails");
    std::vector<std::pair<std::string, GuardAction>> actions{
        {"notify", GuardAction::Notify}, {"pause", GuardAction::Pause}, {"lower_alpha", GuardAction::LowerAlpha}, {"back", GuardAction::Back}};
    live(table.choice("guard_action", &RunConfig::guardAction, actions, {},
                      "What guards do: notify; pause; lower_alpha: halve it; back: return to the best checkpoint, then halve alpha, or leave out the "
                      "step that spiked"));
    actions.insert(actions.begin(), {"default", GuardAction::Default});
    for (const GuardKeys& guard : guardKeys()) {
        live(table.number(std::string(guard.key), guard.limit, 0, 1e6, "", std::string(guard.help)));
        live(table.choice(std::string(guard.actionKey), guard.action, actions, {},
                          "What " + std::string(guard.key) + " does; default: as guard_action"));
    }
    live(table.integer("early_stop", &RunConfig::earlyStop, 0, 1e6, "evaluations",
                       "Stop after so many evaluations in a row without a lower held-out loss; the best checkpoint stays (RUN@best); 0: off"));
}

void addProbes(TableBuilder& table) {
    table.section("Probes");
    table.text(
        "probes", Type::Text, &RunConfig::probes,
        "What is measured before the first step and while the run is on, NAME or FILE, each with :LIMIT or without (`mofo tasks`); empty: nothing",
        checkProbeNames);
    live(table.integer("probe_every", &RunConfig::probeEvery, 0, 1e9, "steps",
                       "Probes after every so many steps, and always before the first and after the last; 0: by probe_minutes alone"));
    live(table.number("probe_minutes", &RunConfig::probeMinutes, 0, 1e6, "minutes", "Probes when the last ones are this old; 0: off"));
    live(table.number("probe_budget", &RunConfig::probeBudget, 0, 1, "share of the time",
                      "What probes on the way may take: they come less often where they would take more; 1: as often as asked"));
}

void addMachineAndStore(TableBuilder& table) {
    table.section("Precision");
    table.choice("precision", &RunConfig::precision, {{"fp32", Precision::Fp32}, {"bf32", Precision::Bf32}, {"bf16", Precision::Bf16}}, {"bf16-pure"},
                 "fp32: all arithmetic (TF32 is off); bf32: matrix products of fp32 numbers rounded to bf16; bf16: activations and those products in "
                 "bf16, weights, norms, softmax, loss, gradients and moments in fp32");
    table.choice("recompute", &RunConfig::recompute, {{"off", Recompute::Off}, {"layer", Recompute::Layer}}, {},
                 "layer: keeps each layer's input alone and computes its activations again on the way back: less memory, more time, the same bits");
    table
        .custom("device", Type::Text, "auto: the GPU where one can be used, else the CPU, and why is said; cuda refuses instead", setDevice,
                [](const RunConfig& config) { return config.device; })
        .description.choices = {"auto", "cpu", "cuda:0"};
    table.choice("offload", &RunConfig::offload, {{"none", Offload::None}, {"optimizer", Offload::Optimizer}}, {},
                 "optimizer: m and v stay in host memory and the CPU does the step, for models that fill the GPU (ZeRO-Offload, arXiv 2101.06840)");
    table.section("Checkpoints");
    live(table.integer("checkpoint_every", &RunConfig::checkpointEvery, 0, 1e9, "steps",
                       "Checkpoint after every so many steps; 0: only the last step's"));
    live(table.number("checkpoint_minutes", &RunConfig::checkpointMinutes, 0, 1e6, "minutes", "Checkpoint when the last one is this old; 0: off"));
    live(table.integer("keep", &RunConfig::keep, 1, 1e6, "checkpoints", "Newest checkpoints to keep; pinned ones and the best stay beside them"));
    table.section("Statistics");
    live(table.integer("stats_every", &RunConfig::statsEvery, 1, 1e9, "steps",
                       "Selection and drift of every tensor, measured at step 1, at this cadence, and at the last step"));
    live(table.text("row_counts", Type::Text, &RunConfig::rowCounts,
                    "Parameters whose selected coordinates are counted row by row at logged steps, as name patterns (filter_include's); empty: none",
                    checkNamePattern));
    table.flag("coverage", &RunConfig::coverage,
               "Which coordinates were ever selected at logged steps (mofo.md, \"What is shown\"): one bit of memory a parameter");
}

struct Index {
    std::vector<KeyEntry> entries;
    std::unordered_map<std::string_view, const KeyEntry*> byName;
};

const Index& index() {
    static const Index built = [] {
        TableBuilder table;
        addModelAndData(table);
        addMethod(table);
        addSchedule(table);
        addProbes(table);
        addGuards(table);
        addMachineAndStore(table);
        table.finish();
        Index result;
        result.entries = std::move(table.entries);
        for (const KeyEntry& entry : result.entries) result.byName.emplace(entry.description.name, &entry);
        return result;
    }();
    return built;
}

}  // namespace

const std::vector<KeyEntry>& keyTable() { return index().entries; }

const KeyEntry* findKeyEntry(std::string_view name) {
    const auto found = index().byName.find(name);
    return found == index().byName.end() ? nullptr : found->second;
}

const std::vector<LaterKey>& laterKeys() {
    static const std::vector<LaterKey> keys{
        // Rows always lie end to end in one sequence and do not see each other.
        {"packing", "true", "rows padded to the longest of their batch"},
    };
    return keys;
}

std::string_view nameUsedElsewhere(std::string_view name) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 35> names{{
        {"learning_rate", "lr"},
        {"learningrate", "lr"},
        {"lr_scheduler_type", "schedule"},
        {"scheduler", "schedule"},
        {"warmup_steps", "warmup"},
        {"warmup_ratio", "warmup"},
        {"num_train_epochs", "epochs"},
        {"num_epochs", "epochs"},
        {"max_steps", "steps"},
        {"num_steps", "steps"},
        {"batch_size", "batch"},
        {"train_batch_size", "batch"},
        {"per_device_train_batch_size", "micro_batch"},
        {"micro_batch_size", "micro_batch"},
        {"gradient_accumulation_steps", "micro_batch"},
        {"max_seq_length", "max_length"},
        {"max_seq_len", "max_length"},
        {"seq_len", "max_length"},
        {"model_max_length", "max_length"},
        {"max_grad_norm", "clip"},
        {"grad_clip", "clip"},
        {"adam_beta1", "beta1"},
        {"adam_beta2", "beta2"},
        {"adam_epsilon", "eps"},
        {"epsilon", "eps"},
        {"save_steps", "checkpoint_every"},
        {"save_total_limit", "keep"},
        {"eval_steps", "eval_every"},
        {"logging_steps", "stats_every"},
        {"dtype", "precision"},
        {"partition", "granularity"},
        {"early_stopping", "early_stop"},
        {"early_stopping_patience", "early_stop"},
        {"patience", "early_stop"},
        {"guard_rails", "guard_action"},
    }};
    for (const auto& [theirs, ours] : names) {
        if (theirs == name) return ours;
    }
    return {};
}

}  // namespace mofo
