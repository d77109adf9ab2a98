// GET requests to the Hub with libcurl. Private to core/hub.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/hub/settings.h"

namespace mofo {

struct HttpHead {
    long status = 0;
    std::map<std::string, std::string> headers;  ///< names in lower case
    std::string host;                            ///< that answered, after redirects, to be shown
    [[nodiscard]] std::string header(const std::string& name) const;
};

struct HttpRequest {
    std::string url;
    std::uint64_t firstByte = 0;                                  ///< above 0: asks for the rest from there
    std::function<Result<void>(const HttpHead&)> onHead;          ///< of the final answer, before its first byte
    std::function<Result<void>(std::string_view bytes)> onBytes;  ///< of a 2xx answer
};

/// Connections that are kept between requests. Not thread safe. Follows redirects itself: the token goes to the endpoint's origin (scheme, host,
/// port) and nowhere else; http only where the endpoint is http; at most 8. Errors of the connection have the tag NET (worth trying again) or TLS,
/// and name hosts, never whole addresses, which may be signed.
class HubHttp {
public:
    /// `goOn` is asked at least every 50 ms while something is under way; false ends it with Interrupted.
    HubHttp(const HubSettings& settings, std::function<bool()> goOn);
    ~HubHttp();
    HubHttp(const HubHttp&) = delete;
    HubHttp& operator=(const HubHttp&) = delete;

    /// The head of the final answer, whatever its status.
    Result<HttpHead> get(const HttpRequest& request);
    /// Waits, asking `goOn`.
    Result<void> pause(std::int64_t ms) const;

private:
    struct Exchange;
    Result<void> perform(Exchange& exchange);

    HubSettings m_settings;
    std::function<bool()> m_goOn;
    struct Handles;
    std::unique_ptr<Handles> m_handles;
};

/// Where a redirect of `from` leads, relative ones resolved: https only, or http too where the endpoint itself is http. Io (HTTP) for anything else.
Result<std::string> redirectTarget(const std::string& endpoint, const std::string& from, const std::string& location);

/// The error of a cancelled wait, download or question.
[[nodiscard]] Error hubInterrupted();

}  // namespace mofo
