// Workspaces that are looked at and never changed: the sample beside the programs.
#pragma once

#include <filesystem>

namespace mofo {

/// Whether the workspace is a recording: its registry has no write bit at all, and so is nobody's to write, not even root's. False for a folder
/// without a workspace. Thread: any.
[[nodiscard]] bool isRecording(const std::filesystem::path& workspace);

}  // namespace mofo
