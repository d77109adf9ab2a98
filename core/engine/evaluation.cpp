#include "core/engine/evaluation.h"

#include <numeric>

#include "core/engine/torch_guard.h"

namespace mofo {

double RowLosses::mean() const { return std::accumulate(nll.begin(), nll.end(), 0.0) / static_cast<double>(targetCount()); }
std::int64_t RowLosses::targetCount() const { return std::accumulate(targets.begin(), targets.end(), std::int64_t{0}); }

Result<RowLosses> computeRowLosses(const Decoder& decoder, std::span<const TokenRow> rows, c10::Device device,
                                   const std::function<bool(double)>& progress, std::int64_t tokenBudget) {
    return guardTorch([&]() -> Result<RowLosses> {
        RowLosses losses;
        std::vector<const TokenRow*> group;
        std::int64_t tokens = 0;
        const auto computeGroup = [&] {
            const std::vector<double> nll = decoder.rowLosses(packRows(group).to(device));
            losses.nll.insert(losses.nll.end(), nll.begin(), nll.end());
            for (const TokenRow* row : group) losses.targets.push_back(row->targetCount());
            group.clear();
            tokens = 0;
        };
        for (std::size_t i = 0; i < rows.size(); ++i) {
            if (progress && !progress(static_cast<double>(i) / static_cast<double>(rows.size())))
                return Error{ErrorCode::Interrupted, "cancelled during the evaluation", "", "", ""};
            if (rows[i].targetCount() == 0) {
                if (!group.empty()) computeGroup();
                losses.nll.push_back(0);
                losses.targets.push_back(0);
                continue;
            }
            const auto length = static_cast<std::int64_t>(rows[i].ids.size());
            if (!group.empty() && tokens + length > tokenBudget) computeGroup();
            group.push_back(&rows[i]);
            tokens += length;
        }
        if (!group.empty()) computeGroup();
        return losses;
    });
}

}  // namespace mofo
