#include "core/engine/compute_weights.h"

namespace mofo {

Result<Precision> precisionNamed(std::string_view text) {
    RunConfig config;
    if (!text.empty()) MOFO_CHECK(setConfigValue(config, "precision", text));
    return config.precision;
}

at::Tensor ComputeWeights::rows(std::size_t first, std::size_t count) const {
    const at::Tensor exact = m_weights.rows(first, count);
    if (m_dtype == at::kFloat) return exact;
    if (!m_copy.defined()) m_copy = m_weights.flat().to(m_dtype);
    return m_copy.narrow(0, m_weights.offset(first), exact.numel()).view(exact.sizes());
}

ProductRounding::ProductRounding(Precision precision)
    : m_isSet(precision == Precision::Bf32), m_before(at::globalContext().float32Precision(at::Float32Backend::MKLDNN, at::Float32Op::MATMUL)) {
    if (m_isSet) at::globalContext().setFloat32Precision(at::Float32Backend::MKLDNN, at::Float32Op::MATMUL, at::Float32Precision::BF16);
}

ProductRounding::~ProductRounding() {
    if (m_isSet) at::globalContext().setFloat32Precision(at::Float32Backend::MKLDNN, at::Float32Op::MATMUL, m_before);
}

}  // namespace mofo
