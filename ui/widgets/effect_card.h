// What a staged change would select (an estimate), and how the steps after the last change compare with those before it.
#pragma once

#include <QFrame>

#include "ui/controllers/workspace_session.h"
#include "ui/models/effect.h"
#include "ui/models/what_if.h"

class QLabel;

namespace mofo {

/// While alpha or granularity is staged: threshold, share of |m| kept and what would not move, from the newest stored histograms.
class WhatIfCard : public QFrame {
    Q_OBJECT
public:
    explicit WhatIfCard(WorkspaceSession* session, QWidget* parent = nullptr);
    /// The estimate on show, or null; bars elsewhere draw it hollow.
    [[nodiscard]] const WhatIf* estimate() const { return m_estimate ? &*m_estimate : nullptr; }
    [[nodiscard]] QString text() const;
    /// Milliseconds of the newest estimate.
    [[nodiscard]] double lastMs() const { return m_lastMs; }

Q_SIGNALS:
    void estimated();

private:
    void refresh();
    WorkspaceSession* m_session;
    QLabel* m_text;
    std::optional<WhatIf> m_estimate;
    std::string m_of;  ///< values and step that the estimate is of
    double m_lastMs = 0;
};

class EffectCard : public QFrame {
    Q_OBJECT
public:
    explicit EffectCard(WorkspaceSession* session, QWidget* parent = nullptr);
    [[nodiscard]] QString text() const;

private:
    void refresh();
    WorkspaceSession* m_session;
    QLabel* m_heading;
    QLabel* m_note;
    struct Line {
        QLabel *name, *before, *after;
    };
    std::vector<Line> m_lines;
    std::pair<std::string, std::int64_t> m_of;  ///< change and newest step on show
};

}  // namespace mofo
