#include "core/engine/checkpoint_source.h"

#include "core/base/text.h"

namespace mofo {

Result<std::unique_ptr<ModelSource>> CheckpointSource::open(const std::filesystem::path& checkpoint, std::unique_ptr<ModelSource> base) {
    MOFO_TRY(SafetensorsFile file, SafetensorsFile::open(checkpoint / "model.safetensors"));
    for (const ParameterInfo& info : base->parameters()) {
        const TensorInfo* tensor = file.find(info.name);
        if (tensor == nullptr || tensor->shape != info.shape) {
            return Error{ErrorCode::InvalidInput,
                         "the tensor " + escapeForDisplay(info.name) + (tensor == nullptr ? " is missing" : " has another shape than in the model"),
                         file.path().string(), "Use another checkpoint", "SIZE"};
        }
    }
    return std::unique_ptr<ModelSource>(new CheckpointSource(std::move(file), std::move(base)));
}

Result<void> CheckpointSource::readParameter(std::size_t index, std::span<float> out) const {
    return m_file.readFloats(*m_file.find(parameters()[index].name), 0, out);
}

}  // namespace mofo
