#include "core/engine/profile.h"

#include <torch/csrc/autograd/profiler_kineto.h>

#include <algorithm>
#include <set>
#include <vector>

#include "core/base/file.h"
#include "core/base/text.h"
#include "core/engine/torch_guard.h"
#include "core/engine/training_step.h"

namespace mofo {

namespace {

using torch::profiler::impl::ActivityType;
using torch::profiler::impl::ProfilerConfig;
using torch::profiler::impl::ProfilerState;

}  // namespace

Result<Json> profileSteps(const std::string& modelFolder, const std::string& device, const RunConfig& config, int steps,
                          const std::filesystem::path& file, const std::function<bool(std::string_view phase, double share)>& progress) {
    const auto loading = [&](std::string_view phase, double share, const std::string&) { return progress(phase, share); };
    TrainingStep training;
    MOFO_CHECK(training.load(modelFolder, device, config, loading));
    MOFO_CHECK(training.build(config, loading));
    MOFO_CHECK(training.configure(config));
    const std::int64_t total = training.data().totalSteps();
    if (total < 2)
        return Error{ErrorCode::InvalidInput, "the run has one step, and the first is not recorded", "", "Give it more rows or steps", "RANGE"};
    return guardTorch([&]() -> Result<Json> {
        const ProfilerConfig how(ProfilerState::KINETO, /*report_input_shapes=*/true);
        std::set<ActivityType> activities{ActivityType::CPU};
        if (training.device().is_cuda()) activities.insert(ActivityType::CUDA);
        const std::int64_t last = std::min<std::int64_t>(total, steps + 1);
        std::vector<double> each;
        for (std::int64_t step = 1; step <= last; ++step) {
            if (!progress("profile", static_cast<double>(step - 1) / static_cast<double>(last))) {
                if (step > 2) static_cast<void>(torch::autograd::profiler::disableProfiler());
                return Error{ErrorCode::Interrupted, "cancelled", "", "", ""};
            }
            if (step == 2) {
                torch::autograd::profiler::prepareProfiler(how, activities);
                torch::autograd::profiler::enableProfiler(how, activities);
            }
            MOFO_TRY(const TrainingStep::Outcome outcome, training.run(step, total, config));
            if (step > 1) each.push_back(outcome.row.stepMs);
        }
        const auto recorded = torch::autograd::profiler::disableProfiler();
        // Kineto reports nothing where it cannot write: what lies there afterwards decides.
        const std::filesystem::path partial = file.string() + ".part";
        recorded->save(partial.string());
        std::error_code ec;
        const std::uintmax_t bytes = std::filesystem::file_size(partial, ec);
        if (ec || bytes == 0)
            return Error{ErrorCode::Io, "the trace could not be written", escapeForDisplay(file.string()), "Choose another place", "PATH"};
        std::filesystem::rename(partial, file, ec);
        if (ec) return Error{ErrorCode::Io, "the trace could not be put in place: " + ec.message(), escapeForDisplay(file.string()), "", "PATH"};
        double sum = 0;
        for (const double ms : each) sum += ms;
        return Json{{"file", file.string()}, {"steps", each.size()}, {"bytes", bytes}, {"step_ms", sum / static_cast<double>(each.size())}};
    });
}

}  // namespace mofo
