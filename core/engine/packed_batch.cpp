#include "core/engine/packed_batch.h"

namespace mofo {

PackedBatch PackedBatch::to(c10::Device device) const {
    if (device.is_cpu()) return *this;
    PackedBatch moved = *this;
    moved.ids = ids.to(device);
    moved.targetPositions = targetPositions.to(device);
    moved.targets = targets.to(device);
    moved.weights = weights.to(device);
    return moved;
}

PackedBatch packRows(std::span<const TokenRow* const> rows) {
    std::vector<std::int64_t> ids, positions, targets;
    PackedBatch batch;
    batch.rowStart.push_back(0);
    batch.targetStart.push_back(0);
    for (const TokenRow* row : rows) {
        const auto base = static_cast<std::int64_t>(ids.size());
        ids.insert(ids.end(), row->ids.begin(), row->ids.end());
        for (std::size_t i = 1; i < row->ids.size(); ++i) {
            if (row->trained[i] == 0) continue;
            positions.push_back(base + static_cast<std::int64_t>(i) - 1);
            targets.push_back(row->ids[i]);
        }
        batch.rowStart.push_back(static_cast<std::int64_t>(ids.size()));
        batch.targetStart.push_back(static_cast<std::int64_t>(targets.size()));
    }
    batch.ids = at::tensor(ids, at::kLong);
    batch.targetPositions = at::tensor(positions, at::kLong);
    batch.targets = at::tensor(targets, at::kLong);
    batch.weights = at::ones({static_cast<std::int64_t>(targets.size())}, at::kFloat);
    return batch;
}

}  // namespace mofo
