// Corpus I: model.safetensors.index.json and the shards it names (design page "Reliability", section 3), id by id.
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <functional>

#include "core/base/clock.h"
#include "core/tensorio/safetensors.h"
#include "tests/core/tensorio/builders.h"
#include "tests/support/test_support.h"

namespace mofo::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* first = "model-00001-of-00002.safetensors";
constexpr const char* second = "model-00002-of-00002.safetensors";

std::string shard(const std::string& tensor, const std::string& dtype = "F32") {
    const std::string bytes = dtype == "F32" ? "8" : "4";
    return safetensorsFile("{" + tensorEntry(tensor, dtype, "[2]", "[0," + bytes + "]") + "}", zeros(dtype == "F32" ? 8 : 4));
}

std::string indexOf(const std::string& map, const std::string& metadata = R"({"total_size":16})") {
    return "{\"metadata\":" + metadata + ",\"weight_map\":" + map + "}";
}

std::string twoShards() { return "{\"a\":\"" + std::string(first) + "\",\"b\":\"" + second + "\"}"; }

void writeIndex(const fs::path& folder, const std::string& text) { writeFile(folder / "model.safetensors.index.json", text); }

/// A sound folder of two shards; the case then damages it.
void writeSound(const fs::path& folder) {
    writeFile(folder / first, shard("a"));
    writeFile(folder / second, shard("b"));
    writeIndex(folder, indexOf(twoShards()));
}

/// weight_map whose second shard has the given name (JSON text without quotes).
void nameSecond(const fs::path& folder, const std::string& name) {
    writeIndex(folder, indexOf("{\"a\":\"" + std::string(first) + "\",\"b\":\"" + name + "\"}"));
}

struct IndexCase {
    const char* id;
    const char* expected;
    void (*damage)(const fs::path& folder);
};

void PrintTo(const IndexCase& item, std::ostream* out) { *out << item.id << " expects " << item.expected; }

const IndexCase cases[] = {
    {"sound", "A", [](const fs::path&) {}},
    {"I1", "R:MISSING", [](const fs::path& f) { writeIndex(f, R"({"metadata":{}})"); }},
    {"I2", "R:TYPE", [](const fs::path& f) { writeIndex(f, indexOf("[]")); }},
    {"I2_root", "R:TYPE", [](const fs::path& f) { writeIndex(f, "[]"); }},
    {"I3", "R:RANGE", [](const fs::path& f) { writeIndex(f, indexOf("{}")); }},
    {"I4", "R:TYPE", [](const fs::path& f) { writeIndex(f, indexOf(R"({"a":3})")); }},
    {"I5", "R:PATH", [](const fs::path& f) { nameSecond(f, ""); }},
    {"I6", "R:PATH", [](const fs::path& f) { nameSecond(f, "."); }},
    {"I7", "R:PATH", [](const fs::path& f) { nameSecond(f, ".."); }},
    {"I8", "R:PATH", [](const fs::path& f) { nameSecond(f, "../../etc/passwd"); }},
    {"I9", "R:PATH", [](const fs::path& f) { nameSecond(f, "/etc/passwd"); }},
    {"I10", "R:PATH", [](const fs::path& f) { nameSecond(f, "a/../../b"); }},
    {"I11", "R:PATH",
     [](const fs::path& f) {
         fs::create_directory(f / "sub");
         fs::rename(f / second, f / "sub" / "x.safetensors");
         nameSecond(f, "sub/x.safetensors");
     }},
    {"I12", "R:PATH", [](const fs::path& f) { nameSecond(f, R"(..\\x)"); }},
    {"I13", "R:PATH", [](const fs::path& f) { nameSecond(f, R"(C:\\x)"); }},
    {"I14", "R:PATH", [](const fs::path& f) { nameSecond(f, R"(\\\\host\\x)"); }},
    {"I15", "R:PATH", [](const fs::path& f) { nameSecond(f, "file:///etc/passwd"); }},
    {"I16", "R:PATH", [](const fs::path& f) { nameSecond(f, "http://127.0.0.1/x.safetensors"); }},
    {"I17", "R:PATH", [](const fs::path& f) { nameSecond(f, R"(x\u0000.safetensors)"); }},
    {"I18", "R:MISSING", [](const fs::path& f) { nameSecond(f, "%2e%2e%2fx.safetensors"); }},
    {"I19", "R:MISSING", [](const fs::path& f) { nameSecond(f, "\xEF\xBC\x8E\xEF\xBC\x8E"); }},
    {"I20", "R:PATH", [](const fs::path& f) { nameSecond(f, R"(x\n.safetensors)"); }},
    {"I21", "R:PATH", [](const fs::path& f) { nameSecond(f, std::string(300, 'x')); }},
    {"I22", "R:PATH",
     [](const fs::path& f) {
         fs::rename(f / second, f.parent_path() / "outside.safetensors");
         fs::create_symlink("../outside.safetensors", f / second);
     }},
    {"I24", "R:PATH",
     [](const fs::path& f) {
         fs::create_directories(f.parent_path() / "other" / "blobs");
         fs::rename(f / second, f.parent_path() / "other" / "blobs" / "ab12");
         fs::create_symlink("../other/blobs/ab12", f / second);
     }},
    {"I25", "R:IO",
     [](const fs::path& f) {
         fs::remove(f / second);
         fs::create_symlink(second, f / second);
     }},
    {"I26", "R:MISSING",
     [](const fs::path& f) {
         fs::remove(f / second);
         fs::create_symlink("nowhere", f / second);
     }},
    {"I28", "A",
     [](const fs::path& f) {
         fs::rename(f / second, f.parent_path() / "linked");
         fs::create_hard_link(f.parent_path() / "linked", f / second);
     }},
    {"I29", "R:IO",
     [](const fs::path& f) {
         fs::remove(f / second);
         ASSERT_EQ(mkfifo((f / second).c_str(), 0600), 0);
     }},
    {"I30", "R:PATH",
     [](const fs::path& f) {
         fs::remove(f / second);
         fs::create_symlink("/dev/zero", f / second);
     }},
    {"I31", "R:IO",
     [](const fs::path& f) {
         fs::remove(f / second);
         fs::create_directory(f / second);
     }},
    {"I32", "R:unsupported", [](const fs::path& f) { nameSecond(f, "pytorch_model-00002-of-00002.bin"); }},
    {"I33", "R:JSON", [](const fs::path& f) { writeFile(f / second, "PK\x03\x04" + zeros(1000)); }},
    {"I34", "R:unsupported", [](const fs::path& f) { nameSecond(f, "model.gguf"); }},
    {"I35", "A",
     [](const fs::path& f) {
         fs::rename(f / second, f / "MODEL-00001-of-00002.safetensors");
         nameSecond(f, "MODEL-00001-of-00002.safetensors");
     }},
    {"I36", "R:DUP",
     [](const fs::path& f) {
         writeFile(f / second,
                   safetensorsFile("{" + tensorEntry("a", "F32", "[1]", "[0,4]") + "," + tensorEntry("b", "F32", "[1]", "[4,8]") + "}", zeros(8)));
     }},
    {"I37", "R:MISSING",
     [](const fs::path& f) { writeIndex(f, indexOf("{\"a\":\"" + std::string(first) + "\",\"b\":\"" + second + "\",\"c\":\"" + second + "\"}")); }},
    {"I38", "W",
     [](const fs::path& f) {
         writeFile(f / second,
                   safetensorsFile("{" + tensorEntry("b", "F32", "[1]", "[0,4]") + "," + tensorEntry("c", "F32", "[1]", "[4,8]") + "}", zeros(8)));
     }},
    {"I39", "R:MISSING", [](const fs::path& f) { writeIndex(f, indexOf("{\"a\":\"" + std::string(second) + "\",\"b\":\"" + first + "\"}")); }},
    {"I40", "R:MISSING", [](const fs::path& f) { fs::remove(f / second); }},
    {"I41", "R:TRUNC", [](const fs::path& f) { fs::resize_file(f / second, fs::file_size(f / second) - 1); }},
    {"I42", "R:TRUNC", [](const fs::path& f) { fs::resize_file(f / second, 0); }},
    {"I43", "R:MISSING",
     [](const fs::path& f) {
         writeIndex(f, indexOf("{\"a\":\"" + std::string(first) + "\",\"b\":\"" + second + "\",\"c\":\"model-00003-of-00003.safetensors\"}"));
     }},
    {"I44", "W",
     [](const fs::path& f) {
         fs::rename(f / second, f / "model-00002-of-00003.safetensors");
         nameSecond(f, "model-00002-of-00003.safetensors");
     }},
    {"I45", "W", [](const fs::path& f) { writeIndex(f, indexOf(twoShards(), R"({"total_size":17})")); }},
    {"I46", "W", [](const fs::path& f) { writeIndex(f, indexOf(twoShards(), R"({"total_size":-1})")); }},
    {"I47", "W", [](const fs::path& f) { writeIndex(f, indexOf(twoShards(), R"({"total_size":"16"})")); }},
    {"I48", "W", [](const fs::path& f) { writeIndex(f, indexOf(twoShards(), R"({"total_size":1180591620717411303424})")); }},
    {"I49", "A", [](const fs::path& f) { writeIndex(f, "{\"weight_map\":" + twoShards() + "}"); }},
    {"I50", "R:DUP", [](const fs::path& f) { writeIndex(f, indexOf("{\"a\":\"" + std::string(first) + "\",\"a\":\"" + second + "\"}")); }},
    {"I51", "R:LIMIT",
     [](const fs::path& f) {
         std::string map = "{";
         for (int i = 0; i < 1'100'000; ++i) map += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":\"x\"";
         writeIndex(f, indexOf(map + "}"));
     }},
    {"I51_bytes", "R:LIMIT", [](const fs::path& f) { writeIndex(f, indexOf(twoShards()) + std::string(65u << 20, ' ')); }},
    {"I52", "R:DEPTH", [](const fs::path& f) { writeIndex(f, indexOf(repeat("[", 100'000) + repeat("]", 100'000))); }},
    {"I53", "R:LIMIT",
     [](const fs::path& f) {
         std::string map = "{";
         for (int i = 0; i < 100'000; ++i) map += (i == 0 ? "\"t" : ",\"t") + std::to_string(i) + "\":\"s" + std::to_string(i) + ".safetensors\"";
         writeIndex(f, indexOf(map + "}"));
     }},
    {"I54", "A",
     [](const fs::path& f) {
         writeFile(f / second, shard("b", "BF16"));
         writeIndex(f, indexOf(twoShards(), R"({"total_size":12})"));
     }},
    {"I55", "R:SEM", [](const fs::path& f) { writeFile(f / "model.safetensors", shard("a")); }},
    {"I56", "R:JSON", [](const fs::path& f) { writeIndex(f, indexOf(twoShards()).substr(0, 60)); }},
    {"I57", "W", [](const fs::path& f) { writeIndex(f, "\xEF\xBB\xBF" + indexOf(twoShards())); }},
    {"I58", "R:PATH",
     [](const fs::path& f) {
         fs::rename(f / "model.safetensors.index.json", f.parent_path() / "index.json");
         fs::create_symlink("../index.json", f / "model.safetensors.index.json");
     }},
    {"I59", "R:LIMIT", [](const fs::path& f) { nameSecond(f, "model.safetensors.index.json"); }},
    {"I64", "A",
     [](const fs::path& f) {
         fs::rename(f / second, f / "model. ");
         nameSecond(f, "model. ");
     }},
    {"I65", "R:SEM", [](const fs::path& f) { nameSecond(f, "adapter_model.safetensors"); }},
    {"none", "R:MISSING", [](const fs::path& f) { fs::remove(f / "model.safetensors.index.json"); }},
    {"pickle", "R:unsupported",
     [](const fs::path& f) {
         fs::remove(f / "model.safetensors.index.json");
         writeFile(f / "pytorch_model.bin", "x");
     }},
};

class IndexCorpus : public testing::TestWithParam<IndexCase> {};

TEST_P(IndexCorpus, EndsAsItMust) {
    const IndexCase& item = GetParam();
    TemporaryFolder outer;
    const fs::path folder = outer / "model";
    fs::create_directory(folder);
    writeSound(folder);
    item.damage(folder);
    Stopwatch watch;
    const auto weights = SafetensorsFolder::open(folder);
    EXPECT_LT(watch.elapsedMs(), 20'000);
    const std::string_view expected = item.expected;
    if (expected.starts_with("R:")) {
        ASSERT_FALSE(weights.ok());
        EXPECT_EQ(weights.error().tag, expected.substr(2)) << weights.error().text();
        EXPECT_NE(weights.error().where.find("model"), std::string::npos);
        return;
    }
    ASSERT_OK(weights);
    EXPECT_EQ(weights->warnings().empty(), expected == "A");
    std::vector<float> values(2);
    EXPECT_OK(weights->readFloats(*weights->find("a"), 0, values));
    ASSERT_NE(weights->find("b"), nullptr);
}

INSTANTIATE_TEST_SUITE_P(I, IndexCorpus, testing::ValuesIn(cases), [](const auto& info) { return std::string(info.param.id); });

TEST(SafetensorsFolder, ReadsTheLinksOfAHuggingFaceCache_I23) {
    TemporaryFolder outer;
    const fs::path snapshot = outer / "snapshots" / "c0ffee";
    fs::create_directories(snapshot);
    fs::create_directory(outer / "blobs");
    writeSound(snapshot);
    int number = 0;
    for (const char* name : {first, second, "model.safetensors.index.json"}) {
        const std::string blob = "ab0" + std::to_string(number++);
        fs::rename(snapshot / name, outer / "blobs" / blob);
        fs::create_symlink("../../blobs/" + blob, snapshot / name);
    }
    EXPECT_OK(SafetensorsFolder::open(snapshot));
}

TEST(SafetensorsFolder, ReadsAShardThatIsSwappedAfterItWasChecked_I61) {
    // The file that was checked stays open; a file that takes its name later is never read.
    TemporaryFolder folder;
    writeFile(folder / "model.safetensors", safetensorsFile("{" + tensorEntry("a", "F32", "[2]", "[0,8]") + "}", raw(1.0f) + raw(2.0f)));
    const auto weights = SafetensorsFolder::open(folder.path());
    ASSERT_OK(weights);
    writeFile(folder / "other", safetensorsFile("{" + tensorEntry("a", "F32", "[2]", "[0,8]") + "}", raw(7.0f) + raw(7.0f)));
    fs::rename(folder / "other", folder / "model.safetensors");
    std::vector<float> values(2);
    ASSERT_OK(weights->readFloats(*weights->find("a"), 0, values));
    EXPECT_EQ(values, (std::vector<float>{1.0f, 2.0f}));
}

TEST(SafetensorsFolder, RefusesAFileWithoutPermission_I63) {
    TemporaryFolder folder;
    writeFile(folder / "model.safetensors", shard("a"));
    ASSERT_EQ(chmod((folder / "model.safetensors").c_str(), 0), 0);
    // Root may read everything, so root asks as nobody.
    const uid_t user = geteuid();
    ASSERT_EQ(chmod(folder.path().c_str(), 0755), 0);
    if (user == 0) {
        ASSERT_EQ(seteuid(65534), 0);
    }
    const auto weights = SafetensorsFolder::open(folder.path());
    if (user == 0) {
        ASSERT_EQ(seteuid(0), 0);
    }
    ASSERT_FALSE(weights.ok());
    EXPECT_EQ(weights.error().code, ErrorCode::Permission);
    EXPECT_EQ(weights.error().tag, "IO");
}

}  // namespace
}  // namespace mofo::test
