#include "core/engine/landscape.h"

#include <cmath>

#include "core/engine/evaluation.h"
#include "core/engine/torch_guard.h"
#include "core/model/interpolation.h"

namespace mofo {

namespace {

/// Of the whole, reading the weights of one model.
constexpr double kReadShare = 0.02;

Json lossJson(double loss) {
    if (std::isfinite(loss)) return loss;
    return std::isnan(loss) ? "nan" : "inf";
}

}  // namespace

Result<Json> lossesAlongLine(const ModelSource& base, const ModelSource& tuned, std::span<const TokenRow> task, std::span<const TokenRow> general,
                             const LandscapeRange& range, c10::Device device, const std::function<bool(double)>& progress) {
    if (const auto difference = architectureDifference(base.description(), tuned.description())) {
        return Error{ErrorCode::InvalidInput, "there is no line through the two models: " + *difference, "",
                     "Give two models of one architecture, such as a model and what was tuned from it", "SIZE"};
    }
    MOFO_TRY(const ParameterArena start, loadWeights(base, device, [&](double share) { return progress(kReadShare * share); }));
    MOFO_TRY(const ParameterArena direction, loadWeights(tuned, device, [&](double share) { return progress(kReadShare * (1 + share)); }));
    return guardTorch([&]() -> Result<Json> {
        direction.flat().sub_(start.flat());
        const ParameterArena here(base.parameters(), device);
        const Decoder decoder(base.description(), base.parameters(), here);
        double done = 0;
        for (const TokenRow& row : task) done += static_cast<double>(row.ids.size());
        const double taskTokens = done;
        for (const TokenRow& row : general) done += static_cast<double>(row.ids.size());
        const double pointTokens = done;
        Json points = Json::array();
        for (std::int64_t i = 0; i < range.points; ++i) {
            const double t = range.points == 1
                                 ? range.from
                                 : range.from + (range.to - range.from) * static_cast<double>(i) / static_cast<double>(range.points - 1);
            here.flat().copy_(start.flat());
            if (t != 0) here.flat().add_(direction.flat(), t);
            const auto loss = [&](std::span<const TokenRow> rows, double before, double tokens) -> Result<Json> {
                if (rows.empty()) return Json();
                MOFO_TRY(const RowLosses losses, computeRowLosses(decoder, rows, device, [&](double share) {
                             const double ofPoint = (before + tokens * share) / pointTokens;
                             return progress(2 * kReadShare +
                                             (1 - 2 * kReadShare) * (static_cast<double>(i) + ofPoint) / static_cast<double>(range.points));
                         }));
                return lossJson(losses.mean());
            };
            MOFO_TRY(const Json taskLoss, loss(task, 0, taskTokens));
            MOFO_TRY(const Json generalLoss, loss(general, taskTokens, pointTokens - taskTokens));
            points.push_back({{"t", t}, {"task_loss", taskLoss}, {"general_loss", generalLoss}});
        }
        return points;
    });
}

}  // namespace mofo
