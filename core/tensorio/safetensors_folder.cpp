#include <algorithm>
#include <set>

#include "core/base/json.h"
#include "core/base/text.h"
#include "core/tensorio/safetensors.h"

namespace mofo {

namespace fs = std::filesystem;

namespace {

constexpr const char* singleName = "model.safetensors";
constexpr const char* indexName = "model.safetensors.index.json";
constexpr std::uint64_t maxIndexBytes = 64ull << 20;
constexpr std::size_t maxIndexEntries = 1'000'000;
constexpr std::size_t maxShards = 1000;  // each one is an open file

bool isPresent(const fs::path& path) {
    std::error_code ec;
    return fs::exists(fs::symlink_status(path, ec));
}

/// Whether a name ends like a shard of a larger set, "-00001-of-00003.safetensors", and how many that set has.
std::size_t shardsClaimedBy(std::string_view name) {
    constexpr std::string_view ending = ".safetensors";
    if (!name.ends_with(ending)) return 0;
    name.remove_suffix(ending.size());
    const auto at = name.rfind("-of-");
    if (at == std::string_view::npos || name.size() - at - 4 != 5) return 0;
    std::size_t count = 0;
    for (const char c : name.substr(at + 4)) {
        if (c < '0' || c > '9') return 0;
        count = 10 * count + static_cast<std::size_t>(c - '0');
    }
    return count;
}

Result<std::string> readIndex(const fs::path& folder) {
    MOFO_TRY(FileReader reader, FileReader::openBeneath(folder, indexName));
    const std::string where = escapeForDisplay(reader.path().string());
    if (reader.sizeBytes() > maxIndexBytes)
        return Error{ErrorCode::InvalidInput, "the index is larger than " + formatBytes(maxIndexBytes), where, "", "LIMIT"};
    std::string text(reader.sizeBytes(), '\0');
    MOFO_CHECK(reader.readAt(0, std::as_writable_bytes(std::span(text))));
    return text;
}

/// weight_map of the index, checked: tensor name to file name.
Result<std::map<std::string, std::string>> weightMapOf(const fs::path& folder, std::vector<std::string>& warnings) {
    const std::string where = escapeForDisplay((folder / indexName).string());
    const auto refusal = [&](const char* tag, std::string message) {
        return Error{ErrorCode::InvalidInput, std::move(message), where, "Fetch the model again", tag};
    };
    MOFO_TRY(const std::string text, readIndex(folder));
    if (text.starts_with("\xEF\xBB\xBF")) warnings.push_back(std::string(indexName) + " begins with a byte order mark");
    JsonLimits limits;
    limits.allowByteOrderMark = true;
    auto parsed = parseJson(text, limits);
    if (!parsed.ok()) return std::move(parsed).error().in(where);
    const Json& index = *parsed;
    if (!index.is_object()) return refusal("TYPE", "the index is not an object");
    if (!index.contains("weight_map")) return refusal("MISSING", "weight_map is missing");
    const Json& map = index["weight_map"];
    if (!map.is_object()) return refusal("TYPE", "weight_map is not an object");
    if (map.empty()) return refusal("RANGE", "weight_map is empty");
    if (map.size() > maxIndexEntries) return refusal("LIMIT", "weight_map has more than " + formatCount(maxIndexEntries) + " entries");
    std::map<std::string, std::string> result;
    for (const auto& [name, file] : map.items()) {
        if (!file.is_string()) return refusal("TYPE", "the file of tensor \"" + escapeForDisplay(name.substr(0, 120)) + "\" is not a string");
        result.emplace(name, file.get<std::string>());
    }
    return result;
}

/// The sum in metadata.total_size is only a remark; a wrong one is shown and not believed.
void compareTotalSize(const fs::path& folder, std::uint64_t actualBytes, std::vector<std::string>& warnings) {
    auto text = readIndex(folder);
    if (!text.ok()) return;
    JsonLimits limits;
    limits.allowByteOrderMark = true;
    const auto parsed = parseJson(*text, limits);
    if (!parsed.ok() || !parsed->contains("metadata")) return;
    const Json& metadata = (*parsed)["metadata"];
    if (!metadata.is_object() || !metadata.contains("total_size")) return;
    const Json& total = metadata["total_size"];
    const bool equal = (total.is_number_unsigned() && total.get<std::uint64_t>() == actualBytes) ||
                       (total.is_number_float() && total.get<double>() == static_cast<double>(actualBytes));
    if (!equal)
        warnings.push_back(std::string(indexName) + " claims a total_size of " + escapeForDisplay(total.dump().substr(0, 40)) +
                           ", the tensors have " + std::to_string(actualBytes) + " bytes");
}

}  // namespace

Result<SafetensorsFolder> SafetensorsFolder::open(const fs::path& folder) {
    const std::string where = escapeForDisplay(folder.string());
    const bool single = isPresent(folder / singleName);
    const bool index = isPresent(folder / indexName);
    if (single && index) {
        return Error{ErrorCode::InvalidInput, std::string("both ") + singleName + " and " + indexName + " are there", where,
                     "Remove the one that does not belong to the model", "SEM"};
    }
    SafetensorsFolder result;
    if (index) {
        MOFO_CHECK(result.openShards(folder));
        return result;
    }
    if (!single) {
        for (const char* pickle : {"pytorch_model.bin", "pytorch_model.bin.index.json", "consolidated.00.pth"}) {
            if (isPresent(folder / pickle)) {
                return Error{ErrorCode::Unsupported,
                             std::string("the weights are in ") + pickle + ", a Python pickle, which is a program and never loaded", where,
                             "Convert the model to safetensors first", "unsupported"};
            }
        }
        return Error{ErrorCode::InvalidInput, std::string("there is neither ") + singleName + " nor " + indexName, where,
                     "Name a folder that holds a Hugging Face model", "MISSING"};
    }
    MOFO_TRY(SafetensorsFile file, SafetensorsFile::openBeneath(folder, singleName));
    result.addFile(std::move(file));
    return result;
}

void SafetensorsFolder::addFile(SafetensorsFile file) {
    const std::string name = escapeForDisplay(file.path().filename().string());
    for (const std::string& warning : file.warnings()) m_warnings.push_back(name + ": " + warning);
    for (const TensorInfo& tensor : file.tensors()) {
        m_index.emplace(tensor.name, m_tensors.size());
        m_tensors.push_back({m_files.size(), tensor});
    }
    m_files.push_back(std::move(file));
}

Result<void> SafetensorsFolder::openShards(const fs::path& folder) {
    const std::string where = escapeForDisplay((folder / indexName).string());
    const auto refusal = [&](const char* tag, std::string message, std::string remedy = "Fetch the model again") {
        return Error{ErrorCode::InvalidInput, std::move(message), where, std::move(remedy), tag};
    };
    MOFO_TRY(const auto map, weightMapOf(folder, m_warnings));
    std::set<std::string> shards;
    for (const auto& [tensor, file] : map) shards.insert(file);
    if (shards.size() > maxShards)
        return refusal("LIMIT", formatCount(static_cast<std::int64_t>(shards.size())) + " shards are more than " + formatCount(maxShards));
    std::size_t claimed = 0;
    for (const std::string& shard : shards) {
        if (shard == "adapter_model.safetensors")
            return refusal("SEM", "the index names the weights of an adapter", "Merge the adapter into its model first");
        if (shard.ends_with(".bin") || shard.ends_with(".pt") || shard.ends_with(".pth") || shard.ends_with(".gguf")) {
            return Error{ErrorCode::Unsupported, "the shard \"" + escapeForDisplay(shard.substr(0, 120)) + "\" is no safetensors file", where,
                         "Convert the model to safetensors first", "unsupported"};
        }
        const std::size_t count = shardsClaimedBy(shard);
        if (count != 0 && claimed != 0 && count != claimed) m_warnings.push_back("the names of the shards disagree about how many there are");
        claimed = std::max(claimed, count);
    }
    std::uint64_t totalBytes = 0;
    for (const std::string& shard : shards) {
        auto opened = SafetensorsFile::openBeneath(folder, shard);
        if (!opened.ok()) {
            Error error = std::move(opened).error();
            if (error.code == ErrorCode::NotFound) {
                error.code = ErrorCode::InvalidInput;
                error.message = "the shard \"" + escapeForDisplay(shard) + "\" that the index names is missing";
                error.remedy = "Fetch the model again";
                error.tag = "MISSING";
            }
            return std::move(error).in(where);
        }
        for (const TensorInfo& tensor : opened->tensors()) {
            totalBytes += tensor.sizeBytes;
            const auto mapped = map.find(tensor.name);
            if (const Place* other = find(tensor.name)) {
                return refusal("DUP", "tensor \"" + escapeForDisplay(tensor.name.substr(0, 120)) + "\" is in two shards, " +
                                          escapeForDisplay(m_files[other->file].path().filename().string()) + " and " + escapeForDisplay(shard));
            }
            if (mapped == map.end())
                m_warnings.push_back("tensor \"" + escapeForDisplay(tensor.name.substr(0, 120)) + "\" of " + escapeForDisplay(shard) +
                                     " is not in the index");
        }
        addFile(std::move(*opened));
    }
    for (const auto& [tensor, shard] : map) {
        const Place* place = find(tensor);
        if (place == nullptr || m_files[place->file].path().filename() != shard) {
            return refusal("MISSING", "tensor \"" + escapeForDisplay(tensor.substr(0, 120)) + "\" is not in " + escapeForDisplay(shard) +
                                          ", where the index puts it");
        }
    }
    compareTotalSize(folder, totalBytes, m_warnings);
    return {};
}

const SafetensorsFolder::Place* SafetensorsFolder::find(std::string_view name) const {
    const auto found = m_index.find(std::string(name));
    return found == m_index.end() ? nullptr : &m_tensors[found->second];
}

Result<void> SafetensorsFolder::readFloats(const Place& place, std::int64_t first, std::span<float> out) const {
    return m_files[place.file].readFloats(place.info, first, out);
}

}  // namespace mofo
