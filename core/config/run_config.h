// Everything a run is configured by. One table describes every key: the command line, the window's form, presets and the
// store all read it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/config/alpha.h"
#include "core/config/granularity.h"

namespace mofo {

enum class OptimizerKind {
    Mofo,
    AdamW,
    Hft,        ///< half fine-tuning (arXiv 2404.18466): AdamW on a random half of each layer's tensors, drawn anew each round
    FixedMask,  ///< AdamW on a random share alpha of each partition, drawn once
    Lora,       ///< AdamW on low-rank matrices beside frozen weights (arXiv 2106.09685)
    LoraMofo    ///< MoFO on those
};
/// What ranks the coordinates of a partition under OptimizerKind::Mofo (mofo.md, "Selection rules").
enum class SelectionRule { Momentum, Gradient, MomentumOverRoot, Random };
enum class ScheduleKind { Constant, Linear, Cosine };
enum class LossMean { Token, Sample, MicroBatch };
enum class OnNonFinite { Stop, Skip };
/// What a guard rail does once its limit is passed.
enum class GuardAction {
    Default,  ///< what guard_action says
    Notify,
    Pause,
    LowerAlpha,  ///< halves alpha from the next step on
    Back         ///< returns to the best checkpoint and goes on from there with something changed
};
/// Fp32: everything. Bf32: fp32 tensors, whose products are computed from bf16 roundings. Bf16: activations and the products' copy of the weights are
/// bf16; weights, norms, softmax, loss, gradients and moments stay fp32. Both sum products in fp32.
enum class Precision { Fp32, Bf32, Bf16 };
/// Off: what the backward pass needs of every layer is kept. Layer: each layer's input alone, from which the rest is computed again.
enum class Recompute { Off, Layer };
enum class Offload { None, Optimizer };

/// So many steps may be left out by skip_steps.
constexpr std::size_t mostSkipSteps = 100;

/// Typed values of one run. Defaults are the product's. Keys that are declared by the command line's contract but belong to
/// later versions (lora_rank, packing ...) are known by name and refused as not yet available.
struct RunConfig {
    RunConfig() = default;  // as an aggregate its temporaries draw false warnings from g++ 12 (-Wmaybe-uninitialized)
    std::string model;
    std::string data;
    std::string evalData;
    double evalSplit = 0.0;      ///< share of the rows, the last ones, held out
    std::int64_t evalEvery = 0;  ///< steps; 0 = only before the first and after the last step, if there is anything to evaluate on
    OptimizerKind optimizer = OptimizerKind::Mofo;
    SelectionRule rule = SelectionRule::Momentum;
    Alpha alpha;
    Granularity granularity;
    std::int64_t loraRank = 64;
    double loraAlpha = 16;      ///< their product is scaled by loraAlpha / loraRank
    double loraDropout = 0.1;   ///< share of the inputs of A that is left out
    std::int64_t hftEvery = 0;  ///< steps between two draws of half fine-tuning; 0 = one pass over the rows
    double l1 = 0.0;            ///< decoupled pull to the pretrained weights: p -= lr l1 sign(p - p0)
    double l2 = 0.0;            ///< p -= lr l2 (p - p0)
    double lr = 2e-5;
    ScheduleKind schedule = ScheduleKind::Constant;
    double warmup = 0.0;     ///< >= 1: steps; < 1: share of the run
    std::int64_t steps = 0;  ///< 0: from epochs
    double epochs = 1.0;
    std::int64_t batch = 16;        ///< rows per update
    std::int64_t microBatch = 0;    ///< rows per forward; 0 = batch
    bool oomRetry = false;
    std::int64_t maxLength = 1024;  ///< tokens
    double weightDecay = 0.0;
    bool decaySelectedOnly = false;  ///< --set decay=all|selected
    std::string filterInclude;       ///< pattern over parameter names, empty = the paper's rule
    std::string filterExclude;
    double clip = 1.0;  ///< 0 = off
    std::uint64_t seed = 42;
    bool shuffle = true;
    bool groupByLength = false;
    LossMean lossMean = LossMean::Token;
    Precision precision = Precision::Fp32;
    Recompute recompute = Recompute::Off;
    Offload offload = Offload::None;
    std::string device = "auto";       ///< auto, cpu, cuda:N (cuda = cuda:0)
    std::int64_t checkpointEvery = 0;  ///< steps; 0 = only the last step
    double checkpointMinutes = 0.0;
    std::int64_t keep = 3;
    std::int64_t statsEvery = 10;
    std::string rowCounts;  ///< pattern over parameter names; empty = none
    bool coverage = true;
    std::string probes = "kl,text,eval";  ///< NAME or FILE, each with :LIMIT or without, comma between; empty = none
    std::int64_t probeEvery = 50;         ///< steps; 0 = by probeMinutes alone, beside the first and the last step
    double probeMinutes = 0.0;            ///< 0 = off
    double probeBudget = 0.05;            ///< share of the run's time that probes may take: their cadence stretches to hold it
    OnNonFinite onNonFinite = OnNonFinite::Stop;
    std::vector<std::int64_t> skipSteps;  ///< ascending; their updates are left out
    double guardSpike = 8.0;              ///< robust deviations; of all guards 0 = off
    double guardDrift = 0.0;              ///< relative L2
    double guardEval = 0.0;               ///< nats per token above the lowest
    double guardEvalStart = 0.0;          ///< share above the first
    double guardForget = 0.0;             ///< points of accuracy lost by a general probe, its whole interval
    double guardForgetNats = 0.0;         ///< nats per token gained by a general probe's loss or KL, its whole interval
    GuardAction guardAction = GuardAction::Notify;
    GuardAction guardSpikeAction = GuardAction::Default, guardDriftAction = GuardAction::Default, guardEvalAction = GuardAction::Default,
                guardEvalStartAction = GuardAction::Default, guardForgetAction = GuardAction::Default, guardForgetNatsAction = GuardAction::Default;
    std::int64_t earlyStop = 0;  ///< evaluations without improvement after which the run stops; 0 = never
    std::string chatTemplate;    ///< empty = recognised from the model
    std::string columns;
    double beta1 = 0.9;
    double beta2 = 0.999;
    double eps = 1e-8;

    friend bool operator==(const RunConfig&, const RunConfig&) = default;
};

/// The keys of one guard rail. A further measure is one more row of guardKeys() and of the engine's table (core/engine/guard_rails.cpp).
struct GuardKeys {
    std::string_view key;        ///< of its limit
    std::string_view actionKey;  ///< of its reaction
    double RunConfig::*limit;
    GuardAction RunConfig::*action;
    enum class Needs { Steps, Evaluations, Probes } needs;  ///< what is measured for it
    std::string_view help;
};
[[nodiscard]] std::span<const GuardKeys> guardKeys();
/// What the guard does: its own action, or guard_action; never Default.
[[nodiscard]] GuardAction guardActionOf(const RunConfig& config, const GuardKeys& guard);
/// The part of checkConfig that is about guard rails and early stopping.
Result<void> checkGuards(const RunConfig& config);

/// How a key is edited and explained. Built once; order = order of the form and of --help.
struct KeyDescription {
    enum class Type { Text, Path, Integer, Number, Flag, Choice, Alpha, Granularity };
    std::string name;     ///< as in --set name=value
    std::string section;  ///< Model, Data, Method, Schedule, Precision, Checkpoints, Probes ...
    Type type = Type::Text;
    std::string defaultText;           ///< canonical text of the default
    std::vector<std::string> choices;  ///< of Type::Choice; of other types suggestions (device)
    double minimum = 0, maximum = 0;   ///< Number and Integer, both inclusive; equal = unlimited
    std::string unit;
    std::string help;    ///< one line with its source
    bool basic = false;  ///< shown before "all settings"
    bool live = false;   ///< may change while a run is on (mofo set)
};

[[nodiscard]] const std::vector<KeyDescription>& keyDescriptions();
[[nodiscard]] const KeyDescription* findKey(std::string_view name);

/// Sets one key from text. Unknown key: Usage, with the nearest right one. Wrong value: Usage, with what is allowed.
Result<void> setConfigValue(RunConfig& config, std::string_view key, std::string_view value);
/// The canonical text of one key: setting it back gives the same config.
[[nodiscard]] std::string configValue(const RunConfig& config, std::string_view key);
/// Parses "key=value".
Result<std::pair<std::string, std::string>> splitAssignment(std::string_view assignment);
/// Rules across keys: micro_batch at most batch, alpha per kind not with model or layer, eval_split not with eval_data, rule with mofo only,
/// hft_every with hft only, guard rails where they can work. That a model and data are named at all is for whoever needs them.
Result<void> checkConfig(const RunConfig& config);
/// Whether `key` can be changed while a run of this configuration is on. Usage for one that is not live, and for one that has no effect with
/// the run's optimizer.
Result<void> checkLiveKey(const RunConfig& config, std::string_view key);
/// Whether the optimizer trains low-rank adapters beside the pretrained weights, which stay.
[[nodiscard]] bool trainsLora(OptimizerKind optimizer);
/// Whether the optimizer ranks coordinates anew at every step, so that the rule means something.
[[nodiscard]] bool ranksCoordinates(OptimizerKind optimizer);
/// Whether the optimizer selects coordinates within partitions, so that alpha and granularity mean something.
[[nodiscard]] bool selectsCoordinates(OptimizerKind optimizer);
/// The share of the rows that is held out in fact: eval_split, or 0.05 where eval_every is set without it and without eval_data.
[[nodiscard]] double effectiveEvalSplit(const RunConfig& config);
/// Rows per forward: micro_batch, or batch where it is 0.
[[nodiscard]] std::int64_t effectiveMicroBatch(const RunConfig& config);
/// All keys with their canonical texts as one object of strings, and back (missing keys keep their defaults; unknown ones are refused,
/// Unsupported: a newer program wrote them).
[[nodiscard]] Json configToJson(const RunConfig& config);
Result<RunConfig> configFromJson(const Json& json);
/// The keys whose values differ: (key, text in a, text in b).
struct ConfigDifference {
    std::string key, a, b;
};
[[nodiscard]] std::vector<ConfigDifference> configDifferences(const RunConfig& a, const RunConfig& b);
/// The `mofo train` line that gives this config; files that came from the Hub by the name that gives the same bytes anywhere (hf:owner/name@commit).
[[nodiscard]] std::string trainCommandLine(const RunConfig& config, std::string_view name);

/// A named set of values: the paper's recipes (mofo.md, "Recipe of the paper") and our own.
struct Preset {
    std::string name;  ///< "paper-metamathqa", "paper-pmc", "demo", "small"
    std::string title;
    std::string help;
    std::vector<std::pair<std::string, std::string>> values;
};
[[nodiscard]] const std::vector<Preset>& builtInPresets();
Result<void> applyPreset(RunConfig& config, std::string_view name);

}  // namespace mofo
