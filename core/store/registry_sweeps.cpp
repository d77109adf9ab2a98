#include "core/base/text.h"
#include "core/store/registry_state.h"

namespace mofo {

Result<void> Registry::addSweep(const SweepRow& sweep, const std::vector<RunRow>& runs) {
    for (const RunRow& run : runs) MOFO_CHECK(checkNewRun(run));
    return m_state->database->attempt([&]() -> Result<void> {
        Database& database = *m_state->database;
        WriteTransaction transaction(database);
        Query(database, "INSERT INTO sweeps(id, name, plan, created_ns) VALUES (?, ?, ?, ?)")
            .with(sweep.id, sweep.name, storedJson(sweep.plan), sweep.createdNs)
            .run();
        for (RunRow run : runs) {
            run.sweepId = sweep.id;
            MOFO_CHECK(insertRun(database, run));
        }
        transaction.commit();
        return {};
    });
}

Result<std::vector<SweepRow>> Registry::sweeps() const {
    return m_state->database->attempt([&]() -> Result<std::vector<SweepRow>> {
        std::vector<SweepRow> list;
        Query query(*m_state->database, "SELECT id, name, plan, created_ns FROM sweeps ORDER BY seq DESC");
        while (query.next()) {
            SweepRow sweep{.id = query.text(0), .name = query.text(1), .plan = {}, .createdNs = query.integer(3), .unreadable = {}};
            if (auto plan = parseJson(query.text(2)); plan.ok()) {
                sweep.plan = std::move(plan).value();
            } else {
                sweep.unreadable = "its plan is damaged";
            }
            list.push_back(std::move(sweep));
        }
        return list;
    });
}

Result<void> Registry::setSweepPlan(std::string_view id, const Json& plan) {
    return m_state->database->attempt([&]() -> Result<void> {
        WriteTransaction transaction(*m_state->database);
        if (Query(*m_state->database, "UPDATE sweeps SET plan = ? WHERE id = ?").with(storedJson(plan), id).run() == 0) {
            return Error{ErrorCode::NotFound, "there is no sweep \"" + escapeForDisplay(id) + '"', "", "mofo sweep list shows them", ""};
        }
        transaction.commit();
        return {};
    });
}

}  // namespace mofo
