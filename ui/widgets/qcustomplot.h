// QCustomPlot's header uses the keywords that QT_NO_KEYWORDS takes away: include it from here alone.
#pragma once

#define signals Q_SIGNALS
#define slots Q_SLOTS
#define foreach Q_FOREACH
#include <qcustomplot.h>
#undef signals
#undef slots
#undef foreach
