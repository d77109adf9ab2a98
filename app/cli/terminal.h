// What the terminal can do, and text laid out for it. Colour and bars only where a person looks.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mofo::cli {

/// Whether progress may be redrawn on stderr: it is a terminal that is not dumb.
[[nodiscard]] bool stderrIsTerminal();
[[nodiscard]] bool stdoutIsTerminal();
[[nodiscard]] bool stdinIsTerminal();
/// Columns of stderr's terminal; 80 where unknown.
[[nodiscard]] std::size_t terminalWidth();

enum class Style { Plain, Bold, Dim, Good, Warn, Bad };
/// Coloured for stdout where that is a terminal and NO_COLOR is not set.
[[nodiscard]] std::string styled(std::string_view text, Style style);

/// Code points, which is columns for everything that is printed here.
[[nodiscard]] std::size_t displayWidth(std::string_view text);
/// At most `width` columns, the cut marked by an ellipsis.
[[nodiscard]] std::string clipText(std::string_view text, std::size_t width);

/// Columns aligned by blanks; those named in `rightAligned` (by index) to the right. The first row is the header, printed dim.
[[nodiscard]] std::string tableText(const std::vector<std::vector<std::string>>& rows, const std::vector<std::size_t>& rightAligned);

/// "[######--------]"
[[nodiscard]] std::string barText(double share, std::size_t width);

/// One line on stderr that is drawn over itself on a terminal; nothing elsewhere.
class ProgressLine {
public:
    ProgressLine() = default;
    ~ProgressLine() { clear(); }
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;
    void show(const std::string& text);
    void clear();
    /// A whole line on stderr above the progress.
    void print(const std::string& text);

private:
    bool m_shown = false;
};

}  // namespace mofo::cli
