#include "core/engine/verified_export.h"

#include <cmath>
#include <vector>

#include "core/base/text.h"
#include "core/engine/decoder.h"
#include "core/engine/torch_guard.h"

namespace mofo {

namespace {

Result<at::Tensor> logitsOf(const ModelSource& source, const std::vector<TokenId>& prompt, c10::Device device, const PhaseProgress& progress) {
    MOFO_TRY(const ParameterArena weights, loadWeights(source, device, [&](double share) { return progress("verify", share); }));
    return guardTorch([&]() -> Result<at::Tensor> {
        const at::Tensor ids = at::tensor(std::vector<std::int64_t>(prompt.begin(), prompt.end()), at::kLong).to(device);
        return Decoder(source.description(), source.parameters(), weights).logits(ids).to(at::kCPU);
    });
}

}  // namespace

Result<DType> exportType(const std::string& text) {
    if (text.empty() || text == "f32" || text == "fp32") return DType::F32;
    if (text == "bf16") return DType::BF16;
    if (text == "f16" || text == "fp16") return DType::F16;
    return Error{ErrorCode::Usage, "an export can be f32, bf16 or f16, not " + escapeForDisplay(text), "", "", ""};
}

Result<Json> writeVerified(std::unique_ptr<ModelSource> source, const std::string& target, DType dtype, const Json& provenance, c10::Device device,
                           const PhaseProgress& progress) {
    if (!progress("write", 0)) return Error{ErrorCode::Interrupted, "cancelled", "", "", ""};
    MOFO_TRY(const std::string sha256, writeHfFolder(*source, target, dtype, [&](double share) { return progress("write", share); },
                                                     {{"mofo.json", provenance.dump(1, ' ', false, Json::error_handler_t::replace) + "\n"}}));
    MOFO_TRY(const std::unique_ptr<ModelSource> written, ModelSource::open(target));
    double worst = 0;
    std::vector<float> a, b;
    for (std::size_t i = 0; i < source->parameters().size(); ++i) {
        const auto count = static_cast<std::size_t>(source->parameters()[i].elementCount());
        a.resize(count);
        b.resize(count);
        MOFO_CHECK(source->readParameter(i, a));
        MOFO_CHECK(written->readParameter(i, b));
        for (std::size_t j = 0; j < count; ++j) worst = std::max(worst, static_cast<double>(std::fabs(a[j] - b[j])));
        progress("verify", 0.5 * static_cast<double>(i) / static_cast<double>(source->parameters().size()));
    }
    if (dtype == DType::F32 && worst != 0) {
        return Error{ErrorCode::Io, "written, but not verified: a weight read back differs by " + formatShortest(worst), escapeForDisplay(target),
                     "Check the disk and export again", "CHANGED"};
    }
    MOFO_TRY(const Tokenizer tokenizer, written->loadTokenizer());
    MOFO_TRY(const Encoding prompt, tokenizer.encode("What is 3 times 14? Explain step by step.", true));
    MOFO_TRY(const at::Tensor before, logitsOf(*source, prompt.ids, device, progress));
    source.reset();
    MOFO_TRY(const at::Tensor after, logitsOf(*written, prompt.ids, device, progress));
    const double logits = (before - after).abs().max().item<double>();
    progress("verify", 1);
    return Json{{"path", target}, {"sha256", sha256}, {"max_difference", worst}, {"max_logit_difference", logits}};
}

}  // namespace mofo
