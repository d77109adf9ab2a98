#include "core/engine/training_state.h"

#include <set>

#include "core/base/text.h"

namespace mofo {

namespace {

/// Takes keys out of one JSON object; whatever is wrong is remembered, the first thing for the error.
class StrictObject {
public:
    StrictObject(const Json& json, std::string place) : m_json(json), m_place(std::move(place)) {
        if (!m_json.is_object()) refuse("is not an object", m_place);
    }
    template <class T>
    T take(const char* key, bool (Json::*is)() const noexcept) {
        m_known.insert(key);
        const std::string name = m_place.empty() ? key : m_place + "." + key;
        if (m_error) return T();
        if (!m_json.contains(key)) {
            refuse("is missing", name);
            return T();
        }
        if (!(m_json[key].*is)()) {
            refuse("has the wrong type", name);
            return T();
        }
        return m_json[key].get<T>();
    }
    Json anything(const char* key) {
        m_known.insert(key);
        if (!m_error && !m_json.contains(key)) refuse("is missing", m_place + "." + key);
        return m_error ? Json() : m_json[key];
    }
    std::int64_t integer(const char* key) { return take<std::int64_t>(key, &Json::is_number_integer); }
    std::string text(const char* key) { return take<std::string>(key, &Json::is_string); }
    Json object(const char* key) { return take<Json>(key, &Json::is_object); }
    Json array(const char* key) { return take<Json>(key, &Json::is_array); }
    /// A number, or null for nothing.
    std::optional<std::int64_t> optionalInteger(const char* key) {
        if (!m_error && m_json.contains(key) && m_json[key].is_null()) {
            m_known.insert(key);
            return std::nullopt;
        }
        return integer(key);
    }
    /// Nothing else may be there: a newer program may have needed it.
    Result<void> finish() {
        if (!m_error) {
            for (const auto& [key, value] : m_json.items()) {
                if (!m_known.contains(key)) refuse("is unknown to this program", m_place.empty() ? key : m_place + "." + key);
            }
        }
        if (m_error) return *m_error;
        return {};
    }

private:
    void refuse(const std::string& why, const std::string& name) {
        if (m_error) return;
        m_error = Error{ErrorCode::InvalidInput, "the checkpoint's " + escapeForDisplay(name) + " " + why, "state.json",
                        "Resume from an earlier checkpoint", "MISSING"};
    }
    const Json& m_json;
    std::string m_place;
    std::set<std::string, std::less<>> m_known;
    std::optional<Error> m_error;
};

template <class T>
Json orNull(const std::optional<T>& value) {
    return value ? Json(*value) : Json();
}

}  // namespace

Json TrainingState::toJson(const Json& fingerprints) const {
    Json journal = {{"applied", Json::array()}, {"pending", Json::array()}};
    for (const AppliedChange& one : applied)
        journal["applied"].push_back({{"step", one.step}, {"uuid", one.uuid}, {"who", one.who}, {"change", one.change}});
    for (const CommandRow& one : pending) {
        journal["pending"].push_back({{"uuid", one.uuid},
                                      {"kind", one.kind},
                                      {"payload", one.payload},
                                      {"at_step", orNull(one.atStep)},
                                      {"who", one.who},
                                      {"created_ns", one.createdNs}});
    }
    return {{"step", step},
            {"micro_step", 0},
            {"tokens", tokens},
            {"samples", samples},
            {"last_event_seq", lastEventSeq},
            {"skipped", skipped},
            {"last_evaluated", lastEvaluated},
            {"guards", guards.toJson()},
            {"config", configToJson(config)},
            {"journal", journal},
            {"fingerprints", fingerprints}};
}

Result<TrainingState> TrainingState::fromJson(const Json& json) {
    TrainingState state;
    StrictObject all(json, "");
    state.step = all.integer("step");
    const std::int64_t microStep = all.integer("micro_step");
    state.tokens = all.integer("tokens");
    state.samples = all.integer("samples");
    state.lastEventSeq = all.integer("last_event_seq");
    state.skipped = all.integer("skipped");
    state.lastEvaluated = all.integer("last_evaluated");
    const Json guards = all.object("guards");
    const Json config = all.object("config");
    const Json journalJson = all.object("journal");
    all.object("fingerprints");
    MOFO_CHECK(all.finish());
    if (microStep != 0 || state.step < 1 || state.tokens < 0 || state.samples < 0)
        return Error{ErrorCode::InvalidInput, "the checkpoint's counters cannot be", "state.json", "Resume from an earlier checkpoint", "RANGE"};
    MOFO_TRY(state.config, configFromJson(config));
    MOFO_TRY(state.guards, GuardState::fromJson(guards));
    StrictObject journal(journalJson, "journal");
    const Json applied = journal.array("applied"), pending = journal.array("pending");
    MOFO_CHECK(journal.finish());
    for (const Json& entry : applied) {
        StrictObject one(entry, "journal.applied");
        AppliedChange change;
        change.step = one.integer("step");
        change.uuid = one.text("uuid");
        change.who = one.text("who");
        change.change = one.object("change");
        MOFO_CHECK(one.finish());
        state.applied.push_back(std::move(change));
    }
    for (const Json& entry : pending) {
        StrictObject one(entry, "journal.pending");
        CommandRow command;
        command.uuid = one.text("uuid");
        command.kind = one.text("kind");
        command.atStep = one.optionalInteger("at_step");
        command.who = one.text("who");
        command.createdNs = one.integer("created_ns");
        command.payload = one.anything("payload");
        MOFO_CHECK(one.finish());
        state.pending.push_back(std::move(command));
    }
    return state;
}

std::string TrainingState::digestText(const Json& stateJson) {
    Json taken = stateJson;
    if (!taken.is_object()) return taken.dump();
    taken.erase("last_event_seq");
    taken.erase("fingerprints");
    if (taken.contains("journal") && taken["journal"].is_object()) {
        for (Json& list : taken["journal"]) {
            if (!list.is_array()) continue;
            for (Json& entry : list) {
                if (!entry.is_object()) continue;
                for (const char* key : {"uuid", "who", "created_ns"}) entry.erase(key);
            }
        }
    }
    return taken.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace mofo
