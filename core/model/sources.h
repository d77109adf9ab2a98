// The three forms of ModelSource and what they share; private to core/model.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/model/model_source.h"

namespace mofo {

Result<std::unique_ptr<ModelSource>> openGgufSource(const std::filesystem::path& path);
Result<std::unique_ptr<ModelSource>> openHfSource(const std::filesystem::path& folder);
Result<std::unique_ptr<ModelSource>> openRandomSource(const std::string& name);

/// Where the values of each parameter lie that are not finite; a piece that is read twice counts once.
class NonFiniteLog {
public:
    void note(std::size_t parameter, std::int64_t first, std::span<const float> values);
    void appendTo(std::vector<std::string>& warnings, const std::vector<ParameterInfo>& parameters) const;

private:
    mutable std::mutex m_mutex;
    std::map<std::pair<std::size_t, std::int64_t>, std::int64_t> m_counts;
};

/// Refuses what can be described but not computed (biases).
Result<void> requireDecodable(const ModelDescription& model, const std::string& where);
/// One line for any number of tensors that belong to no parameter; nothing where there are none.
void warnOfUnused(const std::vector<std::string>& names, std::vector<std::string>& warnings);
/// The element type that most of the model's elements have.
DType prevailingType(const std::vector<TensorInfo>& tensors);
/// `tensor` must have the shape of `parameter` (tag SIZE) and a type that can be read (Unsupported, tag DTYPE).
Result<void> checkTensor(const TensorInfo& tensor, const ParameterInfo& parameter, const std::string& where);

}  // namespace mofo
