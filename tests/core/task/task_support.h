// What the tests of task descriptions share.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/task/task.h"

namespace mofo::test {

/// The description is refused in one line that names the file and says so.
inline void expectRefused(const std::string& json, const std::string& says) {
    const auto task = parseTask(*parseJson(json), "f.json");
    ASSERT_FALSE(task.ok()) << json;
    EXPECT_EQ(task.error().exitCode(), 3) << json;
    EXPECT_EQ(task.error().where, "f.json");
    EXPECT_THAT(task.error().message, testing::HasSubstr(says));
    EXPECT_EQ(task.error().text().find('\n'), std::string::npos);
}

}  // namespace mofo::test
