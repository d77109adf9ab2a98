#include "ui/models/key_texts.h"

#include <QCoreApplication>

namespace mofo::ui {

namespace {

struct KeyText {
    const char* key;
    const char* label;
    const char* help;  ///< as in core/config, so that lupdate finds it; a test compares the two
};

// clang-format off
constexpr KeyText keyTexts[] = {
    {"model", QT_TRANSLATE_NOOP("KeyLabel", "Model"),
     QT_TRANSLATE_NOOP("KeyHelp", "What is tuned: a GGUF file, a Hugging Face folder, a model of the workspace, or random:smollm2")},
    {"chat_template", QT_TRANSLATE_NOOP("KeyLabel", "Chat template"),
     QT_TRANSLATE_NOOP("KeyHelp", "Name of the chat template, such as chatml or llama3; empty: recognised from the model, never executed")},
    {"data", QT_TRANSLATE_NOOP("KeyLabel", "Training data"),
     QT_TRANSLATE_NOOP("KeyHelp", "Training rows: JSONL, JSON array, CSV or TSV; chats, question and answer pairs, or texts")},
    {"columns", QT_TRANSLATE_NOOP("KeyLabel", "Columns"),
     QT_TRANSLATE_NOOP("KeyHelp", "Which columns to train on where their names say nothing: prompt:A,completion:B or text:A")},
    {"eval_data", QT_TRANSLATE_NOOP("KeyLabel", "Held-out data"),
     QT_TRANSLATE_NOOP("KeyHelp", "Rows for the held-out loss; never trained on")},
    {"eval_split", QT_TRANSLATE_NOOP("KeyLabel", "Held-out share"),
     QT_TRANSLATE_NOOP("KeyHelp", "Share of the data, its last rows, held out for evaluation; 0 with eval_every and without eval_data: 0.05")},
    {"eval_every", QT_TRANSLATE_NOOP("KeyLabel", "Evaluate every"),
     QT_TRANSLATE_NOOP("KeyHelp", "Held-out loss after every so many steps; 0: only before the first and after the last")},
    {"max_length", QT_TRANSLATE_NOOP("KeyLabel", "Longest row"),
     QT_TRANSLATE_NOOP("KeyHelp", "Longer rows are cut at the end and counted (MoFO paper: 1024)")},
    {"group_by_length", QT_TRANSLATE_NOOP("KeyLabel", "Group by length"),
     QT_TRANSLATE_NOOP("KeyHelp", "Batches of rows of like length: of 32 batches at a time the rows are sorted by length, and these batches are taken in an order drawn from the seed")},
    {"shuffle", QT_TRANSLATE_NOOP("KeyLabel", "Shuffle rows"),
     QT_TRANSLATE_NOOP("KeyHelp", "Order of the rows drawn anew each epoch from seed and epoch alone; false: file order")},
    {"seed", QT_TRANSLATE_NOOP("KeyLabel", "Seed"),
     QT_TRANSLATE_NOOP("KeyHelp", "Decides the order of the rows and every random choice; equal seeds give equal runs")},
    {"optimizer", QT_TRANSLATE_NOOP("KeyLabel", "Optimizer"),
     QT_TRANSLATE_NOOP("KeyHelp", "mofo: momentum-filtered AdamW (arXiv 2407.20999); adamw: all moves; hft: half of each layer's tensors (arXiv 2404.18466); fixed_mask: a random share alpha, drawn once; lora: small matrices beside frozen weights (arXiv 2106.09685); lora_mofo: MoFO on those")},
    {"rule", QT_TRANSLATE_NOOP("KeyLabel", "Selection rule"),
     QT_TRANSLATE_NOOP("KeyHelp", "What ranks a partition's coordinates: momentum |m| (MoFO), gradient |g|, mv |m/h|, random (MoFO paper, its ablation of rules)")},
    {"alpha", QT_TRANSLATE_NOOP("KeyLabel", "Alpha (α)"),
     QT_TRANSLATE_NOOP("KeyHelp", "Share of each partition's coordinates that a step moves; 5 to 20 % is advised, 1 is AdamW (MoFO paper, Algorithm 1)")},
    {"alpha.attention", QT_TRANSLATE_NOOP("KeyLabel", "α of attention"),
     QT_TRANSLATE_NOOP("KeyHelp", "alpha of the attention parameters alone; empty: as alpha")},
    {"alpha.mlp", QT_TRANSLATE_NOOP("KeyLabel", "α of MLPs"),
     QT_TRANSLATE_NOOP("KeyHelp", "alpha of the mlp parameters alone; empty: as alpha")},
    {"alpha.embedding", QT_TRANSLATE_NOOP("KeyLabel", "α of the embedding"),
     QT_TRANSLATE_NOOP("KeyHelp", "alpha of the embedding parameters alone; empty: as alpha")},
    {"alpha.head", QT_TRANSLATE_NOOP("KeyLabel", "α of the head"),
     QT_TRANSLATE_NOOP("KeyHelp", "alpha of the head (output layer) parameters alone; empty: as alpha")},
    {"granularity", QT_TRANSLATE_NOOP("KeyLabel", "Granularity"),
     QT_TRANSLATE_NOOP("KeyHelp", "What a partition is: model, layer, module, tensor (the paper's), head, row, block:N or shards:S")},
    {"hft_every", QT_TRANSLATE_NOOP("KeyLabel", "HFT draws every"),
     QT_TRANSLATE_NOOP("KeyHelp", "Steps after which hft draws its half anew (arXiv 2404.18466: each round); 0: after one pass over the rows")},
    {"lora_rank", QT_TRANSLATE_NOOP("KeyLabel", "LoRA rank"),
     QT_TRANSLATE_NOOP("KeyHelp", "Rank of LoRA's matrices A and B beside q, k, v, o, gate, up and down")},
    {"lora_alpha", QT_TRANSLATE_NOOP("KeyLabel", "LoRA scale"),
     QT_TRANSLATE_NOOP("KeyHelp", "LoRA's product B A is scaled by lora_alpha / lora_rank (arXiv 2106.09685)")},
    {"lora_dropout", QT_TRANSLATE_NOOP("KeyLabel", "LoRA dropout"),
     QT_TRANSLATE_NOOP("KeyHelp", "Share of the inputs of LoRA's A that a training step leaves out")},
    {"l1", QT_TRANSLATE_NOOP("KeyLabel", "L1 pull"),
     QT_TRANSLATE_NOOP("KeyHelp", "Pull to the pretrained weights p0 by sign: p -= lr l1 sign(p - p0), norms exempt (baseline of the MoFO paper); 0: off")},
    {"l2", QT_TRANSLATE_NOOP("KeyLabel", "L2 pull"),
     QT_TRANSLATE_NOOP("KeyHelp", "Pull to the pretrained weights p0 by distance: p -= lr l2 (p - p0), norms exempt (baseline of the MoFO paper); 0: off")},
    {"filter_include", QT_TRANSLATE_NOOP("KeyLabel", "Filtered parameters"),
     QT_TRANSLATE_NOOP("KeyHelp", "Parameters that are filtered, as name patterns (* any characters, comma between patterns); empty: all but norms and biases (MoFO paper)")},
    {"filter_exclude", QT_TRANSLATE_NOOP("KeyLabel", "Unfiltered parameters"),
     QT_TRANSLATE_NOOP("KeyHelp", "Parameters that are not filtered, as name patterns: they take the whole AdamW step")},
    {"weight_decay", QT_TRANSLATE_NOOP("KeyLabel", "Weight decay"),
     QT_TRANSLATE_NOOP("KeyHelp", "Decoupled weight decay of everything but norms (AdamW, arXiv 1711.05101)")},
    {"decay", QT_TRANSLATE_NOOP("KeyLabel", "Decay reaches"),
     QT_TRANSLATE_NOOP("KeyHelp", "Which coordinates weight decay reaches: all (MoFO paper) or only those the step moves")},
    {"beta1", QT_TRANSLATE_NOOP("KeyLabel", "Beta 1"),
     QT_TRANSLATE_NOOP("KeyHelp", "Decay of the first moment (Adam, arXiv 1412.6980)")},
    {"beta2", QT_TRANSLATE_NOOP("KeyLabel", "Beta 2"),
     QT_TRANSLATE_NOOP("KeyHelp", "Decay of the second moment (Adam, arXiv 1412.6980)")},
    {"eps", QT_TRANSLATE_NOOP("KeyLabel", "Epsilon"),
     QT_TRANSLATE_NOOP("KeyHelp", "Added to the root of the second moment (Adam, arXiv 1412.6980)")},
    {"loss_mean", QT_TRANSLATE_NOOP("KeyLabel", "Loss mean"),
     QT_TRANSLATE_NOOP("KeyHelp", "Mean of the loss over all trained tokens of the step, per row, or per micro-batch as the MoFO authors' code does")},
    {"lr", QT_TRANSLATE_NOOP("KeyLabel", "Learning rate"),
     QT_TRANSLATE_NOOP("KeyHelp", "Peak learning rate (MoFO paper: 2e-5 on MetaMathQA, 1e-5 on PMC-LLaMA)")},
    {"schedule", QT_TRANSLATE_NOOP("KeyLabel", "Schedule"),
     QT_TRANSLATE_NOOP("KeyHelp", "How lr falls after the warm-up, as Transformers defines it")},
    {"warmup", QT_TRANSLATE_NOOP("KeyLabel", "Warm-up"),
     QT_TRANSLATE_NOOP("KeyHelp", "Linear rise of lr at the start: steps from 1 on, a share of the run below 1")},
    {"steps", QT_TRANSLATE_NOOP("KeyLabel", "Steps"),
     QT_TRANSLATE_NOOP("KeyHelp", "Length of the run in optimizer steps; 0: from epochs")},
    {"epochs", QT_TRANSLATE_NOOP("KeyLabel", "Epochs"),
     QT_TRANSLATE_NOOP("KeyHelp", "Passes over the rows where steps is 0: ceil(rows x epochs / batch) steps")},
    {"batch", QT_TRANSLATE_NOOP("KeyLabel", "Batch"),
     QT_TRANSLATE_NOOP("KeyHelp", "Rows per optimizer step (MoFO paper: 128)")},
    {"micro_batch", QT_TRANSLATE_NOOP("KeyLabel", "Micro-batch"),
     QT_TRANSLATE_NOOP("KeyHelp", "Rows per forward pass: less memory, the same step; 0: the whole batch")},
    {"oom_retry", QT_TRANSLATE_NOOP("KeyLabel", "Retry when out of memory"),
     QT_TRANSLATE_NOOP("KeyHelp", "Out of memory, a step is tried again with half as many rows per forward pass, and so are those after it: the same batch, smaller pieces; false: the run ends with what it needed")},
    {"clip", QT_TRANSLATE_NOOP("KeyLabel", "Gradient clip"),
     QT_TRANSLATE_NOOP("KeyHelp", "Largest L2 norm of the whole gradient; 0: off (MoFO paper: 1.0)")},
    {"on_nonfinite", QT_TRANSLATE_NOOP("KeyLabel", "At NaN or Inf"),
     QT_TRANSLATE_NOOP("KeyHelp", "At a NaN or infinite loss or gradient: stop before the update, or leave the update out (ten in a row stop the run)")},
    {"skip_steps", QT_TRANSLATE_NOOP("KeyLabel", "Steps left out"),
     QT_TRANSLATE_NOOP("KeyHelp", "Steps whose update is left out, such as 812,900: a batch that breaks the run; empty: none")},
    {"probes", QT_TRANSLATE_NOOP("KeyLabel", "Probes"),
     QT_TRANSLATE_NOOP("KeyHelp", "What is measured before the first step and while the run is on, NAME or FILE, each with :LIMIT or without (`mofo tasks`); empty: nothing")},
    {"probe_every", QT_TRANSLATE_NOOP("KeyLabel", "Probes every"),
     QT_TRANSLATE_NOOP("KeyHelp", "Probes after every so many steps, and always before the first and after the last; 0: by probe_minutes alone")},
    {"probe_minutes", QT_TRANSLATE_NOOP("KeyLabel", "Probes after"),
     QT_TRANSLATE_NOOP("KeyHelp", "Probes when the last ones are this old; 0: off")},
    {"probe_budget", QT_TRANSLATE_NOOP("KeyLabel", "Probe budget"),
     QT_TRANSLATE_NOOP("KeyHelp", "What probes on the way may take: they come less often where they would take more; 1: as often as asked")},
    {"guard_action", QT_TRANSLATE_NOOP("KeyLabel", "Guards do"),
     QT_TRANSLATE_NOOP("KeyHelp", "What guards do: notify; pause; lower_alpha: halve it; back: return to the best checkpoint, then halve alpha, or leave out the step that spiked")},
    {"guard_spike", QT_TRANSLATE_NOOP("KeyLabel", "Loss spike"),
     QT_TRANSLATE_NOOP("KeyHelp", "Limit of a step's loss above the median of the last 50, in robust deviations (1.4826 MAD, at least 2 % of the median); from 20 losses on")},
    {"guard_spike_action", QT_TRANSLATE_NOOP("KeyLabel", "At a spike"),
     QT_TRANSLATE_NOOP("KeyHelp", "What guard_spike does; default: as guard_action")},
    {"guard_drift", QT_TRANSLATE_NOOP("KeyLabel", "Drift limit"),
     QT_TRANSLATE_NOOP("KeyHelp", "Limit of the distance from the pretrained weights (L2 over theirs, whole model), looked at where statistics are measured; 0: off")},
    {"guard_drift_action", QT_TRANSLATE_NOOP("KeyLabel", "At the drift limit"),
     QT_TRANSLATE_NOOP("KeyHelp", "What guard_drift does; default: as guard_action")},
    {"guard_eval", QT_TRANSLATE_NOOP("KeyLabel", "Held-out loss rise"),
     QT_TRANSLATE_NOOP("KeyHelp", "Limit of the held-out loss above the lowest so far, in nats per token, looked at every eval_every steps; 0: off")},
    {"guard_eval_action", QT_TRANSLATE_NOOP("KeyLabel", "At a rise"),
     QT_TRANSLATE_NOOP("KeyHelp", "What guard_eval does; default: as guard_action")},
    {"guard_eval_start", QT_TRANSLATE_NOOP("KeyLabel", "Rise over the start"),
     QT_TRANSLATE_NOOP("KeyHelp", "Limit of the held-out loss above that of the start, as a share of it (0.05: 5 % more), looked at every eval_every steps; 0: off")},
    {"guard_eval_start_action", QT_TRANSLATE_NOOP("KeyLabel", "At a rise over the start"),
     QT_TRANSLATE_NOOP("KeyHelp", "What guard_eval_start does; default: as guard_action")},
    {"guard_forget", QT_TRANSLATE_NOOP("KeyLabel", "Forgotten accuracy"),
     QT_TRANSLATE_NOOP("KeyHelp", "Limit of the accuracy that a probe marked general loses against the start, in points: passed by its whole paired 95 % interval; 0: off")},
    {"guard_forget_action", QT_TRANSLATE_NOOP("KeyLabel", "At that loss"),
     QT_TRANSLATE_NOOP("KeyHelp", "What guard_forget does; default: as guard_action")},
    {"guard_forget_nats", QT_TRANSLATE_NOOP("KeyLabel", "Forgotten nats"),
     QT_TRANSLATE_NOOP("KeyHelp", "Limit of the rise of a general probe's loss or KL over the start, in nats per token: passed by its whole paired 95 % interval; 0: off")},
    {"guard_forget_nats_action", QT_TRANSLATE_NOOP("KeyLabel", "At that rise"),
     QT_TRANSLATE_NOOP("KeyHelp", "What guard_forget_nats does; default: as guard_action")},
    {"early_stop", QT_TRANSLATE_NOOP("KeyLabel", "Early stop"),
     QT_TRANSLATE_NOOP("KeyHelp", "Stop after so many evaluations in a row without a lower held-out loss; the best checkpoint stays (RUN@best); 0: off")},
    {"precision", QT_TRANSLATE_NOOP("KeyLabel", "Precision"),
     QT_TRANSLATE_NOOP("KeyHelp", "fp32: all arithmetic (TF32 is off); bf32: matrix products of fp32 numbers rounded to bf16; bf16: activations and those products in bf16, weights, norms, softmax, loss, gradients and moments in fp32")},
    {"recompute", QT_TRANSLATE_NOOP("KeyLabel", "Recompute"),
     QT_TRANSLATE_NOOP("KeyHelp", "layer: keeps each layer's input alone and computes its activations again on the way back: less memory, more time, the same bits")},
    {"device", QT_TRANSLATE_NOOP("KeyLabel", "Device"),
     QT_TRANSLATE_NOOP("KeyHelp", "auto: the GPU where one can be used, else the CPU, and why is said; cuda refuses instead")},
    {"offload", QT_TRANSLATE_NOOP("KeyLabel", "Offload"),
     QT_TRANSLATE_NOOP("KeyHelp", "optimizer: m and v stay in host memory and the CPU does the step, for models that fill the GPU (ZeRO-Offload, arXiv 2101.06840)")},
    {"checkpoint_every", QT_TRANSLATE_NOOP("KeyLabel", "Checkpoint every"),
     QT_TRANSLATE_NOOP("KeyHelp", "Checkpoint after every so many steps; 0: only the last step's")},
    {"checkpoint_minutes", QT_TRANSLATE_NOOP("KeyLabel", "Checkpoint after"),
     QT_TRANSLATE_NOOP("KeyHelp", "Checkpoint when the last one is this old; 0: off")},
    {"keep", QT_TRANSLATE_NOOP("KeyLabel", "Keep newest"),
     QT_TRANSLATE_NOOP("KeyHelp", "Newest checkpoints to keep; pinned ones and the best stay beside them")},
    {"stats_every", QT_TRANSLATE_NOOP("KeyLabel", "Statistics every"),
     QT_TRANSLATE_NOOP("KeyHelp", "Selection and drift of every tensor, measured at step 1, at this cadence, and at the last step")},
    {"row_counts", QT_TRANSLATE_NOOP("KeyLabel", "Row counts of"),
     QT_TRANSLATE_NOOP("KeyHelp", "Parameters whose selected coordinates are counted row by row at logged steps, as name patterns (filter_include's); empty: none")},
    {"coverage", QT_TRANSLATE_NOOP("KeyLabel", "Coverage"),
     QT_TRANSLATE_NOOP("KeyHelp", "Which coordinates were ever selected at logged steps (mofo.md, \"What is shown\"): one bit of memory a parameter")},
};

constexpr const char* unitTexts[] = {
    QT_TRANSLATE_NOOP("KeyUnit", "share of the rows"),
    QT_TRANSLATE_NOOP("KeyUnit", "steps"),
    QT_TRANSLATE_NOOP("KeyUnit", "tokens"),
    QT_TRANSLATE_NOOP("KeyUnit", "steps, or share below 1"),
    QT_TRANSLATE_NOOP("KeyUnit", "epochs"),
    QT_TRANSLATE_NOOP("KeyUnit", "rows"),
    QT_TRANSLATE_NOOP("KeyUnit", "evaluations"),
    QT_TRANSLATE_NOOP("KeyUnit", "minutes"),
    QT_TRANSLATE_NOOP("KeyUnit", "share of the time"),
    QT_TRANSLATE_NOOP("KeyUnit", "share"),
    QT_TRANSLATE_NOOP("KeyUnit", "checkpoints"),
};

constexpr const char* sectionTexts[] = {
    QT_TRANSLATE_NOOP("KeySection", "Model"),
    QT_TRANSLATE_NOOP("KeySection", "Data"),
    QT_TRANSLATE_NOOP("KeySection", "Method"),
    QT_TRANSLATE_NOOP("KeySection", "Schedule"),
    QT_TRANSLATE_NOOP("KeySection", "Probes"),
    QT_TRANSLATE_NOOP("KeySection", "Guard rails"),
    QT_TRANSLATE_NOOP("KeySection", "Precision"),
    QT_TRANSLATE_NOOP("KeySection", "Checkpoints"),
    QT_TRANSLATE_NOOP("KeySection", "Statistics"),
};

struct PresetText {
    const char* title;
    const char* help;
};
constexpr PresetText presetTexts[] = {
    {QT_TRANSLATE_NOOP("Preset", "MoFO paper, MetaMathQA"),
     QT_TRANSLATE_NOOP("Preset", "The recipe of arXiv 2407.20999 for Llama-2-7B on the first 39,500 rows of MetaMathQA. The paper trains in bf16; this version trains in fp32.")},
    {QT_TRANSLATE_NOOP("Preset", "MoFO paper, PMC-LLaMA instructions"),
     QT_TRANSLATE_NOOP("Preset", "The recipe of arXiv 2407.20999 for Llama-2-7B-chat on the first 51,200 rows of the PMC-LLaMA instructions. The paper trains in bf16; this version trains in fp32.")},
    {QT_TRANSLATE_NOOP("Preset", "Small machine"),
     QT_TRANSLATE_NOOP("Preset", "A model of up to about a billion parameters on a laptop or desktop: short rows, small micro-batches, a checkpoint every 200 steps.")},
    {QT_TRANSLATE_NOOP("Preset", "Demonstration"),
     QT_TRANSLATE_NOOP("Preset", "40 steps in a few minutes on two cores, measured often enough to watch selection and drift; a checkpoint at the end.")},
};
// clang-format on

}  // namespace

bool hasKeyText(const KeyDescription& key) {
    for (const KeyText& text : keyTexts) {
        if (key.name == text.key) return key.help == text.help;
    }
    return false;
}

bool hasUnitText(const std::string& unit) {
    for (const char* text : unitTexts) {
        if (unit == text) return true;
    }
    return unit.empty();
}

bool hasSectionText(const std::string& section) {
    for (const char* text : sectionTexts) {
        if (section == text) return true;
    }
    return false;
}

bool hasPresetText(const Preset& preset) {
    for (const PresetText& text : presetTexts) {
        if (preset.title == text.title) return preset.help == text.help;
    }
    return false;
}

QString keyLabel(const std::string& key) {
    for (const KeyText& text : keyTexts) {
        if (key == text.key) return QCoreApplication::translate("KeyLabel", text.label);
    }
    return QString::fromStdString(key);
}

QString keyHelp(const KeyDescription& key) { return QCoreApplication::translate("KeyHelp", key.help.c_str()); }
QString unitText(const std::string& unit) { return unit.empty() ? QString() : QCoreApplication::translate("KeyUnit", unit.c_str()); }
QString sectionText(const std::string& section) { return QCoreApplication::translate("KeySection", section.c_str()); }
QString presetTitle(const Preset& preset) { return QCoreApplication::translate("Preset", preset.title.c_str()); }
QString presetHelp(const Preset& preset) { return QCoreApplication::translate("Preset", preset.help.c_str()); }

}  // namespace mofo::ui
