// Looks into parsed JSON from outside, with the path of every value for error texts. Private to core/text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/json.h"
#include "core/base/result.h"

namespace mofo {

/// A JSON value and where it stands ("model.merges"). Refers to the document, which must outlive it.
class JsonView {
public:
    JsonView(const Json& value, std::string path) : m_value(&value), m_path(std::move(path)) {}

    [[nodiscard]] const Json& value() const { return *m_value; }
    [[nodiscard]] const std::string& path() const { return m_path; }
    [[nodiscard]] bool isNull() const { return m_value->is_null(); }
    [[nodiscard]] bool has(std::string_view key) const { return m_value->is_object() && m_value->contains(key) && !m_value->at(std::string(key)).is_null(); }
    /// The member; a missing or null one is refused (tag MISSING).
    Result<JsonView> member(std::string_view key) const;
    Result<std::string> text(std::string_view key) const;
    /// A boolean member; `fallback` where it is missing or null, TYPE where it is something else.
    Result<bool> flag(std::string_view key, bool fallback) const;
    [[nodiscard]] JsonView element(std::size_t index) const { return {m_value->at(index), m_path + "[" + std::to_string(index) + "]"}; }
    Result<void> requireObject() const;
    Result<void> requireArray() const;
    [[nodiscard]] Error refuse(std::string_view tag, std::string message, ErrorCode code = ErrorCode::InvalidInput) const;

private:
    [[nodiscard]] std::string pathOf(std::string_view key) const { return m_path.empty() ? std::string(key) : m_path + "." + std::string(key); }
    const Json* m_value;
    std::string m_path;
};

}  // namespace mofo
