#include "core/text/json_view.h"

namespace mofo {

Error JsonView::refuse(std::string_view tag, std::string message, ErrorCode code) const {
    return Error{code, std::move(message), m_path.empty() ? std::string() : "key " + m_path, "", std::string(tag)};
}

Result<JsonView> JsonView::member(std::string_view key) const {
    MOFO_CHECK(requireObject());
    if (!has(key)) return JsonView(*m_value, pathOf(key)).refuse("MISSING", "the key is missing");
    return JsonView(m_value->at(std::string(key)), pathOf(key));
}

Result<std::string> JsonView::text(std::string_view key) const {
    MOFO_TRY(const JsonView view, member(key));
    if (!view.value().is_string()) return view.refuse("TYPE", std::string("a string is due, not ") + view.value().type_name());
    return view.value().get<std::string>();
}

Result<bool> JsonView::flag(std::string_view key, bool fallback) const {
    MOFO_CHECK(requireObject());
    if (!has(key)) return fallback;
    MOFO_TRY(const JsonView view, member(key));
    if (!view.value().is_boolean()) return view.refuse("TYPE", std::string("true or false is due, not ") + view.value().type_name());
    return view.value().get<bool>();
}

Result<void> JsonView::requireObject() const {
    if (!m_value->is_object()) return refuse("TYPE", std::string("an object is due, not ") + m_value->type_name());
    return {};
}

Result<void> JsonView::requireArray() const {
    if (!m_value->is_array()) return refuse("TYPE", std::string("an array is due, not ") + m_value->type_name());
    return {};
}

}  // namespace mofo
