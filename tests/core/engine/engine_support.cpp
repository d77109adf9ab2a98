#include "tests/core/engine/engine_support.h"

#include <gtest/gtest.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/ids.h"
#include "core/engine/checkpoint.h"
#include "core/engine/trainer.h"
#include "core/library/model_library.h"

namespace mofo::test {

EngineFixture::EngineFixture(const std::filesystem::path& model) {
    auto workspace = Workspace::openOrCreate(m_folder / "workspace", false);
    EXPECT_TRUE(workspace.ok()) << workspace.error().text();
    m_workspace.emplace(std::move(*workspace));
    auto registry = Registry::open(*m_workspace, Registry::Access::ReadWrite);
    EXPECT_TRUE(registry.ok()) << registry.error().text();
    m_registry.emplace(std::move(*registry));
    auto sealed = sealModel(*m_workspace, *m_registry, model.string());
    EXPECT_TRUE(sealed.ok()) << sealed.error().text();
    m_model = *sealed;
}

std::string EngineFixture::addRun(const RunConfig& config, const std::string& name) {
    RunRow run;
    run.id = newShortId();
    run.name = name;
    run.config = config;
    run.modelId = m_model.id;
    run.createdNs = wallNs();
    EXPECT_OK(makeFolder(m_workspace->runFolder(run.id), true));
    EXPECT_OK(m_registry->addRun(run));
    return run.id;
}

EngineFixture::Trained EngineFixture::train(const std::string& id) {
    Trained out;
    if (auto trained = trainRun(*m_workspace, id); !trained.ok()) out.error = trained.error();
    auto run = m_registry->findRun(id);
    EXPECT_TRUE(run.ok()) << run.error().text();
    out.run = *run;
    auto reader = MetricsReader::open(m_workspace->metricsFile(id));
    if (!reader.ok()) {
        ADD_FAILURE() << reader.error().text();
        return out;
    }
    const std::vector<StepRow> steps = *reader->stepsAfter(0);
    for (const StepRow& step : steps)
        if (!step.superseded) out.steps.push_back(step);
    out.evals = *reader->evalsAfter(0);
    out.events = *reader->eventsAfter(0);
    out.parameters = *reader->parameters();
    out.checkpoints = *reader->checkpoints();
    out.tensors = *reader->newestTensors();
    return out;
}

std::string EngineFixture::weightsHash(const std::string& id) {
    auto newest = newestCheckpoint(m_workspace->checkpointsFolder(id));
    if (!newest.ok() || !*newest) {
        ADD_FAILURE() << "run " << id << " has no checkpoint";
        return {};
    }
    return *sha256OfFile((*newest)->folder / "model.safetensors");
}

}  // namespace mofo::test
