// A workspace with a run ready to train in this process, and what the run wrote.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/config/run_config.h"
#include "core/store/registry.h"
#include "core/store/run_metrics.h"
#include "core/store/workspace.h"
#include "tests/support/test_support.h"

namespace mofo::test {

class EngineFixture {
public:
    /// A workspace under a temporary folder. `model` is sealed into it: an HF folder or a GGUF file.
    explicit EngineFixture(const std::filesystem::path& model);

    /// Registers a run and gives its id.
    std::string addRun(const RunConfig& config, const std::string& name, const std::string& device = "cpu");
    /// trainRun, then everything it stored. Fails the test where the run fails, unless told otherwise.
    struct Trained {
        RunRow run;
        std::vector<StepRow> steps;
        std::vector<EvalRow> evals;
        std::vector<EventRow> events;
        std::vector<ParameterRow> parameters;
        std::vector<CheckpointRow> checkpoints;
        std::optional<TensorRow> tensors;
        std::optional<Error> error;
    };
    Trained train(const std::string& id);
    Trained trainNew(const RunConfig& config, const std::string& name) { return train(addRun(config, name)); }
    /// SHA-256 of the weights of the run's newest checkpoint.
    std::string weightsHash(const std::string& id);

    [[nodiscard]] const Workspace& workspace() const { return *m_workspace; }
    [[nodiscard]] Registry& registry() { return *m_registry; }
    [[nodiscard]] const std::filesystem::path& folder() const { return m_folder.path(); }
    [[nodiscard]] const ModelRow& model() const { return m_model; }

private:
    TemporaryFolder m_folder;
    std::optional<Workspace> m_workspace;
    std::optional<Registry> m_registry;
    ModelRow m_model;
};

/// Runs of a two-layer model on a few rows.
class TrainingTest : public ::testing::Test {
protected:
    TrainingTest();
    /// Twelve steps of MoFO that use accumulation, decay, clipping and a schedule.
    [[nodiscard]] RunConfig config() const;
    /// Writes a command row as a client does; its uuid.
    std::string send(const std::string& run, const std::string& kind, Json payload, std::optional<std::int64_t> atStep = {});
    std::optional<AcknowledgementRow> acknowledgement(const std::string& run, const std::string& uuid);
    /// Losses within `relative` of each other; 0: losses and gradient norms bit for bit.
    static void expectEqualSteps(const EngineFixture::Trained& a, const EngineFixture::Trained& b, double relative);

    TemporaryFolder m_files;
    std::unique_ptr<EngineFixture> m_engine;
};

}  // namespace mofo::test
