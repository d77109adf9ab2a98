#include "core/base/result.h"

namespace mofo {

std::string Error::text() const {
    std::string out;
    if (!where.empty()) out += where + ": ";
    out += message;
    if (!out.empty() && out.back() != '.' && out.back() != '?' && out.back() != '!') out += '.';
    if (!remedy.empty()) {
        out += ' ' + remedy;
        if (out.back() != '.' && out.back() != '?' && out.back() != '!') out += '.';
    }
    return out;
}

int Error::exitCode() const {
    switch (code) {
        case ErrorCode::Usage: return 2;
        case ErrorCode::InvalidInput:
        case ErrorCode::NotFound:
        case ErrorCode::Unsupported:
        case ErrorCode::Permission:
        case ErrorCode::OutOfSpace:
        case ErrorCode::DeviceUnusable: return 3;
        case ErrorCode::Interrupted: return 130;
        case ErrorCode::Io:
        case ErrorCode::Busy:
        case ErrorCode::Conflict:
        case ErrorCode::OutOfMemory:
        case ErrorCode::Internal: return 1;
    }
    return 1;
}

Error Error::in(std::string_view outer) && {
    where = where.empty() ? std::string(outer) : std::string(outer) + ": " + where;
    return std::move(*this);
}

}  // namespace mofo
