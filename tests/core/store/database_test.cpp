#include "core/store/database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <array>

#include "core/base/clock.h"
#include "core/base/hash.h"
#include "tests/core/store/store_support.h"

namespace mofo {
namespace {

namespace fs = std::filesystem;
using test::StoreFixture;
using test::TemporaryFolder;
using ::testing::HasSubstr;

constexpr std::array<std::string_view, 1> firstStatements{"CREATE TABLE t(\n  a INTEGER PRIMARY KEY\n) STRICT"};
constexpr std::array<std::string_view, 2> secondStatements{"CREATE TABLE t(\n  a INTEGER PRIMARY KEY\n) STRICT",
                                                           "CREATE TABLE u(b TEXT NOT NULL) STRICT"};
constexpr std::array<std::string_view, 1> toSecond{"CREATE TABLE u(b TEXT NOT NULL) STRICT"};
constexpr std::array<std::string_view, 2> toSecondBroken{"CREATE TABLE u(b TEXT NOT NULL) STRICT", "INSERT INTO nowhere VALUES (1)"};
constexpr std::array<Migration, 1> migrations{{{1, toSecond}}};
constexpr std::array<Migration, 1> brokenMigrations{{{1, toSecondBroken}}};
const Schema firstSchema{"test store", 77, 1, 4096, firstStatements, {}};
const Schema secondSchema{"test store", 77, 2, 4096, secondStatements, migrations};
const Schema brokenSchema{"test store", 77, 2, 4096, secondStatements, brokenMigrations};

std::string pragma(Database& database, const std::string& name) { return database.handle().execAndGet("PRAGMA " + name).getString(); }

TEST(Database, SettingsAreThoseOfTheDesign) {
    const StoreFixture store;
    for (const auto mode : {Database::Mode::SharedWriter, Database::Mode::SharedReader}) {
        const auto database = Database::open(store.workspace.registryFile(), registrySchema(), mode);
        ASSERT_OK(database);
        Database& db = **database;
        EXPECT_EQ(pragma(db, "journal_mode"), "delete");
        EXPECT_EQ(pragma(db, "synchronous"), "2");
        EXPECT_EQ(pragma(db, "foreign_keys"), "1");
        EXPECT_EQ(pragma(db, "trusted_schema"), "0");
        EXPECT_EQ(pragma(db, "cell_size_check"), "1");
        EXPECT_EQ(pragma(db, "temp_store"), "2");
        EXPECT_EQ(pragma(db, "query_only"), mode == Database::Mode::SharedReader ? "1" : "0");
        sqlite3* const handle = db.handle().getHandle();
        for (const auto& [option, expected] : {std::pair(SQLITE_DBCONFIG_DEFENSIVE, 1), std::pair(SQLITE_DBCONFIG_ENABLE_TRIGGER, 0),
                                               std::pair(SQLITE_DBCONFIG_ENABLE_VIEW, 0), std::pair(SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0),
                                               std::pair(SQLITE_DBCONFIG_DQS_DML, 0), std::pair(SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)}) {
            int value = -1;
            sqlite3_db_config(handle, option, -1, &value);
            EXPECT_EQ(value, expected) << option;
        }
        EXPECT_EQ(sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, -1), 16 << 20);
        EXPECT_EQ(sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, -1), 0);
        EXPECT_EQ(sqlite3_limit(handle, SQLITE_LIMIT_VARIABLE_NUMBER, -1), 200);
        EXPECT_THROW(db.handle().exec("ATTACH ':memory:' AS other"), SQLite::Exception);
        EXPECT_THROW(db.handle().exec("SELECT \"no such column is no text\""), SQLite::Exception);
        EXPECT_LE(sqlite3_hard_heap_limit64(-1), std::int64_t{256} << 20);
    }
}

TEST(Database, TheWritersLogIsItsOwn) {
    const TemporaryFolder temp;
    const fs::path file = temp / "metrics.db";
    ASSERT_OK(Database::createIfMissing(file, metricsSchema(), true));
    const auto writer = Database::open(file, metricsSchema(), Database::Mode::SoleWriter);
    ASSERT_OK(writer);
    const auto reader = Database::open(file, metricsSchema(), Database::Mode::Observer);
    ASSERT_OK(reader);
    EXPECT_EQ(pragma(**writer, "journal_mode"), "wal");
    EXPECT_EQ(pragma(**writer, "wal_autocheckpoint"), "1000");
    EXPECT_EQ(pragma(**writer, "journal_size_limit"), "67108864");
    EXPECT_EQ(pragma(**reader, "wal_autocheckpoint"), "0");
    EXPECT_EQ(sqlite3_db_readonly((*reader)->handle().getHandle(), "main"), 1);
    int withoutCheckpoint = 0;
    sqlite3_db_config((*reader)->handle().getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, -1, &withoutCheckpoint);
    EXPECT_EQ(withoutCheckpoint, 1);
    EXPECT_THROW((*reader)->handle().exec("DELETE FROM steps"), SQLite::Exception);
}

TEST(Database, SchemasAreOursDownToTheText) {
    const StoreFixture store;
    const fs::path file = store.workspace.registryFile();
    EXPECT_EQ(test::ask(file, "PRAGMA application_id"), std::to_string(0x4D6F4657));
    EXPECT_EQ(test::ask(file, "PRAGMA user_version"), "2");
    EXPECT_EQ(
        test::ask(file, "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite%' AND strict = 0"),
        "0");
    for (const char* table : {"runs", "configs", "jobs", "commands", "models", "datasets", "presets", "reports", "settings", "run_marks", "checkpoint_pins"}) {
        EXPECT_EQ(test::ask(file, std::string("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = '") + table + "'"), "1") << table;
    }
    ASSERT_OK(Database::createIfMissing(store.folder / "metrics.db", metricsSchema(), true));
    const fs::path metrics = store.folder / "metrics.db";
    EXPECT_EQ(test::ask(metrics, "PRAGMA application_id"), std::to_string(0x4D6F464D));
    EXPECT_EQ(test::ask(metrics,
                        "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite%' AND strict = 0"),
              "0");
    for (const char* table : {"steps", "tensors", "histograms", "row_counts", "evals", "eval_rows", "events", "acknowledgements", "checkpoints",
                              "status", "generations", "machine", "probes", "probe_items", "log", "parameters", "facts"}) {
        EXPECT_EQ(test::ask(metrics, std::string("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = '") + table + "'"), "1")
            << table;
    }
}

TEST(Database, ChecksOfTheTablesHold) {
    const StoreFixture store;
    const auto database = Database::open(store.workspace.registryFile(), registrySchema(), Database::Mode::SharedWriter);
    ASSERT_OK(database);
    SQLite::Database& handle = (*database)->handle();
    handle.exec("INSERT INTO settings VALUES ('k', 'v')");
    EXPECT_THROW(handle.exec("INSERT INTO settings VALUES (NULL, 'v')"), SQLite::Exception);
    EXPECT_THROW(handle.exec("INSERT INTO settings VALUES ('b', x'00')"), SQLite::Exception) << "STRICT refuses a blob where a text belongs";
    EXPECT_THROW(
        handle.exec("INSERT INTO commands(uuid, run, kind, payload, who, created_ns, withdrawn) VALUES ('short', 'r', 'set', '{}', 'cli', 1, 0)"),
        SQLite::Exception);
    EXPECT_THROW(handle.exec("INSERT INTO commands(uuid, run, kind, payload, who, created_ns, withdrawn) VALUES "
                             "('123456789012345678901234567890123456', 'r', 'set', '{}', 'cli', 1, 0)"),
                 SQLite::Exception)
        << "a run that does not exist";
    EXPECT_THROW(handle.exec("INSERT INTO run_summaries VALUES ('r', 1, 1, 1.0, 'odd', 1.0, 1.0, 1.0, '', 1)"), SQLite::Exception);
}

TEST(Database, NewerSchemasAreRefusedWithBothVersionsAndLeftUntouched) {
    const TemporaryFolder temp;
    const fs::path file = temp / "test.db";
    for (const int version : {2, 3, 1000}) {
        fs::remove(file);
        ASSERT_OK(Database::createIfMissing(file, firstSchema, false));
        test::tamper(file, "CREATE TABLE future(x); PRAGMA user_version = " + std::to_string(version));
        const std::string before = sha256Hex(test::readFile(file));
        for (const auto mode : {Database::Mode::SharedWriter, Database::Mode::SharedReader, Database::Mode::SoleWriter, Database::Mode::Observer}) {
            const auto refused = Database::open(file, firstSchema, mode);
            ASSERT_FALSE(refused.ok());
            EXPECT_EQ(refused.error().code, ErrorCode::Unsupported);
            EXPECT_EQ(refused.error().tag, "VER");
            EXPECT_THAT(refused.error().text(), HasSubstr("schema version " + std::to_string(version)));
            EXPECT_THAT(refused.error().text(), HasSubstr("knows version 1"));
        }
        EXPECT_EQ(sha256Hex(test::readFile(file)), before);
        EXPECT_FALSE(fs::exists(temp / "test.db-journal"));
        EXPECT_FALSE(fs::exists(temp / "test.db-wal"));
    }
}

TEST(Database, OlderSchemasAreBackedUpAndMigratedByWriters) {
    const TemporaryFolder temp;
    const fs::path file = temp / "test.db", backup = temp / "test.db.v1.bak";
    ASSERT_OK(Database::createIfMissing(file, firstSchema, false));
    test::tamper(file, "INSERT INTO t VALUES (41), (42)");
    const std::string before = sha256Hex(test::readFile(file));
    const auto reader = Database::open(file, secondSchema, Database::Mode::SharedReader);
    ASSERT_FALSE(reader.ok());
    EXPECT_EQ(reader.error().tag, "VER");
    EXPECT_THAT(reader.error().text(), HasSubstr("older schema version 1"));
    EXPECT_EQ(sha256Hex(test::readFile(file)), before);

    const auto broken = Database::open(file, brokenSchema, Database::Mode::SharedWriter);
    ASSERT_FALSE(broken.ok());
    EXPECT_EQ(test::ask(file, "PRAGMA user_version"), "1") << "a migration that fails changes nothing";
    EXPECT_EQ(test::ask(file, "SELECT count(*) FROM sqlite_schema"), "1");

    {
        const auto writer = Database::open(file, secondSchema, Database::Mode::SharedWriter);
        ASSERT_OK(writer);
        (*writer)->handle().exec("INSERT INTO u VALUES ('x')");
    }
    EXPECT_EQ(test::ask(file, "PRAGMA user_version"), "2");
    EXPECT_EQ(test::ask(file, "SELECT sum(a) FROM t"), "83");
    EXPECT_EQ(test::ask(backup, "PRAGMA user_version"), "1");
    EXPECT_EQ(test::ask(backup, "SELECT sum(a) FROM t"), "83");
    struct stat info {};
    ASSERT_EQ(stat(backup.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
    EXPECT_OK(Database::open(file, secondSchema, Database::Mode::SharedReader));
    EXPECT_FALSE(Database::open(file, firstSchema, Database::Mode::SharedReader).ok());
    for (const auto& entry : fs::directory_iterator(temp.path())) EXPECT_THAT(entry.path().filename().string(), ::testing::Not(HasSubstr("tmp")));
}

TEST(Database, LinksAndFilesThatAreNoneAreRefused) {
    const StoreFixture store;
    const fs::path file = store.workspace.registryFile();
    fs::create_symlink(file, store.folder / "link.db");
    const auto link = Database::open(store.folder / "link.db", registrySchema(), Database::Mode::SharedReader);
    ASSERT_FALSE(link.ok());
    EXPECT_EQ(link.error().tag, "PATH");
    fs::create_symlink(store.folder / "nowhere", store.folder / "dangling.db");
    EXPECT_FALSE(Database::open(store.folder / "dangling.db", registrySchema(), Database::Mode::SharedReader).ok());
    ASSERT_OK(Database::createIfMissing(store.folder / "dangling.db", registrySchema(), false));
    EXPECT_FALSE(fs::exists(store.folder / "nowhere")) << "a link is not followed to make a file";
    fs::create_directory(store.folder / "folder.db");
    ASSERT_EQ(mkfifo((store.folder / "fifo.db").c_str(), 0600), 0);
    const Stopwatch watch;
    for (const char* name : {"folder.db", "fifo.db", "missing.db"})
        EXPECT_FALSE(Database::open(store.folder / name, registrySchema(), Database::Mode::SharedReader).ok()) << name;
    EXPECT_LT(watch.elapsedMs(), 1000) << "a pipe must not block";
    EXPECT_EQ(Database::open(store.folder / "missing.db", registrySchema(), Database::Mode::SharedReader).error().code, ErrorCode::NotFound);
}

TEST(Database, AReplacedFileIsNoticed) {
    StoreFixture store;
    ASSERT_OK(store.registry.addRun(test::exampleRun("r1", "one")));
    fs::copy(store.workspace.registryFile(), store.folder / "copy.db");
    fs::rename(store.folder / "copy.db", store.workspace.registryFile());
    for (const auto& result : {store.registry.renameRun("r1", "two"), store.registry.setSetting("a", "b")}) {
        ASSERT_FALSE(result.ok());
        EXPECT_EQ(result.error().tag, "CHANGED");
    }
    EXPECT_EQ(store.registry.runs().error().tag, "CHANGED");
    EXPECT_EQ(store.openRegistry().findRun("r1")->name, "one");
}

TEST(Database, AJournalOfAKilledWriterIsRolledBackByReadersToo) {
    const StoreFixture store;
    const fs::path file = store.workspace.registryFile(), journal = file.string() + "-journal";
    test::tamper(file, "INSERT INTO settings VALUES ('a', 'before')");
    {
        test::ChildProcess writer([&] {
            static SQLite::Database database(file.string(), SQLite::OPEN_READWRITE);
            database.exec("PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN IMMEDIATE; UPDATE settings SET value = 'after'");
            // Enough to spill changed pages into the file while the transaction is open.
            for (int i = 0; i < 200; ++i)
                database.exec("INSERT INTO settings VALUES ('k" + std::to_string(i) + "', '" + std::string(2000, 'x') + "')");
            return true;
        });
        ASSERT_TRUE(writer.ready());
    }
    ASSERT_TRUE(fs::exists(journal)) << "the case needs a hot journal";
    const auto setting = store.openRegistry(Registry::Access::ReadOnly).setting("a");
    ASSERT_OK(setting);
    EXPECT_EQ(*setting, "before");
    EXPECT_FALSE(fs::exists(journal));
}

}  // namespace
}  // namespace mofo
