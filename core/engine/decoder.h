// The one decoder: reads a ModelDescription, computes losses, gradients (by hand, no autograd tape), and logits.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "core/engine/compute_weights.h"
#include "core/engine/lora.h"
#include "core/engine/ops.h"
#include "core/engine/packed_batch.h"
#include "core/engine/parameter_set.h"
#include "core/model/model_description.h"

namespace mofo {

class Decoder;

/// Keys and values of the tokens seen so far by one generation, of the decoder's dtype and on its device.
class KvCache {
public:
    KvCache(const Decoder& decoder, std::int64_t capacity);
    [[nodiscard]] std::int64_t length() const { return m_length; }
    [[nodiscard]] std::int64_t capacity() const { return m_capacity; }

private:
    friend class Decoder;
    friend class BatchKvCache;
    explicit KvCache(std::int64_t capacity) : m_capacity(capacity) {}
    std::int64_t m_length = 0;
    std::int64_t m_capacity;
    std::vector<at::Tensor> m_keys, m_values;  ///< per layer [capacity, kvHeads, headSize]
};

/// The same of several generations that go on together, each with a length of its own.
class BatchKvCache {
public:
    BatchKvCache(const Decoder& decoder, std::int64_t rows, std::int64_t capacity);
    /// A view of one row, to feed its prompt; setLength() tells how long that was.
    [[nodiscard]] KvCache row(std::int64_t index) const;
    void setLength(std::int64_t index, std::int64_t length) { m_lengths[static_cast<std::size_t>(index)] = length; }
    /// Keeps these rows, ascending, and drops the others.
    void keepRows(const std::vector<std::int64_t>& rows);
    [[nodiscard]] std::int64_t rowCount() const { return static_cast<std::int64_t>(m_lengths.size()); }

private:
    friend class Decoder;
    std::int64_t m_capacity;
    std::vector<std::int64_t> m_lengths;
    std::vector<at::Tensor> m_keys, m_values;  ///< per layer [rows, kvHeads, capacity, headSize]
};

/// Where the time of a forward and backward pass went, on the CPU: a GPU's work is only begun in it.
struct PassTimes {
    double forwardMs = 0, lossMs = 0, backwardMs = 0;  ///< the loss is the head's: its products forwards and backwards
};

struct DecoderOptions {
    Precision precision = Precision::Fp32;
    Recompute recompute = Recompute::Off;
};

/// Stateless but for the weights it looks at (not owned: the arena must outlive it) and its copy of them. Not thread safe. Throws what LibTorch
/// throws: call it inside guardTorch.
class Decoder {
public:
    /// `adapter`: low-rank matrices beside the weights, which then are frozen; null: none. It must outlive the decoder.
    Decoder(const ModelDescription& model, const std::vector<ParameterInfo>& infos, const ParameterArena& weights,
            const LoraAdapter* adapter = nullptr, DecoderOptions options = {});

    /// To be called when the weights were changed, before anything else is.
    void weightsChanged() { m_matrices.changed(); }
    /// Forward and backward of one micro-batch: adds the gradient of sum(weights * nll) to `gradients` (same layout as the weights, or as those of
    /// the adapter) and returns the summed, weighted loss in nats. `dropout`: of an adapter's inputs; null: none. Adds to `times` where it
    /// is given.
    double addGradients(const PackedBatch& batch, ParameterArena& gradients, const LoraDropout* dropout = nullptr, PassTimes* times = nullptr) const;
    /// Per row: the negative log-likelihood summed over its targets, in nats (unweighted).
    [[nodiscard]] std::vector<double> rowLosses(const PackedBatch& batch) const;
    /// Logits [T, vocabulary] of one row of ids [T]; these and all others fp32.
    [[nodiscard]] at::Tensor logits(const at::Tensor& ids) const;
    /// Feeds `ids` [n] after what the cache holds and returns the logits [vocabulary] of the last one.
    [[nodiscard]] at::Tensor nextLogits(const at::Tensor& ids, KvCache& cache) const;
    /// One token for each row of the cache: ids [rows] -> logits [rows, vocabulary].
    [[nodiscard]] at::Tensor nextLogits(const at::Tensor& ids, BatchKvCache& cache) const;
    /// What the head sees at the positions that predict targets: [targets, hidden], after the final norm.
    [[nodiscard]] at::Tensor targetStates(const PackedBatch& batch) const;
    [[nodiscard]] at::Tensor headMatrix() const;                    ///< [vocabulary, hidden], fp32
    [[nodiscard]] std::size_t headIndex() const { return m_head; }  ///< its place among the parameters
    [[nodiscard]] const ModelDescription& model() const { return m_model; }
    /// Of activations that are kept: the dtype, and the device of all.
    [[nodiscard]] at::TensorOptions activationOptions() const { return m_weights.flat().options().dtype(m_matrices.dtype()); }

private:
    struct LayerWeights {
        std::size_t query = 0, gate = 0;  ///< first index of q,k,v and of gate,up
        std::size_t output = 0, down = 0, inputNorm = 0, postNorm = 0;
    };
    struct LayerState;
    struct Rows;

    at::Tensor embed(const at::Tensor& ids) const;
    Rows rowsOf(const PackedBatch& batch) const;
    /// Runs all layers on x [T, H]; with `states` keeps what the backward pass needs.
    at::Tensor runLayers(at::Tensor x, const Rows& rows, std::vector<LayerState>* states, const LoraDropout* dropout = nullptr) const;
    /// From the layer's input on all that its backward pass needs, and from that its output.
    void computeState(const LayerWeights& w, const Rows& rows, LayerState& state, const LoraDropout* dropout) const;
    at::Tensor layerOutput(const LayerWeights& w, const LayerState& state, const LoraDropout* dropout) const;
    /// norm(x) times the head: fp32 [T, vocabulary].
    at::Tensor headProduct(const at::Tensor& x) const;
    [[nodiscard]] RmsNormResult norm(const at::Tensor& x, std::size_t weight) const;
    /// x [T, in] times the matrices [first, first + count), side by side; onto `residual` where there is one.
    at::Tensor project(const at::Tensor& x, std::size_t first, std::size_t count, const LoraDropout* dropout) const;
    at::Tensor projectOnto(const at::Tensor& residual, const at::Tensor& x, std::size_t index, const LoraDropout* dropout) const;
    /// Backwards through either: adds to the gradients of what is trained and returns that of x.
    at::Tensor projectBackward(const at::Tensor& dy, const at::Tensor& x, std::size_t first, std::size_t count, ParameterArena& gradients,
                               const LoraDropout* dropout) const;
    void addNormGradients(const at::Tensor& dy, const at::Tensor& x, std::size_t weight, const at::Tensor& inverseRms, at::Tensor& dx,
                          ParameterArena& gradients) const;
    AttentionResult attendRow(const at::Tensor& qkv, std::int64_t begin, std::int64_t rows, std::int64_t length) const;
    const RopeTable& ropeFor(std::int64_t length) const;

    ModelDescription m_model;
    const ParameterArena& m_weights;
    ComputeWeights m_matrices;
    const LoraAdapter* m_adapter;
    const DecoderOptions m_options;
    std::vector<LayerWeights> m_layers;
    std::size_t m_embedding = 0, m_finalNorm = 0, m_head = 0;
    mutable RopeTable m_rope;
    mutable at::Tensor m_logits;  ///< reused buffer of one chunk of the head, fp32
};

}  // namespace mofo
