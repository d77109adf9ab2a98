#include "core/store/database.h"

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fcntl.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <set>
#include <vector>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/ids.h"
#include "core/base/text.h"

namespace mofo {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t sizeLimitBytes = std::uint64_t{64} << 30;
constexpr std::int64_t memoryLimitBytes = std::int64_t{256} << 20;
constexpr int blobLimitBytes = 16 << 20;

// Files are looked through when they are opened, up to sizes that take a moment; what is damaged in a larger one shows when it is read.
constexpr std::int64_t observerCheckBytes = std::int64_t{32} << 20;
constexpr std::int64_t writerCheckBytes = std::int64_t{512} << 20;
constexpr std::int64_t pageCheckLimitNs = 2'000'000'000;

// How long a locked file is waited for. The shared one has the most patience: eight programs that write without pause share one disk's syncs.
constexpr std::int64_t observerPatienceNs = 250'000'000;
constexpr std::int64_t writerPatienceNs = 5'000'000'000;
constexpr std::int64_t sharedPatienceNs = 20'000'000'000;
constexpr std::int64_t giveWayNs = 5'000'000;

std::string shown(const fs::path& file) { return escapeForDisplay(file.string()); }

Error refusal(ErrorCode code, std::string message, const fs::path& file, std::string remedy, const char* tag) {
    return Error{code, std::move(message), shown(file), std::move(remedy), tag};
}

constexpr const char* restoreRemedy = "Move it away, or restore it from a copy";

bool isWritableFolder(const fs::path& folder) { return faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) == 0; }
// A file without any write bit (the recorded sample's) is nobody's to write, not even root's, whom faccessat would let.
bool isWritableFile(const fs::path& file) {
    struct stat info {};
    return faccessat(AT_FDCWD, file.c_str(), W_OK, AT_EACCESS) == 0 && ::stat(file.c_str(), &info) == 0 && (info.st_mode & 0222) != 0;
}

/// The path with every link of its folder resolved: SQLite's NOFOLLOW then concerns the file alone.
Result<fs::path> resolvedPlace(const fs::path& file) {
    std::error_code failure;
    const fs::path folder = fs::canonical(file.has_parent_path() ? file.parent_path() : fs::path("."), failure);
    if (failure) return errnoError(failure.value(), "cannot find the folder of the database", file);
    return folder / file.filename();
}

/// Looks at the file without opening it: closing a descriptor of ours would drop the locks that SQLite holds in this process.
Result<struct stat> examine(const fs::path& file) {
    struct stat info {};
    if (lstat(file.c_str(), &info) != 0) return errnoError(errno, "cannot examine the database", file);
    if (S_ISLNK(info.st_mode))
        return refusal(ErrorCode::InvalidInput, "the database is a symbolic link", file, "Name the workspace that holds the real file", "PATH");
    if (!S_ISREG(info.st_mode)) return refusal(ErrorCode::InvalidInput, "the database is not a regular file", file, restoreRemedy, "IO");
    if (info.st_size == 0) return refusal(ErrorCode::InvalidInput, "the database is empty", file, restoreRemedy, "MAGIC");
    if (static_cast<std::uint64_t>(info.st_size) > sizeLimitBytes) {
        return refusal(ErrorCode::InvalidInput, "the database is larger than " + formatBytes(sizeLimitBytes), file, restoreRemedy, "LIMIT");
    }
    return info;
}

void limitMemoryOnce() {
    static const bool done = sqlite3_hard_heap_limit64(memoryLimitBytes) >= 0;
    static_cast<void>(done);
}

struct ProgressLimit {
    std::int64_t deadlineNs;
    static int expired(void* self) { return bootNs() > static_cast<ProgressLimit*>(self)->deadlineNs ? 1 : 0; }
};

}  // namespace

/// Waits for another connection's lock with short, unequal pauses: SQLite's own grow to 100 ms and let one writer starve among many.
struct Database::BusyWait {
    std::int64_t limitNs = 0;
    std::int64_t startNs = 0;
    std::uint64_t random = 0x9E3779B97F4A7C15ull;

    /// 0.2 to 2.2 ms.
    void pause() {
        random ^= static_cast<std::uint64_t>(bootNs());
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usleep(static_cast<useconds_t>(200 + random % 2000));
    }
    static int wait(void* self, int count) {
        auto& state = *static_cast<BusyWait*>(self);
        const std::int64_t now = bootNs();
        if (count == 0) state.startNs = now;
        if (now - state.startNs > state.limitNs) return 0;
        state.pause();
        return 1;
    }
};

SQLite::Database& Database::handleForWriting() {
    if (m_sharesWriting && bootNs() - m_lastWriteEndNs < giveWayNs) {
        m_busyWait->pause();
        m_busyWait->pause();
    }
    return *m_connection;
}

void Database::noteWriteEnd() { m_lastWriteEndNs = bootNs(); }

void Database::CloseBusyWait::operator()(BusyWait* wait) const { delete wait; }

Database::Database(fs::path file) : m_file(std::move(file)), m_busyWait(new BusyWait) {}

Error Database::fullDisk() const {
    const auto available = freeBytes(m_file);
    return refusal(ErrorCode::OutOfSpace, "the disk is full" + (available.ok() ? " (" + formatBytes(*available) + " free)" : std::string()), m_file,
                   "Free disk space there, for example by deleting downloads or exports, and try again", "SPACE");
}

void Database::holdReserve() const {
    // Without it a full disk is met as any program meets it.
    if (m_reserve) static_cast<void>(m_reserve->hold(kStoreReserveBytes).ok());
}

Error Database::errorOf(const SQLite::Exception& failure) const {
    const int code = failure.getExtendedErrorCode() > 0 ? failure.getExtendedErrorCode() : failure.getErrorCode();
    const std::string reason = escapeForDisplay(failure.what());
    // A journal that cannot be made, or a sync that fails, for lack of space.
    const int systemReason = m_connection ? sqlite3_system_errno(m_connection->getHandle()) : 0;
    const bool failedInSystem = (code & 0xFF) == SQLITE_IOERR || (code & 0xFF) == SQLITE_CANTOPEN;
    if (failedInSystem && (systemReason == ENOSPC || systemReason == EDQUOT)) return fullDisk();
    switch (code & 0xFF) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED: return refusal(ErrorCode::Busy, "the database stayed locked by another program", m_file, "Try again in a moment", "BUSY");
        case SQLITE_PERM:
        case SQLITE_AUTH:
        case SQLITE_READONLY:
            return refusal(ErrorCode::Permission, "the database cannot be written", m_file, "Check who owns it and its permissions", "IO");
        case SQLITE_FULL: return fullDisk();
        case SQLITE_NOTADB: return refusal(ErrorCode::InvalidInput, "this is not a database", m_file, restoreRemedy, "MAGIC");
        case SQLITE_CORRUPT: return refusal(ErrorCode::InvalidInput, "the database is damaged", m_file, restoreRemedy, "CORRUPT");
        case SQLITE_FORMAT: return refusal(ErrorCode::InvalidInput, "the database has an unknown format", m_file, restoreRemedy, "CORRUPT");
        case SQLITE_CANTOPEN:
            if (code == SQLITE_CANTOPEN_SYMLINK)
                return refusal(ErrorCode::InvalidInput, "the database is a symbolic link", m_file, "Name the real file", "PATH");
            return refusal(ErrorCode::Io, "the database cannot be opened (" + reason + ")", m_file, "Check its permissions and those of its folder",
                           "IO");
        case SQLITE_NOMEM: return refusal(ErrorCode::OutOfMemory, "not enough memory to read the database", m_file, "", "");
        case SQLITE_TOOBIG: return refusal(ErrorCode::InvalidInput, "a value is too large for the database", m_file, "", "LIMIT");
        case SQLITE_CONSTRAINT: return refusal(ErrorCode::Conflict, "the database refuses the row (" + reason + ")", m_file, "", "ROW");
        case SQLITE_IOERR:
            return refusal(ErrorCode::Io, "the system failed to read or write the database (" + reason + ")", m_file, "Check the disk", "IO");
        default: return refusal(ErrorCode::Internal, "the database failed (" + reason + ")", m_file, "", "");
    }
}

void Database::configure(Mode mode) {
    sqlite3* const handle = m_connection->getHandle();
    sqlite3_busy_handler(handle, &BusyWait::wait, m_busyWait.get());
    m_usualPatienceNs = mode == Mode::Observer ? observerPatienceNs : mode == Mode::SoleWriter ? writerPatienceNs : sharedPatienceNs;
    setPatience(std::nullopt);
    m_sharesWriting = mode == Mode::SharedWriter;
    constexpr std::array<std::array<int, 2>, 8> switches{{{SQLITE_DBCONFIG_DEFENSIVE, 1},
                                                          {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
                                                          {SQLITE_DBCONFIG_ENABLE_FKEY, 1},
                                                          {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
                                                          {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
                                                          {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
                                                          {SQLITE_DBCONFIG_DQS_DML, 0},
                                                          {SQLITE_DBCONFIG_DQS_DDL, 0}}};
    for (const auto& [option, value] : switches) sqlite3_db_config(handle, option, value, nullptr);
    if (mode == Mode::Observer) sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    constexpr std::array<std::array<int, 2>, 10> limits{{{SQLITE_LIMIT_LENGTH, blobLimitBytes},
                                                         {SQLITE_LIMIT_SQL_LENGTH, 100'000},
                                                         {SQLITE_LIMIT_COLUMN, 100},
                                                         {SQLITE_LIMIT_EXPR_DEPTH, 20},
                                                         {SQLITE_LIMIT_COMPOUND_SELECT, 5},
                                                         {SQLITE_LIMIT_VDBE_OP, 25'000},
                                                         {SQLITE_LIMIT_FUNCTION_ARG, 8},
                                                         {SQLITE_LIMIT_ATTACHED, 0},
                                                         {SQLITE_LIMIT_VARIABLE_NUMBER, 200},
                                                         {SQLITE_LIMIT_WORKER_THREADS, 0}}};
    for (const auto& [limit, value] : limits) sqlite3_limit(handle, limit, value);
    m_connection->exec("PRAGMA mmap_size = 0");
    m_connection->exec("PRAGMA cell_size_check = ON");
    m_connection->exec("PRAGMA temp_store = MEMORY");
    m_connection->exec("PRAGMA synchronous = FULL");
    if (mode == Mode::SharedReader) m_connection->exec("PRAGMA query_only = ON");
    if (mode == Mode::Observer) m_connection->exec("PRAGMA wal_autocheckpoint = 0");
    if (mode == Mode::SoleWriter) {
        m_connection->exec("PRAGMA wal_autocheckpoint = 1000");
        m_connection->exec("PRAGMA journal_size_limit = 67108864");
    }
}

Result<void> Database::createIfMissing(const fs::path& file, const Schema& schema, bool writeAheadLog) {
    limitMemoryOnce();
    MOFO_TRY(const fs::path place, resolvedPlace(file));
    struct stat info {};
    if (lstat(place.c_str(), &info) == 0) return {};
    if (isNetworkFileSystem(place.parent_path())) {
        return refusal(ErrorCode::Io, "databases do not work on a network file system, whose locks cannot be trusted", place,
                       "Choose a place on a local disk", "IO");
    }
    // Made beside its place and renamed: nobody ever opens a database that is not finished.
    const fs::path temp = place.parent_path() / ("." + place.filename().string() + "." + newShortId() + ".tmp");
    const int fd = ::open(temp.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return errnoError(errno, "cannot make the database", place);
    ::close(fd);
    const auto removeTemp = [&] {
        for (const char* suffix : {"", "-journal", "-wal", "-shm"}) ::unlink((temp.string() + suffix).c_str());
    };
    Database database{temp};
    const auto made = [&]() -> Result<void> {
        try {
            database.m_connection = std::make_unique<SQLite::Database>(
                temp.string(), SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE);
            database.configure(Mode::SharedWriter);
            SQLite::Database& handle = database.handle();
            // One sync of the finished file, below, is enough: until the rename it is nobody's.
            handle.exec("PRAGMA synchronous = OFF");
            handle.exec("PRAGMA journal_mode = MEMORY");
            // Pragmas take no bound parameters; these are our own constants.
            handle.exec("PRAGMA page_size = " + std::to_string(schema.pageSize));
            handle.exec("PRAGMA application_id = " + std::to_string(schema.applicationId));
            {
                WriteTransaction transaction(database);
                for (const std::string_view statement : schema.statements) handle.exec(std::string(statement));
                handle.exec("PRAGMA user_version = " + std::to_string(schema.version));
                transaction.commit();
            }
            if (writeAheadLog) handle.exec("PRAGMA journal_mode = WAL");
            database.m_connection.reset();
            return {};
        } catch (const SQLite::Exception& failure) {
            return database.errorOf(failure);
        }
    }();
    const int written = ::open(temp.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    const bool synced = written >= 0 && fsync(written) == 0;
    const int syncReason = errno;
    if (written >= 0) ::close(written);
    if (!made.ok() || !synced) {
        removeTemp();
        return made.ok() ? errnoError(syncReason, "cannot sync the new database to disk", place) : made.error();
    }
    const bool placed = renameat2(AT_FDCWD, temp.c_str(), AT_FDCWD, place.c_str(), RENAME_NOREPLACE) == 0;
    const int reason = errno;
    if (!placed) {
        removeTemp();
        if (reason != EEXIST) return errnoError(reason, "cannot put the database into place", place);
    }
    return syncFolder(place.parent_path());
}

Result<std::unique_ptr<Database>> Database::open(const fs::path& file, const Schema& schema, Mode mode) {
    limitMemoryOnce();
    MOFO_TRY(const fs::path place, resolvedPlace(file));
    MOFO_TRY(const struct stat info, examine(place));
    if (isNetworkFileSystem(place)) {
        return refusal(ErrorCode::Io, "databases do not work on a network file system, whose locks cannot be trusted", place,
                       "Choose a place on a local disk", "IO");
    }
    const bool writes = mode == Mode::SharedWriter || mode == Mode::SoleWriter;
    const bool canWrite = isWritableFolder(place.parent_path()) && isWritableFile(place);
    if (writes && (info.st_mode & 0222) == 0)
        return refusal(ErrorCode::Permission, "the database is a recording that nobody changes", place, "Choose another workspace with --workspace",
                       "IO");
    if (writes && !canWrite)
        return refusal(ErrorCode::Permission, "the database cannot be written", place, "Check who owns it and its permissions", "IO");

    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE;
    std::string name = place.string();
    if (mode == Mode::Observer || !canWrite) {
        flags |= SQLITE_OPEN_READONLY;
    } else {
        // A reader of the shared file opens it for writing too (and sets query_only): else it could not roll back what a killed writer left.
        flags |= SQLITE_OPEN_READWRITE;
    }
    if (mode == Mode::Observer && !canWrite && !isWritableFolder(place.parent_path()) && !FileLock::isHeld(place.parent_path() / "lock")) {
        // Nobody can write here and nobody does: SQLite may then do without the files beside it, which it could not make.
        static constexpr std::string_view hex = "0123456789abcdef";
        std::string uri = "file:";
        for (const char c : name) {
            if (c == '%' || c == '?' || c == '#') {
                uri += {'%', hex[static_cast<unsigned char>(c) >> 4], hex[c & 15]};
            } else {
                uri += c;
            }
        }
        name = uri + "?immutable=1";
        flags |= SQLITE_OPEN_URI;
    }

    std::unique_ptr<Database> database(new Database(place));
    database->m_device = info.st_dev;
    database->m_inode = info.st_ino;
    try {
        database->m_connection = std::make_unique<SQLite::Database>(name, flags);
        database->configure(mode);
        MOFO_CHECK(database->checkHeader(schema, mode));
        MOFO_CHECK(database->checkTables(schema));
        const std::int64_t checkedBytes = mode == Mode::Observer ? observerCheckBytes : writerCheckBytes;
        if (info.st_size <= checkedBytes) MOFO_CHECK(database->checkPages());
        if (mode == Mode::SoleWriter) {
            const std::string journal = database->handle().execAndGet("PRAGMA journal_mode = WAL").getString();
            if (journal != "wal")
                return refusal(ErrorCode::Io, "the database cannot be switched to its write-ahead log (" + journal + ")", place,
                               "Choose a place on a local disk", "IO");
        }
        if (mode == Mode::SharedWriter) {
            const std::string journal = database->handle().execAndGet("PRAGMA journal_mode = DELETE").getString();
            if (journal != "delete")
                return refusal(ErrorCode::Io, "the database is in journal mode " + escapeForDisplay(journal) + " and cannot be switched", place,
                               restoreRemedy, "IO");
            database->m_reserve.emplace(place.string() + ".reserve");
            database->holdReserve();
        }
    } catch (const SQLite::Exception& failure) {
        return database->errorOf(failure);
    }
    return database;
}

Result<void> Database::checkHeader(const Schema& schema, Mode mode) {
    // SQLite takes an unknown text encoding for UTF-8. The header is read through SQLite's own descriptor, see examine().
    sqlite3_file* raw = nullptr;
    std::array<unsigned char, 4> encoding{};
    sqlite3_file_control(m_connection->getHandle(), "main", SQLITE_FCNTL_FILE_POINTER, &raw);
    const bool read = raw != nullptr && raw->pMethods != nullptr && raw->pMethods->xRead(raw, encoding.data(), encoding.size(), 56) == SQLITE_OK;
    const bool unknown = !read || encoding[0] != 0 || encoding[1] != 0 || encoding[2] != 0 || encoding[3] < 1 || encoding[3] > 3;
    const int applicationId = m_connection->execAndGet("PRAGMA application_id").getInt();
    if (applicationId != schema.applicationId) {
        return refusal(ErrorCode::InvalidInput, "this database is no " + std::string(schema.what) + " of MoFO Workbench", m_file,
                       "Name another workspace", "MAGIC");
    }
    if (unknown) return refusal(ErrorCode::InvalidInput, "the database has an unknown text encoding", m_file, restoreRemedy, "CORRUPT");
    if (encoding[3] != 1)
        return refusal(ErrorCode::InvalidInput, "the texts of the " + std::string(schema.what) + " are not UTF-8", m_file, restoreRemedy, "SCHEMA");
    const int version = schemaVersion();
    if (version > schema.version) {
        return refusal(ErrorCode::Unsupported,
                       "the " + std::string(schema.what) + " has schema version " + std::to_string(version) + ", and this program knows version " +
                           std::to_string(schema.version),
                       m_file, "Use the newer program that wrote it", "VER");
    }
    if (version == schema.version) return {};
    const bool known = std::any_of(schema.migrations.begin(), schema.migrations.end(), [&](const Migration& step) { return step.from == version; });
    if (!known)
        return refusal(ErrorCode::InvalidInput, "the " + std::string(schema.what) + " has the unknown schema version " + std::to_string(version),
                       m_file, restoreRemedy, "SCHEMA");
    if (mode != Mode::SharedWriter && mode != Mode::SoleWriter) {
        if (schema.readersTakeOlder) return {};
        return refusal(ErrorCode::Conflict,
                       "the " + std::string(schema.what) + " has the older schema version " + std::to_string(version) +
                           ", and this program needs version " + std::to_string(schema.version),
                       m_file, "Any command that writes brings it up to date", "VER");
    }
    return migrate(schema, version);
}

Result<void> Database::backUp(int version) {
    const fs::path temp = m_file.string() + ".v" + std::to_string(version) + ".bak." + newShortId() + ".tmp";
    const int fd = ::open(temp.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return errnoError(errno, "cannot make the backup", temp);
    struct Removed {
        const fs::path& path;
        ~Removed() { ::unlink(path.c_str()); }
    } const removed{temp};
    int copied = version;
    try {
        sqlite3_limit(m_connection->getHandle(), SQLITE_LIMIT_ATTACHED, 1);  // VACUUM INTO attaches its target
        Query(*this, "VACUUM INTO ?").with(temp.string()).run();
        sqlite3_limit(m_connection->getHandle(), SQLITE_LIMIT_ATTACHED, 0);
        copied = SQLite::Database(temp.string(), SQLITE_OPEN_READONLY | SQLITE_OPEN_NOFOLLOW).execAndGet("PRAGMA user_version").getInt();
    } catch (const SQLite::Exception& failure) {
        ::close(fd);
        sqlite3_limit(m_connection->getHandle(), SQLITE_LIMIT_ATTACHED, 0);
        return errorOf(failure);
    }
    const bool synced = fsync(fd) == 0;
    const int syncReason = errno;
    ::close(fd);
    if (!synced) return errnoError(syncReason, "cannot sync the backup to disk", temp);
    // Another program migrated while this one copied: it made the backup.
    if (copied != version) return {};
    for (int n = 1;; ++n) {
        const std::string place = m_file.string() + ".v" + std::to_string(version) + (n == 1 ? "" : "-" + std::to_string(n)) + ".bak";
        if (renameat2(AT_FDCWD, temp.c_str(), AT_FDCWD, place.c_str(), RENAME_NOREPLACE) == 0) break;
        if (errno != EEXIST) return errnoError(errno, "cannot put the backup into place", place);
    }
    return syncFolder(m_file.parent_path());
}

Result<void> Database::migrate(const Schema& schema, int from) {
    MOFO_CHECK(backUp(from));
    WriteTransaction transaction(*this);
    // Another program may have migrated while this one waited for the lock.
    int version = schemaVersion();
    for (const Migration& step : schema.migrations) {
        if (step.from != version) continue;
        for (const std::string_view statement : step.statements) m_connection->exec(std::string(statement));
        ++version;
    }
    m_connection->exec("PRAGMA user_version = " + std::to_string(version));
    transaction.commit();
    return {};
}

Result<void> Database::checkTables(const Schema& schema) {
    const int version = schemaVersion();
    std::set<std::string, std::less<>> expected;
    for (const std::string_view statement : schema.statements) expected.emplace(statement);
    for (const Migration& step : schema.migrations) {
        if (step.from < version) continue;
        for (const std::string_view statement : step.statements) expected.erase(std::string(statement));
    }
    SQLite::Statement rows(*m_connection, "SELECT type, name, sql FROM sqlite_schema");
    const auto differs = [&](const std::string& name) {
        return refusal(ErrorCode::InvalidInput,
                       "the tables of the " + std::string(schema.what) + " are not those of version " + std::to_string(version) + " (" +
                           escapeForDisplay(name.substr(0, 60)) + ")",
                       m_file, restoreRemedy, "SCHEMA");
    };
    while (rows.executeStep()) {
        const std::string type = rows.getColumn(0).getString(), name = rows.getColumn(1).getString();
        if (rows.getColumn(2).isNull()) {
            if (type != "index" || !name.starts_with("sqlite_autoindex_")) return differs(name);
            continue;
        }
        const std::string sql = rows.getColumn(2).getString();
        if (name == "sqlite_sequence" && sql == "CREATE TABLE sqlite_sequence(name,seq)") continue;
        if (expected.erase(sql) != 1) return differs(name);
    }
    if (!expected.empty()) return differs(std::string(expected.begin()->substr(0, expected.begin()->find('('))) + " is missing");
    return {};
}

Result<void> Database::checkPages() {
    ProgressLimit limit{bootNs() + pageCheckLimitNs};
    sqlite3* const handle = m_connection->getHandle();
    sqlite3_progress_handler(handle, 1000, &ProgressLimit::expired, &limit);
    Result<void> answer;
    try {
        SQLite::Statement check(*m_connection, "PRAGMA quick_check(1)");
        const std::string finding = check.executeStep() ? check.getColumn(0).getString() : "ok";
        if (finding != "ok")
            answer = refusal(ErrorCode::InvalidInput, "the database is damaged (" + escapeForDisplay(finding.substr(0, 120)) + ")", m_file,
                             restoreRemedy, "CORRUPT");
    } catch (const SQLite::Exception& failure) {
        if ((failure.getErrorCode() & 0xFF) != SQLITE_INTERRUPT) answer = errorOf(failure);
    }
    sqlite3_progress_handler(handle, 0, nullptr, nullptr);
    return answer;
}

Result<void> Database::checkSameFile() const {
    struct stat info {};
    if (lstat(m_file.c_str(), &info) == 0 && info.st_dev == m_device && info.st_ino == m_inode) return {};
    return refusal(ErrorCode::Io, "the database was moved or replaced while it was open", m_file, "Start again", "CHANGED");
}

void Database::setPatience(std::optional<std::int64_t> limitNs) { m_busyWait->limitNs = limitNs.value_or(m_usualPatienceNs); }

std::int64_t Database::dataVersion() {
    try {
        return m_connection->execAndGet("PRAGMA data_version").getInt64();
    } catch (const SQLite::Exception&) {
        // A reader that asks again will meet the same trouble where it can be told.
        return -1;
    }
}

double Query::number(int column) {
    const SQLite::Column value = m_statement.getColumn(column);
    return value.isNull() ? std::nan("") : value.getDouble();
}

std::optional<double> Query::optionalNumber(int column) {
    const SQLite::Column value = m_statement.getColumn(column);
    return value.isNull() ? std::nullopt : std::optional(value.getDouble());
}

std::optional<std::int64_t> Query::optionalInteger(int column) {
    const SQLite::Column value = m_statement.getColumn(column);
    return value.isNull() ? std::nullopt : std::optional(value.getInt64());
}

std::string_view Query::blob(int column) {
    const SQLite::Column value = m_statement.getColumn(column);
    const void* const bytes = value.getBlob();
    return bytes == nullptr ? std::string_view() : std::string_view(static_cast<const char*>(bytes), static_cast<std::size_t>(value.getBytes()));
}

std::string storedJson(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace mofo
