// The L1 and L2 pull to the pretrained weights p0: baselines of the MoFO paper (mofo.md, "Baselines a comparison needs"), decoupled as AdamW's
// weight decay is (arXiv 1711.05101).
#pragma once

#include <cstddef>
#include <vector>

#include "core/base/result.h"
#include "core/engine/parameter_set.h"
#include "core/model/model_source.h"

namespace mofo {

/// Holds the pretrained weights while a pull is on: 4 bytes a parameter. One thread.
class PretrainedPull {
public:
    /// Reads the pretrained weights into an arena on `device`, which is where apply() computes.
    static Result<PretrainedPull> load(const ModelSource& pretrained, c10::Device device);

    /// p -= l2Step (p - p0) and p -= l1Step sign(p - p0), both from the p before, for each tensor in [first, first + count) that `reached` names. An
    /// l1Step larger than |p - p0| steps over p0. The scratch is a few chunks; no order of work changes the bits. `weights`: on the same device.
    void apply(const ParameterArena& weights, std::size_t first, std::size_t count, const std::vector<bool>& reached, double l1Step,
               double l2Step) const;

private:
    explicit PretrainedPull(ParameterArena pretrained) : m_pretrained(std::move(pretrained)) {}
    ParameterArena m_pretrained;
};

}  // namespace mofo
