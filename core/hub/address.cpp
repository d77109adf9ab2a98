#include "core/hub/address.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "core/base/file.h"
#include "core/base/text.h"
#include "core/hub/download_file.h"
#include "core/hub/http.h"
#include "core/hub/reporter.h"
#include "core/hub/unpack.h"

namespace mofo {

namespace fs = std::filesystem;

namespace {

constexpr long kUnauthorised = 401, kForbidden = 403, kNotFound = 404, kGone = 410, kTooMany = 429, kServerErrors = 500;
constexpr std::size_t kAddressLimit = 2000;

std::string shownAddress(const std::string& url) { return escapeForDisplay(std::string_view(url).substr(0, 200)); }

bool isThisMachine(const std::string& host) { return host == "127.0.0.1" || host == "localhost" || host == "[::1]"; }

bool isPlainHttp(const std::string& url) { return originOf(url).starts_with("http://"); }

Error refusal(const HttpHead& head, const std::string& url) {
    const std::string where = shownAddress(url);
    if (head.status == kNotFound || head.status == kGone)
        return Error{ErrorCode::NotFound, "there is no file at this address", where, "Look for where it is now", "MISSING"};
    if (head.status == kUnauthorised || head.status == kForbidden)
        return Error{ErrorCode::Permission, head.host + " does not give this file", where, "Fetch it yourself and name its folder", "HIDDEN"};
    if (head.status == kTooMany) {
        const long seconds = std::strtol(head.header("retry-after").c_str(), nullptr, 10);
        return Error{ErrorCode::Busy, head.host + " limits how often it may be asked", where,
                     seconds > 0 ? "Try again in " + formatDuration(static_cast<double>(seconds)) : "Try again in some minutes", "LIMITED"};
    }
    if (head.status >= kServerErrors)
        return Error{ErrorCode::Io, head.host + " answers with the error " + std::to_string(head.status), where, "Try again later", "HTTP5"};
    return Error{ErrorCode::Io, head.host + " gives the unexpected answer " + std::to_string(head.status), where, "Check the address and the proxy",
                 "HTTP"};
}

/// What an address's own error says instead of the Hub's.
Error ofAddress(Error error, const FileAddress& file, bool keepsPart) {
    if (error.where.empty() || error.where == file.url || error.tag == "HASH") error.where = shownAddress(file.url);
    if (error.code == ErrorCode::Interrupted && !keepsPart) return Error{ErrorCode::Interrupted, "cancelled", "", "The same command begins anew", ""};
    if (error.tag == "HTTP") error.remedy = "Check the address and the proxy";
    return error;
}

/// The last part of an address's path, to be shown.
std::string nameOf(const std::string& url) {
    const std::string path = url.substr(0, url.find_first_of("?#"));
    return escapeForDisplay(std::string_view(path).substr(path.rfind('/') + 1).substr(0, 80));
}

Result<void> fetchOne(const HubSettings& settings, const FileAddress& file, const fs::path& target, Reporter& reporter) {
    HubSettings own = settings;
    own.token.clear();
    own.endpoint = originOf(file.url);  // where its redirects may lead without encryption: from this machine only
    HubHttp http(own, [&] { return reporter.tell(); });
    ByteSource source;
    source.file.name = file.url;
    source.file.sha256 = file.sha256;
    source.file.sizeBytes = file.sizeBytes.value_or(0);
    source.sizeBytes = file.sizeBytes;
    source.listed = "the task names";
    source.keepsPart = !file.sha256.empty();
    source.retries = own.retries;
    source.read = [&](std::uint64_t firstByte, const OnHead& onHead, const OnBytes& onBytes) -> Result<void> {
        HttpRequest request;
        request.url = file.url;
        request.firstByte = firstByte;
        request.onHead = [&](const HttpHead& head) -> Result<void> {
            if (isPlainHttp(file.url) && !isThisMachine(head.host))
                return Error{ErrorCode::Io, hostOf(file.url) + " redirects to " + head.host + ", which is not followed", "", "", "HTTP"};
            if (head.status / 100 != 2 && !(head.status == 416 && firstByte > 0)) return refusal(head, file.url);
            return onHead(head);
        };
        request.onBytes = onBytes;
        MOFO_TRY(const HttpHead head, http.get(request));
        return {};
    };
    source.backOff = [&](int attempt) {
        constexpr int mostDoublings = 5;
        return http.pause(own.retryDelayMs << std::min(attempt - 1, mostDoublings));
    };
    source.onSize = [&](std::uint64_t sizeBytes, std::uint64_t doneBytes) -> Result<void> {
        reporter.setTotal(sizeBytes);
        return requireFreeBytes(target, sizeBytes - std::min(sizeBytes, doneBytes), "downloading " + shownAddress(file.url));
    };
    reporter.begin(HubProgress::Phase::Download, nameOf(file.url), 0);
    reporter.setTotal(file.sizeBytes.value_or(0));
    auto done = downloadBytes(source, target, [&](std::uint64_t bytes, bool checking) { return reporter.at(bytes, checking); });
    if (!done.ok()) return ofAddress(std::move(done).error(), file, source.keepsPart);
    return {};
}

/// Removes all that another call cannot go on with: all but parts whose hash is known.
void cleanUp(const fs::path& work, const std::vector<FileAddress>& files) {
    std::error_code ec;
    std::vector<fs::path> left;
    for (const auto& entry : fs::directory_iterator(work, ec)) {
        bool keeps = false;
        for (std::size_t i = 0; i < files.size(); ++i)
            keeps = keeps || (!files[i].sha256.empty() && entry.path().filename() == std::to_string(i + 1) + ".part" && entry.file_size(ec) > 0);
        if (!keeps) left.push_back(entry.path());
    }
    for (const fs::path& one : left) fs::remove(one, ec);
    fs::remove(work, ec);  // if it is empty
}

/// Downloads into `work` and makes the target there.
Result<void> fetchInto(const HubSettings& settings, const std::vector<FileAddress>& files, const fs::path& work, const fs::path& target,
                       const MakeFile& make, Reporter& reporter) {
    std::vector<fs::path> places;
    for (const FileAddress& file : files) {
        places.push_back(work / std::to_string(places.size() + 1));
        MOFO_CHECK(fetchOne(settings, file, places.back(), reporter));
    }
    reporter.begin(HubProgress::Phase::Check, target.filename().string(), 0);
    for (const fs::path& place : places) MOFO_CHECK(unpackGzip(place, [&] { return reporter.tell(); }));
    const fs::path made = work / target.filename();
    std::error_code ec;
    fs::remove(made, ec);
    MOFO_CHECK(make(places, made));
    if (::chmod(made.c_str(), 0444) != 0) return errnoError(errno, "cannot change the permissions of", made);
    if (::rename(made.c_str(), target.c_str()) != 0) return errnoError(errno, "cannot rename into place", target);
    return syncFolder(target.parent_path());
}

}  // namespace

Result<void> checkFileAddress(const std::string& url) {
    const auto refused = [&](std::string message, std::string remedy) {
        return Error{ErrorCode::InvalidInput, std::move(message), shownAddress(url), std::move(remedy), "URL"};
    };
    const bool plain = std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c < 0x7f; });
    if (!plain || url.size() > kAddressLimit || url.find("://") == std::string::npos || originOf(url).empty())
        return refused("this is no address of a file", "Write it as in https://example.com/rows.jsonl");
    const std::string rest = url.substr(url.find("://") + 3);
    if (rest.substr(0, rest.find_first_of("/?#")).find('@') != std::string::npos)
        return refused("the address has a user's name or a password in it", "Leave them out, or fetch the file yourself");
    if (isPlainHttp(url) && !isThisMachine(hostOf(url))) return refused("the address is not encrypted", "Write it with https://");
    return {};
}

Result<void> fetchAddresses(const HubSettings& settings, const std::vector<FileAddress>& files, const fs::path& target, const MakeFile& make,
                            const HubWatch& watch) {
    for (const FileAddress& file : files) MOFO_CHECK(checkFileAddress(file.url));
    const auto isThere = [&] {
        std::error_code ec;
        return fs::exists(target, ec);
    };
    if (isThere()) return {};
    if (settings.offline) {
        return Error{ErrorCode::NotFound, "HF_HUB_OFFLINE is set, and " + escapeForDisplay(target.filename().string()) + " is missing", "",
                     "Unset HF_HUB_OFFLINE to download it", "OFFLINE"};
    }
    std::uint64_t known = 0;
    for (const FileAddress& file : files) known += file.sizeBytes.value_or(0);
    MOFO_CHECK(requireFreeBytes(target, known, "downloading " + escapeForDisplay(target.filename().string())));
    Reporter reporter(watch, known);
    reporter.begin(HubProgress::Phase::Wait, {}, 0);
    MOFO_TRY(const FileLock lock, waitForDownload(target.string() + ".lock", [&] { return reporter.tell(); }));
    if (isThere()) return {};
    const fs::path work = target.string() + ".download";
    auto done = fetchInto(settings, files, work, target, make, reporter);
    cleanUp(work, files);
    return done;
}

}  // namespace mofo
