#include "core/engine/fingerprints.h"

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/native/DispatchStub.h>
#include <elf.h>
#include <link.h>

#include <array>
#include <cstring>
#include <fstream>

#include "core/base/text.h"
#include "core/engine/arithmetic_id.h"
#include "core/engine/device.h"
#include "kernels/include/execution.h"

namespace mofo {

namespace {

struct Compared {
    const char* group;
    const char* key;
    const char* label;
};
constexpr std::array<Compared, 19> compared{{{"data", "sha256", "the training data"},
                                             {"data", "rows", "the number of rows"},
                                             {"data", "refused", "the rows left out"},
                                             {"data", "tokens", "the rows as tokens"},
                                             {"data", "held_out", "the split of held-out rows"},
                                             {"data", "eval_sha256", "the held-out data"},
                                             {"data", "order", "the order of rows"},
                                             {"data", "template", "the chat template"},
                                             {"data", "tokenizer", "the tokenizer"},
                                             {"data", "max_length", "max_length"},
                                             {"numerics", "model", "the model"},
                                             {"numerics", "arithmetic", "the build of the arithmetic"},
                                             {"numerics", "torch", "LibTorch"},
                                             {"numerics", "instruction_set", "the kernels' instruction set"},
                                             {"numerics", "torch_instruction_set", "LibTorch's instruction set"},
                                             {"numerics", "processor", "the processor"},
                                             {"numerics", "threads", "the number of threads"},
                                             {"numerics", "device", "the device"},
                                             {"numerics", "micro_batch", "micro_batch"}}};

std::string processorName() {
    std::ifstream info("/proc/cpuinfo");
    for (std::string line; std::getline(info, line);) {
        if (!line.starts_with("model name")) continue;
        return std::string(trimText(std::string_view(line).substr(line.find(':') + 1)));
    }
    return "unknown";
}

/// The linker's build id of this program: another one for every change of its code.
std::string buildId() {
    std::string id;
    dl_iterate_phdr(
        [](dl_phdr_info* info, std::size_t, void* out) {
            for (int i = 0; i < info->dlpi_phnum; ++i) {
                const auto& header = info->dlpi_phdr[i];
                if (header.p_type != PT_NOTE) continue;
                const char* at = reinterpret_cast<const char*>(info->dlpi_addr + header.p_vaddr);
                const char* const end = at + header.p_memsz;
                while (at + sizeof(ElfW(Nhdr)) <= end) {
                    ElfW(Nhdr) note;
                    std::memcpy(&note, at, sizeof note);
                    const char* const name = at + sizeof note;
                    const char* const bytes = name + ((note.n_namesz + 3) & ~3u);
                    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && std::memcmp(name, "GNU", 4) == 0) {
                        for (unsigned byte = 0; byte < note.n_descsz; ++byte) {
                            constexpr char digits[] = "0123456789abcdef";
                            const auto value = static_cast<unsigned char>(bytes[byte]);
                            *static_cast<std::string*>(out) += {digits[value >> 4], digits[value & 15]};
                        }
                        return 1;
                    }
                    at = bytes + ((note.n_descsz + 3) & ~3u);
                }
            }
            return 1;  // the first object is the program itself
        },
        &id);
    return id;
}

std::string shortened(const std::string& text) {
    const bool hash = text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
    return hash ? "sha256 " + text.substr(0, 12) : escapeForDisplay(text);
}

const Json* textOf(const Json& fingerprints, const char* group, const char* key) {
    if (!fingerprints.is_object() || !fingerprints.contains(group) || !fingerprints[group].is_object() || !fingerprints[group].contains(key) ||
        !fingerprints[group][key].is_string())
        return nullptr;
    return &fingerprints[group][key];
}

}  // namespace

Json fingerprintsOf(const TrainingData& data, const RunConfig& config, const std::string& modelSha256, const std::string& tokenizerSha256,
                    c10::Device device) {
    Json fingerprints = {{"data", data.fingerprints()}};
    fingerprints["data"]["tokenizer"] = tokenizerSha256;
    fingerprints["data"]["max_length"] = std::to_string(config.maxLength);
    fingerprints["numerics"] = {{"model", modelSha256},
                                {"arithmetic", arithmeticId},
                                {"torch", TORCH_VERSION},
                                {"instruction_set", kernels::instructionSetName(kernels::bestInstructionSet())},
                                {"torch_instruction_set", at::get_cpu_capability()},
                                {"processor", processorName()},
                                {"threads", std::to_string(at::get_num_threads())},
                                {"device", device.is_cpu() ? std::string("cpu") : deviceLabel(device)},
                                {"micro_batch", std::to_string(effectiveMicroBatch(config))}};
    fingerprints["program"] = {{"build", buildId()}};
    return fingerprints;
}

std::vector<std::string> fingerprintDifferences(const Json& then, const Json& now) {
    std::vector<std::string> list;
    for (const auto& [group, key, label] : compared) {
        const Json* const a = textOf(then, group, key);
        const Json* const b = textOf(now, group, key);
        if (a != nullptr && b != nullptr && *a == *b) continue;
        const std::string was = a != nullptr ? shortened(a->get<std::string>()) : "not recorded";
        const std::string is = b != nullptr ? shortened(b->get<std::string>()) : "not recorded";
        list.push_back(std::string(label) + " (" + was + " -> " + is + ")");
    }
    return list;
}

bool isOtherBuild(const Json& then, const Json& now) {
    const Json* const a = textOf(then, "program", "build");
    const Json* const b = textOf(now, "program", "build");
    return a == nullptr || b == nullptr || *a != *b;
}

}  // namespace mofo
