#include "core/base/text.h"
#include "core/config/run_config.h"

namespace mofo {

const std::vector<Preset>& builtInPresets() {
    // The values of the first two are mofo.md's table "Recipe of the paper". Their loss is a mean over the tokens of a micro-batch and
    // then over micro-batches, and micro_batch decides what that is; hence both are part of the recipe.
    static const std::vector<Preset> presets{
        {"paper-metamathqa",
         "MoFO paper, MetaMathQA",
         "The recipe of arXiv 2407.20999 for Llama-2-7B on the first 39,500 rows of MetaMathQA. The paper trains in bf16; this version trains in "
         "fp32.",
         {{"optimizer", "mofo"},
          {"rule", "momentum"},
          {"alpha", "0.15"},
          {"granularity", "tensor"},
          {"lr", "2e-05"},
          {"schedule", "cosine"},
          {"warmup", "0"},
          {"steps", "0"},
          {"epochs", "2"},
          {"batch", "128"},
          {"micro_batch", "1"},
          {"max_length", "1024"},
          {"weight_decay", "0"},
          {"clip", "1"},
          {"loss_mean", "micro_batch"},
          {"precision", "fp32"}}},
        {"paper-pmc",
         "MoFO paper, PMC-LLaMA instructions",
         "The recipe of arXiv 2407.20999 for Llama-2-7B-chat on the first 51,200 rows of the PMC-LLaMA instructions. The paper trains in bf16; this "
         "version trains in "
         "fp32.",
         {{"optimizer", "mofo"},
          {"rule", "momentum"},
          {"alpha", "0.15"},
          {"granularity", "tensor"},
          {"lr", "1e-05"},
          {"schedule", "cosine"},
          {"warmup", "0.03"},
          {"steps", "0"},
          {"epochs", "2"},
          {"batch", "128"},
          {"micro_batch", "2"},
          {"max_length", "1024"},
          {"weight_decay", "0"},
          {"clip", "1"},
          {"loss_mean", "micro_batch"},
          {"precision", "fp32"}}},
        {"small",
         "Small machine",
         "A model of up to about a billion parameters on a laptop or desktop: short rows, small micro-batches, a checkpoint every 200 steps.",
         {{"optimizer", "mofo"},
          {"alpha", "0.15"},
          {"granularity", "tensor"},
          {"lr", "2e-05"},
          {"schedule", "cosine"},
          {"warmup", "0.03"},
          {"batch", "16"},
          {"micro_batch", "2"},
          {"max_length", "512"},
          {"clip", "1"},
          {"eval_every", "100"},
          {"checkpoint_every", "200"},
          {"keep", "2"}}},
        {"demo",
         "Demonstration",
         "40 steps in a few minutes on two cores, measured often enough to watch selection and drift; a checkpoint at the end.",
         {{"optimizer", "mofo"},
          {"alpha", "0.15"},
          {"granularity", "tensor"},
          {"lr", "2e-05"},
          {"schedule", "constant"},
          {"steps", "40"},
          {"batch", "4"},
          {"micro_batch", "4"},
          {"max_length", "256"},
          {"eval_every", "20"},
          {"eval_split", "0.02"},
          {"stats_every", "2"},
          {"probes", "kl:16,text:8,eval:4"},
          {"checkpoint_every", "0"}}},
    };
    return presets;
}

Result<void> applyPreset(RunConfig& config, std::string_view name) {
    std::vector<std::string> names;
    for (const Preset& preset : builtInPresets()) {
        if (preset.name != name) {
            names.push_back(preset.name);
            continue;
        }
        for (const auto& [key, value] : preset.values) MOFO_CHECK(setConfigValue(config, key, value));
        return {};
    }
    const std::string near = nearestName(name, names);
    return Error{ErrorCode::Usage, "there is no preset \"" + escapeForDisplay(name.substr(0, 60)) + '"', "",
                 near.empty() ? "The presets are " + joinText(names, ", ") : "Did you mean " + near + "?", "KEY"};
}

}  // namespace mofo
