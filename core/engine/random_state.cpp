#include "core/engine/random_state.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>

#include <cstring>
#include <mutex>

namespace mofo {

namespace {

at::Generator generatorOf(const std::string& name, c10::Device device) {
    return name == "rng.cpu" ? at::detail::getDefaultCPUGenerator() : at::globalContext().defaultGenerator(device);
}

}  // namespace

void seedRandomState(std::uint64_t seed, c10::Device device) {
    for (const char* const name : {"rng.cpu", "rng.cuda"}) {
        if (device.is_cpu() && std::strcmp(name, "rng.cuda") == 0) continue;
        at::Generator generator = generatorOf(name, device);
        const std::lock_guard lock(generator.mutex());
        generator.set_current_seed(seed);
    }
}

std::vector<NamedBytes> randomState(c10::Device device) {
    std::vector<NamedBytes> states;
    std::vector<std::string> names{"rng.cpu"};
    if (!device.is_cpu()) names.emplace_back("rng.cuda");
    for (std::string& name : names) {
        at::Generator generator = generatorOf(name, device);
        const std::lock_guard lock(generator.mutex());
        const at::Tensor state = generator.get_state();
        NamedBytes one{std::move(name), std::vector<std::byte>(static_cast<std::size_t>(state.numel()))};
        std::memcpy(one.bytes.data(), state.const_data_ptr(), one.bytes.size());
        states.push_back(std::move(one));
    }
    return states;
}

void restoreRandomState(const std::vector<NamedBytes>& states, c10::Device device) {
    for (const NamedBytes& one : states) {
        at::Tensor state = at::empty({static_cast<std::int64_t>(one.bytes.size())}, at::kByte);
        std::memcpy(state.data_ptr(), one.bytes.data(), one.bytes.size());
        at::Generator generator = generatorOf(one.name, device);
        const std::lock_guard lock(generator.mutex());
        generator.set_state(state);
    }
}

}  // namespace mofo
