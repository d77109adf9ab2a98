// Where the Hub is and how it is asked, from the variables that Hugging Face's own programs read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/base/result.h"

namespace mofo {

struct HubSettings {
    std::string endpoint = "https://huggingface.co";  ///< HF_ENDPOINT; scheme, host and path without a slash at the end
    std::string token;                 ///< HF_TOKEN, else the file HF_TOKEN_PATH, else $HF_HOME/token; sent to the endpoint's origin alone
    std::filesystem::path userCache;   ///< HF_HUB_CACHE, else $HF_HOME/hub (HF_HOME: $XDG_CACHE_HOME/huggingface); only ever read
    std::filesystem::path ownCache;    ///< $XDG_CACHE_HOME/mofo/hub
    bool offline = false;              ///< HF_HUB_OFFLINE
    std::string certificates;          ///< CURL_CA_BUNDLE, REQUESTS_CA_BUNDLE or SSL_CERT_FILE; empty: the system's
    std::int64_t connectMs = 15'000;   ///< for a connection to be made
    std::int64_t stallMs = 30'000;     ///< without a byte, after which a connection counts as broken
    std::int64_t retryDelayMs = 1000;  ///< before the first of the retries; doubles with each
    int retries = 4;                   ///< after broken connections and 5xx; counted anew after progress

    /// Proxies are libcurl's business (https_proxy, all_proxy, no_proxy ...). Usage where HF_ENDPOINT or the token cannot be one; the token's
    /// text is in no message.
    static Result<HubSettings> fromEnvironment();
};

/// Scheme, host and port of an http(s) address in one spelling ("https://host:443"), or empty where it is none.
[[nodiscard]] std::string originOf(const std::string& address);
/// The host alone, to be shown.
[[nodiscard]] std::string hostOf(const std::string& address);

}  // namespace mofo
