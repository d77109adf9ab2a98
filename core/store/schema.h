// What a database of ours must look like, down to the text of its schema. Private to core/store.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace mofo {

/// Forward step from version `from` to `from + 1`, run inside one transaction after a backup. It only adds tables and indices, whose statements
/// are also among Schema::statements: so version `from` is what is left without them.
struct Migration {
    int from = 0;
    std::span<const std::string_view> statements;
};

struct Schema {
    std::string_view what;  ///< for messages: "workspace registry"
    std::int32_t applicationId = 0;
    int version = 1;
    int pageSize = 4096;
    /// CREATE statements exactly as sqlite_schema keeps them: no IF NOT EXISTS, no semicolon, nothing before CREATE.
    std::span<const std::string_view> statements;
    std::span<const Migration> migrations;
    /// Whether readers take an older file as it is (nobody may ever write into it again), or ask for a writer to bring it up to date.
    bool readersTakeOlder = false;
};

[[nodiscard]] const Schema& registrySchema();  ///< workbench.db
[[nodiscard]] const Schema& metricsSchema();   ///< metrics.db

}  // namespace mofo
