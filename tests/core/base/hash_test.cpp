#include "core/base/hash.h"

#include <gtest/gtest.h>

#include "core/base/file.h"
#include "tests/support/test_support.h"

namespace mofo {
namespace {

// FIPS 180-4's examples.
constexpr const char* kOfNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr const char* kOfAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr const char* kOfMillionA = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

TEST(Sha256, KnownAnswers) {
    EXPECT_EQ(sha256Hex(""), kOfNothing);
    EXPECT_EQ(sha256Hex("abc"), kOfAbc);
    EXPECT_EQ(sha256Hex(std::string(1000000, 'a')), kOfMillionA);
}

TEST(Sha256, PiecesGiveTheSameAsTheWhole) {
    const std::string text(1000000, 'a');
    for (const std::size_t piece : {1u, 63u, 64u, 65u, 4096u, 999999u}) {
        Sha256 hash;
        for (std::size_t at = 0; at < text.size(); at += piece) hash.update(std::string_view(text).substr(at, piece));
        EXPECT_EQ(hash.hex(), kOfMillionA) << piece;
    }
}

TEST(Sha256, OfAFileLargerThanItsBuffer) {
    const test::TemporaryFolder folder;
    test::writeFile(folder / "a", std::string(1000000, 'a'));
    test::writeFile(folder / "large", std::string((3 << 20) + 17, 'x'));
    const auto small = sha256OfFile(folder / "a");
    ASSERT_OK(small);
    EXPECT_EQ(*small, kOfMillionA);
    const auto large = sha256OfFile(folder / "large");
    ASSERT_OK(large);
    EXPECT_EQ(*large, sha256Hex(std::string((3 << 20) + 17, 'x')));
    EXPECT_EQ(sha256OfFile(folder / "none").error().code, ErrorCode::NotFound);
}

}  // namespace
}  // namespace mofo
