// Runs that are interrupted, and what a run leaves compared bit for bit.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/engine/checkpoint.h"
#include "tests/core/engine/engine_support.h"

namespace mofo::test {

class ResumeTest : public TrainingTest {
protected:
    /// 20 steps over 3.2 epochs, shuffled, accumulated, the last batch short, a checkpoint every fourth step.
    [[nodiscard]] RunConfig longConfig() const;
    /// Changes of alpha, granularity, rule and pulls at steps 3, 6, 9 and 14.
    void sendChanges(const std::string& run);
    /// Trains until `step` is done, and stops with a checkpoint (or without).
    EngineFixture::Trained trainUntil(const std::string& run, std::int64_t step, bool save);
    std::filesystem::path checkpointFolder(const std::string& run, const std::string& name) const;
    /// The newest checkpoint that is not superseded, by the store.
    FoundCheckpoint last(const std::string& run);
    /// Equal losses and gradient norms at every step, and an equal digest of everything at the end.
    void expectSame(const EngineFixture::Trained& a, const EngineFixture::Trained& b);
    static std::string eventsText(const EngineFixture::Trained& run);
};

/// Changes one byte of the named tensor's data; the manifest stays as it is.
void flipTensorByte(const std::filesystem::path& safetensors, const std::string& tensor);
/// Writes another state.json and makes the manifest agree with it and with the tensor files as they are: a forgery that every hash vouches for.
void forgeCheckpoint(const std::filesystem::path& folder, const Json& state);

}  // namespace mofo::test
