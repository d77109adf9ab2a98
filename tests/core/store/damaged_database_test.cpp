// Hostile and damaged files: corpus D of the reliability page, for the registry and for a run's measurements.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <random>

#include "core/base/clock.h"
#include "core/store/database.h"
#include "tests/core/store/store_support.h"

namespace mofo {
namespace {

namespace fs = std::filesystem;
using test::TemporaryFolder;
using ::testing::AnyOf;
using ::testing::HasSubstr;

struct Damage {
    const char* name;
    std::vector<std::string> tags;  ///< of the refusal, any of them
    std::function<void(const fs::path&)> inflict;
};

/// Overwrites bytes of the file; text longer than the file grows it.
std::function<void(const fs::path&)> bytes(std::size_t offset, std::string text) {
    return [=](const fs::path& file) {
        std::string content = test::readFile(file);
        if (content.size() < offset + text.size()) content.resize(offset + text.size());
        content.replace(offset, text.size(), text);
        test::writeFile(file, content);
    };
}
std::function<void(const fs::path&)> sql(std::string text) {
    return [=](const fs::path& file) { test::tamper(file, text); };
}
std::function<void(const fs::path&)> content(std::string text) {
    return [=](const fs::path& file) { test::writeFile(file, text); };
}
std::function<void(const fs::path&)> cut(std::uintmax_t size) {
    return [=](const fs::path& file) { fs::resize_file(file, size); };
}
std::string be32(std::uint32_t value) {
    return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8), static_cast<char>(value)};
}

const std::vector<Damage>& damages() {
    static const std::vector<Damage> all{
        {"D1_empty", {"MAGIC"}, cut(0)},
        {"D2_text", {"MAGIC"}, content("this is a text file, and a long one: " + std::string(5000, 'x'))},
        {"D3_fifty_bytes", {"MAGIC", "CORRUPT"}, cut(50)},
        {"D4_magic_altered", {"MAGIC"}, bytes(0, "SQLite format 4")},
        {"D5_page_size_0", {"CORRUPT", "MAGIC"}, bytes(16, std::string(2, '\0'))},
        {"D6_page_size_513", {"CORRUPT", "MAGIC"}, bytes(16, std::string("\x02\x01", 2))},
        {"D7_page_size_is_not_the_files", {"CORRUPT", "MAGIC", "SCHEMA"}, bytes(16, std::string("\x02\x00", 2))},
        {"D8_reserved_255", {"CORRUPT", "MAGIC"}, bytes(20, "\xff")},
        {"D9_read_version_3", {"CORRUPT", "MAGIC", "IO"}, bytes(18, "\x03\x03")},
        {"D10_schema_format_5", {"CORRUPT", "MAGIC", ""}, bytes(44, be32(5))},
        {"D11_encoding_4", {"CORRUPT"}, bytes(56, be32(4))},
        {"D13_foreign_application", {"MAGIC"}, sql("PRAGMA application_id = 12345")},
        {"D14_future_version", {"VER"}, sql("PRAGMA user_version = 99")},
        {"D15_version_0", {"SCHEMA"}, sql("PRAGMA user_version = 0")},
        {"D15_version_negative", {"SCHEMA"}, sql("PRAGMA user_version = -1")},
        {"D16_random_bytes",
         {"MAGIC"},
         [](const fs::path& file) {
             std::mt19937 random(7);
             std::string text(20'000, '\0');
             for (char& c : text) c = static_cast<char>(random());
             test::writeFile(file, text);
         }},
        {"D18_freelist_beyond_the_end", {"CORRUPT"}, bytes(32, be32(60'000) + be32(5))},
        {"D20_root_page_0", {"CORRUPT", "SCHEMA", "MAGIC"}, sql("UPDATE sqlite_schema SET rootpage = 0 WHERE name IN ('settings', 'facts')")},
        {"D21_root_beyond_the_end", {"CORRUPT"}, sql("UPDATE sqlite_schema SET rootpage = 99999 WHERE name IN ('settings', 'facts')")},
        {"D22_two_tables_one_root",
         {"CORRUPT", "SCHEMA"},
         sql("UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name IN ('drafts', 'log')) WHERE name IN ('settings', "
             "'machine')")},
        {"D23_view_named_like_a_table",
         {"SCHEMA"},
         sql("DROP TABLE IF EXISTS drafts; DROP TABLE IF EXISTS log; CREATE VIEW drafts AS SELECT 1 AS key; CREATE VIEW log AS SELECT 1 AS seq")},
        {"D24_extra_trigger", {"SCHEMA"}, sql("CREATE TABLE zz(a); CREATE TRIGGER zt AFTER INSERT ON zz BEGIN DELETE FROM zz; END")},
        {"D25_index_on_an_expression", {"SCHEMA"}, sql("CREATE TABLE IF NOT EXISTS zz(a); CREATE INDEX zi ON zz(abs(a))")},
        {"D26_check_with_a_function", {"SCHEMA"}, sql("CREATE TABLE zz(a CHECK (load_extension(a)))")},
        {"D27_generated_column", {"SCHEMA"}, sql("CREATE TABLE zz(a, b AS (a + 1))")},
        {"D28_virtual_table", {"SCHEMA"}, sql("CREATE VIRTUAL TABLE zz USING fts5(a)")},
        {"D29_table_missing", {"SCHEMA"}, sql("DROP TABLE IF EXISTS drafts; DROP TABLE IF EXISTS log")},
        {"D30_extra_table", {"SCHEMA"}, sql("CREATE TABLE zz(a)")},
        {"D31_column_missing",
         {"SCHEMA"},
         sql("DROP TABLE IF EXISTS drafts; DROP TABLE IF EXISTS log; CREATE TABLE drafts(key TEXT) STRICT; CREATE TABLE log(seq INTEGER) STRICT")},
        {"D33_strict_removed", {"SCHEMA"}, sql("UPDATE sqlite_schema SET sql = replace(sql, ') STRICT', ')') WHERE name IN ('settings', 'facts')")},
        {"truncated_in_the_middle", {"CORRUPT", "MAGIC", "IO"}, [](const fs::path& file) { fs::resize_file(file, fs::file_size(file) / 2); }},
        {"truncated_by_more_than_a_page",
         {"CORRUPT", "MAGIC", "IO"},
         [](const fs::path& file) { fs::resize_file(file, fs::file_size(file) - 9000); }},
        {"second_page_zeroed",
         {"CORRUPT"},
         [](const fs::path& file) {
             const std::string page = test::readFile(file).substr(16, 2);
             const std::size_t size = static_cast<std::size_t>(static_cast<unsigned char>(page[0])) << 8 | static_cast<unsigned char>(page[1]);
             bytes(size, std::string(size, '\x07'))(file);
         }},
        {"D72_four_terabytes_of_nothing", {"LIMIT"}, [](const fs::path& file) { fs::resize_file(file, std::uintmax_t{4} << 40); }},
    };
    return all;
}

class DamagedDatabase : public ::testing::TestWithParam<Damage> {};

TEST_P(DamagedDatabase, IsRefusedByRegistryAndReaderWithoutATrace) {
    const TemporaryFolder temp;
    const fs::path ws = temp / "ws";
    {
        auto workspace = Workspace::openOrCreate(ws, false);
        ASSERT_OK(workspace);
        auto registry = Registry::open(*workspace, Registry::Access::ReadWrite);
        ASSERT_OK(registry);
        ASSERT_OK(registry->addRun(test::exampleRun("run1", std::string(400, 'n'))));
    }
    GetParam().inflict(ws / "workbench.db");
    const auto size = fs::file_size(ws / "workbench.db");
    const auto workspace = Workspace::open(ws);
    ASSERT_OK(workspace);
    for (const auto access : {Registry::Access::ReadOnly, Registry::Access::ReadWrite}) {
        const Stopwatch watch;
        const auto refused = Registry::open(*workspace, access);
        ASSERT_FALSE(refused.ok());
        EXPECT_THAT(GetParam().tags, ::testing::Contains(refused.error().tag)) << refused.error().text();
        EXPECT_THAT(refused.error().text(), HasSubstr("workbench.db"));
        EXPECT_LT(watch.elapsedMs(), 3000);
    }
    EXPECT_EQ(fs::file_size(ws / "workbench.db"), size);

    const fs::path file = temp / "metrics.db";
    {
        auto writer = MetricsWriter::open(file, "run1");
        ASSERT_OK(writer);
        MetricsBatch batch;
        for (std::int64_t step = 1; step <= 200; ++step) batch.steps.push_back({.step = step, .loss = 1});
        ASSERT_OK(writer->write(batch));
    }
    GetParam().inflict(file);
    const auto reader = MetricsReader::open(file);
    ASSERT_FALSE(reader.ok());
    EXPECT_THAT(GetParam().tags, ::testing::Contains(reader.error().tag)) << reader.error().text();
    const auto writer = MetricsWriter::open(file, "run1");
    ASSERT_FALSE(writer.ok());
    EXPECT_THAT(GetParam().tags, ::testing::Contains(writer.error().tag)) << writer.error().text();
}

INSTANTIATE_TEST_SUITE_P(Corpus, DamagedDatabase, ::testing::ValuesIn(damages()), [](const auto& info) { return std::string(info.param.name); });

TEST(ForeignDatabase, IsRefusedAndLeftUntouched) {
    const TemporaryFolder temp;
    fs::create_directory(temp / "ws");
    {
        SQLite::Database foreign((temp / "ws/workbench.db").string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
        foreign.exec("CREATE TABLE people(name TEXT); INSERT INTO people VALUES ('Ada')");
    }
    const std::string before = test::readFile(temp / "ws/workbench.db");
    const auto workspace = Workspace::openOrCreate(temp / "ws", false);
    ASSERT_OK(workspace);
    const auto refused = Registry::open(*workspace, Registry::Access::ReadWrite);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().tag, "MAGIC");
    EXPECT_EQ(refused.error().exitCode(), 3);
    EXPECT_EQ(test::readFile(temp / "ws/workbench.db"), before);
}

TEST(ForeignDatabase, OfUtf16IsRefusedThoughItsTablesAreOurs) {
    const TemporaryFolder temp;
    const fs::path file = temp / "metrics.db";
    {
        SQLite::Database twin(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
        twin.exec("PRAGMA encoding = 'UTF-16le'");
        for (const std::string_view statement : metricsSchema().statements) twin.exec(std::string(statement));
        twin.exec("PRAGMA application_id = " + std::to_string(metricsSchema().applicationId) +
                  "; PRAGMA user_version = " + std::to_string(metricsSchema().version));
    }
    const auto refused = MetricsReader::open(file);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().tag, "SCHEMA");
    EXPECT_THAT(refused.error().text(), HasSubstr("UTF-8"));
}

TEST(DamagedDatabase, NoRandomDamageEverDoesMoreThanRefuse) {
    const TemporaryFolder temp;
    const fs::path file = temp / "metrics.db";
    {
        auto writer = MetricsWriter::open(file, "run1");
        ASSERT_OK(writer);
        ASSERT_OK(writer->write({.parameters = {{.index = 0, .name = "a", .kind = "q", .size = 3}, {.index = 1, .name = "b", .kind = "k", .size = 4}}}));
        MetricsBatch batch;
        for (std::int64_t step = 1; step <= 60; ++step) {
            batch.steps.push_back(StepRow{.step = step, .loss = 1});
            batch.tensors.push_back({.step = step, .selected = {1, 2}, .driftL2 = {1, 2}});
            batch.events.push_back({.step = step, .kind = "set", .text = std::string(100, 'x')});
            batch.evals.push_back({.step = step, .rowLoss = {1, 2, 3}, .rowTokens = {1, 2, 3}});
        }
        ASSERT_OK(writer->write(batch));
    }
    const std::string whole = test::readFile(file);
    std::mt19937_64 random(20240731);
    int opened = 0, refused = 0;
    const Stopwatch watch;
    for (int round = 0; round < 1500 && watch.elapsedMs() < 20'000; ++round) {
        std::string damaged = whole;
        // Headers and page starts are hit as often as everything else, for they decide more.
        const int hits = 1 + static_cast<int>(random() % 8);
        for (int h = 0; h < hits; ++h) {
            std::size_t at = random() % damaged.size();
            if (random() % 2 == 0) at = at / 8192 * 8192 + random() % 120;
            damaged[std::min(at, damaged.size() - 1)] = static_cast<char>(random());
        }
        if (round % 10 == 0) damaged.resize(random() % damaged.size());
        const fs::path copy = temp / "copy.db";
        test::writeFile(copy, damaged);
        const auto reader = MetricsReader::open(copy);
        if (!reader.ok()) {
            ++refused;
            EXPECT_FALSE(reader.error().message.empty());
        } else {
            ++opened;
            // Whatever these give, they give it as a Result.
            static_cast<void>(reader->stepsAfter(0));
            static_cast<void>(reader->tensorsAfter(0));
            static_cast<void>(reader->newestTensors());
            static_cast<void>(reader->evalsAfter(0));
            static_cast<void>(reader->eventsAfter(0));
            static_cast<void>(reader->parameters());
            static_cast<void>(reader->status());
        }
        for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(copy.string() + suffix);
    }
    EXPECT_GT(refused, 300);
    std::printf("[ measured ] %d damaged files: %d refused, %d opened\n", opened + refused, refused, opened);
}

TEST(DamagedDatabase, StaleFilesBesideItDoNoHarm) {
    const TemporaryFolder temp;
    const fs::path file = temp / "metrics.db";
    const auto make = [&](const fs::path& at, std::int64_t steps) {
        auto writer = MetricsWriter::open(at, "run1");
        ASSERT_OK(writer);
        MetricsBatch batch;
        for (std::int64_t step = 1; step <= steps; ++step) batch.steps.push_back(StepRow{.step = step, .loss = 1});
        ASSERT_OK(writer->write(batch));
    };
    make(file, 5);
    // A log of garbage, a log of another database, and an index of garbage: each is ignored or built anew.
    test::writeFile(temp / "metrics.db-wal", std::string(9000, '\x5a'));
    test::writeFile(temp / "metrics.db-shm", std::string(32768, '\x5a'));
    auto reader = MetricsReader::open(file);
    ASSERT_OK(reader);
    EXPECT_EQ(reader->stepsAfter(0)->size(), 5u);
    fs::remove(temp / "metrics.db-wal");
    fs::remove(temp / "metrics.db-shm");
    // A log without its database is nothing to read.
    test::writeFile(temp / "alone.db-wal", std::string(9000, '\x5a'));
    EXPECT_EQ(MetricsReader::open(temp / "alone.db").error().code, ErrorCode::NotFound);
}

TEST(DamagedDatabase, ALogThatIsCutGivesItsWholeCommits) {
    const TemporaryFolder temp;
    const fs::path file = temp / "metrics.db", log = temp / "metrics.db-wal";
    {
        test::ChildProcess engine([&] {
            static auto writer = MetricsWriter::open(file, "run1");
            if (!writer.ok()) return false;
            for (std::int64_t step = 1; step <= 40; ++step) {
                MetricsBatch batch;
                batch.steps.push_back(StepRow{.step = step, .loss = 1});
                if (!writer->write(batch).ok()) return false;
            }
            return true;
        });
        ASSERT_TRUE(engine.ready());
    }
    const auto size = fs::file_size(log);
    std::size_t least = 41;
    for (int part = 9; part >= 1; --part) {
        fs::remove(temp / "metrics.db-shm");
        fs::resize_file(log, size * static_cast<unsigned>(part) / 10 + 13);
        const auto reader = MetricsReader::open(file);
        ASSERT_OK(reader);
        const auto steps = reader->stepsAfter(0);
        ASSERT_OK(steps);
        for (std::size_t i = 0; i < steps->size(); ++i) EXPECT_EQ((*steps)[i].step, static_cast<std::int64_t>(i) + 1);
        EXPECT_LE(steps->size(), least);
        least = steps->size();
    }
    EXPECT_LT(least, 20u);
    EXPECT_GT(least, 0u);
}

}  // namespace
}  // namespace mofo
