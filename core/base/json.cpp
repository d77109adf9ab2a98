#include "core/base/json.h"

#include <cmath>
#include <cstddef>
#include <iterator>
#include <string>
#include <vector>

#include "core/base/text.h"

namespace mofo {

namespace {

/// Walks the text and tells how far the parser has come, which nlohmann's SAX interface itself does not.
class CountingIterator {
public:
    using iterator_category = std::input_iterator_tag;
    using value_type = char;
    using difference_type = std::ptrdiff_t;
    using pointer = const char*;
    using reference = const char&;

    CountingIterator(const char* at, const char** reached) : m_at(at), m_reached(reached) {}
    reference operator*() const { return *m_at; }
    CountingIterator& operator++() {
        *m_reached = ++m_at;
        return *this;
    }
    CountingIterator operator++(int) {
        const CountingIterator before = *this;
        ++*this;
        return before;
    }
    bool operator==(const CountingIterator& other) const { return m_at == other.m_at; }

private:
    const char* m_at;
    const char** m_reached;
};

/// Builds the value while it is parsed, so that depth and duplicates are refused before they cost anything.
class LimitedBuilder : public nlohmann::json_sax<Json> {
public:
    LimitedBuilder(Json& root, const JsonLimits& limits) : m_limits(limits), m_root(root) {}

    Error failure;

    bool null() override { return put(nullptr); }
    bool boolean(bool value) override { return put(value); }
    bool number_integer(number_integer_t value) override { return put(value); }
    bool number_unsigned(number_unsigned_t value) override { return put(value); }
    bool number_float(number_float_t value, const string_t& text) override {
        if (!std::isfinite(value)) return refuse("RANGE", "the number " + escapeForDisplay(text.substr(0, 40)) + " is out of range");
        return put(value);
    }
    bool string(string_t& value) override { return put(std::move(value)); }
    bool binary(binary_t&) override { return refuse("JSON", "binary values are not JSON"); }
    bool start_object(std::size_t) override { return open(Json::object()); }
    bool start_array(std::size_t) override { return open(Json::array()); }
    bool end_object() override { return close(); }
    bool end_array() override { return close(); }
    bool key(string_t& value) override {
        Json& object = *m_open.back();
        if (!m_limits.allowDuplicateKeys && object.contains(value)) return refuse("DUP", "the key \"" + escapeForDisplay(value.substr(0, 80)) + "\" stands twice in one object");
        m_slot = &object[value];
        return true;
    }
    bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& reason) override {
        std::string text = reason.what();
        // "[json.exception.parse_error.101] parse error at line 1, column 2: ...": people need only what follows.
        if (const auto at = text.find("parse error"); at != std::string::npos) text.erase(0, at);
        const bool utf8 = text.find("UTF-8") != std::string::npos || text.find("surrogate") != std::string::npos || text.find("U+D800") != std::string::npos;
        // A number beyond double arrives here as out_of_range.
        const bool range = std::string_view(reason.what()).find("out_of_range") != std::string_view::npos;
        refuse(range ? "RANGE" : utf8 ? "UTF8" : "JSON", escapeForDisplay(text));
        return false;
    }

private:
    bool refuse(const char* tag, std::string message) {
        failure = Error{ErrorCode::InvalidInput, std::move(message), "", "", tag};
        return false;
    }
    Json* place(Json value) {
        if (m_open.empty()) {
            m_root = std::move(value);
            return &m_root;
        }
        if (m_open.back()->is_array()) {
            m_open.back()->push_back(std::move(value));
            return &m_open.back()->back();
        }
        *m_slot = std::move(value);
        return m_slot;
    }
    template <class T>
    bool put(T&& value) {
        place(Json(std::forward<T>(value)));
        return true;
    }
    bool open(Json empty) {
        if (static_cast<int>(m_open.size()) >= m_limits.depth) return refuse("DEPTH", "nested deeper than " + std::to_string(m_limits.depth) + " levels");
        m_open.push_back(place(std::move(empty)));
        return true;
    }
    bool close() {
        m_open.pop_back();
        return true;
    }

    const JsonLimits& m_limits;
    Json& m_root;
    Json* m_slot = nullptr;
    std::vector<Json*> m_open;
};

}  // namespace

Result<Json> parseJson(std::string_view text, const JsonLimits& limits) {
    if (text.size() > limits.sizeBytes) return Error{ErrorCode::InvalidInput, "more than " + formatBytes(limits.sizeBytes) + " of JSON", "", "", "LIMIT"};
    std::ptrdiff_t markBytes = 0;
    if (text.starts_with("\xEF\xBB\xBF")) {
        if (!limits.allowByteOrderMark) return Error{ErrorCode::InvalidInput, "a byte order mark stands before the JSON", "byte 0", "", "JSON"};
        text.remove_prefix(3);
        markBytes = 3;
    }
    const auto place = [&](std::ptrdiff_t at) { return "byte " + std::to_string(at + markBytes); };
    if (const std::size_t valid = validUtf8Prefix(text); valid < text.size()) {
        return Error{ErrorCode::InvalidInput, "not valid UTF-8", place(static_cast<std::ptrdiff_t>(valid)), "Save the file as UTF-8", "UTF8"};
    }
    // nlohmann::json takes a zero byte for the end of the text; JSON allows none anywhere.
    if (const auto zero = text.find('\0'); zero != std::string_view::npos) {
        return Error{ErrorCode::InvalidInput, "a zero byte in the JSON", place(static_cast<std::ptrdiff_t>(zero)), "", "JSON"};
    }
    Json root;
    LimitedBuilder builder(root, limits);
    const char* reached = text.data();
    if (!Json::sax_parse(CountingIterator(text.data(), &reached), CountingIterator(text.data() + text.size(), &reached), &builder)) {
        builder.failure.where = place(reached - text.data());
        return std::move(builder.failure);
    }
    return root;
}

}  // namespace mofo
