#include "core/hub/settings.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstdlib>
#include <initializer_list>
#include <memory>

#include "core/base/file.h"
#include "core/base/paths.h"
#include "core/base/text.h"

namespace mofo {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kTokenFileLimit = 4096;
constexpr std::size_t kTokenLimit = 1024;

struct UrlFree {
    void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Url = std::unique_ptr<CURLU, UrlFree>;

std::string part(CURLU* url, CURLUPart which, unsigned flags = 0) {
    char* text = nullptr;
    if (curl_url_get(url, which, &text, flags) != CURLUE_OK || text == nullptr) return {};
    std::string copy(text);
    curl_free(text);
    return copy;
}

Url parsed(const std::string& address) {
    Url url(curl_url());
    if (!url || curl_url_set(url.get(), CURLUPART_URL, address.c_str(), 0) != CURLUE_OK) return nullptr;
    return url;
}

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(trimText(value));
}

std::string firstOf(std::initializer_list<const char*> names) {
    for (const char* name : names) {
        if (std::string value = variable(name); !value.empty()) return value;
    }
    return {};
}

/// Debian's libcurl looks only where Debian keeps them; a bundle runs elsewhere too.
std::string systemCertificates() {
    for (const char* file :
         {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"}) {
        std::error_code ec;
        if (fs::exists(file, ec)) return file;
    }
    return {};
}

bool isTrue(const char* name) {
    std::string value = variable(name);
    std::transform(value.begin(), value.end(), value.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    return value == "1" || value == "ON" || value == "YES" || value == "TRUE";
}

fs::path homeOf(const std::string& text) {
    if (text == "~" || text.starts_with("~/")) {
        const char* home = std::getenv("HOME");
        if (home != nullptr) return fs::path(home) / fs::path(text.substr(std::min<std::size_t>(2, text.size())));
    }
    return text;
}

Result<std::string> readEndpoint() {
    std::string endpoint = variable("HF_ENDPOINT");
    if (endpoint.empty()) return HubSettings().endpoint;
    while (endpoint.ends_with('/')) endpoint.pop_back();
    const Url url = parsed(endpoint);
    const std::string scheme = url ? part(url.get(), CURLUPART_SCHEME) : std::string();
    const bool plain = url && part(url.get(), CURLUPART_USER).empty() && part(url.get(), CURLUPART_PASSWORD).empty() &&
                       part(url.get(), CURLUPART_QUERY).empty() && part(url.get(), CURLUPART_FRAGMENT).empty();
    if ((scheme != "https" && scheme != "http") || !plain || endpoint.find("://") == std::string::npos) {
        return Error{ErrorCode::Usage, "HF_ENDPOINT is not an http(s) address of a Hub without user, password and query", "HF_ENDPOINT",
                     "Unset it, or set it as in HF_ENDPOINT=https://huggingface.co", "HUB"};
    }
    return endpoint;
}

Result<std::string> readToken(const fs::path& home) {
    std::string token = firstOf({"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"});
    std::string from = "HF_TOKEN";
    if (token.empty()) {
        const std::string named = variable("HF_TOKEN_PATH");
        const fs::path file = named.empty() ? home / "token" : homeOf(named);
        from = escapeForDisplay(file.string());
        std::error_code ec;
        if (!fs::exists(file, ec)) return std::string();
        MOFO_TRY(const std::string text, readWholeFile(file, kTokenFileLimit));
        token = trimText(text);
    }
    const bool usable = token.size() <= kTokenLimit && std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 0x7f; });
    if (!usable)
        return Error{ErrorCode::Usage, "what is there cannot be a token", from, "Set HF_TOKEN to the token that your settings page on the Hub shows",
                     "HUB"};
    return token;
}

}  // namespace

std::string originOf(const std::string& address) {
    const Url url = parsed(address);
    if (!url) return {};
    const std::string scheme = part(url.get(), CURLUPART_SCHEME);
    if (scheme != "http" && scheme != "https") return {};
    std::string host = part(url.get(), CURLUPART_HOST);
    std::transform(host.begin(), host.end(), host.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return scheme + "://" + host + ':' + part(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
}

std::string hostOf(const std::string& address) {
    const Url url = parsed(address);
    return url ? escapeForDisplay(part(url.get(), CURLUPART_HOST)) : std::string();
}

Result<HubSettings> HubSettings::fromEnvironment() {
    HubSettings settings;
    MOFO_TRY(settings.endpoint, readEndpoint());
    const std::string named = variable("HF_HOME");
    // Hugging Face's programs and ours share $XDG_CACHE_HOME.
    const fs::path home = named.empty() ? cachePath().parent_path() / "huggingface" : homeOf(named);
    if (!isTrue("HF_HUB_DISABLE_IMPLICIT_TOKEN")) {
        MOFO_TRY(settings.token, readToken(home));
    }
    const std::string cache = firstOf({"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"});
    settings.userCache = cache.empty() ? home / "hub" : homeOf(cache);
    settings.ownCache = cachePath() / "hub";
    settings.offline = isTrue("HF_HUB_OFFLINE");
    settings.certificates = firstOf({"CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"});
    if (settings.certificates.empty()) settings.certificates = systemCertificates();
    return settings;
}

}  // namespace mofo
