// Which files of a repository a model or a data set needs.
#include <algorithm>
#include <array>
#include <set>

#include "core/base/text.h"
#include "core/hub/listing.h"

namespace mofo {

namespace {

constexpr std::string_view kSingle = "model.safetensors";
constexpr std::string_view kIndex = "model.safetensors.index.json";
constexpr std::uint64_t kIndexLimit = 64ull << 20;
constexpr std::uint64_t kLicenceLimit = 4ull << 20;
constexpr std::size_t kShownNames = 8;
constexpr std::array<std::string_view, 5> kEssential{"generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
                                                     "added_tokens.json"};
constexpr std::array<std::string_view, 4> kVocabularies{"vocab.json", "merges.txt", "tokenizer.model", "vocab.txt"};
constexpr std::array<std::string_view, 2> kTemplates{"chat_template.jinja", "chat_template.json"};

std::string lowered(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return out;
}

bool endsLike(std::string_view name, std::initializer_list<std::string_view> endings) {
    const std::string low = lowered(name);
    return std::any_of(endings.begin(), endings.end(), [&](std::string_view ending) { return low.ends_with(ending); });
}

bool isRows(std::string_view name) { return endsLike(name, {".jsonl", ".json", ".csv", ".tsv"}); }

/// JSON files of a data set that describe it instead of holding rows.
bool isDescription(std::string_view name) {
    const std::string base = lowered(name.substr(name.rfind('/') == std::string_view::npos ? 0 : name.rfind('/') + 1));
    constexpr std::array<std::string_view, 7> names{"dataset_infos.json", "dataset_info.json", "state.json",   "config.json",
                                                    "package.json",       "croissant.json",    "metadata.json"};
    return base.starts_with('.') || std::find(names.begin(), names.end(), base) != names.end();
}

bool isLicence(const HubFile& file) {
    const std::string low = lowered(file.name);
    if (low.find('/') != std::string::npos || file.sizeBytes > kLicenceLimit) return false;
    constexpr std::array<std::string_view, 5> starts{"license", "licence", "copying", "notice", "use_policy"};
    const bool named = std::any_of(starts.begin(), starts.end(), [&](std::string_view start) { return low.starts_with(start); });
    return named && (low.find('.') == std::string::npos || low.ends_with(".txt") || low.ends_with(".md"));
}

/// "x-00001-of-00003.gguf"
bool isPartOfGguf(std::string_view name) {
    const auto of = name.rfind("-of-");
    return of != std::string_view::npos && of >= 6 && name[of - 6] == '-' && name.size() - of == std::string_view("-of-00003.gguf").size();
}

const HubFile* find(const HubListing& listing, std::string_view name) {
    for (const HubFile& file : listing.files) {
        if (file.name == name) return &file;
    }
    return nullptr;
}

class Selector {
public:
    Selector(const HubReference& reference, const HubListing& listing, const IndexReader& readIndex)
        : m_reference(reference), m_listing(listing), m_readIndex(readIndex) {}

    Result<HubSelection> select() {
        if (m_reference.kind == HubKind::Dataset) {
            MOFO_CHECK(selectRows());
        } else if (!m_reference.file.empty()) {
            MOFO_CHECK(selectNamedModel());
        } else {
            MOFO_CHECK(selectModel());
        }
        for (const HubFile& file : m_listing.files) {
            if (isLicence(file)) add(file, true);
        }
        // What decides whether the rest is wanted comes first.
        std::stable_sort(m_selection.files.begin(), m_selection.files.end(),
                         [](const HubFile& a, const HubFile& b) { return a.sizeBytes < b.sizeBytes; });
        return std::move(m_selection);
    }

private:
    Error refuse(ErrorCode code, std::string message, std::string remedy) const {
        return Error{code, std::move(message), m_reference.text(), std::move(remedy), "HUB"};
    }

    void add(const HubFile& file, bool optional = false) {
        const auto same = [&](const HubFile& other) { return other.name == file.name; };
        if (std::any_of(m_selection.files.begin(), m_selection.files.end(), same)) return;
        m_selection.files.push_back(file);
        m_selection.files.back().optional = optional;
    }

    /// What to type for one of several files.
    Error askForOne(const std::vector<std::string>& names, const std::string& what) const {
        std::vector<std::string> shown(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), kShownNames)));
        std::string list = joinText(shown, ", ");
        if (names.size() > kShownNames) list += " and " + formatCount(static_cast<std::int64_t>(names.size() - kShownNames)) + " more";
        return refuse(ErrorCode::InvalidInput,
                      "the repository holds " + formatCount(static_cast<std::int64_t>(names.size())) + ' ' + what + ": " + list,
                      "Name one, as in " + m_reference.withFile(names.front()).text());
    }

    Error noSuchFile(const std::vector<std::string>& candidates) const {
        std::string near = nearestName(m_reference.file, candidates);
        if (near.empty()) {
            // The file's own name in another folder.
            for (const std::string& name : candidates) {
                if (name.ends_with('/' + m_reference.file)) near = name;
            }
        }
        std::string remedy;
        if (!near.empty()) {
            remedy = "Did you mean " + m_reference.withFile(near).text() + "?";
        } else if (!candidates.empty()) {
            std::vector<std::string> shown(candidates.begin(),
                                           candidates.begin() + static_cast<std::ptrdiff_t>(std::min(candidates.size(), kShownNames)));
            remedy = "It holds " + joinText(shown, ", ") + (candidates.size() > kShownNames ? " ..." : "");
        }
        return refuse(ErrorCode::NotFound, "there is no such file in the repository at commit " + m_listing.commit.substr(0, 12), remedy);
    }

    std::vector<std::string> namesWhere(const std::function<bool(const HubFile&)>& right) const {
        std::vector<std::string> names;
        for (const HubFile& file : m_listing.files) {
            if (right(file)) names.push_back(file.name);
        }
        std::sort(names.begin(), names.end());
        return names;
    }

    Result<void> selectRows() {
        const std::vector<std::string> all = namesWhere([](const HubFile& file) { return isRows(file.name) && !isDescription(file.name); });
        if (!m_reference.file.empty()) {
            const HubFile* named = find(m_listing, m_reference.file);
            if (named == nullptr) return noSuchFile(all);
            if (!isRows(named->name)) {
                return refuse(ErrorCode::Unsupported, "only .jsonl, .json, .csv and .tsv files are read as rows",
                              all.empty() ? "Convert it to JSONL first" : "Did you mean " + m_reference.withFile(all.front()).text() + "?");
            }
            return take(*named);
        }
        if (all.size() == 1) return take(*find(m_listing, all.front()));
        if (all.size() > 1) return askForOne(all, "files of rows");
        const bool parquet = !namesWhere([](const HubFile& file) { return file.name.ends_with(".parquet"); }).empty();
        return refuse(
            ErrorCode::Unsupported,
            parquet ? "the data set is there only as Parquet, which is not read here" : "the data set holds no .jsonl, .json, .csv or .tsv file",
            parquet ? "Convert it to JSONL first, as datasets.load_dataset(...).to_json does" : "Name another data set");
    }

    Result<void> take(const HubFile& file) {
        m_selection.main = file.name;
        add(file);
        return {};
    }

    Result<void> selectNamedModel() {
        const std::vector<std::string> ggufs =
            namesWhere([](const HubFile& file) { return endsLike(file.name, {".gguf"}) && !isPartOfGguf(file.name); });
        const std::string& name = m_reference.file;
        if (!endsLike(name, {".gguf"})) {
            if (endsLike(name, {".bin", ".pt", ".pth", ".pkl", ".ckpt"}))
                return refuse(ErrorCode::Unsupported, "a Python pickle is a program and never loaded",
                              "Name a repository with safetensors or a GGUF file");
            return refuse(ErrorCode::Unsupported, "of a model only a GGUF file can be named, as anything else needs its config and tokenizer too",
                          "Write " + m_reference.withFile("").text());
        }
        const HubFile* file = find(m_listing, name);
        if (file == nullptr) return noSuchFile(ggufs);
        if (isPartOfGguf(name)) {
            return refuse(ErrorCode::Unsupported, "the file is one part of a split GGUF file",
                          "Name a whole one, or merge the parts with llama-gguf-split --merge");
        }
        return take(*file);
    }

    Result<void> selectModel() {
        const HubFile* single = find(m_listing, kSingle);
        const HubFile* index = find(m_listing, kIndex);
        if (single == nullptr && index == nullptr) return selectOnlyGguf();
        const HubFile* config = find(m_listing, "config.json");
        if (config == nullptr)
            return refuse(ErrorCode::Unsupported, "the repository has weights but no config.json", "Name a repository that Transformers loads");
        add(*config);
        const bool hasTokenizer = find(m_listing, "tokenizer.json") != nullptr;
        const auto addNamed = [&](const auto& names, bool optional) {
            for (const std::string_view name : names) {
                if (const HubFile* file = find(m_listing, name)) add(*file, optional);
            }
        };
        addNamed(kEssential, false);
        addNamed(kTemplates, false);
        addNamed(kVocabularies, hasTokenizer);
        // Transformers prefers the single file where both are there.
        if (single != nullptr) {
            add(*single);
            return {};
        }
        return selectShards(*index);
    }

    Result<void> selectShards(const HubFile& index) {
        const auto broken = [&](std::string what) {
            return refuse(ErrorCode::InvalidInput, std::string(kIndex) + ' ' + what, "Ask the repository's owner");
        };
        if (index.sizeBytes > kIndexLimit) return broken("is larger than " + formatBytes(kIndexLimit));
        MOFO_TRY(const std::string text, m_readIndex(index));
        JsonLimits limits;
        limits.allowByteOrderMark = true;
        auto parsed = parseJson(text, limits);
        if (!parsed.ok()) return std::move(parsed).error().in(m_reference.text() + ": " + std::string(kIndex));
        if (!parsed->is_object() || !parsed->contains("weight_map") || !(*parsed)["weight_map"].is_object() || (*parsed)["weight_map"].empty()) {
            return broken("has no weight_map");
        }
        std::set<std::string> shards;
        for (const Json& shard : (*parsed)["weight_map"]) {
            if (!shard.is_string()) return broken("names a file that is no text");
            shards.insert(shard.get<std::string>());
        }
        add(index);
        for (const std::string& shard : shards) {
            const bool bare = shard.find('/') == std::string::npos && shard.ends_with(".safetensors") && isSafeHubFile(shard);
            const HubFile* file = bare ? find(m_listing, shard) : nullptr;
            if (file == nullptr)
                return broken("names \"" + escapeForDisplay(std::string_view(shard).substr(0, 120)) +
                              "\", which is not a safetensors file beside it");
            add(*file);
        }
        return {};
    }

    Result<void> selectOnlyGguf() {
        const auto isGguf = [](const HubFile& file) { return endsLike(file.name, {".gguf"}); };
        const auto isWhole = [&](const HubFile& file) {
            return isGguf(file) && !isPartOfGguf(file.name) && !lowered(file.name.substr(file.name.rfind('/') + 1)).starts_with("mmproj");
        };
        const std::vector<std::string> whole = namesWhere(isWhole);
        if (whole.size() == 1) return take(*find(m_listing, whole.front()));
        if (whole.size() > 1) return askForOne(whole, "GGUF files");
        const auto any = [&](std::initializer_list<std::string_view> endings) {
            return !namesWhere([&](const HubFile& file) { return endsLike(file.name, endings); }).empty();
        };
        if (any({".gguf"}))
            return refuse(ErrorCode::Unsupported, "the repository has only split GGUF files", "Merge the parts with llama-gguf-split --merge first");
        if (find(m_listing, "adapter_model.safetensors") != nullptr || find(m_listing, "adapter_model.bin") != nullptr) {
            return refuse(ErrorCode::Unsupported, "the repository holds an adapter, not a whole model", "Name the model that the adapter is for");
        }
        if (any({".bin", ".pt", ".pth", ".pkl", ".ckpt"})) {
            return refuse(ErrorCode::Unsupported, "the repository's weights are Python pickles, which are programs and never loaded",
                          "Name a repository with safetensors or a GGUF file");
        }
        return refuse(ErrorCode::Unsupported, "the repository holds neither model.safetensors (or its index) nor a GGUF file",
                      "Name another repository");
    }

    const HubReference& m_reference;
    const HubListing& m_listing;
    const IndexReader& m_readIndex;
    HubSelection m_selection;
};

}  // namespace

Result<HubSelection> selectFiles(const HubReference& reference, const HubListing& listing, const IndexReader& readIndex) {
    return Selector(reference, listing, readIndex).select();
}

}  // namespace mofo
