#include "tests/core/store/store_support.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/ids.h"

namespace mofo::test {

namespace {

Workspace makeWorkspace(const std::filesystem::path& folder) {
    auto workspace = Workspace::openOrCreate(folder, false);
    if (!workspace.ok()) throw std::runtime_error(workspace.error().text());
    return std::move(workspace).value();
}

Registry makeRegistry(const Workspace& workspace, Registry::Access access) {
    auto registry = Registry::open(workspace, access);
    if (!registry.ok()) throw std::runtime_error(registry.error().text());
    return std::move(registry).value();
}

}  // namespace

StoreFixture::StoreFixture() : workspace(makeWorkspace(folder / "ws")), registry(makeRegistry(workspace, Registry::Access::ReadWrite)) {}

Registry StoreFixture::openRegistry(Registry::Access access) const { return makeRegistry(workspace, access); }

RunRow exampleRun(const std::string& id, const std::string& name) {
    RunRow run;
    run.id = id;
    run.name = name;
    run.modelName = "SmolLM2-135M";
    run.commandLine = "mofo train --model m --data d";
    run.createdNs = wallNs();
    return run;
}

ModelRow exampleModel(const std::string& id, const std::string& name) {
    ModelRow model;
    model.id = id;
    model.name = name;
    model.source = "/models/" + name + ".gguf";
    model.sha256 = id + std::string(64 - id.size(), '0');
    model.tokenizerSha256 = std::string(64, 't');
    model.format = "GGUF Q4_1";
    model.sourceKey = "/models/" + name + ".gguf|100|7";
    model.parameterCount = 134'515'008;
    model.sizeBytes = 538'090'408;
    model.description = Json{{"model_type", "llama"}, {"hidden_size", 576}};
    model.importedNs = 11;
    return model;
}

CommandRow exampleCommand(const std::string& runId, const std::string& kind) {
    CommandRow command;
    command.uuid = newUuid();
    command.runId = runId;
    command.kind = kind;
    command.payload = Json{{"alpha", "0.05"}};
    command.who = "cli";
    command.createdNs = wallNs();
    return command;
}

ChildProcess::ChildProcess(const std::function<bool()>& body) {
    int pipeEnds[2];
    if (pipe(pipeEnds) != 0) return;
    m_pid = fork();
    if (m_pid == 0) {
        close(pipeEnds[0]);
        const char answer = body() ? 'y' : 'n';
        if (write(pipeEnds[1], &answer, 1) != 1) _exit(2);
        while (true) pause();
    }
    close(pipeEnds[1]);
    char answer = 'n';
    m_ready = read(pipeEnds[0], &answer, 1) == 1 && answer == 'y';
    close(pipeEnds[0]);
}

ChildProcess::~ChildProcess() { kill(); }

void ChildProcess::kill() {
    if (m_pid <= 0) return;
    ::kill(m_pid, SIGKILL);
    waitpid(m_pid, nullptr, 0);
    m_pid = -1;
}

bool trueAsOrdinaryUser(const std::function<bool()>& body) {
    const int pid = fork();
    if (pid == 0) {
        constexpr unsigned nobody = 65534;
        if (geteuid() == 0 && (setegid(nobody) != 0 || seteuid(nobody) != 0)) _exit(3);
        _exit(body() ? 0 : 1);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void tamper(const std::filesystem::path& file, const std::string& sql) {
    SQLite::Database database(file.string(), SQLite::OPEN_READWRITE, 1000);
    sqlite3_db_config(database.getHandle(), SQLITE_DBCONFIG_DEFENSIVE, 0, nullptr);
    database.exec("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; PRAGMA writable_schema = ON; " + sql);
}

std::string ask(const std::filesystem::path& file, const std::string& sql) {
    SQLite::Database database(file.string(), SQLite::OPEN_READONLY, 1000);
    return database.execAndGet(sql).getString();
}

}  // namespace mofo::test
