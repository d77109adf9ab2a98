#include "tests/core/engine/engine_support.h"

#include <gtest/gtest.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/ids.h"
#include "core/engine/checkpoint.h"
#include "core/engine/trainer.h"
#include "core/library/model_library.h"
#include "tests/support/tiny_model.h"

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

std::string EngineFixture::addRun(const RunConfig& config, const std::string& name, const std::string& device) {
    RunRow run;
    run.id = newShortId();
    run.name = name;
    run.config = config;
    run.device = device;
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

TrainingTest::TrainingTest() {
    writeTinyModel(m_files / "model");
    writeTinyData(m_files / "data.jsonl", 37);
    m_engine = std::make_unique<EngineFixture>(m_files / "model");
    g_stopSignals = 0;
}

RunConfig TrainingTest::config() const {
    RunConfig c;
    c.model = (m_files / "model").string();
    c.data = (m_files / "data.jsonl").string();
    c.steps = 12;
    c.batch = 6;
    c.microBatch = 4;
    c.maxLength = 256;
    c.lr = 1e-3;
    c.schedule = ScheduleKind::Cosine;
    c.warmup = 2;
    c.weightDecay = 0.01;
    c.clip = 0.5;
    c.statsEvery = 3;
    c.probes.clear();  // those that are about probes ask for them
    return c;
}

std::string TrainingTest::send(const std::string& run, const std::string& kind, Json payload, std::optional<std::int64_t> atStep) {
    CommandRow command;
    command.uuid = newUuid();
    command.runId = run;
    command.kind = kind;
    command.payload = std::move(payload);
    command.atStep = atStep;
    command.who = "cli";
    command.createdNs = wallNs();
    EXPECT_OK(m_engine->registry().addCommand(command));
    return command.uuid;
}

std::optional<AcknowledgementRow> TrainingTest::acknowledgement(const std::string& run, const std::string& uuid) {
    return *MetricsReader::open(m_engine->workspace().metricsFile(run))->acknowledgement(uuid);
}

void TrainingTest::expectEqualSteps(const EngineFixture::Trained& a, const EngineFixture::Trained& b, double relative) {
    ASSERT_EQ(a.steps.size(), b.steps.size());
    for (std::size_t i = 0; i < a.steps.size(); ++i) {
        if (relative == 0) {
            EXPECT_EQ(a.steps[i].loss, b.steps[i].loss) << i;
            EXPECT_EQ(a.steps[i].gradNorm, b.steps[i].gradNorm) << i;
        } else {
            EXPECT_NEAR(a.steps[i].loss, b.steps[i].loss, relative * a.steps[i].loss) << i;
        }
        EXPECT_EQ(a.steps[i].tokens, b.steps[i].tokens) << i;
    }
}

}  // namespace mofo::test
