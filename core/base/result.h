// Result<T>: the value of an operation, or the Error that says why there is none.
#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace mofo {

/// What the caller does next decides the code; the text is for the person.
enum class ErrorCode {
    Usage,         ///< wrong command line, key or value: exit code 2
    InvalidInput,  ///< a file or value from outside is refused: exit code 3
    NotFound,      ///< nothing by that name: exit code 3
    Unsupported,   ///< well formed, but not something this build can do: exit code 3
    Permission,    ///< not ours, or not allowed: exit code 3
    OutOfSpace,    ///< disk full or too small: exit code 3
    DeviceUnusable,///< an accelerator that was asked for cannot be used: exit code 3
    Io,            ///< the system failed to read or write: exit code 1
    Busy,          ///< somebody else holds it; trying again later can help: exit code 1
    Conflict,      ///< the state does not allow it (a run that ended, say): exit code 1
    OutOfMemory,   ///< host or device memory: exit code 1
    Interrupted,   ///< cancelled by the user: exit code 130
    Internal,      ///< our own mistake: exit code 1
};

/// One refusal or failure. `message` is one sentence; `where` names file and place (byte offset, line, key); `remedy` says
/// what to do. `tag` is the short type that the malformed-file corpora name (TRUNC, JSON, DUP, RANGE ...), or empty.
struct Error {
    ErrorCode code = ErrorCode::Internal;
    std::string message;
    std::string where;
    std::string remedy;
    std::string tag;

    /// "where: message. remedy" on one line.
    [[nodiscard]] std::string text() const;
    /// The exit code of architecture.md section 4 (1, 2, 3 or 130).
    [[nodiscard]] int exitCode() const;
    /// The same error seen from further out: puts `outer` before `where`.
    [[nodiscard]] Error in(std::string_view outer) &&;
};

template <class T>
class [[nodiscard]] Result {
public:
    Result(T value) : m_state(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : m_state(std::in_place_index<1>, std::move(error)) {}

    [[nodiscard]] bool ok() const { return m_state.index() == 0; }
    explicit operator bool() const { return ok(); }
    /// Only after ok(); anything else is a mistake of the caller.
    T& value() & { assert(ok()); return std::get<0>(m_state); }
    const T& value() const& { assert(ok()); return std::get<0>(m_state); }
    T&& value() && { assert(ok()); return std::get<0>(std::move(m_state)); }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }
    const Error& error() const& { assert(!ok()); return std::get<1>(m_state); }
    Error&& error() && { assert(!ok()); return std::get<1>(std::move(m_state)); }

private:
    std::variant<T, Error> m_state;
};

template <>
class [[nodiscard]] Result<void> {
public:
    Result() = default;
    Result(Error error) : m_error(std::move(error)) {}
    [[nodiscard]] bool ok() const { return !m_error.has_value(); }
    explicit operator bool() const { return ok(); }
    const Error& error() const& { assert(!ok()); return *m_error; }
    Error&& error() && { assert(!ok()); return std::move(*m_error); }

private:
    std::optional<Error> m_error;
};

#define MOFO_CONCAT_(a, b) a##b
#define MOFO_CONCAT(a, b) MOFO_CONCAT_(a, b)
/// MOFO_CHECK(expression of type Result<...>): returns its error from the enclosing function.
#define MOFO_CHECK(expression)                                     \
    do {                                                           \
        auto mofoResult_ = (expression);                           \
        if (!mofoResult_.ok()) return std::move(mofoResult_).error(); \
    } while (false)
/// MOFO_TRY(auto x, expression): declares x from the value, or returns the error from the enclosing function.
#define MOFO_TRY(declaration, expression)                                                   \
    auto MOFO_CONCAT(mofoTry_, __LINE__) = (expression);                                    \
    if (!MOFO_CONCAT(mofoTry_, __LINE__).ok()) return std::move(MOFO_CONCAT(mofoTry_, __LINE__)).error(); \
    declaration = std::move(MOFO_CONCAT(mofoTry_, __LINE__)).value()

}  // namespace mofo
