// The one decoder: reads a ModelDescription, computes losses, gradients (by hand, no autograd tape), and logits. fp32.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "core/engine/ops.h"
#include "core/engine/packed_batch.h"
#include "core/engine/parameter_set.h"
#include "core/model/model_description.h"

namespace mofo {

/// Keys and values of the tokens seen so far by one generation.
class KvCache {
public:
    KvCache(const ModelDescription& model, std::int64_t capacity, c10::Device device);
    [[nodiscard]] std::int64_t length() const { return m_length; }
    [[nodiscard]] std::int64_t capacity() const { return m_capacity; }

private:
    friend class Decoder;
    std::int64_t m_length = 0;
    std::int64_t m_capacity;
    std::vector<at::Tensor> m_keys, m_values;  ///< per layer [capacity, kvHeads, headSize]
};

/// Stateless but for the weights it looks at (not owned: the arena must outlive it). Not thread safe. Throws what LibTorch throws:
/// call it inside guardTorch.
class Decoder {
public:
    Decoder(const ModelDescription& model, const std::vector<ParameterInfo>& infos, const ParameterArena& weights);

    /// Forward and backward of one micro-batch: adds the gradient of sum(weights * nll) to `gradients` (same layout as the weights)
    /// and returns the summed, weighted loss in nats.
    double addGradients(const PackedBatch& batch, ParameterArena& gradients) const;
    /// Per row: the negative log-likelihood summed over its targets, in nats (unweighted).
    [[nodiscard]] std::vector<double> rowLosses(const PackedBatch& batch) const;
    /// Logits [T, vocabulary] of one row of ids [T].
    [[nodiscard]] at::Tensor logits(const at::Tensor& ids) const;
    /// Feeds `ids` [n] after what the cache holds and returns the logits [vocabulary] of the last one.
    [[nodiscard]] at::Tensor nextLogits(const at::Tensor& ids, KvCache& cache) const;
    [[nodiscard]] const ModelDescription& model() const { return m_model; }

private:
    struct LayerWeights {
        std::size_t query = 0, gate = 0;  ///< first index of q,k,v and of gate,up
        std::size_t output = 0, down = 0, inputNorm = 0, postNorm = 0;
    };
    struct LayerState;

    at::Tensor embed(const at::Tensor& ids) const;
    /// Runs all layers on x [T, H]; with `states` keeps what the backward pass needs.
    at::Tensor runLayers(at::Tensor x, const PackedBatch& batch, const at::Tensor& positions, std::vector<LayerState>* states) const;
    AttentionResult attendRow(const at::Tensor& qkv, std::int64_t begin, std::int64_t rows, std::int64_t length) const;
    const RopeTable& ropeFor(std::int64_t length) const;
    at::Tensor headMatrix() const;

    ModelDescription m_model;
    const ParameterArena& m_weights;
    std::vector<LayerWeights> m_layers;
    std::size_t m_embedding = 0, m_finalNorm = 0, m_head = 0;
    mutable RopeTable m_rope;
    mutable at::Tensor m_logits;  ///< reused buffer of one chunk of the head
};

}  // namespace mofo
