// The one place where LibTorch's exceptions become Results.
#pragma once

#include <c10/util/Exception.h>

#include <new>
#include <string>
#include <utility>

#include "core/base/result.h"
#include "core/engine/device_fault.h"

namespace mofo {

namespace detail {

/// Does not return in an engine: the context is dead, and nothing may call it again.
inline Error deviceError(const std::string& text) {
    onDeviceFault(text);
    return Error{ErrorCode::DeviceUnusable, "the device failed: " + text, "", "Start the program again; `mofo doctor` tells what the GPU can do",
                 "CUDA"};
}

/// What a c10::Error that is no out-of-memory by its type says.
inline Error torchError(const std::string& text) {
    if (tellsOfDeviceFault(text)) return deviceError(text);
    // The CPU allocator reports failure as a plain c10::Error.
    if (text.find("can't allocate memory") != std::string::npos) {
        return Error{ErrorCode::OutOfMemory, "out of memory: " + text, "", "Lower micro_batch or max_length, or close other programs", "MEMORY"};
    }
    return Error{ErrorCode::Internal, "LibTorch: " + text, "", "", ""};
}

}  // namespace detail

/// Calls `work` (which returns a Result) and translates what it throws. Out-of-memory is asked for first: it derives from c10::Error. A failed device
/// ends an engine at once (device_fault.h), whether LibTorch throws it or `work` returns it (tag CUDA).
template <class Work>
auto guardTorch(Work&& work) -> decltype(work()) {
    try {
        auto result = std::forward<Work>(work)();
        if (!result.ok() && result.error().tag == "CUDA") onDeviceFault(result.error().text());
        return result;
    } catch (const c10::OutOfMemoryError& error) {
        return Error{ErrorCode::OutOfMemory, "out of device memory: " + std::string(error.what_without_backtrace()), "",
                     "Lower micro_batch or max_length", "MEMORY"};
    } catch (const std::bad_alloc&) {
        return Error{ErrorCode::OutOfMemory, "out of memory", "", "Lower micro_batch or max_length, or close other programs", "MEMORY"};
    } catch (const c10::AcceleratorError& error) {
        constexpr int memoryAllocation = 2;  // cudaErrorMemoryAllocation: the context lives on
        if (error.get_error_code() == memoryAllocation) {
            return Error{ErrorCode::OutOfMemory, "out of device memory: " + std::string(error.what_without_backtrace()), "",
                         "Lower micro_batch or max_length", "MEMORY"};
        }
        return detail::deviceError(error.what_without_backtrace());
    } catch (const c10::Error& error) {
        return detail::torchError(error.what_without_backtrace());
    } catch (const std::exception& error) {
        return Error{ErrorCode::Internal, error.what(), "", "", ""};
    }
}

}  // namespace mofo
