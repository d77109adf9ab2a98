// How far a download is, on stderr.
#pragma once

#include "app/cli/terminal.h"
#include "core/base/clock.h"
#include "core/hub/hub.h"

namespace mofo::cli {

/// A HubWatch: a line that is redrawn on a terminal, else a line now and then; false after Ctrl-C.
class HubView {
public:
    bool operator()(const HubProgress& progress);
    void clear() { m_line.clear(); }

private:
    ProgressLine m_line;
    Stopwatch m_redrawn, m_told;
};

}  // namespace mofo::cli
