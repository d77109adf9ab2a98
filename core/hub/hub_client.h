// Questions to the Hub and what its refusals mean. Private to core/hub.
#pragma once

#include <functional>
#include <string>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/hub/http.h"
#include "core/hub/listing.h"
#include "core/hub/reference.h"
#include "core/hub/settings.h"

namespace mofo {

class HubClient {
public:
    HubClient(const HubSettings& settings, const HubReference& reference, std::function<bool()> goOn);

    /// What is in the repository at its revision.
    Result<HubListing> listing();
    /// Starts the transfer of one file from byte `firstByte` on. Broken connections are not tried again: only the caller knows what it has by then.
    /// `onHead` sees 2xx answers only; others are errors.
    Result<void> read(const std::string& commit, const HubFile& file, std::uint64_t firstByte,
                      const std::function<Result<void>(const HttpHead&)>& onHead, const std::function<Result<void>(std::string_view)>& onBytes);
    /// Waits before attempt `attempt` (from 1).
    Result<void> backOff(int attempt) const;
    [[nodiscard]] const HubSettings& settings() const { return m_settings; }
    /// Whether trying the same again may help.
    [[nodiscard]] static bool isTransient(const Error& error) { return error.tag == "NET" || error.tag == "HTTP5"; }

private:
    Result<Json> ask(const std::string& path);
    Result<std::string> text(const std::string& url);
    Error refusal(const HttpHead& head, const std::string& file) const;
    Error missingRepository();
    Error missingRevision();
    /// A list of names from another question, or nothing: only helps to say more.
    std::vector<std::string> namesFrom(const std::string& path, const std::function<void(const Json&, std::vector<std::string>&)>& read);

    HubSettings m_settings;
    HubReference m_reference;
    HubHttp m_http;
};

/// Percent-encoded for one part of a path.
[[nodiscard]] std::string encodedPart(std::string_view text);

}  // namespace mofo
