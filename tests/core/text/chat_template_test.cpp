#include "core/text/chat_template.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/text/chat_format.h"
#include "tests/core/text/chat_template_cases.h"
#include "tests/core/text/text_test_support.h"

namespace mofo::test {
namespace {

TEST(ChatTemplate, rendersAsTransformers) {
    std::set<std::string> seen;
    for (const ChatCase& item : kChatCases) {
        SCOPED_TRACE(std::string(item.name) + (item.chat.front().role == "system" ? " with system" : "") + " of " + std::to_string(item.chat.size()));
        seen.insert(item.name);
        const auto chatTemplate = ChatTemplate::byName(item.name);
        ASSERT_OK(chatTemplate);
        const auto text = chatTemplate->render(item.chat, item.generationPrompt);
        if (item.text == nullptr) {
            EXPECT_FALSE(text.ok());
            EXPECT_EQ(text.error().tag, "ROLE");
            continue;
        }
        ASSERT_OK(text);
        EXPECT_EQ(*text, item.text);
        if (item.generationPrompt) continue;
        const auto training = chatTemplate->renderForTraining(item.chat);
        ASSERT_OK(training);
        EXPECT_EQ(training->text, item.text);
        std::string spans;
        for (const AssistantSpan& span : training->assistant) spans += (spans.empty() ? "" : "|") + training->text.substr(span.begin, span.end - span.begin);
        EXPECT_EQ(spans, item.spans);
    }
    for (const std::string& name : ChatTemplate::names()) EXPECT_TRUE(seen.contains(name)) << name << " has no case";
}

/// Two of the ways in which one template is written.
TEST(ChatTemplate, isRecognisedHoweverItIsSpelt) {
    const auto name = [](std::string_view jinja) {
        const auto chatTemplate = ChatTemplate::recognise(jinja);
        return chatTemplate.ok() ? chatTemplate->name() : chatTemplate.error().text();
    };
    EXPECT_EQ(name("{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"), "chatml");
    EXPECT_EQ(name("{%- for message in messages %}\r\n    {{- \"<|im_start|>\" + message.role + \"\\n\" + message.content + \"<|im_end|>\" + '\n' }}\r\n{%- endfor %}\r\n"
                   "{#- a comment #}{%- if add_generation_prompt -%}\n    {{ '<|im_start|>assistant\\n' }}\n{%- endif %}\n"), "chatml");
    const std::string smol = "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face"
                             "<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
    EXPECT_EQ(name(smol), "smollm2");
    EXPECT_EQ(name("{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}"
                   "{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"), "llama3");
    EXPECT_EQ(name("{% for message in messages %}\n{% if message['role'] == 'user' %}\n{{ '<|user|>\n' + message['content'] + eos_token }}\n{% elif message['role'] == 'system' %}\n"
                   "{{ '<|system|>\n' + message['content'] + eos_token }}\n{% elif message['role'] == 'assistant' %}\n{{ '<|assistant|>\n'  + message['content'] + eos_token }}\n{% endif %}\n"
                   "{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}"), "zephyr");
    // One character more or less is another template.
    std::string other = smol;
    other.replace(other.find("helpful"), 7, "hateful");
    const auto unknown = ChatTemplate::recognise(other);
    ASSERT_FALSE(unknown.ok());
    EXPECT_EQ(unknown.error().code, ErrorCode::Unsupported);
    for (const std::string& known : ChatTemplate::names()) EXPECT_NE(unknown.error().text().find(known), std::string::npos);
    EXPECT_NE(unknown.error().text().find("--set chat_template=smollm2"), std::string::npos) << unknown.error().text();
}

// reliability.md, row 44 and T70..T72: none of these is run; each is refused in no time.
TEST(ChatTemplate, neverRunsHostileTemplates) {
    const std::string loops = "{% for a in range(25000) %}{% for b in range(25000) %}{% endfor %}{% endfor %}";
    const std::vector<std::string> hostile = {loops, "{{ ''.__class__.__mro__[1].__subclasses__() }}", "{{ cycler.__init__.__globals__.os.popen('id').read() }}", "{{ self._TemplateReference__context }}",
        "{% set x = namespace.__init__.__globals__ %}", "{{ lipsum.__globals__['os'].system('id') }}", "{{ request }}", "{% include '/etc/passwd' %}", "{% import 'os' as os %}", "{% extends 'x' %}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "{{ 'a' * 1000000000 }}", "{{ range(10**12) | list }}", "{% raw %}{{ x }}{% endraw %}", "{%", "{{ 'a", "{# no end", "{% for %}", std::string(1 << 20, '{'), "\x01\x02",
        "{{ messages|tojson|safe }}", "{{ raise_exception('<|im_start|>') }}", ""};
    for (const std::string& jinja : hostile) {
        const auto chatTemplate = ChatTemplate::recognise(jinja);
        ASSERT_FALSE(chatTemplate.ok()) << jinja.substr(0, 60);
        EXPECT_EQ(chatTemplate.error().tag, "TEMPLATE");
    }
}

TEST(ChatTemplate, tellsWhyATemplateWithTodaysDateIsRefused) {
    const auto chatTemplate = ChatTemplate::recognise("{%- set date_string = strftime_now('%d %b %Y') %}{{ 'Cutting Knowledge Date: December 2023' + '<|start_header_id|>' }}");
    ASSERT_FALSE(chatTemplate.ok());
    EXPECT_NE(chatTemplate.error().message.find("today's date"), std::string::npos);
    EXPECT_NE(chatTemplate.error().remedy.find("--set chat_template=llama3.1"), std::string::npos);
}

TEST(ChatTemplate, canonicalTextKeepsApartWhatDiffers) {
    const auto canonical = [](std::string_view text) { return canonicalJinja(text).value(); };
    EXPECT_EQ(canonical("{{ a.b }}"), canonical("{{a['b']}}"));
    EXPECT_EQ(canonical("{{ a }}{# x #}"), canonical("{{ a }}"));
    EXPECT_EQ(canonical("x{% if a %}\ny"), canonical("x{% if a %}y"));
    EXPECT_EQ(canonical("x\n  {% if a %}y"), canonical("x\n{% if a %}y"));
    EXPECT_NE(canonical("x\n  {{ a }}y"), canonical("x\n{{ a }}y"));
    EXPECT_NE(canonical("{{ a }}\ny"), canonical("{{ a }}y"));
    EXPECT_NE(canonical("{{ 'a b' }}"), canonical("{{ 'ab' }}"));
    EXPECT_NE(canonical("{{ not a }}"), canonical("{{ nota }}"));
    EXPECT_NE(canonical("{{ a }}"), canonical("{% a %}"));
    EXPECT_NE(canonical(R"({{ "'+x+'" }})"), canonical("{{ ''+x+'' }}"));
    EXPECT_NE(canonical("{{ a.strip() }}"), canonical("{{ a['strip']() }}"));
}

TEST(ChatTemplate, hashesNameKnownFormats) {
    for (const ChatFormat& format : chatFormats()) EXPECT_OK(ChatTemplate::byName(format.name));
    EXPECT_EQ(chatFormatOfHash(""), nullptr);
    EXPECT_EQ(chatFormatOfHash(std::string(64, '0')), nullptr);
}

TEST(ChatTemplate, byNameKnowsTheNearestName) {
    const auto wrong = ChatTemplate::byName("smolm2");
    ASSERT_FALSE(wrong.ok());
    EXPECT_EQ(wrong.error().code, ErrorCode::Usage);
    EXPECT_NE(wrong.error().remedy.find("smollm2"), std::string::npos);
}

TEST(ChatTemplate, writesTheModelsOwnTokens) {
    auto chatTemplate = ChatTemplate::byName("zephyr");
    ASSERT_OK(chatTemplate);
    chatTemplate->setTokens("<b>", "<e>");
    EXPECT_EQ(chatTemplate->render(kOne, false).value(), "<|user|>\n  Hi\n<e>\n<|assistant|>\n Yes? \n\n<e>\n");
}

TEST(ChatTemplate, refusesWhatItsTemplateRefuses) {
    const auto tag = [](const char* name, const std::vector<ChatMessage>& chat) {
        const auto text = ChatTemplate::byName(name)->renderForTraining(chat);
        return text.ok() ? std::string() : text.error().tag;
    };
    EXPECT_EQ(tag("chatml", {}), "ROLE");
    EXPECT_EQ(tag("chatml", {{"robot", "x"}}), "ROLE");
    EXPECT_EQ(tag("mistral", {kSystem, kAsk1, kAnswer1}), "ROLE");
    EXPECT_EQ(tag("llama2", {kAnswer1, kAsk1}), "ROLE");
    EXPECT_EQ(tag("gemma", {kAsk1, kAnswer1, kAnswer2}), "ROLE");
    // Tulu 3 writes a line break behind an answer only where another message follows, so a second answer's prompt is not in the chat.
    EXPECT_EQ(tag("tulu3", {kAsk1, kAnswer1, kAnswer2}), "ROLE");
    // J51..J53: an assistant first, two in a row and a system message in between are fine where the template says nothing of turns.
    EXPECT_EQ(tag("smollm2", {kAnswer1, kAsk1, kAnswer2}), "");
    EXPECT_EQ(tag("chatml", {kAsk1, kAnswer1, kAnswer2}), "");
    EXPECT_EQ(tag("llama3", {kAsk1, kSystem, kAnswer1}), "");
}

}  // namespace
}  // namespace mofo::test
