#include "core/hub/http.h"

#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "core/base/clock.h"
#include "core/base/text.h"

namespace mofo {

namespace {

constexpr int kMostRedirects = 8;
constexpr int kPollMs = 50;
constexpr std::size_t kMostHeaders = 200;
constexpr std::size_t kHeaderLimit = 16 << 10;
constexpr std::uint64_t kIgnoredBodyLimit = 1 << 20;

bool isRedirect(long status) { return status == 301 || status == 302 || status == 303 || status == 307 || status == 308; }

std::string lowered(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return out;
}

/// `location` as an absolute address, or empty where it is none.
std::string resolvedAgainst(const std::string& base, const std::string& location) {
    CURLU* url = curl_url();
    std::string result;
    char* text = nullptr;
    if (url != nullptr && curl_url_set(url, CURLUPART_URL, base.c_str(), 0) == CURLUE_OK &&
        curl_url_set(url, CURLUPART_URL, location.c_str(), CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_URL, &text, 0) == CURLUE_OK) {
        result = text;
    }
    curl_free(text);
    curl_url_cleanup(url);
    return result;
}

/// OpenSSL writes to sockets without MSG_NOSIGNAL: a connection that the other side has closed would end the program. Blocks the signal for this
/// thread and takes it back.
class NoPipeSignal {
public:
    NoPipeSignal() {
        sigemptyset(&m_pipe);
        sigaddset(&m_pipe, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &m_pipe, &m_before);
    }
    ~NoPipeSignal() {
        if (sigismember(&m_before, SIGPIPE) == 0) {
            const timespec atOnce{};
            while (sigtimedwait(&m_pipe, nullptr, &atOnce) == SIGPIPE) {
            }
        }
        pthread_sigmask(SIG_SETMASK, &m_before, nullptr);
    }
    NoPipeSignal(const NoPipeSignal&) = delete;
    NoPipeSignal& operator=(const NoPipeSignal&) = delete;

private:
    sigset_t m_pipe{}, m_before{};
};

}  // namespace

Error hubInterrupted() {
    return Error{ErrorCode::Interrupted, "cancelled; what has come so far is kept", "", "The same command goes on from there", ""};
}

std::string HttpHead::header(const std::string& name) const {
    const auto it = headers.find(name);
    return it == headers.end() ? std::string() : it->second;
}

struct HubHttp::Handles {
    CURLM* multi = nullptr;
    CURL* easy = nullptr;
};

/// One hop: a request and its answer, redirects not followed.
struct HubHttp::Exchange {
    const HttpRequest* request = nullptr;
    std::string url;
    bool withToken = false;
    HttpHead head;
    std::optional<Error> refused;  ///< by a callback
    bool headTold = false;
    bool tooMuch = false;  ///< of a body that nobody wants
    std::uint64_t ignoredBytes = 0;
    std::int64_t lastByteNs = 0;
    std::array<char, CURL_ERROR_SIZE> problem{};

    bool wantsBody() const { return head.status >= 200 && head.status < 300; }

    bool tellHead() {
        if (headTold) return true;
        headTold = true;
        if (isRedirect(head.status) || !request->onHead) return true;
        if (auto taken = request->onHead(head); !taken.ok()) {
            refused = std::move(taken).error();
            return false;
        }
        return true;
    }

    static std::size_t onHeader(char* bytes, std::size_t size, std::size_t count, void* self) {
        auto& exchange = *static_cast<Exchange*>(self);
        exchange.lastByteNs = bootNs();
        const std::string_view line = trimText(std::string_view(bytes, size * count));
        if (line.starts_with("HTTP/")) {
            exchange.head.headers.clear();
        } else if (const auto colon = line.find(':'); colon != std::string_view::npos) {
            if (exchange.head.headers.size() >= kMostHeaders || line.size() > kHeaderLimit) return 0;
            exchange.head.headers[lowered(line.substr(0, colon))] = trimText(line.substr(colon + 1));
        }
        return size * count;
    }

    std::size_t take(std::string_view bytes, CURL* easy) {
        lastByteNs = bootNs();
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &head.status);
        if (!tellHead()) return 0;
        if (!wantsBody()) {
            ignoredBytes += bytes.size();
            tooMuch = ignoredBytes > kIgnoredBodyLimit;
            return tooMuch ? 0 : bytes.size();
        }
        if (request->onBytes) {
            if (auto taken = request->onBytes(bytes); !taken.ok()) {
                refused = std::move(taken).error();
                return 0;
            }
        }
        return bytes.size();
    }
};

HubHttp::HubHttp(const HubSettings& settings, std::function<bool()> goOn)
    : m_settings(settings), m_goOn(std::move(goOn)), m_handles(std::make_unique<Handles>()) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    m_handles->multi = curl_multi_init();
    m_handles->easy = curl_easy_init();
}

HubHttp::~HubHttp() {
    curl_easy_cleanup(m_handles->easy);
    curl_multi_cleanup(m_handles->multi);
}

Result<void> HubHttp::pause(std::int64_t ms) const {
    const Stopwatch watch;
    while (watch.elapsedMs() < static_cast<double>(ms)) {
        if (m_goOn && !m_goOn()) return hubInterrupted();
        std::this_thread::sleep_for(std::chrono::milliseconds(std::min<std::int64_t>(kPollMs, ms)));
    }
    return {};
}

Result<void> HubHttp::perform(Exchange& exchange) {
    CURL* easy = m_handles->easy;
    CURLM* multi = m_handles->multi;
    const NoPipeSignal noSignal;
    if (easy == nullptr || multi == nullptr) return Error{ErrorCode::OutOfMemory, "libcurl cannot be started", "", "", ""};
    struct Bridge {
        Exchange* exchange;
        CURL* easy;
    } bridge{&exchange, easy};
    const auto onBody = +[](char* bytes, std::size_t size, std::size_t count, void* self) -> std::size_t {
        const auto& to = *static_cast<Bridge*>(self);
        return to.exchange->take(std::string_view(bytes, size * count), to.easy);
    };
    curl_easy_reset(easy);
    curl_easy_setopt(easy, CURLOPT_URL, exchange.url.c_str());
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    // Else an end waits for the resolver's thread, which may take minutes.
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "mofo-workbench");
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(m_settings.connectMs));
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &Exchange::onHeader);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &exchange);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, onBody);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &bridge);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange.problem.data());
    if (!m_settings.certificates.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, m_settings.certificates.c_str());
    const std::string range = std::to_string(exchange.request->firstByte) + '-';
    if (exchange.request->firstByte > 0) curl_easy_setopt(easy, CURLOPT_RANGE, range.c_str());
    curl_slist* headers = nullptr;
    if (exchange.withToken) headers = curl_slist_append(headers, ("Authorization: Bearer " + m_settings.token).c_str());
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);

    const std::string host = hostOf(exchange.url);
    exchange.head.host = host;
    exchange.lastByteNs = bootNs();
    std::optional<Error> ended;
    CURLcode code = CURLE_OK;
    curl_multi_add_handle(multi, easy);
    for (int running = 1; running > 0 && !ended;) {
        if (curl_multi_perform(multi, &running) != CURLM_OK) ended = Error{ErrorCode::Internal, "libcurl does not go on", host, "", "NET"};
        if (running == 0 || ended) break;
        curl_multi_poll(multi, nullptr, 0, kPollMs, nullptr);
        const std::int64_t quietMs = (bootNs() - exchange.lastByteNs) / 1'000'000;
        if (m_goOn && !m_goOn()) {
            ended = hubInterrupted();
        } else if (quietMs > m_settings.stallMs && quietMs > (exchange.head.headers.empty() ? m_settings.connectMs : 0)) {
            ended = Error{ErrorCode::Io, host + " has sent nothing for " + formatDuration(static_cast<double>(quietMs) * 1e-3), "", "", "NET"};
        }
    }
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
        if (message->msg == CURLMSG_DONE) code = message->data.result;
    }
    if (code == CURLE_OK && !ended) curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &exchange.head.status);
    curl_multi_remove_handle(multi, easy);
    curl_slist_free_all(headers);
    if (exchange.refused) return *exchange.refused;
    if (ended) return *ended;
    if (code != CURLE_OK && !exchange.tooMuch) {
        const bool certificate = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE;
        const char* text = exchange.problem[0] != '\0' ? exchange.problem.data() : curl_easy_strerror(code);
        return Error{
            ErrorCode::Io,
            (certificate ? "the certificate of " + host + " is not accepted: " : "the connection to " + host + " failed: ") + escapeForDisplay(text),
            "", certificate ? "Check the clock and the proxy, or name its certificates in CURL_CA_BUNDLE" : "", certificate ? "TLS" : "NET"};
    }
    if (!exchange.tellHead()) return *exchange.refused;
    return {};
}

Result<std::string> redirectTarget(const std::string& endpoint, const std::string& from, const std::string& location) {
    const std::string host = hostOf(from);
    std::string url = resolvedAgainst(from, location);
    const std::string origin = originOf(url);
    if (origin.empty()) return Error{ErrorCode::Io, host + " redirects to an address that is none", "", "Try again later", "HTTP"};
    if (!origin.starts_with("https://") && !originOf(endpoint).starts_with("http://")) {
        return Error{ErrorCode::Io, host + " redirects to " + hostOf(url) + " without encryption, which is not followed", "",
                     "Check HF_ENDPOINT and the proxy", "HTTP"};
    }
    return url;
}

Result<HttpHead> HubHttp::get(const HttpRequest& request) {
    const std::string home = originOf(m_settings.endpoint);
    std::string url = request.url;
    for (int hop = 0; hop <= kMostRedirects; ++hop) {
        Exchange exchange;
        exchange.request = &request;
        exchange.url = url;
        exchange.withToken = !m_settings.token.empty() && originOf(url) == home;
        MOFO_CHECK(perform(exchange));
        if (!isRedirect(exchange.head.status)) return exchange.head;
        MOFO_TRY(url, redirectTarget(m_settings.endpoint, url, exchange.head.header("location")));
    }
    return Error{ErrorCode::Io, hostOf(request.url) + " redirects more than " + std::to_string(kMostRedirects) + " times", "",
                 "Check HF_ENDPOINT and the proxy", "HTTP"};
}

}  // namespace mofo
