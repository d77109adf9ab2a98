// Rows 301 to 316 of PIQA, item by item against Transformers 5 (fp32, PyTorch 2.11) on the same GGUF file.
#include <gtest/gtest.h>

#include <array>
#include <fstream>

#include "core/engine/evaluate_job.h"
#include "tests/support/test_support.h"

namespace mofo {
namespace {

constexpr std::array<std::array<double, 2>, 16> expected{{{{-40.194866, -54.261106}},
                                                          {{-15.407961, -13.841934}},
                                                          {{-41.094509, -35.757585}},
                                                          {{-24.834887, -31.105320}},
                                                          {{-23.511047, -19.476297}},
                                                          {{-75.020164, -65.055941}},
                                                          {{-60.845819, -63.817318}},
                                                          {{-282.793098, -279.821119}},
                                                          {{-63.465782, -57.550457}},
                                                          {{-121.175204, -109.612592}},
                                                          {{-126.708891, -118.057370}},
                                                          {{-45.477841, -48.096703}},
                                                          {{-38.491297, -37.557657}},
                                                          {{-63.779625, -52.523467}},
                                                          {{-681.046671, -683.946668}},
                                                          {{-35.519365, -40.120338}}}};

TEST(Piqa, EachChoiceHasTheLikelihoodThatTransformersGives) {
    MOFO_REQUIRE_SHARED();
    MOFO_REQUIRE_SMOL();
    const test::TemporaryFolder folder;
    std::ifstream all(test::sharedFolder() / "data/piqa-valid.jsonl");
    std::string line, some;
    for (int i = 0; i < 316 && std::getline(all, line); ++i) {
        if (i >= 300) some += line + "\n";
    }
    test::writeFile(folder / "rows.jsonl", some);
    auto model = ModelSource::open(test::smolGguf().string());
    ASSERT_OK(model);
    EvaluateRequest request;
    request.task = "piqa";
    request.data = (folder / "rows.jsonl").string();
    const auto result = evaluateModel(request, std::move(*model), nullptr, c10::kCPU, {});
    ASSERT_OK(result);
    const Json& items = (*result)["items"];
    ASSERT_EQ(items.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        for (std::size_t c = 0; c < 2; ++c) {
            const double given = items[i]["log_likelihoods"][c].get<double>();
            EXPECT_NEAR(given, expected[i][c], 1e-4 * std::abs(expected[i][c])) << i << ' ' << c;
        }
    }
    EXPECT_EQ((*result)["trained_on"], Json()) << "no run is known";
}

}  // namespace
}  // namespace mofo
