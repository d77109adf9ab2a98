// The model that a checkpoint holds: weights from the checkpoint, description and tokenizer from the sealed model it started from. Of a run that
// trained LoRA's matrices: that model's weights with the matrices merged in, W + scale B A.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <vector>

#include "core/base/result.h"
#include "core/model/model_source.h"
#include "core/tensorio/safetensors.h"

namespace mofo {

class CheckpointSource : public ModelSource {
public:
    /// `base` gives everything but the weights; every parameter, or every pair of matrices, must be in the checkpoint's model.safetensors with its
    /// shape.
    static Result<std::unique_ptr<ModelSource>> open(const std::filesystem::path& checkpoint, std::unique_ptr<ModelSource> base);

    [[nodiscard]] const ModelDescription& description() const override { return m_base->description(); }
    [[nodiscard]] const std::vector<ParameterInfo>& parameters() const override { return m_base->parameters(); }
    Result<void> readParameter(std::size_t index, std::span<float> out) const override;
    Result<Tokenizer> loadTokenizer() const override { return m_base->loadTokenizer(); }
    [[nodiscard]] std::string formatName() const override { return "checkpoint"; }
    [[nodiscard]] bool isQuantised() const override { return false; }
    [[nodiscard]] std::vector<std::string> warnings() const override { return m_base->warnings(); }
    [[nodiscard]] Json hfConfig() const override { return m_base->hfConfig(); }

private:
    CheckpointSource(SafetensorsFile file, std::unique_ptr<ModelSource> base) : m_file(std::move(file)), m_base(std::move(base)) {}
    Result<void> expect(const std::vector<ParameterInfo>& parameters) const;
    Result<void> useLora(const std::filesystem::path& checkpoint);

    SafetensorsFile m_file;
    std::unique_ptr<ModelSource> m_base;
    std::vector<ParameterInfo> m_matrices;  ///< of LoRA, else none
    std::vector<std::size_t> m_adapted;     ///< per pair of them the parameter that it adapts
    double m_scale = 0;
};

}  // namespace mofo
