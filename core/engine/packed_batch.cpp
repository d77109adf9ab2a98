#include "core/engine/packed_batch.h"

#include <algorithm>

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

at::Tensor rowPositions(const PackedBatch& batch, c10::Device device) {
    at::Tensor positions = at::empty({batch.tokenCount()}, at::kLong);
    auto* out = positions.data_ptr<std::int64_t>();
    for (std::int64_t r = 0; r < batch.rowCount(); ++r)
        for (std::int64_t i = batch.rowStart[r]; i < batch.rowStart[r + 1]; ++i) out[i] = i - batch.rowStart[r];
    return positions.to(device);
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
        batch.rowNumber.push_back(batch.rowCount() - 1);
    }
    batch.ids = at::tensor(ids, at::kLong);
    batch.targetPositions = at::tensor(positions, at::kLong);
    batch.targets = at::tensor(targets, at::kLong);
    batch.weights = at::ones({static_cast<std::int64_t>(targets.size())}, at::kFloat);
    return batch;
}

std::vector<PackedBatch> packMicroBatches(std::span<const TokenRow* const> rows, std::int64_t microRows, LossMean mean) {
    std::vector<PackedBatch> pieces;
    std::int64_t usefulRows = 0, targets = 0;
    for (std::size_t begin = 0; begin < rows.size(); begin += static_cast<std::size_t>(microRows)) {
        std::vector<const TokenRow*> useful;
        std::vector<std::int64_t> numbers;
        for (std::size_t i = begin; i < std::min(begin + static_cast<std::size_t>(microRows), rows.size()); ++i) {
            if (rows[i]->targetCount() == 0) continue;
            useful.push_back(rows[i]);
            numbers.push_back(static_cast<std::int64_t>(i));
        }
        if (useful.empty()) continue;
        pieces.push_back(packRows(useful));
        pieces.back().rowNumber = std::move(numbers);
        usefulRows += pieces.back().rowCount();
        targets += pieces.back().targetCount();
    }
    for (PackedBatch& piece : pieces) {
        for (std::int64_t r = 0; r < piece.rowCount(); ++r) {
            const std::int64_t count = piece.targetStart[r + 1] - piece.targetStart[r];
            double share = 1.0 / static_cast<double>(targets);
            if (mean == LossMean::Sample) share = 1.0 / (static_cast<double>(usefulRows) * static_cast<double>(count));
            if (mean == LossMean::MicroBatch) share = 1.0 / (static_cast<double>(pieces.size()) * static_cast<double>(piece.targetCount()));
            piece.weights.narrow(0, piece.targetStart[r], count).fill_(share);
        }
    }
    return pieces;
}

}  // namespace mofo
