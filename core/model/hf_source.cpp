#include <algorithm>
#include <cstring>
#include <unordered_set>

#include "core/base/text.h"
#include "core/model/sources.h"
#include "core/tensorio/safetensors.h"

namespace mofo {

namespace {

constexpr std::uint64_t maxConfigBytes = 16ull << 20;

/// A JSON file of the folder, or null where there is none.
Result<Json> readJsonFile(const std::filesystem::path& folder, const char* name, std::vector<std::string>& warnings) {
    const std::filesystem::path path = folder / name;
    const std::string where = escapeForDisplay(path.string());
    std::error_code ec;
    if (!std::filesystem::exists(std::filesystem::symlink_status(path, ec))) return Json(nullptr);
    MOFO_TRY(const FileReader file, FileReader::openBeneath(folder, name));
    if (file.sizeBytes() > maxConfigBytes)
        return Error{ErrorCode::InvalidInput, "the file is larger than " + formatBytes(maxConfigBytes), where, "", "LIMIT"};
    std::string text(file.sizeBytes(), '\0');
    MOFO_CHECK(file.readAt(0, std::as_writable_bytes(std::span(text))));
    if (text.starts_with("\xEF\xBB\xBF")) warnings.push_back(std::string(name) + " begins with a byte order mark");
    JsonLimits limits;
    limits.allowByteOrderMark = true;
    auto parsed = parseJson(text, limits);
    if (!parsed.ok()) {
        Error error = std::move(parsed).error();
        if (error.remedy.empty()) error.remedy = "Fetch the model again";
        return std::move(error).in(where);
    }
    return parsed;
}

class HfSource final : public ModelSource {
public:
    static Result<std::unique_ptr<ModelSource>> open(const std::filesystem::path& folder);

    const ModelDescription& description() const override { return m_description; }
    const std::vector<ParameterInfo>& parameters() const override { return m_parameters; }
    Result<void> readParameter(std::size_t index, std::span<float> out) const override { return readPiece(index, 0, out); }
    std::int64_t pieceElements(std::size_t) const override { return 1; }
    Result<void> readPiece(std::size_t index, std::int64_t first, std::span<float> out) const override;
    Result<Tokenizer> loadTokenizer() const override;
    std::string formatName() const override { return "safetensors " + std::string(dtypeName(m_prevailing)); }
    bool isQuantised() const override { return false; }
    std::vector<std::string> warnings() const override;
    Json hfConfig() const override { return m_config; }
    Json hfGenerationConfig() const override { return m_generation.is_object() ? m_generation : ModelSource::hfGenerationConfig(); }

private:
    Result<void> readConfigs();
    Result<void> matchWeights();
    Result<void> compareHeadWithEmbedding();

    std::filesystem::path m_folder;
    Json m_config;
    Json m_generation;
    SafetensorsFolder m_weights;
    ModelDescription m_description;
    std::vector<ParameterInfo> m_parameters;
    std::vector<const SafetensorsFolder::Place*> m_places;  ///< of m_weights, in the order of m_parameters
    std::vector<std::string> m_warnings;
    DType m_prevailing = DType::F32;
    mutable NonFiniteLog m_nonFinite;
};

Result<std::unique_ptr<ModelSource>> HfSource::open(const std::filesystem::path& folder) {
    auto source = std::make_unique<HfSource>();
    source->m_folder = folder;
    MOFO_CHECK(source->readConfigs());
    MOFO_TRY(source->m_weights, SafetensorsFolder::open(folder));
    for (const std::string& warning : source->m_weights.warnings()) source->m_warnings.push_back(warning);
    MOFO_CHECK(source->matchWeights());
    return std::unique_ptr<ModelSource>(std::move(source));
}

Result<void> HfSource::readConfigs() {
    const std::string where = escapeForDisplay((m_folder / "config.json").string());
    MOFO_TRY(m_config, readJsonFile(m_folder, "config.json", m_warnings));
    std::error_code ec;
    if (m_config.is_null() && !std::filesystem::exists(m_folder / "config.json", ec)) {
        return Error{ErrorCode::InvalidInput, "there is no config.json", escapeForDisplay(m_folder.string()),
                     "Name a folder that holds a Hugging Face model, or a GGUF file", "MISSING"};
    }
    auto described = describeHfConfig(m_config, &m_warnings);
    if (!described.ok()) return std::move(described).error().in(where);
    m_description = std::move(*described);

    MOFO_TRY(m_generation, readJsonFile(m_folder, "generation_config.json", m_warnings));
    if (!m_generation.is_object() || !m_generation.contains("eos_token_id")) return {};
    // Generating stops at these as well; what is not an id of the vocabulary is left to whoever reads that file.
    const Json& eos = m_generation["eos_token_id"];
    for (const Json& item : eos.is_array() ? eos : Json::array({eos})) {
        if (!item.is_number_integer()) continue;
        const auto id = item.get<std::int64_t>();
        const bool known = std::find(m_description.eosIds.begin(), m_description.eosIds.end(), id) != m_description.eosIds.end();
        if (id >= 0 && id < m_description.vocabularySize && !known) m_description.eosIds.push_back(id);
    }
    return {};
}

Result<void> HfSource::matchWeights() {
    const std::string where = escapeForDisplay(m_folder.string());
    m_parameters = parametersOf(m_description);
    std::unordered_set<std::string_view> used;
    std::vector<TensorInfo> taken;
    for (const ParameterInfo& parameter : m_parameters) {
        const SafetensorsFolder::Place* place = m_weights.find(parameter.name);
        if (place == nullptr)
            return Error{ErrorCode::InvalidInput, "the tensor " + parameter.name + " is missing", where, "Fetch the model again", "MISSING"};
        const std::string file = escapeForDisplay(m_weights.files()[place->file].path().string());
        MOFO_CHECK(checkTensor(place->info, parameter, file));
        m_places.push_back(place);
        used.insert(parameter.name);
        taken.push_back(place->info);
    }
    MOFO_CHECK(requireDecodable(m_description, where));
    if (m_description.tiedHead) MOFO_CHECK(compareHeadWithEmbedding());
    std::vector<std::string> unused;
    for (const auto& place : m_weights.tensors()) {
        const std::string& name = place.info.name;
        // Old Llama files carry the rotation's frequencies, which follow from the configuration; a tied head was compared above.
        if (used.contains(name) || name.ends_with(".rotary_emb.inv_freq") || name == "lm_head.weight") continue;
        unused.push_back(name);
    }
    warnOfUnused(unused, m_warnings);
    m_prevailing = prevailingType(taken);
    return {};
}

/// A head that is stored although it is tied must be the embedding; otherwise nobody knows which of the two is meant.
Result<void> HfSource::compareHeadWithEmbedding() {
    const SafetensorsFolder::Place* head = m_weights.find("lm_head.weight");
    if (head == nullptr) return {};
    const SafetensorsFolder::Place& embedding = *m_places.front();
    const auto different = [this] {
        return Error{ErrorCode::InvalidInput, "tie_word_embeddings is true, but lm_head.weight is there and differs from the embedding",
                     escapeForDisplay(m_folder.string()), "Set tie_word_embeddings to false in config.json, or remove lm_head.weight", "SEM"};
    };
    if (head->info.shape != embedding.info.shape) return different();
    MOFO_CHECK(checkTensor(head->info, m_parameters.front(), escapeForDisplay(m_folder.string())));
    constexpr std::int64_t pieceElements = 1 << 20;
    std::vector<float> a(pieceElements), b(pieceElements);
    for (std::int64_t at = 0; at < head->info.elementCount; at += pieceElements) {
        const auto count = static_cast<std::size_t>(std::min(pieceElements, head->info.elementCount - at));
        MOFO_CHECK(m_weights.readFloats(*head, at, std::span(a).first(count)));
        MOFO_CHECK(m_weights.readFloats(embedding, at, std::span(b).first(count)));
        if (std::memcmp(a.data(), b.data(), count * sizeof(float)) != 0) return different();
    }
    return {};
}

Result<void> HfSource::readPiece(std::size_t index, std::int64_t first, std::span<float> out) const {
    MOFO_CHECK(m_weights.readFloats(*m_places[index], first, out));
    m_nonFinite.note(index, first, out);
    return {};
}

Result<Tokenizer> HfSource::loadTokenizer() const {
    MOFO_TRY(Tokenizer tokenizer, Tokenizer::fromHfFolder(m_folder));
    if (tokenizer.vocabularySize() > m_description.vocabularySize) {
        return Error{ErrorCode::InvalidInput,
                     "the tokenizer has ids up to " + std::to_string(tokenizer.vocabularySize() - 1) + ", the model only " +
                         std::to_string(m_description.vocabularySize) + " tokens",
                     escapeForDisplay(m_folder.string()), "Tokenizer and weights belong to different models: fetch both again", "SEM"};
    }
    return tokenizer;
}

std::vector<std::string> HfSource::warnings() const {
    std::vector<std::string> all = m_warnings;
    m_nonFinite.appendTo(all, m_parameters);
    return all;
}

}  // namespace

Result<std::unique_ptr<ModelSource>> openHfSource(const std::filesystem::path& folder) { return HfSource::open(folder); }

}  // namespace mofo
