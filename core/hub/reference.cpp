#include "core/hub/reference.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <vector>

#include "core/base/text.h"

namespace mofo {

namespace {

constexpr std::size_t kTextLimit = 2048;
constexpr std::size_t kNameLimit = 96;
constexpr std::size_t kRevisionLimit = 200;
constexpr std::size_t kFileLimit = 1000;
constexpr std::size_t kPartLimit = 200;  // leaves room for ".part" below the file system's 255
constexpr std::size_t kShownLimit = 120;
constexpr std::string_view kForm = "Write hf:owner/name, hf:owner/name@revision or hf:datasets/owner/name:file";

Error refuse(std::string_view text, std::string message, std::string_view remedy = kForm) {
    return Error{ErrorCode::Usage, std::move(message), escapeForDisplay(text.substr(0, kShownLimit)), std::string(remedy), "HUB"};
}

bool isNameCharacter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

/// The Hub's own rule for owners and names.
bool isHubName(std::string_view name) {
    const auto edge = [](char c) { return c == '-' || c == '.'; };
    return !name.empty() && name.size() <= kNameLimit && std::all_of(name.begin(), name.end(), isNameCharacter) && !edge(name.front()) &&
           !edge(name.back()) && name.find("--") == std::string_view::npos && name.find("..") == std::string_view::npos && !name.ends_with(".git");
}

/// What git allows, as far as anybody uses it.
bool isRevision(std::string_view revision) {
    const auto allowed = [](char c) { return isNameCharacter(c) || c == '/' || c == '+'; };
    return !revision.empty() && revision.size() <= kRevisionLimit && std::all_of(revision.begin(), revision.end(), allowed) &&
           revision.front() != '-' && revision.front() != '/' && revision.back() != '/' && revision.find("..") == std::string_view::npos &&
           revision.find("//") == std::string_view::npos && revision.find("/.") == std::string_view::npos && revision.front() != '.';
}

Result<HubReference> checked(std::string_view text, HubReference reference) {
    const auto parts = splitText(reference.id, '/');
    if (parts.size() != 2 || !isHubName(parts[0]) || !isHubName(parts[1])) {
        if (parts.size() == 1 && isHubName(parts[0])) {
            return refuse(text, "the owner is missing",
                          "Write hf:OWNER/" + parts[0] + " with the owner that the repository's page shows before the name");
        }
        return refuse(text, "\"" + escapeForDisplay(std::string_view(reference.id).substr(0, kShownLimit)) + "\" is not a repository's owner/name");
    }
    if (!isRevision(reference.revision)) {
        return refuse(text, "\"" + escapeForDisplay(std::string_view(reference.revision).substr(0, kShownLimit)) + "\" is not a revision",
                      "Write hf:" + reference.id + "@REVISION with a branch, a tag or a commit");
    }
    if (!reference.file.empty() && !isSafeHubFile(reference.file)) {
        return refuse(text, "\"" + escapeForDisplay(std::string_view(reference.file).substr(0, kShownLimit)) + "\" is not a file within a repository",
                      "Name it as the repository's list of files does, as in hf:datasets/owner/name:data/train.jsonl");
    }
    return reference;
}

Result<HubReference> parseShort(std::string_view text) {
    std::string_view rest = text.substr(3);
    HubReference reference;
    if (rest.starts_with("//")) return refuse(text, "hf:// addresses are another program's form");
    if (const auto colon = rest.find(':'); colon != std::string_view::npos) {
        reference.file = rest.substr(colon + 1);
        rest = rest.substr(0, colon);
        if (reference.file.empty()) return refuse(text, "no file stands after the colon");
    }
    if (const auto at = rest.find('@'); at != std::string_view::npos) {
        reference.revision = rest.substr(at + 1);
        rest = rest.substr(0, at);
        if (reference.revision.empty()) return refuse(text, "no revision stands after the @");
    }
    if (rest.empty()) return refuse(text, "no repository is named");
    const bool threeParts = std::count(rest.begin(), rest.end(), '/') == 2;
    if (threeParts && rest.starts_with("datasets/")) {
        reference.kind = HubKind::Dataset;
        rest.remove_prefix(std::string_view("datasets/").size());
    } else if (threeParts && rest.starts_with("models/")) {
        return refuse(text, "models are named without \"models/\"", "Write hf:" + escapeForDisplay(rest.substr(7, kShownLimit)));
    } else if (rest.starts_with("datasets/") && !threeParts) {
        return refuse(text, "of a data set owner and name are due", "Write hf:datasets/owner/name, with :file if it has several");
    } else if (rest.starts_with("spaces/")) {
        return refuse(text, "a Space is neither a model nor a data set");
    }
    reference.id = rest;
    return checked(text, std::move(reference));
}

std::optional<int> hexDigit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return std::nullopt;
}

/// Percent-decoding; nothing where an escape is broken.
std::optional<std::string> decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        if (i + 2 >= text.size()) return std::nullopt;
        const auto high = hexDigit(text[i + 1]), low = hexDigit(text[i + 2]);
        if (!high || !low) return std::nullopt;
        out += static_cast<char>(16 * *high + *low);
        i += 2;
    }
    return out;
}

std::string lowered(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return out;
}

/// "https://host:port/base" without its scheme, lower case up to the first slash.
std::string_view withoutScheme(std::string_view address) {
    const auto at = address.find("://");
    return at == std::string_view::npos ? address : address.substr(at + 3);
}

/// What follows the host of the Hub in an address, or nothing where it is another host.
std::optional<std::string_view> pathOnHub(std::string_view address, std::string_view endpoint) {
    const std::string_view rest = withoutScheme(address);
    const auto below = [&](std::string_view base) -> std::optional<std::string_view> {
        if (base.empty() || lowered(rest.substr(0, base.size())) != lowered(base)) return std::nullopt;
        const std::string_view path = rest.substr(base.size());
        if (!path.empty() && path.front() != '/' && path.front() != '?' && path.front() != '#') return std::nullopt;
        return path;
    };
    std::string_view own = withoutScheme(endpoint);
    while (own.ends_with('/')) own.remove_suffix(1);
    for (const std::string_view base : {own, std::string_view("huggingface.co"), std::string_view("www.huggingface.co"), std::string_view("hf.co")}) {
        if (const auto path = below(base)) return path;
    }
    return std::nullopt;
}

Result<HubReference> parseAddress(std::string_view text, std::string_view endpoint) {
    const std::optional<std::string_view> found = pathOnHub(text, endpoint);
    if (!found) return refuse(text, "this is not an address of the Hugging Face Hub", "Give a file of this machine, or write hf:owner/name");
    std::string_view path = found->substr(0, found->find_first_of("?#"));
    while (path.ends_with('/')) path.remove_suffix(1);
    std::vector<std::string> parts;
    for (const std::string& part : splitText(path, '/')) {
        const auto plain = decoded(part);
        if (!plain) return refuse(text, "the address holds a broken escape");
        parts.push_back(*plain);
    }
    if (!parts.empty()) parts.erase(parts.begin());  // before the first slash
    HubReference reference;
    if (!parts.empty() && parts[0] == "datasets") {
        reference.kind = HubKind::Dataset;
        parts.erase(parts.begin());
    } else if (!parts.empty() && (parts[0] == "spaces" || parts[0] == "docs" || parts[0] == "collections" || parts[0] == "papers")) {
        return refuse(text, "this page is neither a model nor a data set");
    }
    if (parts.size() < 2) return refuse(text, "the address names no repository");
    reference.id = parts[0] + '/' + parts[1];
    if (parts.size() == 2) return checked(text, std::move(reference));
    constexpr std::array<std::string_view, 4> views{"tree", "blob", "resolve", "raw"};
    if (std::find(views.begin(), views.end(), parts[2]) == views.end()) {
        return refuse(text, "\"" + escapeForDisplay(std::string_view(parts[2]).substr(0, kShownLimit)) + "\" is not a page of files",
                      "Give the address of the repository or of one of its files");
    }
    if (parts.size() == 3) return refuse(text, "no revision stands after \"" + parts[2] + "\"");
    std::size_t next = 4;
    reference.revision = parts[3];
    // A pull request's revision has slashes of its own, which the site does not escape.
    if (parts[3] == "refs" && parts.size() >= 6 && (parts[4] == "pr" || parts[4] == "convert")) {
        reference.revision = "refs/" + parts[4] + '/' + parts[5];
        next = 6;
    }
    parts.erase(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(next));
    // An empty or escaped part must not vanish in the joining.
    for (const std::string& part : parts) {
        if (part.empty() || part.find('/') != std::string::npos) return refuse(text, "the file's path is broken");
    }
    reference.file = joinText(parts, "/");
    return checked(text, std::move(reference));
}

}  // namespace

bool isSafeHubFile(std::string_view file) {
    if (file.empty() || file.size() > kFileLimit || !isValidUtf8(file) || escapeForDisplay(file) != file) return false;
    const auto parts = splitText(file, '/');
    return std::all_of(parts.begin(), parts.end(), [](const std::string& part) {
        return !part.empty() && part != "." && part != ".." && part.size() <= kPartLimit && part.find('\\') == std::string::npos;
    });
}

std::string HubReference::text() const {
    std::string text = (kind == HubKind::Dataset ? "hf:datasets/" : "hf:") + id;
    if (revision != "main") text += '@' + revision;
    if (!file.empty()) text += ':' + file;
    return text;
}

HubReference HubReference::withRevision(std::string_view other) const {
    HubReference copy = *this;
    copy.revision = other;
    return copy;
}

HubReference HubReference::withFile(std::string_view other) const {
    HubReference copy = *this;
    copy.file = other;
    return copy;
}

std::string HubReference::folderName() const {
    const auto slash = id.find('/');
    return apiKind() + "--" + id.substr(0, slash) + "--" + id.substr(slash + 1);
}

std::string HubReference::apiKind() const { return kind == HubKind::Dataset ? "datasets" : "models"; }

bool looksLikeHubReference(std::string_view text) {
    const std::string start = lowered(text.substr(0, 16));
    for (const std::string_view prefix : {"hf:", "http://", "https://", "huggingface.co/", "hf.co/"}) {
        if (start.starts_with(prefix)) return true;
    }
    return false;
}

Result<HubReference> parseHubReference(std::string_view text, std::string_view endpoint) {
    if (text.size() > kTextLimit) return refuse(text, "the reference is longer than " + std::to_string(kTextLimit) + " bytes");
    if (!isValidUtf8(text) || escapeForDisplay(text) != text) return refuse(text, "the reference holds control characters or broken UTF-8");
    if (text.starts_with("hf:")) return parseShort(text);
    if (looksLikeHubReference(text) && !lowered(text.substr(0, 3)).starts_with("hf:")) return parseAddress(text, endpoint);
    return refuse(text, "this is not a reference to the Hugging Face Hub");
}

Result<std::optional<HubReference>> hubReferenceFor(std::string_view text, HubKind wanted, std::string_view endpoint) {
    std::error_code ec;
    if (!looksLikeHubReference(text) || std::filesystem::exists(std::filesystem::path(text), ec)) return std::optional<HubReference>();
    MOFO_TRY(const HubReference reference, parseHubReference(text, endpoint));
    if (reference.kind == wanted) return std::optional(reference);
    const auto named = [](HubKind kind) { return std::string(kind == HubKind::Dataset ? "a data set" : "a model"); };
    HubReference other = reference;
    other.kind = wanted;
    return Error{ErrorCode::Usage, named(wanted) + " is due here, and this names " + named(reference.kind), reference.text(),
                 "Did you mean " + other.text() + "?", "HUB"};
}

}  // namespace mofo
