#include "tests/core/hub/hub_support.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>

#include "core/base/hash.h"

namespace mofo::test {

namespace fs = std::filesystem;

HubTest::HubTest() {
    for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"}) unsetenv(name);
    m_settings.endpoint = m_hub.url();
    m_settings.userCache = m_folder / "huggingface" / "hub";
    m_settings.ownCache = m_folder / "mofo" / "hub";
    m_settings.stallMs = 400;
    m_settings.connectMs = 2000;
    m_settings.retryDelayMs = 5;
}

HubRepository HubTest::model() {
    HubRepository repository;
    repository.files = {{"config.json", "{\"model_type\": \"llama\"}"},
                        {"generation_config.json", "{}"},
                        {"tokenizer.json", "{\"version\": \"1.0\"}"},
                        {"tokenizer_config.json", "{}"},
                        {"vocab.json", "{\"a\": 0}"},
                        {"LICENSE", "Do as you please."},
                        {"model.safetensors", someBytes(3'000'000)},
                        {"pytorch_model.bin", "pickle"},
                        {"modeling_own.py", "import os"},
                        {"README.md", "# Name"},
                        {"onnx/model.onnx", "onnx"},
                        {"original/consolidated.00.pth", "pickle"}};
    repository.large = {"model.safetensors", "pytorch_model.bin"};
    return repository;
}

Result<HubPlan> HubTest::plan(const std::string& text, const HubWatch& watch) const {
    MOFO_TRY(const HubReference parsed, parseHubReference(text, m_settings.endpoint));
    return planHub(m_settings, parsed, watch);
}

Result<fs::path> HubTest::get(const std::string& text, const HubWatch& watch) const {
    MOFO_TRY(const HubPlan planned, plan(text, watch));
    return fetchHub(m_settings, planned, watch);
}

fs::path HubTest::ownFolder(const HubRepository& repository) const {
    HubReference named;
    named.kind = repository.dataset ? HubKind::Dataset : HubKind::Model;
    named.id = repository.id;
    return m_settings.ownCache / named.folderName() / repository.commit;
}

void HubTest::fillUserCache(const HubRepository& repository, const std::vector<std::string>& names) const {
    HubReference named;
    named.kind = repository.dataset ? HubKind::Dataset : HubKind::Model;
    named.id = repository.id;
    const fs::path folder = m_settings.userCache / named.folderName();
    fs::create_directories(folder / "blobs");
    fs::create_directories(folder / "refs");
    for (const std::string& revision : repository.revisions) writeFile(folder / "refs" / revision, repository.commit);
    for (const std::string& name : names) {
        const std::string& content = repository.files.at(name);
        const bool large = std::find(repository.large.begin(), repository.large.end(), name) != repository.large.end();
        const std::string blob = large ? sha256Hex(content) : gitBlobName(content);
        writeFile(folder / "blobs" / blob, content);
        const fs::path link = folder / "snapshots" / repository.commit / name;
        fs::create_directories(link.parent_path());
        fs::create_symlink((folder / "blobs" / blob).lexically_relative(link.parent_path()), link);
    }
}

std::map<std::string, std::string> HubTest::stateOf(const fs::path& folder) {
    std::map<std::string, std::string> state;
    if (!fs::exists(folder)) return state;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        struct stat info {};
        lstat(entry.path().c_str(), &info);
        std::string text = std::to_string(info.st_mode) + ' ' + std::to_string(info.st_mtim.tv_sec) + '.' + std::to_string(info.st_mtim.tv_nsec) +
                           ' ' + std::to_string(info.st_nlink) + ' ';
        if (entry.is_symlink()) {
            text += fs::read_symlink(entry.path()).string();
        } else if (entry.is_regular_file()) {
            text += readFile(entry.path());
        }
        state[entry.path().string()] = text;
    }
    return state;
}

std::vector<std::string> namesOf(const HubPlan& plan) {
    std::vector<std::string> names;
    for (const HubFile& file : plan.files) names.push_back(file.name);
    return names;
}

std::string someBytes(std::size_t size) {
    std::string bytes(size, '\0');
    std::uint32_t state = 12345;
    for (char& byte : bytes) {
        state = state * 1664525u + 1013904223u;
        byte = static_cast<char>(state >> 24);
    }
    return bytes;
}

}  // namespace mofo::test
