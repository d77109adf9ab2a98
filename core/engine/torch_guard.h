// The one place where LibTorch's exceptions become Results.
#pragma once

#include <c10/util/Exception.h>

#include <new>
#include <string>
#include <utility>

#include "core/base/result.h"

namespace mofo {

/// Calls `work` (which returns a Result) and translates what it throws. Out-of-memory is asked for first: it derives from c10::Error.
template <class Work>
auto guardTorch(Work&& work) -> decltype(work()) {
    try {
        return std::forward<Work>(work)();
    } catch (const c10::OutOfMemoryError& error) {
        return Error{ErrorCode::OutOfMemory, "out of device memory: " + std::string(error.what_without_backtrace()), "",
                     "Lower micro_batch or max_length", "MEMORY"};
    } catch (const std::bad_alloc&) {
        return Error{ErrorCode::OutOfMemory, "out of memory", "", "Lower micro_batch or max_length, or close other programs", "MEMORY"};
    } catch (const c10::Error& error) {
        const std::string text = error.what_without_backtrace();
        // The CPU allocator reports failure as a plain c10::Error.
        if (text.find("can't allocate memory") != std::string::npos) {
            return Error{ErrorCode::OutOfMemory, "out of memory: " + text, "", "Lower micro_batch or max_length, or close other programs", "MEMORY"};
        }
        return Error{ErrorCode::Internal, "LibTorch: " + text, "", "", ""};
    } catch (const std::exception& error) {
        return Error{ErrorCode::Internal, error.what(), "", "", ""};
    }
}

}  // namespace mofo
