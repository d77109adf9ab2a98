// The model that a checkpoint holds: weights from the checkpoint, description and tokenizer from the sealed model it started from.
#pragma once

#include <filesystem>
#include <memory>

#include "core/base/result.h"
#include "core/model/model_source.h"
#include "core/tensorio/safetensors.h"

namespace mofo {

class CheckpointSource : public ModelSource {
public:
    /// `base` gives everything but the weights; every parameter must be in the checkpoint's model.safetensors with its shape.
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
    SafetensorsFile m_file;
    std::unique_ptr<ModelSource> m_base;
};

}  // namespace mofo
