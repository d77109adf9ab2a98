#include "core/hub/hub_client.h"

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <vector>

#include "core/base/text.h"

namespace mofo {

namespace {

constexpr std::uint64_t kAnswerLimit = 64ull << 20;
constexpr std::size_t kShownNames = 5;
constexpr int kQuestionRetries = 2;  // somebody waits for the answer
constexpr long kUnauthorised = 401, kForbidden = 403, kNotFound = 404, kTooMany = 429, kServerErrors = 500;

std::string shownList(const std::vector<std::string>& names) {
    std::vector<std::string> shown;
    for (std::size_t i = 0; i < std::min(names.size(), kShownNames); ++i)
        shown.push_back(escapeForDisplay(std::string_view(names[i]).substr(0, 120)));
    return joinText(shown, ", ") + (names.size() > kShownNames ? " ..." : "");
}

}  // namespace

std::string encodedPart(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
        if (plain) {
            out += c;
        } else {
            out += '%';
            out += digits[byte >> 4];
            out += digits[byte & 15];
        }
    }
    return out;
}

HubClient::HubClient(const HubSettings& settings, const HubReference& reference, std::function<bool()> goOn)
    : m_settings(settings), m_reference(reference), m_http(settings, std::move(goOn)) {}

Result<void> HubClient::backOff(int attempt) const {
    constexpr int mostDoublings = 5;
    return m_http.pause(m_settings.retryDelayMs << std::min(attempt - 1, mostDoublings));
}

// What the Hub's refusals mean: hf_raise_for_status of huggingface_hub 2.4 (utils/_http.py).
Error HubClient::refusal(const HttpHead& head, const std::string& file) const {
    const std::string code = head.header("x-error-code");
    const std::string name = m_reference.withFile(file).text();
    const std::string page = m_settings.endpoint + '/' + (m_reference.kind == HubKind::Dataset ? "datasets/" : "") + m_reference.id;
    const bool hasToken = !m_settings.token.empty();
    if (code == "GatedRepo") {
        return Error{ErrorCode::Permission, "the repository is gated: its files are given only to who has accepted its licence", name,
                     "Accept the licence at " + page + (hasToken ? " with the account of your HF_TOKEN" : " and set HF_TOKEN"), "GATED"};
    }
    if (head.status == kUnauthorised && hasToken && head.header("x-error-message").starts_with("Invalid credentials")) {
        return Error{ErrorCode::Permission, "the Hub does not accept the token", name, "Set HF_TOKEN to a valid one, or unset it", "TOKEN"};
    }
    if (head.status == kUnauthorised || head.status == kForbidden) {
        return Error{ErrorCode::Permission,
                     head.status == kForbidden ? "the Hub does not give this to you: it is gated or private"
                                               : "the Hub does not give this: it does not exist, or it is private or gated",
                     name, "Check the name; accept the licence at " + page + (hasToken ? " with the account of your HF_TOKEN" : " and set HF_TOKEN"),
                     "HIDDEN"};
    }
    if (head.status == kNotFound) {
        return Error{ErrorCode::NotFound, file.empty() ? "there is no such repository on the Hub" : "there is no such file in the repository", name,
                     "Check the name", "MISSING"};
    }
    if (head.status == kTooMany) {
        const long seconds = std::strtol(head.header("retry-after").c_str(), nullptr, 10);
        return Error{ErrorCode::Busy, head.host + " limits how often it may be asked", name,
                     (seconds > 0 ? "Try again in " + formatDuration(static_cast<double>(seconds)) : std::string("Try again in some minutes")) +
                         (hasToken ? "" : "; with HF_TOKEN set the limit is higher"),
                     "LIMITED"};
    }
    if (head.status >= kServerErrors) {
        return Error{ErrorCode::Io, head.host + " answers with the error " + std::to_string(head.status), name,
                     "Try again later; what has come so far is kept", "HTTP5"};
    }
    return Error{ErrorCode::Io, head.host + " gives the unexpected answer " + std::to_string(head.status), name, "Check HF_ENDPOINT and the proxy",
                 "HTTP"};
}

Result<std::string> HubClient::text(const std::string& url) {
    for (int attempt = 0;; ++attempt) {
        std::string body;
        HttpRequest request;
        request.url = url;
        request.onBytes = [&](std::string_view bytes) -> Result<void> {
            if (body.size() + bytes.size() > kAnswerLimit) {
                return Error{ErrorCode::Io, "the answer of " + hostOf(url) + " is larger than " + formatBytes(kAnswerLimit), "", "Check HF_ENDPOINT",
                             "LIMIT"};
            }
            body += bytes;
            return {};
        };
        auto head = m_http.get(request);
        const Error error = !head.ok() ? head.error() : head->status / 100 != 2 ? refusal(*head, {}) : Error{};
        if (head.ok() && head->status / 100 == 2) return body;
        if (!isTransient(error) || attempt >= std::min(m_settings.retries, kQuestionRetries)) {
            Error last = error;
            // The code decides what a caller makes of it: RevisionNotFound is told apart below.
            if (head.ok() && head->status == kNotFound) last.tag = head->header("x-error-code") == "RevisionNotFound" ? "REVISION" : "MISSING";
            if (last.tag == "NET") last.remedy = "Check the network and the proxy, or set HF_HUB_OFFLINE=1 to use what is there";
            return last;
        }
        MOFO_CHECK(backOff(attempt + 1));
    }
}

Result<Json> HubClient::ask(const std::string& path) {
    MOFO_TRY(const std::string body, text(m_settings.endpoint + path));
    auto json = parseJson(body);
    if (!json.ok()) {
        return Error{ErrorCode::Io, hostOf(m_settings.endpoint) + " answers with something that is not JSON (" + json.error().message + ')',
                     m_reference.text(), "Check HF_ENDPOINT and the proxy", "JSON"};
    }
    return json;
}

Result<HubListing> HubClient::listing() {
    auto answer = ask("/api/" + m_reference.apiKind() + '/' + m_reference.id + "/revision/" + encodedPart(m_reference.revision) + "?blobs=true");
    if (!answer.ok()) {
        Error error = std::move(answer).error();
        if (error.tag == "REVISION") return missingRevision();
        if (error.tag == "MISSING") return missingRepository();
        if (error.tag == "HIDDEN") {
            // To who is not logged in, the Hub does not say whether a repository is private or missing.
            Error missing = missingRepository();
            return missing.tag == "NEAR" ? missing : error;
        }
        if (error.where.empty()) error.where = m_reference.text();
        return error;
    }
    auto listing = parseListing(*answer);
    if (!listing.ok()) return std::move(listing).error().in(m_reference.text());
    return listing;
}

std::vector<std::string> HubClient::namesFrom(const std::string& path, const std::function<void(const Json&, std::vector<std::string>&)>& read) {
    std::vector<std::string> names;
    const int retries = std::exchange(m_settings.retries, 0);
    if (const auto answer = ask(path); answer.ok()) read(*answer, names);
    m_settings.retries = retries;
    return names;
}

Error HubClient::missingRepository() {
    const auto takeIds = [](const Json& answer, std::vector<std::string>& names) {
        if (!answer.is_array()) return;
        for (const Json& entry : answer) {
            if (entry.is_object() && entry.contains("id") && entry["id"].is_string()) names.push_back(entry["id"].get<std::string>());
        }
    };
    Error error{ErrorCode::NotFound, "there is no such repository on the Hub", m_reference.text(), "Check owner and name", "MISSING"};
    // The most common mistake is the other kind.
    HubReference other = m_reference;
    other.kind = m_reference.kind == HubKind::Model ? HubKind::Dataset : HubKind::Model;
    const auto found = namesFrom("/api/" + other.apiKind() + '/' + other.id, [](const Json& answer, std::vector<std::string>& names) {
        if (answer.is_object() && answer.contains("sha")) names.push_back("there");
    });
    if (!found.empty()) {
        error.message += m_reference.kind == HubKind::Model ? " among the models" : " among the data sets";
        error.remedy = "Did you mean " + other.text() + "?";
        error.tag = "NEAR";
        return error;
    }
    const std::string owner = m_reference.id.substr(0, m_reference.id.find('/'));
    const auto names = namesFrom("/api/" + m_reference.apiKind() + "?author=" + encodedPart(owner) + "&limit=200", takeIds);
    HubReference near = m_reference;
    near.id = nearestName(m_reference.id, names);
    if (near.id == m_reference.id) near.id.clear();
    if (!near.id.empty()) {
        if (parseHubReference(near.text()).ok()) {
            error.remedy = "Did you mean " + near.text() + "?";
            error.tag = "NEAR";
        }
    } else if (!names.empty()) {
        error.remedy = escapeForDisplay(owner) + " has " + shownList(names);
    }
    return error;
}

Error HubClient::missingRevision() {
    const auto names =
        namesFrom("/api/" + m_reference.apiKind() + '/' + m_reference.id + "/refs", [](const Json& answer, std::vector<std::string>& out) {
            for (const char* kind : {"branches", "tags"}) {
                if (!answer.is_object() || !answer.contains(kind) || !answer[kind].is_array()) continue;
                for (const Json& entry : answer[kind]) {
                    if (entry.is_object() && entry.contains("name") && entry["name"].is_string()) out.push_back(entry["name"].get<std::string>());
                }
            }
        });
    const std::string near = nearestName(m_reference.revision, names);
    std::string remedy = "Name a branch, a tag or a commit";
    if (!near.empty()) {
        remedy = "Did you mean " + escapeForDisplay(m_reference.withRevision(near).text()) + "?";
    } else if (!names.empty()) {
        remedy = "There are " + shownList(names);
    }
    return Error{ErrorCode::NotFound, "the repository has no revision \"" + m_reference.revision + '"', m_reference.text(), remedy, "REVISION"};
}

Result<void> HubClient::read(const std::string& commit, const HubFile& file, std::uint64_t firstByte,
                             const std::function<Result<void>(const HttpHead&)>& onHead,
                             const std::function<Result<void>(std::string_view)>& onBytes) {
    std::vector<std::string> parts = splitText(file.name, '/');
    for (std::string& part : parts) part = encodedPart(part);
    HttpRequest request;
    request.url = m_settings.endpoint + (m_reference.kind == HubKind::Dataset ? "/datasets/" : "/") + m_reference.id + "/resolve/" + commit + '/' +
                  joinText(parts, "/");
    request.firstByte = firstByte;
    request.onHead = [&](const HttpHead& head) -> Result<void> {
        if (head.status / 100 != 2 && !(head.status == 416 && firstByte > 0)) return refusal(head, file.name);
        return onHead(head);
    };
    request.onBytes = onBytes;
    MOFO_TRY(const HttpHead head, m_http.get(request));
    return {};
}

}  // namespace mofo
