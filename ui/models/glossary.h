// The words of the field, a paragraph each, with the section of the paper where they come from.
#pragma once

#include <QString>
#include <vector>

namespace mofo::ui {

struct GlossaryEntry {
    QString key;  ///< "partition"
    QString term, text;
    QString source;  ///< "MoFO paper, section 3"
};
/// In the user's language, in the order to read them in.
[[nodiscard]] std::vector<GlossaryEntry> glossary();

}  // namespace mofo::ui
