// Sound files, damaged everywhere: cut at every byte, one bit flipped after the other, random damage. Whatever happens is a value
// or an Error, never a signal; under sanitizers this is where a read out of bounds would show.
#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "core/tensorio/gguf.h"
#include "core/tensorio/safetensors.h"
#include "tests/core/tensorio/builders.h"
#include "tests/support/test_support.h"

namespace mofo::test {
namespace {

std::string soundGguf() {
    GgufBuilder builder;
    builder.text("general.architecture", "llama").u32("llama.block_count", 2).f32("eps", 1e-5f).pair("flag", ggufBool, "\1");
    builder.strings("tokenizer.ggml.tokens", {"a", "bc", "\xFF"})
        .array("ints", ggufI32, 3, zeros(12))
        .array("scores", ggufF32, 2, zeros(8))
        .u32("general.alignment", 32);
    builder.tensor("token_embd.weight", {32, 3}, 8, noise(3, 34 * 3))
        .tensor("norm", {8}, 0, noise(4, 32))
        .tensor("q", {64, 2}, 3, noise(5, 80))
        .tensor("h", {6}, 1, noise(6, 12));
    return builder.build();
}

std::string soundSafetensors() {
    return safetensorsFile("{\"__metadata__\":{\"format\":\"pt\"}," + tensorEntry("w", "F32", "[2,3]", "[0,24]") + "," +
                               tensorEntry("b", "BF16", "[4]", "[24,32]") + "," + tensorEntry("flag", "BOOL", "[3]", "[32,35]") + "}",
                           noise(1, 32) + std::string("\0\1\1", 3));
}

/// Opens the file and reads all that it then claims to hold. True where it was accepted.
bool readAllOfGguf(const std::filesystem::path& path) {
    const auto file = GgufFile::open(path);
    if (!file.ok()) {
        EXPECT_FALSE(file.error().tag.empty()) << file.error().text();
        return false;
    }
    for (const TensorInfo& tensor : file->tensors()) {
        std::vector<float> values(static_cast<std::size_t>(tensor.elementCount));
        (void)file->readFloats(tensor, 0, values).ok();
    }
    return true;
}

bool readAllOfSafetensors(const std::filesystem::path& path) {
    const auto file = SafetensorsFile::open(path);
    if (!file.ok()) {
        EXPECT_FALSE(file.error().tag.empty()) << file.error().text();
        return false;
    }
    for (const TensorInfo& tensor : file->tensors()) {
        std::vector<float> values(static_cast<std::size_t>(tensor.elementCount));
        std::vector<std::byte> bytes(tensor.sizeBytes);
        (void)file->readFloats(tensor, 0, values).ok();
        (void)file->readBytes(tensor, 0, bytes).ok();
    }
    return true;
}

struct Format {
    const char* name;
    std::string (*build)();
    bool (*readAll)(const std::filesystem::path&);
};

class Mutation : public testing::TestWithParam<Format> {
protected:
    bool accepts(const std::string& bytes) {
        writeFile(m_folder / "x", bytes);
        return GetParam().readAll(m_folder / "x");
    }
    TemporaryFolder m_folder;
};

TEST_P(Mutation, EveryCutIsRefused) {
    const std::string sound = GetParam().build();
    ASSERT_TRUE(accepts(sound));
    for (std::size_t length = 0; length < sound.size(); ++length) {
        // GGUF may leave out the padding after its last tensor.
        if (std::string_view(GetParam().name) == "gguf" && length + 20 >= sound.size()) continue;
        EXPECT_FALSE(accepts(sound.substr(0, length))) << "cut to " << length;
    }
}

TEST_P(Mutation, NoFlippedBitIsASignal) {
    const std::string sound = GetParam().build();
    for (std::size_t bit = 0; bit < 8 * sound.size(); ++bit) {
        std::string damaged = sound;
        damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
        (void)accepts(damaged);
    }
}

TEST_P(Mutation, NoRandomDamageIsASignal) {
    std::mt19937_64 random(20240731);
    const std::string sound = GetParam().build();
    const std::uint64_t interesting[] = {0,          1,          0x7F,       0x80,      0xFF,       0xFFFF, 0x7FFFFFFF,
                                         0x80000000, 0xFFFFFFFF, 1ull << 32, INT64_MAX, 1ull << 63, ~0ull};
    for (int round = 0; round < 4000; ++round) {
        std::string damaged = sound;
        for (std::uint64_t edits = 1 + random() % 4; edits > 0; --edits) {
            const std::size_t at = random() % damaged.size();
            switch (random() % 4) {
                case 0: damaged[at] = static_cast<char>(random()); break;
                case 1: damaged.erase(at, random() % 9); break;
                case 2: damaged.insert(at, noise(random(), random() % 9)); break;
                default: {
                    const std::string number = raw(interesting[random() % std::size(interesting)]);
                    damaged.replace(at, 8, number);
                }
            }
            if (damaged.empty()) break;
        }
        (void)accepts(damaged);
    }
}

INSTANTIATE_TEST_SUITE_P(Of, Mutation,
                         testing::Values(Format{"gguf", soundGguf, readAllOfGguf}, Format{"safetensors", soundSafetensors, readAllOfSafetensors}),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace mofo::test
