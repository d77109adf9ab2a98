#include "core/engine/checkpoint_source.h"

#include <algorithm>

#include "core/base/file.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/config/run_config.h"
#include "core/engine/lora.h"
#include "core/engine/torch_guard.h"

namespace mofo {

Result<std::unique_ptr<ModelSource>> CheckpointSource::open(const std::filesystem::path& checkpoint, std::unique_ptr<ModelSource> base) {
    MOFO_TRY(SafetensorsFile file, SafetensorsFile::open(checkpoint / "model.safetensors"));
    std::unique_ptr<CheckpointSource> source(new CheckpointSource(std::move(file), std::move(base)));
    const std::vector<ParameterInfo> matrices = loraParameters(source->parameters(), 1);
    if (!matrices.empty() && source->m_file.find(matrices.front().name) != nullptr) {
        MOFO_CHECK(source->useLora(checkpoint));
    } else {
        MOFO_CHECK(source->expect(source->parameters()));
    }
    return std::unique_ptr<ModelSource>(std::move(source));
}

Result<void> CheckpointSource::expect(const std::vector<ParameterInfo>& parameters) const {
    for (const ParameterInfo& info : parameters) {
        const TensorInfo* tensor = m_file.find(info.name);
        if (tensor == nullptr || tensor->shape != info.shape) {
            return Error{ErrorCode::InvalidInput,
                         "the tensor " + escapeForDisplay(info.name) + (tensor == nullptr ? " is missing" : " has another shape than in the model"),
                         m_file.path().string(), "Use another checkpoint", "SIZE"};
        }
    }
    return {};
}

Result<void> CheckpointSource::useLora(const std::filesystem::path& checkpoint) {
    // Rank and scale are the run's: the matrices alone do not tell the latter.
    const std::filesystem::path stateFile = checkpoint / "state.json";
    MOFO_TRY(const std::string text, readWholeFile(stateFile, 64 << 20));
    auto state = parseJson(text);
    if (!state.ok()) return std::move(state).error().in(escapeForDisplay(stateFile.string()));
    auto config = configFromJson(state->is_object() ? state->value("config", Json()) : Json());
    if (!config.ok()) return std::move(config).error();
    if (!trainsLora(config->optimizer)) {
        return Error{ErrorCode::InvalidInput, "the checkpoint holds LoRA's matrices, but its settings are those of another optimizer",
                     escapeForDisplay(stateFile.string()), "Use another checkpoint", "CHANGED"};
    }
    const LoraSettings settings = LoraSettings::from(*config);
    m_matrices = loraParameters(parameters(), settings.rank);
    m_adapted = loraTargets(parameters());
    m_scale = settings.scale();
    return expect(m_matrices);
}

Result<void> CheckpointSource::readParameter(std::size_t index, std::span<float> out) const {
    if (m_matrices.empty()) return m_file.readFloats(*m_file.find(parameters()[index].name), 0, out);
    MOFO_CHECK(m_base->readParameter(index, out));
    const auto found = std::find(m_adapted.begin(), m_adapted.end(), index);
    if (found == m_adapted.end()) return {};
    const auto pair = static_cast<std::size_t>(2 * (found - m_adapted.begin()));
    return guardTorch([&]() -> Result<void> {
        const auto read = [&](const ParameterInfo& info) -> Result<at::Tensor> {
            at::Tensor matrix = at::empty(info.shape, at::kFloat);
            MOFO_CHECK(
                m_file.readFloats(*m_file.find(info.name), 0, std::span(matrix.data_ptr<float>(), static_cast<std::size_t>(info.elementCount()))));
            return matrix;
        };
        MOFO_TRY(const at::Tensor a, read(m_matrices[pair]));
        MOFO_TRY(const at::Tensor b, read(m_matrices[pair + 1]));
        const at::Tensor whole = at::from_blob(out.data(), parameters()[index].shape, at::kFloat);
        whole.add_(loraChange(a, b, m_scale));
        return {};
    });
}

}  // namespace mofo
