// Plays the Hugging Face Hub on 127.0.0.1, with faults on demand: plain sockets, a thread for each connection.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace mofo::test {

struct HubRequest {
    std::string target;                          ///< as it came, with its query; absolute where the server stands for a proxy
    std::map<std::string, std::string> headers;  ///< names in lower case
    [[nodiscard]] bool has(const std::string& header) const { return headers.contains(header); }
};

struct HubReply {
    static constexpr std::size_t kAll = static_cast<std::size_t>(-1);
    int status = 200;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    bool ranges = true;             ///< answers Range with 206; else 200 and everything
    std::size_t cutAfter = kAll;    ///< closes the connection after so many bytes of the body
    std::size_t stallAfter = kAll;  ///< sends nothing more after so many bytes, and holds the connection
    double bytesPerSecond = 0;      ///< 0: as fast as it goes
    bool endless = false;           ///< repeats the body until the other side has enough
};

struct HubRepository {
    bool dataset = false;
    std::string id = "owner/name";
    std::string commit = std::string(39, 'a') + "1";
    std::string licence = "apache-2.0";
    std::string gated;                         ///< "auto", "manual" or empty
    std::map<std::string, std::string> files;  ///< name and content
    std::vector<std::string> large;            ///< names of those with an lfs entry (SHA-256)
    std::map<std::string, std::string> claimedSha256;
    std::map<std::string, std::uint64_t> claimedSize;
    std::vector<std::string> revisions = {"main"};
};

class HubServer {
public:
    HubServer();
    ~HubServer();
    HubServer(const HubServer&) = delete;
    HubServer& operator=(const HubServer&) = delete;

    [[nodiscard]] std::string url() const;
    /// Every path without one is a 404. A path is what stands before the query.
    void serve(const std::string& path, HubReply reply);
    /// The next request for the path gets this one; several are taken in order.
    void once(const std::string& path, HubReply reply);
    /// The answers of the API and the files of a repository, as the Hub gives them.
    void add(const HubRepository& repository);
    [[nodiscard]] static std::string apiPath(const HubRepository& repository, const std::string& revision = "main");
    [[nodiscard]] static std::string filePath(const HubRepository& repository, const std::string& file);

    [[nodiscard]] std::vector<HubRequest> requests() const;
    [[nodiscard]] std::vector<HubRequest> requestsFor(const std::string& path) const;
    void forget();
    [[nodiscard]] std::uint64_t sentBytes() const { return m_sentBytes; }

private:
    void acceptLoop();
    void answer(int connection);
    [[nodiscard]] HubReply replyFor(const HubRequest& request);
    void send(int connection, const HubRequest& request, const HubReply& reply);

    int m_socket = -1;
    int m_port = 0;
    std::atomic<bool> m_stop{false};
    std::atomic<std::uint64_t> m_sentBytes{0};
    std::thread m_thread;
    std::vector<std::thread> m_connections;
    mutable std::mutex m_mutex;
    std::map<std::string, HubReply> m_replies;
    std::map<std::string, std::deque<HubReply>> m_once;
    std::vector<HubRequest> m_requests;
};

/// git's name of a file's content.
[[nodiscard]] std::string gitBlobName(const std::string& content);

}  // namespace mofo::test
