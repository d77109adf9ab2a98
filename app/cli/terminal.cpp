#include "app/cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace mofo::cli {

namespace {

bool isTerminal(int fd) {
    const char* kind = std::getenv("TERM");
    return isatty(fd) != 0 && (kind == nullptr || std::strcmp(kind, "dumb") != 0);
}

const char* codeOf(Style style) {
    switch (style) {
        case Style::Plain: return "";
        case Style::Bold: return "\x1b[1m";
        case Style::Dim: return "\x1b[2m";
        case Style::Good: return "\x1b[32m";
        case Style::Warn: return "\x1b[33m";
        case Style::Bad: return "\x1b[31m";
    }
    return "";
}

bool startsCodePoint(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

}  // namespace

bool stderrIsTerminal() {
    static const bool terminal = isTerminal(STDERR_FILENO);
    return terminal;
}

bool stdoutIsTerminal() {
    static const bool terminal = isTerminal(STDOUT_FILENO);
    return terminal;
}

bool stdinIsTerminal() { return isatty(STDIN_FILENO) != 0; }

std::size_t terminalWidth() {
    winsize size{};
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string styled(std::string_view text, Style style) {
    static const bool coloured = stdoutIsTerminal() && std::getenv("NO_COLOR") == nullptr;
    if (!coloured || style == Style::Plain) return std::string(text);
    return codeOf(style) + std::string(text) + "\x1b[0m";
}

std::size_t displayWidth(std::string_view text) {
    std::size_t width = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\x1b') {
            while (i < text.size() && text[i] != 'm') ++i;
        } else if (startsCodePoint(text[i])) {
            ++width;
        }
    }
    return width;
}

std::string clipText(std::string_view text, std::size_t width) {
    if (displayWidth(text) <= width || width == 0) return std::string(text);
    std::size_t columns = 0, end = 0;
    while (end < text.size() && columns < width - 1) {
        ++end;
        while (end < text.size() && !startsCodePoint(text[end])) ++end;
        ++columns;
    }
    return std::string(text.substr(0, end)) + "…";
}

std::string tableText(const std::vector<std::vector<std::string>>& rows, const std::vector<std::size_t>& rightAligned) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], displayWidth(row[c]));
    }
    std::string text;
    for (std::size_t r = 0; r < rows.size(); ++r) {
        std::string line;
        for (std::size_t c = 0; c < rows[r].size(); ++c) {
            const bool right = std::find(rightAligned.begin(), rightAligned.end(), c) != rightAligned.end();
            const std::string blanks(widths[c] - displayWidth(rows[r][c]), ' ');
            if (c > 0) line += "  ";
            line += right ? blanks + rows[r][c] : rows[r][c] + blanks;
        }
        while (!line.empty() && line.back() == ' ') line.pop_back();
        text += (r == 0 ? styled(line, Style::Dim) : line) + '\n';
    }
    return text;
}

std::string barText(double share, std::size_t width) {
    const auto filled = static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(width) + 0.5);
    return '[' + std::string(filled, '#') + std::string(width - filled, '-') + ']';
}

void ProgressLine::show(const std::string& text) {
    if (!stderrIsTerminal()) return;
    const std::size_t width = terminalWidth();
    fmt::print(stderr, "\r\x1b[K{}", clipText(text, width > 1 ? width - 1 : 1));
    std::fflush(stderr);
    m_shown = true;
}

void ProgressLine::clear() {
    if (!m_shown) return;
    fmt::print(stderr, "\r\x1b[K");
    std::fflush(stderr);
    m_shown = false;
}

void ProgressLine::print(const std::string& text) {
    clear();
    fmt::print(stderr, "{}\n", text);
    std::fflush(stderr);
}

}  // namespace mofo::cli
