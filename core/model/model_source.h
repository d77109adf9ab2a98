// A model on disk, whatever its form: its description, its tokenizer, its weights by Hugging Face name.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/model/model_description.h"
#include "core/tensorio/tensor_info.h"
#include "core/text/tokenizer.h"

namespace mofo {

/// Opened and checked as a whole (every parameter present with the right shape and a readable type) before any weight is read.
/// Reading may be done from any thread.
class ModelSource {
public:
    /// A GGUF file, an HF folder, or random:smollm2 / random:llama-1b. What a file is decides its content, not its name.
    static Result<std::unique_ptr<ModelSource>> open(const std::string& nameOrPath);
    virtual ~ModelSource() = default;

    [[nodiscard]] virtual const ModelDescription& description() const = 0;
    /// Order of parametersOf(description()).
    [[nodiscard]] virtual const std::vector<ParameterInfo>& parameters() const = 0;
    /// Fills `out` (elementCount values) with parameter `index` in the HF layout as fp32; GGUF's permuted q and k are put back.
    virtual Result<void> readParameter(std::size_t index, std::span<float> out) const = 0;
    /// The smallest run of elements that readPiece can give of this parameter; the whole parameter where pieces are not known.
    [[nodiscard]] virtual std::int64_t pieceElements(std::size_t index) const { return parameters()[index].elementCount(); }
    /// Elements [first, first + out.size()) of a parameter; both must be multiples of pieceElements(index), but for the last piece.
    virtual Result<void> readPiece(std::size_t index, std::int64_t first, std::span<float> out) const;
    /// Unsupported for a random model, which has none.
    virtual Result<Tokenizer> loadTokenizer() const = 0;
    [[nodiscard]] virtual bool hasTokenizer() const { return true; }
    /// "GGUF Q4_1", "safetensors BF16", "random": for cards and messages.
    [[nodiscard]] virtual std::string formatName() const = 0;
    [[nodiscard]] virtual bool isQuantised() const = 0;
    /// What is odd about the model; grows while weights are read (values that are not finite, with their count).
    [[nodiscard]] virtual std::vector<std::string> warnings() const = 0;
    /// config.json of the source (HF: as it stands; GGUF: made from the metadata).
    [[nodiscard]] virtual Json hfConfig() const = 0;
    /// generation_config.json (HF: as it stands where there is one; else the special tokens).
    [[nodiscard]] virtual Json hfGenerationConfig() const;
};

/// Writes a folder that Transformers loads: config.json, model.safetensors (the order and bytes of the safetensors library,
/// {"format":"pt"}), tokenizer files, generation_config.json, and `extraFiles` (name to content). Atomic (StagedFolder); needs room
/// for the whole first; read back and compared before it appears. Folder and files have the modes that the user's umask gives.
/// dtype: F32, BF16 or F16. `progress`: 0..1, false cancels (Interrupted). Returns the SHA-256 of model.safetensors.
/// Uses two threads and about 64 MiB, or the largest parameter of a source without pieces.
Result<std::string> writeHfFolder(const ModelSource& source, const std::filesystem::path& target, DType dtype,
                                  const std::function<bool(double)>& progress = {}, const std::map<std::string, std::string>& extraFiles = {});

}  // namespace mofo
