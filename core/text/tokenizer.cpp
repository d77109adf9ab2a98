#include "core/text/tokenizer.h"

#include <algorithm>
#include <mutex>

#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/base/text.h"
#include "core/text/byte_alphabet.h"
#include "core/text/normalizer.h"
#include "core/text/tokenizer_files.h"
#include "core/text/tokenizer_rules.h"
#include "core/text/unicode_classes.h"

namespace mofo {

namespace {

constexpr std::size_t kTextLimit = std::size_t{1} << 30;

/// Leading and trailing characters of a token that offsets are trimmed by: white space and the alphabet's space.
struct TokenSpaces {
    std::uint16_t leading = 0;
    std::uint16_t trailing = 0;
};

TokenSpaces spacesOf(std::string_view token) {
    const auto isSpace = [](char32_t c) { return c == 0x120 || (classesOf(c) & kSpace) != 0; };
    TokenSpaces spaces;
    std::size_t at = 0;
    while (at < token.size() && spaces.leading < 0xFFFF) {
        const DecodedCodePoint c = decodeAt(token, at);
        if (!isSpace(c.codePoint)) break;
        ++spaces.leading;
        at += c.length;
    }
    at = token.size();
    while (at > 0 && spaces.trailing < 0xFFFF) {
        const DecodedCodePoint c = decodeBefore(token, at);
        if (!isSpace(c.codePoint)) break;
        ++spaces.trailing;
        at -= c.length;
    }
    return spaces;
}

/// Text with every byte sequence that is no UTF-8 replaced by U+FFFD, one for each maximal part as the Unicode standard counts them.
std::string replaceInvalidUtf8(std::string_view bytes) {
    if (isValidUtf8(bytes)) return std::string(bytes);
    std::string out;
    for (std::size_t at = 0; at < bytes.size();) {
        const auto lead = static_cast<unsigned char>(bytes[at]);
        const std::size_t wanted = lead < 0x80 ? 1 : lead >= 0xC2 && lead < 0xE0 ? 2 : lead >= 0xE0 && lead < 0xF0 ? 3 : lead >= 0xF0 && lead < 0xF5 ? 4 : 0;
        std::size_t length = 1;
        while (wanted != 0 && length < wanted && at + length < bytes.size()) {
            const auto next = static_cast<unsigned char>(bytes[at + length]);
            const unsigned char least = length > 1 ? 0x80 : lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
            const unsigned char most = length > 1 ? 0xBF : lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
            if (next < least || next > most) break;
            ++length;
        }
        if (length == wanted) {
            out += bytes.substr(at, length);
        } else {
            out += "\xEF\xBF\xBD";
        }
        at += length;
    }
    return out;
}

}  // namespace

struct Tokenizer::State {
    /// Working memory of one call; kept for the next one.
    struct Scratch {
        PreTokenizerScratch preTokenizer;
        BpeScratch bpe;
        std::vector<AddedTokenPart> parts;
        std::vector<AddedTokenPart> innerParts;
        std::vector<TokenSpaces> spaces;
    };
    /// A text to cut, with the place in the input that each of its bytes comes from.
    struct Source {
        std::string_view text;
        std::size_t base = 0;                    ///< where the text begins in the input, if it is a part of it unchanged
        const AlignedText* alignment = nullptr;  ///< else, relative to `base`
    };

    explicit State(TokenizerRules&& theRules);
    Result<void> encodeText(std::string_view input, Encoding& out, Scratch& scratch) const;
    Result<void> encodePiece(std::string_view input, const Source& piece, Encoding& out, Scratch& scratch) const;
    void addToken(std::string_view input, const Source& source, std::size_t begin, std::size_t end, TokenId id, Encoding& out) const;
    void postProcess(std::string_view input, bool addSpecialTokens, Encoding& out, Scratch& scratch) const;
    void trimOffsets(std::string_view input, bool addPrefixSpace, Encoding& out, Scratch& scratch) const;

    std::unique_ptr<Scratch> takeScratch() const;
    void returnScratch(std::unique_ptr<Scratch> scratch) const;

    TokenizerRules rules;
    std::vector<std::optional<std::string>> bytesOf;  ///< by id; nothing where the token is not of the byte alphabet
    std::vector<TokenSpaces> spacesOfToken;
    std::vector<std::int32_t> addedIndex;             ///< by id: index into rules.addedTokens, or -1
    std::unordered_map<std::string, TokenId, TextHash, std::equal_to<>> ids;
    AddedTokenMatcher rawMatcher, normalizedMatcher;
    std::unique_ptr<BpeModel> model;
    mutable std::mutex scratchMutex;
    mutable std::vector<std::unique_ptr<Scratch>> idleScratch;
};

Tokenizer::State::State(TokenizerRules&& theRules) : rules(std::move(theRules)) {
    std::size_t size = rules.tokens.size();
    for (const AddedToken& token : rules.addedTokens) size = std::max(size, static_cast<std::size_t>(token.id) + 1);
    bytesOf.resize(size);
    spacesOfToken.resize(size);
    addedIndex.assign(size, -1);
    for (std::size_t id = 0; id < rules.tokens.size(); ++id) {
        if (!rules.tokens[id]) continue;
        bytesOf[id] = bytesOfToken(*rules.tokens[id]);
        spacesOfToken[id] = spacesOf(*rules.tokens[id]);
        ids.emplace(*rules.tokens[id], static_cast<TokenId>(id));
    }
    model = std::make_unique<BpeModel>(bytesOf, rules.merges, BpeModel::Options{rules.ignoreMerges, rules.fuseUnknown, rules.modelUnknownId});
    for (std::size_t i = 0; i < rules.addedTokens.size(); ++i) {
        const AddedToken& token = rules.addedTokens[i];
        addedIndex[static_cast<std::size_t>(token.id)] = static_cast<std::int32_t>(i);
        ids[token.content] = token.id;
        if (!token.normalized) {
            rawMatcher.add(token.content, token);
        } else {
            normalizedMatcher.add(rules.normalizeNfc ? normalizeNfc(token.content).text : token.content, token);
        }
    }
}

std::unique_ptr<Tokenizer::State::Scratch> Tokenizer::State::takeScratch() const {
    const std::scoped_lock lock(scratchMutex);
    if (idleScratch.empty()) return std::make_unique<Scratch>();
    auto scratch = std::move(idleScratch.back());
    idleScratch.pop_back();
    return scratch;
}

void Tokenizer::State::returnScratch(std::unique_ptr<Scratch> scratch) const {
    const std::scoped_lock lock(scratchMutex);
    idleScratch.push_back(std::move(scratch));
}

void Tokenizer::State::addToken(std::string_view input, const Source& source, std::size_t begin, std::size_t end, TokenId id, Encoding& out) const {
    out.ids.push_back(id);
    if (source.alignment != nullptr) {
        out.begin.push_back(static_cast<std::uint32_t>(source.base + source.alignment->begin[begin]));
        out.end.push_back(static_cast<std::uint32_t>(source.base + source.alignment->end[end - 1]));
        return;
    }
    // A token may begin or end inside a character; offsets are those of whole characters.
    std::size_t first = source.base + begin;
    std::size_t last = source.base + end;
    while (isContinuationByte(input[first])) --first;
    while (last < input.size() && isContinuationByte(input[last])) ++last;
    out.begin.push_back(static_cast<std::uint32_t>(first));
    out.end.push_back(static_cast<std::uint32_t>(last));
}

Result<void> Tokenizer::State::encodePiece(std::string_view input, const Source& piece, Encoding& out, Scratch& scratch) const {
    if (piece.text.empty()) return {};
    Source source = piece;
    AlignedText prefixed;
    if (rules.addPrefixSpace && !piece.text.starts_with(' ')) {
        // The space stands for the first character, as in the reference.
        prefixed.text = " " + std::string(piece.text);
        const auto firstLength = decodeAt(piece.text, 0).length;
        const auto place = [&](std::size_t at) -> std::pair<std::uint32_t, std::uint32_t> {
            if (piece.alignment != nullptr) return {piece.alignment->begin[at], piece.alignment->end[at]};
            std::size_t first = at;
            while (isContinuationByte(piece.text[first])) --first;
            return {static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(first + decodeAt(piece.text, first).length)};
        };
        for (std::size_t i = 0; i < prefixed.text.size(); ++i) {
            const auto [begin, end] = place(i == 0 ? 0 : i <= firstLength ? 0 : i - 1);
            prefixed.begin.push_back(begin);
            prefixed.end.push_back(end);
        }
        source.text = prefixed.text;
        source.alignment = &prefixed;
    }
    MOFO_CHECK(preTokenize(rules.preTokenizer, source.text, scratch.preTokenizer));
    for (const TextSpan span : scratch.preTokenizer.spans) {
        for (const WordToken& token : model->encodeWord(source.text.substr(span.begin, span.end - span.begin), scratch.bpe)) {
            addToken(input, source, span.begin + token.begin, span.begin + token.end, token.id, out);
        }
    }
    return {};
}

Result<void> Tokenizer::State::encodeText(std::string_view input, Encoding& out, Scratch& scratch) const {
    scratch.parts.clear();
    scratch.spaces.clear();
    rawMatcher.split(input, scratch.parts);
    const auto addAdded = [&](const Source& source, std::size_t begin, std::size_t end, TokenId id) {
        if (begin >= end) return;
        addToken(input, source, begin, end, id, out);
        // Offsets of added tokens are trimmed by the text they matched, which may hold more space than the token itself.
        scratch.spaces.resize(out.ids.size(), {0xFFFF, 0xFFFF});
        scratch.spaces.back() = spacesOf(source.text.substr(begin, end - begin));
    };
    for (const AddedTokenPart& part : scratch.parts) {
        const Source whole{input, 0, nullptr};
        if (part.id >= 0) {
            addAdded(whole, part.begin, part.end, part.id);
            continue;
        }
        Source piece{input.substr(part.begin, part.end - part.begin), part.begin, nullptr};
        AlignedText aligned;
        if (rules.normalizeNfc && !isSurelyNfc(piece.text)) {
            aligned = normalizeNfc(piece.text);
            piece.text = aligned.text;
            piece.alignment = &aligned;
        }
        if (normalizedMatcher.isEmpty()) {
            MOFO_CHECK(encodePiece(input, piece, out, scratch));
            continue;
        }
        scratch.innerParts.clear();
        normalizedMatcher.split(piece.text, scratch.innerParts);
        for (const AddedTokenPart& inner : scratch.innerParts) {
            if (inner.id >= 0) {
                addAdded(piece, inner.begin, inner.end, inner.id);
                continue;
            }
            AlignedText innerAligned;
            Source innerPiece{piece.text.substr(inner.begin, inner.end - inner.begin), piece.base, nullptr};
            if (piece.alignment != nullptr) {
                innerAligned.begin.assign(aligned.begin.begin() + static_cast<std::ptrdiff_t>(inner.begin), aligned.begin.begin() + static_cast<std::ptrdiff_t>(inner.end));
                innerAligned.end.assign(aligned.end.begin() + static_cast<std::ptrdiff_t>(inner.begin), aligned.end.begin() + static_cast<std::ptrdiff_t>(inner.end));
                innerPiece.alignment = &innerAligned;
            } else {
                innerPiece.base += inner.begin;
            }
            MOFO_CHECK(encodePiece(input, innerPiece, out, scratch));
        }
    }
    return {};
}

void Tokenizer::State::trimOffsets(std::string_view input, bool addPrefixSpace, Encoding& out, Scratch& scratch) const {
    scratch.spaces.resize(out.ids.size(), {0xFFFF, 0xFFFF});
    for (std::size_t i = 0; i < out.ids.size(); ++i) {
        TokenSpaces spaces = scratch.spaces[i];
        if (spaces.leading == 0xFFFF) spaces = spacesOfToken[static_cast<std::size_t>(out.ids[i])];
        if (spaces.leading > 0) {
            const bool isFirst = i == 0 || out.begin[i] == 0;
            if (isFirst && addPrefixSpace && spaces.leading == 1) spaces.leading = 0;
            for (int n = 0; n < spaces.leading && out.begin[i] < out.end[i]; ++n) out.begin[i] += decodeAt(input, out.begin[i]).length;
        }
        std::size_t end = out.end[i];
        int left = spaces.trailing;
        for (; left > 0 && end > 0; --left) end -= decodeBefore(input, end).length;
        if (left == 0) out.end[i] = std::max(static_cast<std::uint32_t>(end), out.begin[i]);
    }
}

void Tokenizer::State::postProcess(std::string_view input, bool addSpecialTokens, Encoding& out, Scratch& scratch) const {
    for (const PostProcessorStep& step : rules.postProcessor) {
        if (const auto* trim = std::get_if<TrimOffsetsStep>(&step)) {
            trimOffsets(input, trim->addPrefixSpace, out, scratch);
            continue;
        }
        if (!addSpecialTokens) continue;
        const auto& around = std::get<TemplateStep>(step);
        out.ids.insert(out.ids.begin(), around.before.begin(), around.before.end());
        out.begin.insert(out.begin.begin(), around.before.size(), 0);
        out.end.insert(out.end.begin(), around.before.size(), 0);
        scratch.spaces.insert(scratch.spaces.begin(), around.before.size(), TokenSpaces{});
        out.ids.insert(out.ids.end(), around.after.begin(), around.after.end());
        out.begin.resize(out.ids.size(), 0);
        out.end.resize(out.ids.size(), 0);
    }
}

Tokenizer::Tokenizer(std::unique_ptr<State> state) : m_state(std::move(state)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

Result<Tokenizer> Tokenizer::fromHfFolder(const std::filesystem::path& folder) {
    MOFO_TRY(TokenizerRules rules, readTokenizerFolder(folder));
    return Tokenizer(std::make_unique<State>(std::move(rules)));
}

Result<Tokenizer> Tokenizer::fromGguf(const GgufFile& file) {
    MOFO_TRY(TokenizerRules rules, readTokenizerGguf(file));
    return Tokenizer(std::make_unique<State>(std::move(rules)));
}

Result<void> Tokenizer::writeHfFiles(const std::filesystem::path& folder) const { return writeTokenizerFolder(m_state->rules, folder); }
std::string Tokenizer::sha256() const { return hashTokenizerRules(m_state->rules); }

Result<Encoding> Tokenizer::encode(std::string_view text, bool addSpecialTokens) const {
    if (text.size() > kTextLimit) return Error{ErrorCode::InvalidInput, "a text of " + formatBytes(text.size()) + " is too long to be tokenized at once", "", "Cut it into pieces", "LIMIT"};
    if (!isValidUtf8(text)) return Error{ErrorCode::InvalidInput, "the text is not valid UTF-8", "", "Save it as UTF-8", "UTF8"};
    Encoding out;
    out.ids.reserve(text.size() / 3 + 8);
    out.begin.reserve(text.size() / 3 + 8);
    out.end.reserve(text.size() / 3 + 8);
    auto scratch = m_state->takeScratch();
    Result<void> done = m_state->encodeText(text, out, *scratch);
    if (done.ok()) m_state->postProcess(text, addSpecialTokens, out, *scratch);
    m_state->returnScratch(std::move(scratch));
    if (!done.ok()) return std::move(done).error();
    return out;
}

std::string Tokenizer::decode(std::span<const TokenId> ids, bool skipSpecialTokens) const {
    std::string bytes;
    bool first = true;
    for (const TokenId id : ids) {
        if (id < 0 || id >= vocabularySize() || (skipSpecialTokens && isSpecial(id))) continue;
        const auto index = static_cast<std::size_t>(id);
        const auto& rules = m_state->rules;
        std::string token;
        if (m_state->addedIndex[index] >= 0) {
            const AddedToken& added = rules.addedTokens[static_cast<std::size_t>(m_state->addedIndex[index])];
            token = added.normalized && rules.normalizeNfc ? normalizeNfc(added.content).text : added.content;
        } else if (index < rules.tokens.size() && rules.tokens[index]) {
            token = *rules.tokens[index];
        } else {
            continue;
        }
        if (!rules.byteLevelDecoder) {
            // Without a decoder the reference joins the tokens as they are spelt by blanks.
            if (!first) bytes += ' ';
            bytes += token;
        } else {
            const auto raw = bytesOfToken(token);
            bytes += raw ? *raw : token;
        }
        first = false;
    }
    return replaceInvalidUtf8(bytes);
}

std::string Tokenizer::piece(TokenId id) const { return decode(std::span(&id, 1), false); }

std::int32_t Tokenizer::vocabularySize() const { return static_cast<std::int32_t>(m_state->bytesOf.size()); }
std::optional<TokenId> Tokenizer::bosId() const { return m_state->rules.bosId; }
std::optional<TokenId> Tokenizer::eosId() const { return m_state->rules.eosId; }
std::optional<TokenId> Tokenizer::padId() const { return m_state->rules.padId; }

bool Tokenizer::isSpecial(TokenId id) const {
    if (id < 0 || id >= vocabularySize()) return false;
    const std::int32_t index = m_state->addedIndex[static_cast<std::size_t>(id)];
    return index >= 0 && m_state->rules.addedTokens[static_cast<std::size_t>(index)].special;
}

bool Tokenizer::spellsSpecialToken(std::string_view text) const {
    if (!isValidUtf8(text)) return false;
    const auto isIn = [&](const AddedTokenMatcher& matcher) {
        std::vector<AddedTokenPart> parts;
        matcher.split(text, parts);
        return std::any_of(parts.begin(), parts.end(), [&](const AddedTokenPart& part) { return part.id >= 0 && isSpecial(part.id); });
    };
    return isIn(m_state->rawMatcher) || (!m_state->normalizedMatcher.isEmpty() && isIn(m_state->normalizedMatcher));
}

std::optional<TokenId> Tokenizer::idOf(std::string_view token) const {
    const auto at = m_state->ids.find(token);
    return at == m_state->ids.end() ? std::nullopt : std::optional<TokenId>(at->second);
}

const std::optional<std::string>& Tokenizer::chatTemplateText() const { return m_state->rules.chatTemplate; }
const std::vector<std::string>& Tokenizer::warnings() const { return m_state->rules.warnings; }

}  // namespace mofo
