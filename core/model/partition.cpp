#include "core/model/partition.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/config/name_pattern.h"
#include "core/model/lora.h"

namespace mofo {

namespace {

constexpr std::int64_t maxPartitions = 4'000'000;

bool isAttention(ModuleKind kind) {
    return kind == ModuleKind::Query || kind == ModuleKind::Key || kind == ModuleKind::Value || kind == ModuleKind::Output;
}

bool isMlp(ModuleKind kind) { return kind == ModuleKind::Gate || kind == ModuleKind::Up || kind == ModuleKind::Down; }

/// Tensors that share a group share a partition. Empty = the tensor stands alone.
std::string groupOf(const ParameterInfo& parameter, GranularityKind granularity) {
    if (granularity == GranularityKind::Model) return "model";
    if (parameter.layer < 0) return {};
    const std::string layer = "layer " + std::to_string(parameter.layer);
    if (granularity == GranularityKind::Layer) return layer;
    if (granularity == GranularityKind::Module && isAttention(parameter.kind)) return layer + " attention";
    if (granularity == GranularityKind::Module && isMlp(parameter.kind)) return layer + " MLP";
    return {};
}

class Partitioner {
public:
    Partitioner(const ModelDescription& model, std::span<const ParameterInfo> parameters, const Granularity& granularity)
        : m_model(model), m_parameters(parameters), m_granularity(granularity) {}

    void add(std::size_t index);
    std::vector<Partition> take() { return std::move(m_partitions); }

    /// How many partitions add(index) makes at most.
    [[nodiscard]] std::int64_t countOf(std::size_t index) const {
        const std::int64_t n = m_parameters[index].elementCount();
        switch (m_granularity.kind) {
            case GranularityKind::Row: return m_parameters[index].shape.size() < 2 ? 1 : m_parameters[index].shape.front();
            case GranularityKind::Block: return (n + m_granularity.n - 1) / m_granularity.n;
            case GranularityKind::Shards: return std::min(n, m_granularity.n);
            case GranularityKind::Head: return m_model.headCount;
            default: return 1;
        }
    }

private:
    void whole(std::size_t index);
    void heads(std::size_t index);
    void put(std::size_t index, std::int64_t begin, std::int64_t rows, std::int64_t length, std::int64_t stride) {
        Partition partition;
        partition.layer = static_cast<std::int32_t>(m_parameters[index].layer);
        partition.kind = m_parameters[index].kind;
        partition.slices.push_back({static_cast<std::int32_t>(index), begin, rows, length, stride});
        partition.elementCount = rows * length;
        m_partitions.push_back(std::move(partition));
    }
    void pieces(std::size_t index, std::int64_t length) {
        const std::int64_t n = m_parameters[index].elementCount();
        for (std::int64_t begin = 0; begin < n; begin += length) put(index, begin, 1, std::min(length, n - begin), std::min(length, n - begin));
    }

    const ModelDescription& m_model;
    std::span<const ParameterInfo> m_parameters;
    Granularity m_granularity;
    std::vector<Partition> m_partitions;
    std::vector<std::pair<std::string, std::size_t>> m_groups;
};

void Partitioner::whole(std::size_t index) {
    const std::int64_t n = m_parameters[index].elementCount();
    const std::string group = groupOf(m_parameters[index], m_granularity.kind);
    if (!group.empty()) {
        const auto found = std::find_if(m_groups.begin(), m_groups.end(), [&](const auto& known) { return known.first == group; });
        if (found != m_groups.end()) {
            Partition& partition = m_partitions[found->second];
            partition.slices.push_back({static_cast<std::int32_t>(index), 0, 1, n, n});
            partition.elementCount += n;
            partition.kind.reset();
            return;
        }
        m_groups.emplace_back(group, m_partitions.size());
    }
    put(index, 0, 1, n, n);
    if (m_granularity.kind == GranularityKind::Model) m_partitions.back().layer = -1;
}

void Partitioner::heads(std::size_t index) {
    const ParameterInfo& parameter = m_parameters[index];
    const bool matrix = parameter.shape.size() == 2;
    const std::int64_t size = m_model.headSize;
    if (parameter.kind == ModuleKind::Output && matrix) {
        const std::int64_t columns = parameter.shape[1];
        for (std::int64_t begin = 0; begin < columns; begin += size) put(index, begin, parameter.shape[0], size, columns);
    } else if (parameter.kind == ModuleKind::Query || parameter.kind == ModuleKind::Key || parameter.kind == ModuleKind::Value) {
        pieces(index, size * (matrix ? parameter.shape[1] : 1));
    } else {
        whole(index);
    }
}

void Partitioner::add(std::size_t index) {
    const ParameterInfo& parameter = m_parameters[index];
    const std::int64_t n = parameter.elementCount();
    switch (m_granularity.kind) {
        case GranularityKind::Model:
        case GranularityKind::Layer:
        case GranularityKind::Module:
        case GranularityKind::Tensor: return whole(index);
        case GranularityKind::Head: return heads(index);
        case GranularityKind::Row: return pieces(index, parameter.shape.size() < 2 ? n : n / parameter.shape.front());
        case GranularityKind::Block: return pieces(index, m_granularity.n);
        case GranularityKind::Shards: {
            std::int64_t begin = 0;
            for (std::int64_t shard = 0; shard < m_granularity.n && begin < n; ++shard) {
                const std::int64_t length = n / m_granularity.n + (shard < n % m_granularity.n ? 1 : 0);
                put(index, begin, 1, length, length);
                begin += length;
            }
            return;
        }
    }
}

}  // namespace

Result<std::vector<Partition>> partitionsOf(const ModelDescription& model, std::span<const ParameterInfo> parameters, const Granularity& granularity,
                                            const std::vector<bool>& filtered) {
    const bool heads =
        model.headSize > 0 && std::any_of(parameters.begin(), parameters.end(), [](const ParameterInfo& info) { return isAttention(info.kind); });
    if (granularity.kind == GranularityKind::Head && !heads) {
        return Error{ErrorCode::Usage, "this model has no attention heads, so that head is no partition of it", "granularity=head",
                     "Use tensor, row, block:N or another granularity", "VALUE"};
    }
    Partitioner partitioner(model, parameters, granularity);
    std::int64_t count = 0;
    std::int64_t elements = 0;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        if (!filtered[i]) continue;
        count += partitioner.countOf(i);
        elements += parameters[i].elementCount();
    }
    if (count > maxPartitions) {
        std::int64_t least = 64;
        while (elements / least > maxPartitions / 2) least *= 2;
        return Error{ErrorCode::Usage,
                     granularity.text() + " would make " + formatCount(count) + " partitions of this model; at most " + formatCount(maxPartitions) +
                         " are kept",
                     "granularity", "Choose block:" + std::to_string(least) + " or coarser", "LIMIT"};
    }
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        if (filtered[i]) partitioner.add(i);
    }
    return partitioner.take();
}

std::string partitionName(const Partition& partition, std::span<const ParameterInfo> parameters, const Granularity& granularity) {
    const Slice& first = partition.slices.front();
    const ParameterInfo& parameter = parameters[static_cast<std::size_t>(first.parameter)];
    const std::string group = groupOf(parameter, granularity.kind);
    if (!group.empty()) return group;
    const auto numbered = [&](const char* word, std::int64_t number) { return parameter.name + " " + word + " " + std::to_string(number); };
    const bool whole = partition.elementCount == parameter.elementCount();
    switch (granularity.kind) {
        case GranularityKind::Head:
            return isAttention(parameter.kind) && !(whole && first.rows == 1 && parameter.kind == ModuleKind::Output)
                       ? numbered("head", first.begin / first.length)
                       : parameter.name;
        case GranularityKind::Row: return parameter.shape.size() < 2 ? parameter.name : numbered("row", first.begin / first.length);
        case GranularityKind::Block: return numbered("block", first.begin / granularity.n);
        case GranularityKind::Shards: {
            const std::int64_t shortest = parameter.elementCount() / granularity.n;
            const std::int64_t longer = parameter.elementCount() % granularity.n;
            const std::int64_t beyond = first.begin - longer * (shortest + 1);
            return numbered("shard", beyond < 0 ? first.begin / (shortest + 1) : longer + beyond / std::max<std::int64_t>(shortest, 1));
        }
        default: return parameter.name;
    }
}

std::vector<bool> filteredParameters(std::span<const ParameterInfo> parameters, std::string_view includePattern, std::string_view excludePattern) {
    RunConfig rule;
    rule.filterInclude = includePattern;
    rule.filterExclude = excludePattern;
    std::vector<bool> filtered;
    filtered.reserve(parameters.size());
    for (const ParameterInfo& parameter : parameters) filtered.push_back(isFilteredParameter(rule, parameter.name));
    return filtered;
}

Result<void> checkMethod(const RunConfig& config, const ModelDescription& model, std::span<const ParameterInfo> modelParameters) {
    const std::vector<ParameterInfo> parameters = trainedParameters(modelParameters, config);
    const auto matchesNone = [&](std::string_view patterns) {
        return !patterns.empty() &&
               std::none_of(parameters.begin(), parameters.end(), [&](const ParameterInfo& info) { return matchesNamePattern(patterns, info.name); });
    };
    // A name from the middle shows best how the model's names look.
    const std::string example = parameters.empty() ? std::string() : parameters[parameters.size() / 2].name;
    const auto refuse = [&](std::string_view key, const std::string& value, std::string message) {
        return Error{ErrorCode::Usage, std::move(message), escapeForDisplay(std::string(key) + "=" + value.substr(0, 80)),
                     "Its parameters have names such as " + escapeForDisplay(example) + "; * stands for any characters", "VALUE"};
    };
    const std::string count = formatCount(static_cast<std::int64_t>(parameters.size()));
    if (matchesNone(config.filterInclude)) {
        return refuse("filter_include", config.filterInclude, "the pattern matches none of the model's " + count + " parameters");
    }
    if (matchesNone(config.rowCounts)) {
        return refuse("row_counts", config.rowCounts, "the pattern matches none of the model's " + count + " parameters");
    }
    if (!selectsCoordinates(config.optimizer)) return {};
    if (trainsLora(config.optimizer) && config.granularity.kind == GranularityKind::Head) {
        return Error{ErrorCode::Usage, "LoRA's matrices are not divided by heads", "granularity=head",
                     "Use tensor, row, module, layer, model, block:N or shards:S with optimizer=lora_mofo", "VALUE"};
    }
    const std::vector<bool> filtered = filteredParameters(parameters, config.filterInclude, config.filterExclude);
    if (std::find(filtered.begin(), filtered.end(), true) == filtered.end()) {
        return refuse("filter_exclude", config.filterExclude, "no parameter is left to select coordinates in");
    }
    MOFO_CHECK(partitionsOf(model, parameters, config.granularity, filtered));
    return {};
}

std::vector<bool> decayedParameters(std::span<const ParameterInfo> parameters) {
    std::vector<bool> decayed;
    decayed.reserve(parameters.size());
    for (const ParameterInfo& parameter : parameters) {
        decayed.push_back(parameter.name.find("norm") == std::string::npos && parameter.name.find("ln_f") == std::string::npos);
    }
    return decayed;
}

}  // namespace mofo
