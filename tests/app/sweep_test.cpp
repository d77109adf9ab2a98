// sweep, interpolate and landscape with the real engine on a tiny model.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/model/model_source.h"
#include "tests/app/real_engine.h"

namespace mofo {
namespace {

using test::CliResult;
using test::RealEngine;
using testing::HasSubstr;

class SweepCommand : public RealEngine {
protected:
    std::vector<std::string> sweep(const std::vector<std::string>& more) {
        std::vector<std::string> arguments = {"sweep", "--model", model().string(), "--data",  data().string(), "--set",  "device=cpu",
                                              "--set", "batch=2", "--set",          "lr=1e-3", "--set",         "steps=6"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return arguments;
    }
};

TEST_F(SweepCommand, SaysWhatItTakesAndStartsNothingInADryRun) {
    const CliResult dry = cli(sweep({"--preset", "compare", "--dry-run", "--json"}));
    ASSERT_EQ(dry.exitCode, 0) << dry.err;
    const Json plan = dry.json();
    EXPECT_EQ(plan["runs"].size(), 3u);
    EXPECT_EQ(plan["forecast"]["steps"], 18);
    EXPECT_TRUE(plan["forecast"]["seconds"].is_number()) << "measured by a rehearsal: " << dry.err;
    EXPECT_THAT(plan["forecast"]["basis"].get<std::string>(), HasSubstr("measured just now"));
    EXPECT_GT(plan["forecast"]["disk_bytes"].get<double>(), 0);
    EXPECT_EQ(cli({"runs", "--json"}).json().size(), 0u);
    const CliResult unasked = cli(sweep({"--preset", "compare"}));
    EXPECT_EQ(unasked.exitCode, 2) << "nobody can be asked";
    EXPECT_THAT(unasked.err, HasSubstr("--yes"));
    EXPECT_EQ(cli({"sweep", "list", "--json"}).json().size(), 0u);
}

TEST_F(SweepCommand, RunsEveryBaselineAsAList) {
    test::writeFile(m_folder / "arms",
                    "optimizer=adamw\noptimizer=mofo alpha=0.15\noptimizer=hft hft_every=2\noptimizer=adamw l2=0.5\noptimizer=adamw l1=0.01\n"
                    "optimizer=mofo rule=random\noptimizer=mofo rule=gradient\noptimizer=fixed_mask\noptimizer=lora lora_rank=4\n"
                    "optimizer=lora_mofo lora_rank=4\n");
    const CliResult done = cli(sweep({"--list", (m_folder / "arms").string(), "--name", "all", "--yes"}));
    ASSERT_EQ(done.exitCode, 0) << done.err;
    const Json shown = cli({"sweep", "show", "all", "--json"}).json();
    EXPECT_EQ(shown["id"].get<std::string>() + "\n", done.out);
    EXPECT_EQ(shown["state"], "finished");
    ASSERT_EQ(shown["runs"].size(), 10u);
    const Json first = cli({"show", shown["runs"][0]["id"], "--json"}).json();
    for (const Json& run : shown["runs"]) {
        const Json one = cli({"show", run["id"], "--json"}).json();
        ASSERT_EQ(one["steps"].size(), 6u) << run["name"];
        EXPECT_EQ(one["sweep"], shown["id"]);
        for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(one["steps"][i]["tokens"], first["steps"][i]["tokens"]) << "the same rows in the same order";
        // LoRA's own dropout draws at the first step already.
        if (run["name"].get<std::string>().find("lora") == std::string::npos) {
            EXPECT_EQ(one["steps"][0]["loss"], first["steps"][0]["loss"]);
        }
    }
    const CliResult listed = cli({"runs"});
    EXPECT_THAT(listed.out, HasSubstr("all (sweep: 10 of 10)"));
    EXPECT_THAT(listed.out, testing::Not(HasSubstr("all-lora")));
    EXPECT_THAT(cli({"runs", "--all"}).out, HasSubstr("all-lora"));
}

TEST_F(SweepCommand, ThatComparesLeavesAReport) {
    const CliResult done = cli(sweep({"--preset", "compare", "--yes"}));
    ASSERT_EQ(done.exitCode, 0) << done.err;
    EXPECT_THAT(done.err, HasSubstr("report: "));
    const std::string id = done.out.substr(0, done.out.find('\n'));
    const Json shown = cli({"sweep", "show", id, "--json"}).json();
    ASSERT_TRUE(shown["plan"]["report"].is_string());
    const std::string page = test::readFile(shown["plan"]["report"].get<std::string>());
    for (const Json& run : shown["runs"]) EXPECT_THAT(page, HasSubstr(run["name"].get<std::string>()));
    EXPECT_EQ(page.find("<script"), std::string::npos);
}

TEST_F(SweepCommand, AnAdaptedRunIsExportedMerged) {
    const std::string id = finished("adapted", {"optimizer=lora", "lora_rank=4", "lr=1e-2"});
    const CliResult exported = cli({"export", id, (m_folder / "merged").string(), "--json"});
    ASSERT_EQ(exported.exitCode, 0) << exported.err;
    EXPECT_EQ(exported.json()["max_difference"], 0);
    EXPECT_LT(exported.json()["max_logit_difference"].get<double>(), 1e-5);
    const auto score = [&](const std::string& named) {
        const CliResult scored = cli({"score", "--model", named, "--data", data().string(), "--set", "device=cpu", "--json"});
        EXPECT_EQ(scored.exitCode, 0) << scored.err;
        double sum = 0;
        for (const Json& row : scored.json()) sum += row["log_likelihood"].get<double>();
        return sum;
    };
    const double merged = score((m_folder / "merged").string()), base = score(model().string());
    EXPECT_NEAR(score(id), merged, 1e-6 * std::abs(merged));
    EXPECT_GT(merged, base + 1) << "it learnt";
}

TEST_F(SweepCommand, InterpolatesBetweenModelAndRun) {
    const std::string id = finished("tuned");
    const CliResult made = cli({"interpolate", model().string(), id, (m_folder / "half").string(), "--weight", "0.5", "--json"});
    ASSERT_EQ(made.exitCode, 0) << made.err;
    EXPECT_EQ(made.json()["max_difference"], 0);
    EXPECT_THAT(test::readFile(m_folder / "half" / "mofo.json"), HasSubstr("\"weight\": \"0.5\""));
    const CliResult tuned = cli({"interpolate", model().string(), id + "@last", (m_folder / "one").string(), "--weight", "1"});
    ASSERT_EQ(tuned.exitCode, 0) << tuned.err;
    ASSERT_EQ(cli({"export", id, (m_folder / "exported").string()}).exitCode, 0);
    EXPECT_EQ(*sha256OfFile(m_folder / "one" / "model.safetensors"), *sha256OfFile(m_folder / "exported" / "model.safetensors")) << "w = 1 is B";
    EXPECT_EQ(cli({"interpolate", model().string(), id, (m_folder / "half").string(), "--weight", "0.5"}).exitCode, 3) << "it is there already";
    EXPECT_EQ(cli({"interpolate", model().string(), id, (m_folder / "x").string(), "--weight", "half"}).exitCode, 2);
    EXPECT_FALSE(std::filesystem::exists(m_folder / "x"));
}

TEST_F(SweepCommand, MeasuresTheLandscapeThroughBoth) {
    const std::string id = finished("tuned", {"eval_data=" + data().string(), "eval_every=12"});
    const CliResult done =
        cli({"landscape", model().string(), id, "--data", data().string(), "--general", data().string(), "--device", "cpu", "--json"});
    ASSERT_EQ(done.exitCode, 0) << done.err;
    const Json points = done.json()["points"];
    ASSERT_EQ(points.size(), 21u);
    EXPECT_EQ(points[0]["t"], -2);
    EXPECT_EQ(points[20]["t"], 2);
    const Json evals = cli({"show", id, "--json"}).json()["evals"];
    EXPECT_EQ(points[10]["t"], 0);
    EXPECT_NEAR(points[10]["task_loss"].get<double>(), evals[0]["loss"].get<double>(), 1e-5) << "t = 0 is the model";
    EXPECT_NEAR(points[15]["t"].get<double>(), 1, 1e-12);
    EXPECT_NEAR(points[15]["task_loss"].get<double>(), evals.back()["loss"].get<double>(), 1e-4) << "t = 1 is the run";
    for (const Json& point : points) EXPECT_EQ(point["task_loss"], point["general_loss"]) << "the same rows";
}

}  // namespace
}  // namespace mofo
