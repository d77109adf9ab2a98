// The host's side of the statistics over plain arrays.
#include <vector>

#include "kernels/cuda/arrays.cuh"
#include "kernels/cuda/launch.cuh"

namespace mofo::kernels::cuda {

namespace {

std::int64_t startedChunks(std::int64_t n) { return (n + statisticsChunk - 1) / statisticsChunk; }

struct ListOffsets {
    std::size_t entries, owners, parts, size;
};

ListOffsets listOffsets(std::int64_t arrays, std::int64_t chunks) {
    Layout layout;
    ListOffsets at{};
    at.entries = layout.add<ArrayEntry>(static_cast<std::size_t>(arrays));
    at.owners = layout.add<std::int32_t>(static_cast<std::size_t>(chunks));
    at.parts = layout.add<DriftPart>(static_cast<std::size_t>(chunks));
    at.size = layout.size();
    return at;
}

std::string upload(std::vector<ArrayEntry>& entries, Device<std::byte> memory, std::size_t bytes, void* stream, ArrayList* out) {
    std::vector<std::int32_t> owners;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        entries[i].firstChunk = static_cast<std::int64_t>(owners.size());
        owners.insert(owners.end(), static_cast<std::size_t>(startedChunks(entries[i].n)), static_cast<std::int32_t>(i));
    }
    const auto count = static_cast<std::int64_t>(entries.size());
    const auto chunks = static_cast<std::int64_t>(owners.size());
    const ListOffsets at = listOffsets(count, chunks);
    if (memory == nullptr || bytes < at.size) return "the memory for the list of arrays is too small";
    const auto onStream = static_cast<cudaStream_t>(stream);
    cudaError_t error = cudaMemcpyAsync(memory + at.entries, entries.data(), entries.size() * sizeof(ArrayEntry), cudaMemcpyHostToDevice, onStream);
    if (error == cudaSuccess) {
        error = cudaMemcpyAsync(memory + at.owners, owners.data(), owners.size() * sizeof(std::int32_t), cudaMemcpyHostToDevice, onStream);
    }
    if (error == cudaSuccess) error = cudaStreamSynchronize(onStream);
    if (error == cudaSuccess) *out = {memory, count, chunks};
    return describe(error, "while uploading a list of arrays");
}

ArraysContext contextOf(const ArrayList& list) {
    const ListOffsets at = listOffsets(list.count, list.chunks);
    ArraysContext c{};
    c.arrays = reinterpret_cast<const ArrayEntry*>(list.memory + at.entries);
    c.arrayCount = list.count;
    c.owners = reinterpret_cast<const std::int32_t*>(list.memory + at.owners);
    c.chunkCount = static_cast<std::int32_t>(list.chunks);
    c.partialSums = reinterpret_cast<double*>(list.memory + at.parts);
    c.partialDrifts = reinterpret_cast<DriftPart*>(list.memory + at.parts);
    return c;
}

}  // namespace

std::size_t arrayListBytes(std::span<const std::int64_t> sizes) {
    std::int64_t chunks = 0;
    for (const std::int64_t n : sizes) chunks += startedChunks(n);
    return listOffsets(static_cast<std::int64_t>(sizes.size()), chunks).size;
}

std::string uploadArrays(std::span<const Array> arrays, Device<std::byte> memory, std::size_t bytes, void* stream, ArrayList* out) {
    std::vector<ArrayEntry> entries;
    for (const Array& array : arrays) entries.push_back({array.x, nullptr, array.n, 0});
    return upload(entries, memory, bytes, stream, out);
}

std::string uploadArrayPairs(std::span<const ArrayPair> pairs, Device<std::byte> memory, std::size_t bytes, void* stream, ArrayList* out) {
    std::vector<ArrayEntry> entries;
    for (const ArrayPair& pair : pairs) entries.push_back({pair.p, pair.p0, pair.n, 0});
    return upload(entries, memory, bytes, stream, out);
}

std::string sumsOfSquares(const ArrayList& list, Device<double> sums, void* stream) {
    ArraysContext context = contextOf(list);
    context.sums = sums;
    CudaLauncher launcher(static_cast<cudaStream_t>(stream));
    enqueueSums(launcher, context);
    return describe(launcher.error(), "while launching the sums of squares");
}

std::string drifts(const ArrayList& list, Device<Drift> results, void* stream) {
    ArraysContext context = contextOf(list);
    context.drifts = results;
    CudaLauncher launcher(static_cast<cudaStream_t>(stream));
    enqueueDrifts(launcher, context);
    return describe(launcher.error(), "while launching the drifts");
}

}  // namespace mofo::kernels::cuda
