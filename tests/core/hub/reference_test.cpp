#include "core/hub/reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/hub_path.h"

namespace mofo {
namespace {

using testing::HasSubstr;

const std::string kCommit(40, 'c');

HubReference make(HubKind kind, std::string id, std::string revision = "main", std::string file = {}) {
    return HubReference{kind, std::move(id), std::move(revision), std::move(file)};
}

TEST(HubReference, ShortForms) {
    const std::pair<std::string, HubReference> cases[] = {
        {"hf:owner/name", make(HubKind::Model, "owner/name")},
        {"hf:HuggingFaceTB/SmolLM2-135M-Instruct@v1.0", make(HubKind::Model, "HuggingFaceTB/SmolLM2-135M-Instruct", "v1.0")},
        {"hf:o/n@refs/pr/3", make(HubKind::Model, "o/n", "refs/pr/3")},
        {"hf:o/n@" + kCommit + ":sub/model.Q8_0.gguf", make(HubKind::Model, "o/n", kCommit, "sub/model.Q8_0.gguf")},
        {"hf:o/n:a file (1).gguf", make(HubKind::Model, "o/n", "main", "a file (1).gguf")},
        {"hf:datasets/openai/gsm8k:main/train.jsonl", make(HubKind::Dataset, "openai/gsm8k", "main", "main/train.jsonl")},
        {"hf:datasets/o/_n_@dev", make(HubKind::Dataset, "o/_n_", "dev")},
    };
    for (const auto& [text, expected] : cases) {
        const auto parsed = parseHubReference(text);
        ASSERT_TRUE(parsed.ok()) << text << ": " << parsed.error().text();
        EXPECT_EQ(*parsed, expected) << text;
        EXPECT_EQ(*parseHubReference(parsed->text()), expected) << parsed->text();
    }
}

TEST(HubReference, Addresses) {
    const std::pair<std::string, HubReference> cases[] = {
        {"https://huggingface.co/owner/name", make(HubKind::Model, "owner/name")},
        {"https://huggingface.co/owner/name/", make(HubKind::Model, "owner/name")},
        {"HTTPS://HuggingFace.co/owner/name?library=transformers#files", make(HubKind::Model, "owner/name")},
        {"huggingface.co/owner/name", make(HubKind::Model, "owner/name")},
        {"https://hf.co/owner/name/tree/v2", make(HubKind::Model, "owner/name", "v2")},
        {"https://huggingface.co/o/n/blob/main/x.gguf", make(HubKind::Model, "o/n", "main", "x.gguf")},
        {"https://huggingface.co/o/n/resolve/main/a%20b.gguf?download=true", make(HubKind::Model, "o/n", "main", "a b.gguf")},
        {"https://huggingface.co/o/n/tree/refs%2Fpr%2F7", make(HubKind::Model, "o/n", "refs/pr/7")},
        {"https://huggingface.co/o/n/blob/refs/pr/7/x.gguf", make(HubKind::Model, "o/n", "refs/pr/7", "x.gguf")},
        {"https://huggingface.co/datasets/o/n/raw/main/data/t.csv", make(HubKind::Dataset, "o/n", "main", "data/t.csv")},
        {"http://mirror.example:8080/hub/datasets/o/n", make(HubKind::Dataset, "o/n")},
    };
    for (const auto& [text, expected] : cases) {
        const auto parsed = parseHubReference(text, "http://mirror.example:8080/hub");
        ASSERT_TRUE(parsed.ok()) << text << ": " << parsed.error().text();
        EXPECT_EQ(*parsed, expected) << text;
    }
}

TEST(HubReference, EveryWrongFormIsRefusedInOneSentenceWithTheRightForm) {
    const std::pair<std::string, const char*> cases[] = {
        {"hf:", "hf:owner/name"},
        {"hf:name", "hf:OWNER/name"},
        {"hf:owner/", "owner/name"},
        {"hf:datasets/name", "hf:datasets/owner/name"},
        {"hf:/name", "owner/name"},
        {"hf:owner/name/more", "owner/name"},
        {"hf:owner/name@", "revision"},
        {"hf:owner/name:", "file"},
        {"hf:owner/name@a..b", "branch, a tag or a commit"},
        {"hf:owner/name@-x", "branch, a tag or a commit"},
        {"hf:owner/name@/x", "branch, a tag or a commit"},
        {"hf:owner/na me", "owner/name"},
        {"hf:owner/na--me", "owner/name"},
        {"hf:owner/..", "owner/name"},
        {"hf:../name", "owner/name"},
        {"hf:owner/name.git", "owner/name"},
        {"hf:-owner/name", "owner/name"},
        {"hf:models/owner/name", "Write hf:owner/name"},
        {"hf:spaces/owner/name", "hf:owner/name"},
        {"hf://owner/name", "hf:owner/name"},
        {"hf:owner/name:../secret", "list of files"},
        {"hf:owner/name:a/../../b", "list of files"},
        {"hf:owner/name:/etc/passwd", "list of files"},
        {"hf:owner/name:a//b", "list of files"},
        {"hf:owner/name:./a", "list of files"},
        {"hf:owner/name:a\\b", "list of files"},
        {"hf:owner/name:" + std::string(201, 'a'), "list of files"},
        {"hf:owner/name:a\nb", "hf:owner/name"},
        {std::string("hf:owner/name:a\0b", 17), "hf:owner/name"},
        {"hf:owner/name:\xff\xfe", "hf:owner/name"},
        {"hf:owner/" + std::string(97, 'a'), "owner/name"},
        {"hf:owner/name:" + std::string(3000, 'a'), "hf:owner/name"},
        {"https://example.com/owner/name", "hf:owner/name"},
        {"https://huggingface.co.evil.example/owner/name", "hf:owner/name"},
        {"https://evil.example/huggingface.co/owner/name", "hf:owner/name"},
        {"https://huggingface.co@evil.example/owner/name", "hf:owner/name"},
        {"https://huggingface.co/owner", "hf:owner/name"},
        {"https://huggingface.co/", "hf:owner/name"},
        {"https://huggingface.co/docs/transformers/index", "hf:owner/name"},
        {"https://huggingface.co/spaces/o/n", "hf:owner/name"},
        {"https://huggingface.co/o/n/discussions/4", "one of its files"},
        {"https://huggingface.co/o/n/blob", "hf:owner/name"},
        {"https://huggingface.co/o/n/blob/main/%2e%2e/%2e%2e/x", "list of files"},
        {"https://huggingface.co/o/n/blob/main/a%2Fb", "hf:owner/name"},
        {"https://huggingface.co/o/n/blob/main/a%0ab", "list of files"},
        {"https://huggingface.co/o/n/blob/main/a%zz", "hf:owner/name"},
        {"https://huggingface.co/o%2F..%2Fx/n", "hf:owner/name"},
        {"ftp://huggingface.co/o/n", "hf:owner/name"},
    };
    for (const auto& [text, form] : cases) {
        const auto parsed = parseHubReference(text);
        ASSERT_FALSE(parsed.ok()) << text << " became " << parsed->text();
        const Error& error = parsed.error();
        EXPECT_EQ(error.code, ErrorCode::Usage) << text;
        EXPECT_THAT(error.remedy, HasSubstr(form)) << text << ": " << error.text();
        EXPECT_EQ(error.text().find('\n'), std::string::npos) << text;
        EXPECT_LT(error.text().size(), 500u) << text;
    }
}

TEST(HubReference, PathsOfThisMachineAreNotMeant) {
    for (const char* text : {"model.gguf", "./hf/x", "/data/x.jsonl", "smollm2", "random:smollm2", "", "h", "hub:x"})
        EXPECT_FALSE(looksLikeHubReference(text)) << text;
    for (const char* text : {"hf:", "hf:o/n", "https://huggingface.co/o/n", "HTTP://x", "huggingface.co/o/n", "hf.co/o/n"})
        EXPECT_TRUE(looksLikeHubReference(text)) << text;
}

TEST(HubPath, APathNamesRepositoryCommitAndFile) {
    const std::pair<std::string, std::string> cases[] = {
        {"/home/me/.cache/mofo/hub/models--owner--name/" + kCommit, "hf:owner/name@" + kCommit},
        {"/home/me/.cache/mofo/hub/models--owner--name/" + kCommit + "/", "hf:owner/name@" + kCommit},
        {"/c/hub/datasets--o--n/snapshots/" + kCommit + "/data/t.jsonl", "hf:datasets/o/n@" + kCommit + ":data/t.jsonl"},
        {"/c/hub/models--o--n/" + kCommit + "/x.gguf", "hf:o/n@" + kCommit + ":x.gguf"},
    };
    for (const auto& [path, name] : cases) {
        EXPECT_EQ(hubNameOrPath(path), name);
        EXPECT_TRUE(parseHubReference(name).ok()) << name;
    }
    for (const std::string& path :
         {std::string("/data/x.jsonl"), "/c/models--o--n/" + std::string(39, 'c'), "/c/models--o/" + kCommit, "/c/o--n/" + kCommit,
          "/c/models--o--n/refs/" + kCommit, "/c/models--a--b--c/" + kCommit, std::string(), std::string("/")}) {
        EXPECT_EQ(hubNameOrPath(path), path);
        EXPECT_FALSE(hubPlaceOfPath(path)) << path;
    }
}

}  // namespace
}  // namespace mofo
