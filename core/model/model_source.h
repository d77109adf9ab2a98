// A model on disk, whatever its form: its description, its tokenizer, its weights by Hugging Face name.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/model/model_description.h"
#include "core/tensorio/tensor_info.h"
#include "core/text/tokenizer.h"

namespace mofo {

/// Opened and checked as a whole (every parameter present with the right shape) before any weight is read.
class ModelSource {
public:
    /// A GGUF file, an HF folder, or random:smollm2 / random:llama-1b.
    static Result<std::unique_ptr<ModelSource>> open(const std::string& nameOrPath);
    virtual ~ModelSource() = default;

    [[nodiscard]] virtual const ModelDescription& description() const = 0;
    /// Order of parametersOf(description()).
    [[nodiscard]] virtual const std::vector<ParameterInfo>& parameters() const = 0;
    /// Fills `out` (elementCount values) with parameter `index` in the HF layout as fp32; GGUF's permuted q and k are put back.
    virtual Result<void> readParameter(std::size_t index, std::span<float> out) const = 0;
    virtual Result<Tokenizer> loadTokenizer() const = 0;
    /// "GGUF Q4_1", "safetensors BF16", "random": for cards and messages.
    [[nodiscard]] virtual std::string formatName() const = 0;
    [[nodiscard]] virtual bool isQuantised() const = 0;
    [[nodiscard]] virtual std::vector<std::string> warnings() const = 0;
    /// config.json of the source (HF: as it stands; GGUF: made from the metadata).
    [[nodiscard]] virtual Json hfConfig() const = 0;
};

/// Writes a folder that Transformers loads: config.json, model.safetensors (fixed order, {"format":"pt"}), tokenizer files,
/// generation_config.json. Atomic (StagedFolder); needs room for the whole first. dtype: F32, BF16 or F16.
/// `progress`: 0..1, false cancels. Returns the SHA-256 of model.safetensors.
Result<std::string> writeHfFolder(const ModelSource& source, const std::filesystem::path& target, DType dtype,
                                  const std::function<bool(double)>& progress = {});

}  // namespace mofo
