// The state of LibTorch's random generators, as bytes. Nothing here draws from them while it trains; what does later finds its place again.
#pragma once

#include <c10/core/Device.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace mofo {

struct NamedBytes {
    std::string name;  ///< "rng.cpu", "rng.cuda"
    std::vector<std::byte> bytes;
};
/// Sets the generators as a run with this seed begins, whatever they were before. May throw what LibTorch throws.
void seedRandomState(std::uint64_t seed, c10::Device device);
/// Of the CPU's generator, and of the device's. May throw what LibTorch throws.
[[nodiscard]] std::vector<NamedBytes> randomState(c10::Device device);
/// The last thing a resume does before the first step. May throw what LibTorch throws, where the bytes are no state.
void restoreRandomState(const std::vector<NamedBytes>& states, c10::Device device);

}  // namespace mofo
