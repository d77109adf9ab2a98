#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/store/registry_state.h"

namespace mofo {

namespace {

#define MOFO_SELECT_MODELS                                                                                                                          \
    "SELECT m.id, m.name, m.source, m.sha256, m.tokenizer_sha256, m.format, coalesce((SELECT source_key FROM model_sources k WHERE k.model = m.id " \
    "ORDER BY k.seen_ns DESC LIMIT 1), ''), m.parameter_count, m.size_bytes, m.description, m.imported_ns, m.verified_ns FROM models m "

ModelRow readModel(Query& row) {
    ModelRow model;
    model.id = row.text(0);
    model.name = row.text(1);
    model.source = row.text(2);
    model.sha256 = row.text(3);
    model.tokenizerSha256 = row.text(4);
    model.format = row.text(5);
    model.sourceKey = row.text(6);
    model.parameterCount = row.integer(7);
    model.sizeBytes = row.integer(8);
    // The sealed copy's own config.json stays the truth; a damaged one here only has nothing to show.
    if (auto description = parseJson(row.text(9)); description.ok()) model.description = std::move(description).value();
    model.importedNs = row.integer(10);
    model.verifiedNs = row.optionalInteger(11);
    return model;
}

Error noModel(std::string_view text) {
    return Error{ErrorCode::NotFound, "there is no model \"" + escapeForDisplay(text.substr(0, 200)) + "\" in the workspace", "",
                 "mofo models list shows them", ""};
}

}  // namespace

Result<void> Registry::addModel(const ModelRow& model) {
    MOFO_CHECK(checkText("the name of the model", model.name, 400));
    MOFO_CHECK(checkText("the source of the model", model.source, 4096));
    MOFO_CHECK(checkText("the source of the model", model.sourceKey, 8192));
    return m_state->database->attempt([&]() -> Result<void> {
        Database& database = *m_state->database;
        WriteTransaction transaction(database);
        {
            Query known(database, "SELECT sha256 FROM models WHERE id = ?");
            if (known.with(model.id).next() && known.text(0) != model.sha256) {
                return Error{ErrorCode::Conflict, "another model has the id " + escapeForDisplay(model.id) + " already", "", "Remove that one first",
                             ""};
            }
        }
        // The same content again, perhaps from another place: one model, known by both places.
        Query(database,
              "INSERT INTO models(id, name, source, sha256, tokenizer_sha256, format, parameter_count, size_bytes, description, imported_ns, "
              "verified_ns) "
              "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET source = excluded.source, verified_ns = "
              "coalesce(excluded.verified_ns, verified_ns)")
            .with(model.id, model.name, model.source, model.sha256, model.tokenizerSha256, model.format, model.parameterCount, model.sizeBytes,
                  storedJson(model.description), model.importedNs, model.verifiedNs)
            .run();
        if (!model.sourceKey.empty()) {
            Query(database,
                  "INSERT INTO model_sources(source_key, model, seen_ns) VALUES (?, ?, ?) ON CONFLICT (source_key) DO UPDATE SET model = "
                  "excluded.model, seen_ns = excluded.seen_ns")
                .with(model.sourceKey, model.id, wallNs())
                .run();
        }
        transaction.commit();
        return {};
    });
}

Result<std::vector<ModelRow>> Registry::models() const {
    return m_state->database->attempt([&]() -> Result<std::vector<ModelRow>> {
        std::vector<ModelRow> list;
        Query query(*m_state->database, MOFO_SELECT_MODELS "ORDER BY m.seq DESC");
        while (query.next()) list.push_back(readModel(query));
        return list;
    });
}

Result<ModelRow> Registry::findModel(std::string_view text) const {
    if (text.empty()) return noModel(text);
    return m_state->database->attempt([&]() -> Result<ModelRow> {
        Query query(*m_state->database,
                    "SELECT id, name, CASE WHEN id = ?1 THEN 0 WHEN name = ?1 THEN 1 ELSE 2 END AS grade FROM models "
                    "WHERE id = ?1 OR name = ?1 OR substr(id, 1, length(?1)) = ?1 ORDER BY grade, seq DESC");
        query.with(text);
        MOFO_TRY(const std::string id, idNamedBy(query, text, "models"));
        if (id.empty()) return noModel(text);
        Query row(*m_state->database, MOFO_SELECT_MODELS "WHERE m.id = ?");
        if (!row.with(id).next()) return noModel(text);
        return readModel(row);
    });
}

Result<std::optional<ModelRow>> Registry::findModelBySourceKey(std::string_view sourceKey) const {
    return m_state->database->attempt([&]() -> Result<std::optional<ModelRow>> {
        Query query(*m_state->database, MOFO_SELECT_MODELS "JOIN model_sources s ON s.model = m.id WHERE s.source_key = ?");
        if (!query.with(sourceKey).next()) return std::optional<ModelRow>();
        ModelRow model = readModel(query);
        model.sourceKey = std::string(sourceKey);
        return std::optional(std::move(model));
    });
}

Result<void> Registry::setModelVerified(std::string_view id, std::int64_t whenNs) {
    return m_state->database->attempt([&]() -> Result<void> {
        WriteTransaction transaction(*m_state->database);
        if (Query(*m_state->database, "UPDATE models SET verified_ns = ? WHERE id = ?").with(whenNs, id).run() == 0) return noModel(id);
        transaction.commit();
        return {};
    });
}

Result<void> Registry::removeModel(std::string_view id) {
    return m_state->database->attempt([&]() -> Result<void> {
        WriteTransaction transaction(*m_state->database);
        std::vector<std::string> users;
        {
            Query query(*m_state->database, "SELECT name FROM runs WHERE model = ? ORDER BY seq DESC");
            query.with(id);
            while (query.next()) users.push_back(query.text(0));
        }
        if (!users.empty()) {
            return Error{ErrorCode::Conflict,
                         "the model is what " + std::to_string(users.size()) + (users.size() == 1 ? " run started" : " runs started") + " from (" +
                             candidateList(users) + "), and their drift is measured against it",
                         escapeForDisplay(id), "Remove those runs for good first", ""};
        }
        if (Query(*m_state->database, "DELETE FROM models WHERE id = ?").with(id).run() == 0) return noModel(id);
        transaction.commit();
        return {};
    });
}

}  // namespace mofo
