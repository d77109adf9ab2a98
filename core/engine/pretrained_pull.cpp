#include "core/engine/pretrained_pull.h"

#include <ATen/Parallel.h>

#include <algorithm>

namespace mofo {

namespace {

// Of p, p0 and two temporaries a chunk of 1 MiB stays in a core's cache from one operation to the next. A GPU wants long launches instead.
constexpr std::int64_t kHostChunk = 64 * 1024;
constexpr std::int64_t kDeviceChunk = 16 * 1024 * 1024;

void pull(const at::Tensor& p, const at::Tensor& p0, double l1Step, double l2Step) {
    const at::Tensor distance = p - p0;
    if (l2Step != 0) p.sub_(distance * l2Step);
    if (l1Step != 0) p.sub_(distance.sign() * l1Step);
}

}  // namespace

Result<PretrainedPull> PretrainedPull::load(const ModelSource& pretrained, c10::Device device) {
    MOFO_TRY(ParameterArena arena, loadWeights(pretrained, device));
    return PretrainedPull(std::move(arena));
}

void PretrainedPull::apply(const ParameterArena& weights, std::size_t first, std::size_t count, const std::vector<bool>& reached, double l1Step,
                           double l2Step) const {
    struct Chunk {
        std::int64_t begin, length;
    };
    const bool host = weights.flat().is_cpu();
    const std::int64_t longest = host ? kHostChunk : kDeviceChunk;
    std::vector<Chunk> chunks;
    for (std::size_t i = first; i < first + count; ++i) {
        if (!reached[i]) continue;
        const std::int64_t end = weights.offset(i) + weights.view(i).numel();
        for (std::int64_t begin = weights.offset(i); begin < end; begin += longest) chunks.push_back({begin, std::min(longest, end - begin)});
    }
    const auto work = [&](std::int64_t from, std::int64_t to) {
        for (auto i = static_cast<std::size_t>(from); i < static_cast<std::size_t>(to); ++i) {
            pull(weights.flat().narrow(0, chunks[i].begin, chunks[i].length), m_pretrained.flat().narrow(0, chunks[i].begin, chunks[i].length),
                 l1Step, l2Step);
        }
    };
    const auto tasks = static_cast<std::int64_t>(chunks.size());
    if (host) {
        at::parallel_for(0, tasks, 1, work);
    } else {
        work(0, tasks);
    }
}

}  // namespace mofo
