#include <algorithm>
#include <cstring>
#include <unordered_set>

#include "core/base/text.h"
#include "core/model/sources.h"
#include "core/tensorio/gguf.h"

namespace mofo {

namespace {

class GgufSource final : public ModelSource {
public:
    static Result<std::unique_ptr<ModelSource>> open(const std::filesystem::path& path);

    const ModelDescription& description() const override { return m_description; }
    const std::vector<ParameterInfo>& parameters() const override { return m_parameters; }
    Result<void> readParameter(std::size_t index, std::span<float> out) const override { return readPiece(index, 0, out); }
    std::int64_t pieceElements(std::size_t index) const override;
    Result<void> readPiece(std::size_t index, std::int64_t first, std::span<float> out) const override;
    Result<Tokenizer> loadTokenizer() const override { return Tokenizer::fromGguf(m_file); }
    std::string formatName() const override { return "GGUF " + std::string(dtypeName(m_prevailing)); }
    bool isQuantised() const override { return m_quantised; }
    std::vector<std::string> warnings() const override;
    Json hfConfig() const override { return hfConfigOf(m_description, "float32"); }

private:
    explicit GgufSource(GgufFile file) : m_file(std::move(file)) {}
    [[nodiscard]] bool isPermuted(std::size_t index) const {
        return m_parameters[index].kind == ModuleKind::Query || m_parameters[index].kind == ModuleKind::Key;
    }

    GgufFile m_file;
    ModelDescription m_description;
    std::vector<ParameterInfo> m_parameters;
    std::vector<const TensorInfo*> m_tensors;  ///< of m_file, in the order of m_parameters
    std::vector<std::string> m_warnings;
    DType m_prevailing = DType::F32;
    bool m_quantised = false;
    mutable NonFiniteLog m_nonFinite;
};

Result<std::unique_ptr<ModelSource>> GgufSource::open(const std::filesystem::path& path) {
    MOFO_TRY(GgufFile file, GgufFile::open(path));
    std::unique_ptr<GgufSource> source(new GgufSource(std::move(file)));
    const std::string where = escapeForDisplay(path.string());
    source->m_warnings = source->m_file.warnings();
    MOFO_TRY(source->m_description, describeGguf(source->m_file, &source->m_warnings));
    source->m_parameters = parametersOf(source->m_description);
    std::unordered_set<std::string> used = {"rope_freqs.weight"};
    for (const ParameterInfo& parameter : source->m_parameters) {
        const std::string name = ggufNameOf(parameter.name);
        const TensorInfo* tensor = source->m_file.findTensor(name);
        if (tensor == nullptr)
            return Error{ErrorCode::InvalidInput, "the tensor " + name + " is missing", where, "Fetch or convert the model again", "MISSING"};
        MOFO_CHECK(checkTensor(*tensor, parameter, where));
        source->m_tensors.push_back(tensor);
        source->m_quantised = source->m_quantised || mofo::isQuantised(tensor->dtype);
        used.insert(name);
    }
    MOFO_CHECK(requireDecodable(source->m_description, where));
    std::vector<std::string> unused;
    for (const TensorInfo& tensor : source->m_file.tensors()) {
        if (!used.contains(tensor.name)) unused.push_back(tensor.name);
    }
    warnOfUnused(unused, source->m_warnings);
    source->m_prevailing = prevailingType(source->m_file.tensors());
    return std::unique_ptr<ModelSource>(std::move(source));
}

std::int64_t GgufSource::pieceElements(std::size_t index) const {
    if (isPermuted(index)) return m_description.headSize * m_parameters[index].shape.back();
    return dtypeBlockElements(m_tensors[index]->dtype);
}

Result<void> GgufSource::readPiece(std::size_t index, std::int64_t first, std::span<float> out) const {
    const TensorInfo& tensor = *m_tensors[index];
    if (!isPermuted(index)) {
        MOFO_CHECK(m_file.readFloats(tensor, first, out));
        m_nonFinite.note(index, first, out);
        return {};
    }
    // llama.cpp rotates neighbouring rows, Transformers row j and row j + size/2: row 2j + half of the file is row half * size/2 + j.
    const std::int64_t columns = m_parameters[index].shape.back();
    const std::int64_t headElements = m_description.headSize * columns;
    if (first % headElements != 0 || static_cast<std::int64_t>(out.size()) % headElements != 0) {
        return Error{ErrorCode::Internal, "the piece is not made of whole heads", m_parameters[index].name, "", ""};
    }
    std::vector<float> head(static_cast<std::size_t>(headElements));
    for (std::int64_t at = 0; at < static_cast<std::int64_t>(out.size()); at += headElements) {
        MOFO_CHECK(m_file.readFloats(tensor, first + at, head));
        for (std::int64_t row = 0; row < m_description.headSize; ++row) {
            const std::int64_t to = (row % 2) * (m_description.headSize / 2) + row / 2;
            std::memcpy(out.data() + at + to * columns, head.data() + row * columns, static_cast<std::size_t>(columns) * sizeof(float));
        }
    }
    m_nonFinite.note(index, first, out);
    return {};
}

std::vector<std::string> GgufSource::warnings() const {
    std::vector<std::string> all = m_warnings;
    m_nonFinite.appendTo(all, m_parameters);
    return all;
}

}  // namespace

Result<std::unique_ptr<ModelSource>> openGgufSource(const std::filesystem::path& path) { return GgufSource::open(path); }

}  // namespace mofo
