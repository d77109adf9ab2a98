#include "tests/support/hub_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>

#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/base/text.h"

namespace mofo::test {

namespace {

constexpr int kPollMs = 20;
constexpr std::size_t kHeadLimit = 64 << 10;
constexpr std::size_t kSlice = 16 << 10;

std::string lowered(std::string text) {
    for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return text;
}

std::string pathOf(std::string target) {
    if (const auto scheme = target.find("://"); scheme != std::string::npos) {
        const auto slash = target.find('/', scheme + 3);
        target = slash == std::string::npos ? "/" : target.substr(slash);
    }
    return target.substr(0, target.find('?'));
}

}  // namespace

std::string gitBlobName(const std::string& content) {
    Sha1 hash;
    hash.update("blob " + std::to_string(content.size()) + std::string(1, '\0'));
    hash.update(content);
    return hash.hex();
}

HubServer::HubServer() {
    m_socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (m_socket < 0 || bind(m_socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(m_socket, 32) != 0) std::abort();
    socklen_t length = sizeof address;
    getsockname(m_socket, reinterpret_cast<sockaddr*>(&address), &length);
    m_port = ntohs(address.sin_port);
    m_thread = std::thread([this] { acceptLoop(); });
}

HubServer::~HubServer() {
    m_stop = true;
    m_thread.join();
    for (std::thread& connection : m_connections) connection.join();
    close(m_socket);
}

std::string HubServer::url() const { return "http://127.0.0.1:" + std::to_string(m_port); }

void HubServer::serve(const std::string& path, HubReply reply) {
    const std::lock_guard lock(m_mutex);
    m_replies[path] = std::move(reply);
}

void HubServer::once(const std::string& path, HubReply reply) {
    const std::lock_guard lock(m_mutex);
    m_once[path].push_back(std::move(reply));
}

std::string HubServer::apiPath(const HubRepository& repository, const std::string& revision) {
    return "/api/" + std::string(repository.dataset ? "datasets/" : "models/") + repository.id + "/revision/" + revision;
}

std::string HubServer::filePath(const HubRepository& repository, const std::string& file) {
    return (repository.dataset ? "/datasets/" : "/") + repository.id + "/resolve/" + repository.commit + '/' + file;
}

void HubServer::add(const HubRepository& repository) {
    Json siblings = Json::array();
    for (const auto& [name, content] : repository.files) {
        const auto claimed = repository.claimedSize.find(name);
        const std::uint64_t size = claimed == repository.claimedSize.end() ? content.size() : claimed->second;
        Json entry = {{"rfilename", name}, {"size", size}, {"blobId", gitBlobName(content)}};
        if (std::find(repository.large.begin(), repository.large.end(), name) != repository.large.end()) {
            const auto hash = repository.claimedSha256.find(name);
            entry["blobId"] = std::string(40, 'b');  // of the pointer, not of the content
            entry["lfs"] = {
                {"sha256", hash == repository.claimedSha256.end() ? sha256Hex(content) : hash->second}, {"size", size}, {"pointerSize", 134}};
        }
        siblings.push_back(std::move(entry));
        serve(filePath(repository, name), HubReply{200, {{"Content-Type", "application/octet-stream"}}, content});
    }
    Json answer = {{"id", repository.id},
                   {"sha", repository.commit},
                   {"gated", repository.gated.empty() ? Json(false) : Json(repository.gated)},
                   {"tags", Json::array({"license:" + repository.licence})},
                   {"siblings", std::move(siblings)}};
    if (!repository.licence.empty()) answer["cardData"] = {{"license", repository.licence}};
    const HubReply reply{200, {{"Content-Type", "application/json"}}, answer.dump()};
    for (const std::string& revision : repository.revisions) serve(apiPath(repository, revision), reply);
    serve(apiPath(repository, repository.commit), reply);
}

std::vector<HubRequest> HubServer::requests() const {
    const std::lock_guard lock(m_mutex);
    return m_requests;
}

std::vector<HubRequest> HubServer::requestsFor(const std::string& path) const {
    std::vector<HubRequest> list = requests();
    std::erase_if(list, [&](const HubRequest& request) { return pathOf(request.target) != path; });
    return list;
}

void HubServer::forget() {
    const std::lock_guard lock(m_mutex);
    m_requests.clear();
}

void HubServer::acceptLoop() {
    while (!m_stop) {
        pollfd waiting{m_socket, POLLIN, 0};
        if (poll(&waiting, 1, kPollMs) <= 0) continue;
        const int connection = accept4(m_socket, nullptr, nullptr, SOCK_CLOEXEC);
        if (connection >= 0) m_connections.emplace_back([this, connection] { answer(connection); });
    }
}

HubReply HubServer::replyFor(const HubRequest& request) {
    const std::lock_guard lock(m_mutex);
    m_requests.push_back(request);
    const std::string path = pathOf(request.target);
    if (auto& waiting = m_once[path]; !waiting.empty()) {
        HubReply reply = std::move(waiting.front());
        waiting.pop_front();
        return reply;
    }
    const auto known = m_replies.find(path);
    return known != m_replies.end() ? known->second : HubReply{404, {}, R"({"error":"Not found"})"};
}

// One request, one answer, and the connection is closed.
void HubServer::answer(int connection) {
    std::string head;
    while (!m_stop && head.find("\r\n\r\n") == std::string::npos && head.size() < kHeadLimit) {
        pollfd waiting{connection, POLLIN, 0};
        if (poll(&waiting, 1, kPollMs) <= 0) continue;
        char buffer[4096];
        const ssize_t got = recv(connection, buffer, sizeof buffer, 0);
        if (got <= 0) break;
        head.append(buffer, static_cast<std::size_t>(got));
    }
    HubRequest request;
    for (const std::string& line : splitText(head, '\n')) {
        const std::string text(trimText(line));
        if (request.target.empty()) {
            const auto parts = splitText(text, ' ');
            if (parts.size() != 3) break;
            request.target = parts[1];
        } else if (const auto colon = text.find(':'); colon != std::string::npos) {
            request.headers[lowered(text.substr(0, colon))] = trimText(std::string_view(text).substr(colon + 1));
        }
    }
    if (!request.target.empty()) send(connection, request, replyFor(request));
    shutdown(connection, SHUT_WR);
    close(connection);
}

void HubServer::send(int connection, const HubRequest& request, const HubReply& reply) {
    std::string body = reply.body;
    int status = reply.status;
    std::string head;
    if (const auto range = request.headers.find("range"); status == 200 && reply.ranges && range != request.headers.end()) {
        const std::size_t first = std::strtoull(range->second.c_str() + std::string("bytes=").size(), nullptr, 10);
        if (first >= body.size()) {
            status = 416;
            body.clear();
        } else {
            head +=
                "Content-Range: bytes " + std::to_string(first) + '-' + std::to_string(body.size() - 1) + '/' + std::to_string(body.size()) + "\r\n";
            body = body.substr(first);
            status = 206;
        }
    }
    for (const auto& [name, value] : reply.headers) head += name + ": " + value + "\r\n";
    if (!reply.endless) head += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    head = "HTTP/1.1 " + std::to_string(status) + " Answer\r\n" + head + "Connection: close\r\n\r\n";
    // False once the other side does not listen any more.
    const auto put = [&](const char* bytes, std::size_t size) {
        while (size > 0 && !m_stop) {
            pollfd waiting{connection, POLLOUT, 0};
            if (poll(&waiting, 1, kPollMs) <= 0) continue;
            const ssize_t sent = ::send(connection, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (sent < 0 && errno != EAGAIN) return false;
            if (sent <= 0) continue;
            bytes += sent;
            size -= static_cast<std::size_t>(sent);
            m_sentBytes += static_cast<std::uint64_t>(sent);
        }
        return !m_stop;
    };
    if (!put(head.data(), head.size())) return;
    std::size_t done = 0;
    while (!m_stop) {
        const std::size_t end = std::min({body.size(), reply.cutAfter, reply.stallAfter});
        if (done >= end) {
            if (reply.endless) {
                done = 0;
                continue;
            }
            break;
        }
        const std::size_t slice = std::min(kSlice, end - done);
        if (!put(body.data() + done, slice)) return;
        done += slice;
        if (reply.bytesPerSecond > 0) std::this_thread::sleep_for(std::chrono::duration<double>(static_cast<double>(slice) / reply.bytesPerSecond));
    }
    while (!m_stop && done >= reply.stallAfter) {
        pollfd gone{connection, POLLIN, 0};
        if (poll(&gone, 1, kPollMs) > 0) {
            char byte = 0;
            if (recv(connection, &byte, 1, 0) <= 0) return;
        }
    }
}

}  // namespace mofo::test
