#include "core/text/added_tokens.h"

#include <algorithm>

#include "core/text/unicode_classes.h"

namespace mofo {

std::uint32_t AddedTokenMatcher::childOf(std::uint32_t node, std::uint8_t byte) const {
    const auto& children = m_nodes[node].children;
    const auto at = std::lower_bound(children.begin(), children.end(), byte, [](const auto& child, std::uint8_t b) { return child.first < b; });
    return at != children.end() && at->first == byte ? at->second : 0;
}

void AddedTokenMatcher::add(std::string_view pattern, const AddedToken& token) {
    if (pattern.empty()) return;
    std::uint32_t node = 0;
    for (const char c : pattern) {
        const auto byte = static_cast<std::uint8_t>(c);
        std::uint32_t next = childOf(node, byte);
        if (next == 0) {
            next = static_cast<std::uint32_t>(m_nodes.size());
            m_nodes.emplace_back();
            auto& children = m_nodes[node].children;
            children.insert(std::upper_bound(children.begin(), children.end(), std::pair<std::uint8_t, std::uint32_t>(byte, 0)), {byte, next});
        }
        node = next;
    }
    m_nodes[node].rule = static_cast<std::int32_t>(m_rules.size());
    m_rules.push_back({token.id, token.singleWord, token.leftStrip, token.rightStrip});
    m_startsWith[static_cast<std::uint8_t>(pattern.front())] = true;
}

void AddedTokenMatcher::split(std::string_view text, std::vector<AddedTokenPart>& parts) const {
    const auto isAt = [&](std::size_t at, std::uint8_t wanted) { return (classesOf(decodeAt(text, at).codePoint) & wanted) != 0; };
    const auto isBefore = [&](std::size_t at, std::uint8_t wanted) { return (classesOf(decodeBefore(text, at).codePoint) & wanted) != 0; };
    std::size_t done = 0;
    for (std::size_t at = 0; at < text.size();) {
        if (!m_startsWith[static_cast<std::uint8_t>(text[at])]) {
            ++at;
            continue;
        }
        std::int32_t found = -1;
        std::size_t end = at;
        std::uint32_t node = 0;
        for (std::size_t i = at; i < text.size(); ++i) {
            node = childOf(node, static_cast<std::uint8_t>(text[i]));
            if (node == 0) break;
            if (m_nodes[node].rule >= 0) {
                found = m_nodes[node].rule;
                end = i + 1;
            }
        }
        if (found < 0) {
            ++at;
            continue;
        }
        const Rule& rule = m_rules[static_cast<std::size_t>(found)];
        std::size_t begin = at;
        at = end;  // the search goes on behind the match itself, whatever is stripped
        if (rule.singleWord && ((begin > 0 && isBefore(begin, kWord)) || (end < text.size() && isAt(end, kWord)))) continue;
        if (rule.leftStrip) {
            std::size_t stripped = begin;
            while (stripped > 0 && isBefore(stripped, kSpace)) stripped -= decodeBefore(text, stripped).length;
            begin = std::max(stripped, done);
        }
        if (rule.rightStrip) {
            while (end < text.size() && isAt(end, kSpace)) end += decodeAt(text, end).length;
        }
        if (done < begin) parts.push_back({done, begin, -1});
        parts.push_back({begin, end, rule.id});
        done = end;
    }
    if (done < text.size()) parts.push_back({done, text.size(), -1});
}

}  // namespace mofo
