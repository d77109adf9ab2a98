#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/store/registry_state.h"

namespace mofo {

Result<void> Registry::addCommand(const CommandRow& command) {
    const std::string payload = storedJson(command.payload);
    const std::size_t limitBytes = command.kind == "generate" ? 1 << 20 : 4096;
    if (payload.size() > limitBytes) {
        return Error{ErrorCode::Usage,
                     "the command " + escapeForDisplay(command.kind) + " takes at most " + formatBytes(limitBytes) + " of parameters", "",
                     "Send less at once", "LIMIT"};
    }
    return m_state->database->attempt([&]() -> Result<void> {
        WriteTransaction transaction(*m_state->database);
        Query run(*m_state->database, "SELECT 1 FROM runs WHERE id = ?");
        if (!run.with(command.runId).next())
            return Error{ErrorCode::NotFound, "there is no run \"" + escapeForDisplay(command.runId) + '"', "", "mofo runs lists them", ""};
        // A command sent twice is one command: clients may repeat what they are not sure of.
        Query(*m_state->database,
              "INSERT INTO commands(uuid, run, kind, payload, at_step, who, created_ns, withdrawn) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT "
              "(uuid) DO NOTHING")
            .with(command.uuid, command.runId, command.kind, payload, command.atStep, command.who, command.createdNs, command.withdrawn)
            .run();
        transaction.commit();
        return {};
    });
}

Result<std::vector<CommandRow>> Registry::commands(std::string_view runId, std::int64_t afterSeq) const {
    return m_state->database->attempt([&]() -> Result<std::vector<CommandRow>> {
        std::vector<CommandRow> list;
        Query query(
            *m_state->database,
            "SELECT seq, uuid, run, kind, payload, at_step, who, created_ns FROM commands WHERE run = ? AND seq > ? AND withdrawn = 0 ORDER BY seq");
        query.with(runId, afterSeq);
        while (query.next()) {
            CommandRow command;
            command.seq = query.integer(0);
            command.uuid = query.text(1);
            command.runId = query.text(2);
            command.kind = query.text(3);
            // A damaged payload stays null: the engine then refuses the command in its acknowledgement, instead of never answering.
            if (auto payload = parseJson(query.text(4)); payload.ok()) command.payload = std::move(payload).value();
            command.atStep = query.optionalInteger(5);
            command.who = query.text(6);
            command.createdNs = query.integer(7);
            list.push_back(std::move(command));
        }
        return list;
    });
}

Result<void> Registry::withdrawCommand(std::string_view uuid) {
    return m_state->database->attempt([&]() -> Result<void> {
        WriteTransaction transaction(*m_state->database);
        if (Query(*m_state->database, "UPDATE commands SET withdrawn = 1 WHERE uuid = ?").with(uuid).run() == 0) {
            return Error{ErrorCode::NotFound, "there is no such command", escapeForDisplay(uuid), "", ""};
        }
        transaction.commit();
        return {};
    });
}

Result<std::optional<std::string>> Registry::setting(std::string_view key) const {
    return m_state->database->attempt([&]() -> Result<std::optional<std::string>> {
        Query query(*m_state->database, "SELECT value FROM settings WHERE key = ?");
        if (!query.with(key).next()) return std::optional<std::string>();
        return std::optional(query.text(0));
    });
}

Result<void> Registry::setSetting(std::string_view key, std::string_view value) {
    MOFO_CHECK(checkText("the setting", value, 1 << 20));
    return m_state->database->attempt([&]() -> Result<void> {
        WriteTransaction transaction(*m_state->database);
        Query(*m_state->database, "INSERT INTO settings(key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value")
            .with(key, value)
            .run();
        transaction.commit();
        return {};
    });
}

}  // namespace mofo
