// How the filtered parameters are divided into partitions (mofo.md, "Partition granularity").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace mofo {

enum class GranularityKind { Model, Layer, Module, Tensor, Head, Row, Block, Shards };

/// `n` is N of block:N (from 64) and S of shards:S (from 1); 0 for the others.
struct Granularity {
    GranularityKind kind = GranularityKind::Tensor;
    std::int64_t n = 0;

    /// "tensor", "block:4096", "shards:4"; anything else is a Usage error that names the nearest right one.
    static Result<Granularity> parse(std::string_view text);
    [[nodiscard]] std::string text() const;
    friend bool operator==(const Granularity&, const Granularity&) = default;
};

}  // namespace mofo
