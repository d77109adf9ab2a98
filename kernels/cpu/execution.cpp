#include "kernels/include/execution.h"

#include <cstdlib>
#include <string_view>

#include "kernels/cpu/slice_kernels.h"

namespace mofo::kernels {

const char* instructionSetName(InstructionSet set) {
    switch (set) {
        case InstructionSet::Scalar: return "scalar";
        case InstructionSet::Avx2: return "avx2";
        case InstructionSet::Avx512: return "avx512";
    }
    return "unknown";
}

bool isSupported(InstructionSet set) {
    switch (set) {
        case InstructionSet::Scalar: return true;
        case InstructionSet::Avx2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
        case InstructionSet::Avx512:
            return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
                   __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma");
    }
    return false;
}

InstructionSet bestInstructionSet() {
    static const InstructionSet best = [] {
        const char* text = std::getenv("MOFO_CPU_KERNELS");
        const std::string_view limit = text != nullptr ? text : "";
        for (const InstructionSet set : {InstructionSet::Avx512, InstructionSet::Avx2}) {
            const bool allowed = limit != "scalar" && (limit != "avx2" || set == InstructionSet::Avx2);
            if (allowed && isSupported(set)) return set;
        }
        return InstructionSet::Scalar;
    }();
    return best;
}

namespace cpu {

const InstructionSetKernels& kernelsOf(InstructionSet set) {
    switch (set) {
        case InstructionSet::Avx512: return avx512Kernels;
        case InstructionSet::Avx2: return avx2Kernels;
        case InstructionSet::Scalar: break;
    }
    return scalarKernels;
}

}  // namespace cpu
}  // namespace mofo::kernels
