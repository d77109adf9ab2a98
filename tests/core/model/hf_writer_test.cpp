#include <gtest/gtest.h>

#include <sys/resource.h>
#include <sys/stat.h>

#include <cmath>
#include <csignal>

#include "core/base/hash.h"
#include "core/model/model_source.h"
#include "core/tensorio/convert.h"
#include "tests/core/model/tiny_model.h"

namespace mofo::test {
namespace {

namespace fs = std::filesystem;

/// A source without tokenizer and without pieces, as a run's weights in memory are one.
class MemorySource : public ModelSource {
public:
    explicit MemorySource(ModelDescription model) : m_model(std::move(model)), m_parameters(parametersOf(m_model)) {}
    const ModelDescription& description() const override { return m_model; }
    const std::vector<ParameterInfo>& parameters() const override { return m_parameters; }
    Result<void> readParameter(std::size_t index, std::span<float> out) const override {
        if (index == failAt) return Error{ErrorCode::Io, "the disk is on fire", "", "", ""};
        for (std::size_t i = 0; i < out.size(); ++i) out[i] = tinyValue(index, static_cast<std::int64_t>(i));
        return {};
    }
    Result<Tokenizer> loadTokenizer() const override { return Error{ErrorCode::Unsupported, "no tokenizer", "", "", ""}; }
    bool hasTokenizer() const override { return false; }
    std::string formatName() const override { return "memory"; }
    bool isQuantised() const override { return false; }
    std::vector<std::string> warnings() const override { return {}; }
    Json hfConfig() const override {
        Json config = hfConfigOf(m_model, "float32");
        config["auto_map"] = {{"AutoModel", "evil.Model"}};
        config["_name_or_path"] = "/home/somebody/model";
        return config;
    }
    std::size_t failAt = SIZE_MAX;

private:
    ModelDescription m_model;
    std::vector<ParameterInfo> m_parameters;
};

bool isEmpty(const fs::path& folder) { return fs::directory_iterator(folder) == fs::directory_iterator(); }

TEST(WriteHfFolder, GivesBackWhatWentIn) {
    TemporaryFolder folder;
    for (const bool tied : {true, false}) {
        const MemorySource source(tinyDescription(tied));
        for (const DType dtype : {DType::F32, DType::BF16, DType::F16}) {
            const fs::path target = folder / (std::string(dtypeName(dtype)) + (tied ? "tied" : "untied"));
            const auto sha256 = writeHfFolder(source, target, dtype, {}, {{"mofo.json", "{}\n"}});
            ASSERT_OK(sha256);
            EXPECT_EQ(*sha256, sha256Hex(readFile(target / "model.safetensors")));
            EXPECT_EQ(readFile(target / "mofo.json"), "{}\n");
            const auto read = ModelSource::open(target.string());
            ASSERT_OK(read);
            EXPECT_TRUE((*read)->warnings().empty());
            EXPECT_EQ(hfConfigOf((*read)->description(), ""), hfConfigOf(source.description(), ""));
            EXPECT_EQ((*read)->formatName(), "safetensors " + std::string(dtypeName(dtype)));
            const Json config = (*read)->hfConfig();
            EXPECT_EQ(config["dtype"], dtype == DType::F32 ? "float32" : dtype == DType::BF16 ? "bfloat16" : "float16");
            EXPECT_EQ(config["torch_dtype"], config["dtype"]);
            EXPECT_FALSE(config.contains("auto_map"));
            EXPECT_FALSE(config.contains("_name_or_path"));
            EXPECT_EQ((*read)->hfGenerationConfig()["eos_token_id"], 2);
            for (std::size_t i = 0; i < source.parameters().size(); ++i) {
                std::vector<float> values(static_cast<std::size_t>(source.parameters()[i].elementCount()));
                ASSERT_OK((*read)->readParameter(i, values));
                for (std::size_t k = 0; k < values.size(); ++k) {
                    const float expected = tinyValue(i, static_cast<std::int64_t>(k));
                    ASSERT_EQ(values[k], dtype == DType::BF16  ? bfloat16ToFloat(floatToBfloat16(expected))
                                         : dtype == DType::F16 ? halfToFloat(floatToHalf(expected))
                                                               : expected);
                }
            }
        }
    }
}

TEST(WriteHfFolder, IsAFunctionOfTheWeights) {
    TemporaryFolder folder;
    const MemorySource source(tinyDescription());
    const auto first = writeHfFolder(source, folder / "a", DType::F32);
    const auto second = writeHfFolder(source, folder / "b", DType::F32);
    ASSERT_OK(first);
    ASSERT_OK(second);
    EXPECT_EQ(*first, *second);
    for (const auto& entry : fs::directory_iterator(folder / "a"))
        EXPECT_EQ(readFile(entry.path()), readFile(folder / "b" / entry.path().filename().string()));
}

TEST(WriteHfFolder, FollowsTheUmask) {
    TemporaryFolder folder;
    const MemorySource source(tinyDescription());
    const mode_t before = umask(027);
    const auto written = writeHfFolder(source, folder / "a", DType::F32, {}, {{"mofo.json", "{}"}});
    umask(before);
    ASSERT_OK(written);
    struct stat info {};
    ASSERT_EQ(stat((folder / "a").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777u, 0750u);
    for (const auto& entry : fs::directory_iterator(folder / "a")) {
        ASSERT_EQ(stat(entry.path().c_str(), &info), 0);
        EXPECT_EQ(info.st_mode & 0777u, 0640u) << entry.path();
    }
}

TEST(WriteHfFolder, LeavesNothingBehindWhenCancelled) {
    TemporaryFolder folder;
    const MemorySource source(tinyDescription());
    double last = -1;
    ASSERT_OK(writeHfFolder(source, folder / "whole", DType::F32, [&](double done) {
        EXPECT_GE(done, last);
        EXPECT_LE(done, 1);
        last = done;
        return true;
    }));
    EXPECT_EQ(last, 1);
    fs::remove_all(folder / "whole");
    for (const double until : {0.0, 0.5, 0.95}) {
        const auto written = writeHfFolder(source, folder / "a", DType::F32, [&](double done) { return done < until; });
        ASSERT_FALSE(written.ok());
        EXPECT_EQ(written.error().code, ErrorCode::Interrupted);
        EXPECT_TRUE(isEmpty(folder.path()));
    }
}

TEST(WriteHfFolder, LeavesNothingBehindWhenTheSourceFails) {
    TemporaryFolder folder;
    MemorySource source(tinyDescription());
    for (std::size_t i = 0; i < source.parameters().size(); ++i) {
        source.failAt = i;
        const auto written = writeHfFolder(source, folder / "a", DType::F32);
        ASSERT_FALSE(written.ok());
        EXPECT_EQ(written.error().message, "the disk is on fire");
        EXPECT_TRUE(isEmpty(folder.path()));
    }
}

TEST(WriteHfFolder, LeavesNothingBehindWhenTheDiskFails) {
    TemporaryFolder folder;
    const MemorySource source(tinyDescription());
    struct rlimit before {};
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    for (const rlim_t bytes : {0, 100, 5'000, 100'000}) {  // the weights have 92 KiB, the configuration under 1 KiB
        const struct rlimit limit { bytes, before.rlim_max };
        ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
        const auto written = writeHfFolder(source, folder / "a", DType::F32);
        ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
        if (bytes == 100'000) {
            EXPECT_OK(written);
            continue;
        }
        ASSERT_FALSE(written.ok());
        EXPECT_EQ(written.error().code, ErrorCode::Io);
        EXPECT_TRUE(isEmpty(folder.path()));
    }
    std::signal(SIGXFSZ, handler);
}

TEST(WriteHfFolder, NeverWritesOverAnything) {
    TemporaryFolder folder;
    const MemorySource source(tinyDescription());
    fs::create_directory(folder / "a");
    writeFile(folder / "b", "x");
    for (const char* name : {"a", "b"}) EXPECT_EQ(writeHfFolder(source, folder / name, DType::F32).error().code, ErrorCode::Conflict);
    EXPECT_EQ(readFile(folder / "b"), "x");
    EXPECT_EQ(writeHfFolder(source, folder / "no" / "such" / "parent", DType::F32).error().code, ErrorCode::NotFound);
    EXPECT_EQ(writeHfFolder(source, folder / "c", DType::Q8_0).error().code, ErrorCode::Usage);
}

TEST(RandomModel, IsAFixedFunctionOfNameAndIndex) {
    const auto opened = ModelSource::open("random:smollm2");
    ASSERT_OK(opened);
    const ModelSource& source = **opened;
    EXPECT_EQ(source.parameters().size(), 272u);
    EXPECT_EQ(source.formatName(), "random");
    std::vector<float> values(static_cast<std::size_t>(source.parameters()[1].elementCount()));
    ASSERT_OK(source.readParameter(1, values));
    std::vector<float> part(100);
    ASSERT_OK(source.readPiece(1, 12345, part));
    EXPECT_TRUE(std::equal(part.begin(), part.end(), values.begin() + 12345));
    double sum = 0, squares = 0;
    for (const float value : values) {
        sum += value;
        squares += static_cast<double>(value) * value;
    }
    const auto n = static_cast<double>(values.size());
    EXPECT_NEAR(sum / n, 0, 4 * 0.02 / std::sqrt(n));
    EXPECT_NEAR(std::sqrt(squares / n), 0.02, 0.0001);
    std::vector<float> other(values.size());
    ASSERT_OK(source.readParameter(10, std::span(other).first(static_cast<std::size_t>(source.parameters()[10].elementCount()))));
    EXPECT_NE(values[0], other[0]);
    // The same on every machine and in every version (the hash is of NumPy making the same numbers).
    Sha256 hash;
    hash.update(std::as_bytes(std::span(values)));
    EXPECT_EQ(hash.hex(), "4f4c5b4b82358caa9628ab19c30c356b578a8ae25f5719fab7c3ca5acd64d023");
    const auto norm = source.parameters().size() - 1;
    std::vector<float> ones(576);
    ASSERT_OK(source.readParameter(norm, ones));
    EXPECT_EQ(ones, std::vector<float>(576, 1.0f));
    const auto tokenizer = source.loadTokenizer();
    ASSERT_FALSE(tokenizer.ok());
    EXPECT_EQ(tokenizer.error().code, ErrorCode::Unsupported);
    EXPECT_FALSE(ModelSource::open("random:nothing").ok());
}

TEST(ModelSource, SaysWhatIsNoModel) {
    TemporaryFolder folder;
    EXPECT_EQ(ModelSource::open((folder / "none").string()).error().code, ErrorCode::NotFound);
    writeFile(folder / "empty", "");
    EXPECT_EQ(ModelSource::open((folder / "empty").string()).error().tag, "TRUNC");
    writeFile(folder / "pickle.pt", "PK\x03\x04" + zeros(100));
    const auto pickle = ModelSource::open((folder / "pickle.pt").string());
    EXPECT_EQ(pickle.error().code, ErrorCode::Unsupported);
    EXPECT_NE(pickle.error().text().find("never loaded"), std::string::npos);
    writeFile(folder / "model.safetensors", oneTensor("F32", "[2]", "[0,8]", zeros(8)));
    EXPECT_NE(ModelSource::open((folder / "model.safetensors").string()).error().text().find("Name the folder"), std::string::npos);
    writeFile(folder / "text", "just some text, no model at all");
    EXPECT_EQ(ModelSource::open((folder / "text").string()).error().tag, "MAGIC");
    EXPECT_EQ(ModelSource::open("/dev/zero").error().tag, "IO");
}

}  // namespace
}  // namespace mofo::test
