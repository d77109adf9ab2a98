#include "core/model/model_source.h"

#include <algorithm>
#include <array>
#include <system_error>

#include "core/base/file.h"
#include "core/base/text.h"
#include "core/model/sources.h"
#include "core/tensorio/convert.h"

namespace mofo {

namespace fs = std::filesystem;

Result<std::unique_ptr<ModelSource>> ModelSource::open(const std::string& nameOrPath) {
    if (nameOrPath.starts_with("random:")) return openRandomSource(nameOrPath);
    const fs::path path(nameOrPath);
    std::error_code ec;
    const fs::file_status status = fs::status(path, ec);
    if (!fs::exists(status)) {
        return Error{ErrorCode::NotFound,
                     ec && ec.value() != ENOENT && ec.value() != ENOTDIR ? "cannot open the model: " + ec.message() : "there is no such model",
                     escapeForDisplay(nameOrPath), "Name a GGUF file, a Hugging Face folder, or random:smollm2", "MISSING"};
    }
    if (fs::is_directory(status)) return openHfSource(path);

    MOFO_TRY(const FileReader file, FileReader::open(path));
    std::array<char, 16> head{};
    const std::size_t known = std::min<std::uint64_t>(head.size(), file.sizeBytes());
    MOFO_CHECK(file.readAt(0, std::as_writable_bytes(std::span(head).first(known))));
    const std::string_view begin(head.data(), known);
    if (begin.starts_with("PK\x03\x04") || begin.starts_with("\x80\x02")) {
        return Error{ErrorCode::Unsupported, "this is a PyTorch pickle, which is a program and never loaded", escapeForDisplay(nameOrPath),
                     "Convert the model to safetensors first", "unsupported"};
    }
    if (begin.size() > 8 && begin[8] == '{') {
        return Error{ErrorCode::Unsupported, "this is a safetensors file; its folder is needed as well, for config.json and the tokenizer",
                     escapeForDisplay(nameOrPath), "Name the folder", "unsupported"};
    }
    return openGgufSource(path);
}

Result<void> ModelSource::readPiece(std::size_t index, std::int64_t first, std::span<float> out) const {
    if (first == 0 && static_cast<std::int64_t>(out.size()) == parameters()[index].elementCount()) return readParameter(index, out);
    return Error{ErrorCode::Internal, "this model can only be read in whole parameters", parameters()[index].name, "", ""};
}

Json ModelSource::hfGenerationConfig() const {
    const ModelDescription& model = description();
    Json config = {{"_from_model_config", true}};
    if (model.bosId) config["bos_token_id"] = *model.bosId;
    if (model.padId) config["pad_token_id"] = *model.padId;
    if (model.eosIds.size() == 1) config["eos_token_id"] = model.eosIds.front();
    if (model.eosIds.size() > 1) config["eos_token_id"] = model.eosIds;
    return config;
}

void NonFiniteLog::note(std::size_t parameter, std::int64_t first, std::span<const float> values) {
    const std::int64_t count = countNonFinite(values);
    if (count == 0) return;
    const std::lock_guard lock(m_mutex);
    m_counts[{parameter, first}] = count;
}

void NonFiniteLog::appendTo(std::vector<std::string>& warnings, const std::vector<ParameterInfo>& parameters) const {
    const std::lock_guard lock(m_mutex);
    std::map<std::size_t, std::int64_t> totals;
    for (const auto& [place, count] : m_counts) totals[place.first] += count;
    for (const auto& [parameter, count] : totals) {
        warnings.push_back(parameters[parameter].name + ": " + formatCount(count) + " of " + formatCount(parameters[parameter].elementCount()) +
                           " values are not finite");
    }
}

Result<void> requireDecodable(const ModelDescription& model, const std::string& where) {
    if (!model.attentionBias && !model.mlpBias) return {};
    return Error{
        ErrorCode::Unsupported,
        std::string("biases in the ") + (model.attentionBias ? "attention" : "MLP") + " of the " + model.family + " architecture are not implemented",
        where, "", "unsupported"};
}

void warnOfUnused(const std::vector<std::string>& names, std::vector<std::string>& warnings) {
    if (names.empty()) return;
    constexpr std::size_t shown = 3;
    std::string text = formatCount(static_cast<std::int64_t>(names.size())) + (names.size() == 1 ? " tensor belongs" : " tensors belong") +
                       " to no parameter of the model: ";
    for (std::size_t i = 0; i < std::min(shown, names.size()); ++i) text += (i == 0 ? "" : ", ") + escapeForDisplay(names[i].substr(0, 80));
    warnings.push_back(text + (names.size() > shown ? ", ..." : ""));
}

DType prevailingType(const std::vector<TensorInfo>& tensors) {
    std::map<DType, std::int64_t> elements;
    for (const TensorInfo& tensor : tensors) elements[tensor.dtype] += tensor.elementCount;
    const auto most = std::max_element(elements.begin(), elements.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    return most == elements.end() ? DType::F32 : most->first;
}

Result<void> checkTensor(const TensorInfo& tensor, const ParameterInfo& parameter, const std::string& where) {
    if (tensor.shape != parameter.shape) {
        return Error{ErrorCode::InvalidInput,
                     "tensor " + escapeForDisplay(tensor.name) + " has the shape " + shapeText(tensor.shape) + " where the configuration asks for " +
                         shapeText(parameter.shape),
                     where, "Configuration and weights belong to different models: fetch both again", "SIZE"};
    }
    if (!canReadAsFloat(tensor.dtype)) {
        return Error{
            ErrorCode::Unsupported,
            "tensor " + escapeForDisplay(tensor.name) + " is stored as " + std::string(dtypeName(tensor.dtype)) + ", which this build cannot read",
            where, "Known: F32, F16, BF16, F64, Q4_0, Q4_1, Q8_0", "DTYPE"};
    }
    return {};
}

}  // namespace mofo
