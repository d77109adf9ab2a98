// One checked SQLite connection: settings, schema check, errors as Result. Private to core/store.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>
#include <sys/types.h>

#include <cmath>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/disk_reserve.h"
#include "core/base/json.h"
#include "core/base/result.h"
#include "core/store/schema.h"

namespace mofo {

/// One connection, used by one thread, never carried across a fork. reliability.md, section 4, has the reasons of every setting.
class Database {
public:
    enum class Mode {
        SharedWriter,  ///< several programs write: rollback journal
        SharedReader,  ///< reads such a file; may roll a dead writer's journal back
        SoleWriter,    ///< WAL: this connection alone writes and checkpoints
        Observer,      ///< WAL: reads, never checkpoints
    };

    /// Makes the file whole or not at all (mode 0600). Somebody else having made it meanwhile is no error.
    static Result<void> createIfMissing(const std::filesystem::path& file, const Schema& schema, bool writeAheadLog);
    /// Opens and checks an existing file: ours, undamaged, of this version; older ones are migrated by writers after a backup, and read as they are
    /// where the schema allows it.
    /// NotFound; InvalidInput with tags MAGIC, CORRUPT, SCHEMA, PATH or LIMIT; Unsupported with tag VER; Io on a network file system.
    static Result<std::unique_ptr<Database>> open(const std::filesystem::path& file, const Schema& schema, Mode mode);
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;
    ~Database() = default;

    [[nodiscard]] SQLite::Database& handle() { return *m_connection; }
    /// The connection for a write transaction. One that wrote a moment ago first gives others the chance to: without that, a program that
    /// writes without pause leaves its lock for microseconds only, and on a busy machine nobody else ever meets it free.
    [[nodiscard]] SQLite::Database& handleForWriting();
    void noteWriteEnd();
    [[nodiscard]] const std::filesystem::path& file() const { return m_file; }
    /// How long a lock of another connection is waited for; nothing: as long as connections of this mode do.
    void setPatience(std::optional<std::int64_t> limitNs);
    [[nodiscard]] std::int64_t dataVersion();
    /// Of the schema, as the file says now: a reader may have opened an older file that a writer migrates meanwhile. Throws SQLite::Exception.
    [[nodiscard]] int schemaVersion() { return m_connection->execAndGet("PRAGMA user_version").getInt(); }

    /// Runs `body`, which returns a Result and may throw what SQLite throws, and translates the latter. On a full disk it runs a second time where
    /// a reserve could be given up: what it did is rolled back.
    template <class Body>
    auto attempt(Body&& body) -> decltype(body()) {
        try {
            MOFO_CHECK(checkSameFile());
            try {
                return body();
            } catch (const SQLite::Exception& failure) {
                if (errorOf(failure).code != ErrorCode::OutOfSpace || !m_reserve || !m_reserve->release()) throw;
            }
            return body();
        } catch (const SQLite::Exception& failure) {
            return errorOf(failure);
        } catch (const std::bad_alloc&) {
            return Error{ErrorCode::OutOfMemory, "not enough memory to read the database", m_file.string(), "", ""};
        }
    }

    /// SharedWriter: room is held back beside the file for a full disk, again after it was used, where there is enough.
    void holdReserve() const;

    /// SQLite's failure in our words.
    [[nodiscard]] Error errorOf(const SQLite::Exception& failure) const;

private:
    struct BusyWait;
    explicit Database(std::filesystem::path file);
    void configure(Mode mode);
    [[nodiscard]] Error fullDisk() const;
    Result<void> checkHeader(const Schema& schema, Mode mode);
    /// A synced copy of the file as `version` left it, beside it: "workbench.db.v1.bak", or "-2" where an earlier one has that name.
    Result<void> backUp(int version);
    Result<void> migrate(const Schema& schema, int from);
    Result<void> checkTables(const Schema& schema);
    Result<void> checkPages();
    /// Refuses to go on where another file has taken the place of the open one.
    Result<void> checkSameFile() const;

    struct CloseBusyWait {
        void operator()(BusyWait* wait) const;
    };
    std::filesystem::path m_file;
    std::unique_ptr<BusyWait, CloseBusyWait> m_busyWait;  ///< outlives the connection that points to it
    std::unique_ptr<SQLite::Database> m_connection;
    std::optional<DiskReserve> m_reserve;  ///< of a SharedWriter
    std::int64_t m_usualPatienceNs = 0;
    bool m_sharesWriting = false;
    std::int64_t m_lastWriteEndNs = 0;
    dev_t m_device = 0;
    ino_t m_inode = 0;
};

/// A write transaction: BEGIN IMMEDIATE, rolled back by the destructor unless committed. Throws SQLite::Exception.
class WriteTransaction : public SQLite::Transaction {
public:
    explicit WriteTransaction(Database& database)
        : SQLite::Transaction(database.handleForWriting(), SQLite::TransactionBehavior::IMMEDIATE), m_database(database) {}
    ~WriteTransaction() { m_database.noteWriteEnd(); }

private:
    Database& m_database;
};

/// A statement whose parameters are bound in order. Throws SQLite::Exception.
class Query {
public:
    Query(Database& database, const char* sql) : m_statement(database.handle(), sql) {}

    template <class... Values>
    Query& with(const Values&... values) {
        m_next = 1;
        m_statement.reset();
        (bind(values), ...);
        return *this;
    }
    bool next() { return m_statement.executeStep(); }
    /// Runs to the end; returns the number of rows changed.
    int run() { return m_statement.exec(); }

    [[nodiscard]] std::int64_t integer(int column) { return m_statement.getColumn(column).getInt64(); }
    [[nodiscard]] bool flag(int column) { return integer(column) != 0; }
    /// NaN where NULL is stored.
    [[nodiscard]] double number(int column);
    [[nodiscard]] std::optional<double> optionalNumber(int column);
    [[nodiscard]] std::optional<std::int64_t> optionalInteger(int column);
    [[nodiscard]] std::string text(int column) { return m_statement.getColumn(column).getString(); }
    /// The bytes until the next step.
    [[nodiscard]] std::string_view blob(int column);

private:
    void bind(std::integral auto value) { m_statement.bind(m_next++, static_cast<std::int64_t>(value)); }
    void bind(double value) {
        // SQLite has no NaN: it would store NULL by itself, and saying so keeps that visible.
        if (std::isnan(value)) {
            m_statement.bind(m_next++);
        } else {
            m_statement.bind(m_next++, value);
        }
    }
    void bind(std::string_view value) { m_statement.bind(m_next++, std::string(value)); }
    void bind(const std::string& value) { m_statement.bind(m_next++, value); }
    void bind(const char* value) { m_statement.bind(m_next++, value); }
    template <class T>
    void bind(const std::optional<T>& value) {
        if (value) {
            bind(*value);
        } else {
            m_statement.bind(m_next++);
        }
    }
    /// Vectors are blobs of their elements, little-endian; not copied, so they must live until the statement ran.
    template <class T>
    requires requires(const T& v) {
        v.data();
        v.size();
    } &&(!std::convertible_to<T, std::string_view>)void bind(const T& values) {
        static const char empty = 0;
        m_statement.bindNoCopy(m_next++, values.empty() ? static_cast<const void*>(&empty) : values.data(),
                               static_cast<int>(values.size() * sizeof(*values.data())));
    }

    SQLite::Statement m_statement;
    int m_next = 1;
};

/// JSON as the store keeps it: one line, well-formed UTF-8 whatever the texts inside are.
[[nodiscard]] std::string storedJson(const Json& json);

}  // namespace mofo
