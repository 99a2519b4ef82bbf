#include "observe/query_text.hpp"

#include "server/guard.hpp"

// The literal tokens of the server's lexer.  Their numbers are part of its
// contract with every grammar that uses it (PL/pgSQL declares the same list):
// they come first, in this order, counted from bison's first number.
namespace {

enum Token
{
	IDENT = 258,
	UIDENT,
	FCONST,
	SCONST,
	USCONST,
	BCONST,
	XCONST,
	Op,
	ICONST,
	PARAM,
};

bool
is_literal(int token) noexcept
{
	switch (token)
	{
	case FCONST:
	case SCONST:
	case USCONST:
	case BCONST:
	case XCONST:
	case ICONST:
		return true;
	default:
		return false;
	}
}

} // namespace

namespace remedy::observe {

bool old_strings_seen = false;

namespace {

constexpr Size search_path_bytes = 512;  // a longer one is not kept
constexpr int highest_parameter = 65535; // of the protocol; a text may have any

struct Lexer
{
	core_yyscan_t scanner;
	core_yy_extra_type extra;
	core_YYSTYPE value;
	YYLTYPE location;

	// Its memory is that of the current context, and is not given back.
	Lexer(const char *text, bool standard_strings) noexcept
	{
		scanner = scanner_init(text, &extra, &ScanKeywords, ScanKeywordTokens);
		extra.standard_conforming_strings = standard_strings;
		// The text was accepted once; its style is not judged again.
		extra.backslash_quote = BACKSLASH_QUOTE_ON;
		extra.escape_string_warning = false;
		disarm_escapes();
	}

	// The lexer decodes escapes and judges the result by the encoding of this
	// session's database, which need not be the text's.  Here only the length of a
	// string matters, so \x, \u and \7 become escapes that stand for themselves.
	void disarm_escapes() noexcept
	{
		for (char *c = extra.scanbuf; *c != '\0'; ++c)
			if (*c == '\\' && c[1] != '\0' && strchr("01234567xXuU", c[1]) != nullptr)
				c[1] = 'q';
	}

	int next() noexcept { return core_yylex(&value, &location, scanner); }

	bool is_with(const Lexer &other) const noexcept
	{
		return location == other.location && token_end() == other.token_end();
	}

	// The scanner ends each token with a NUL in its own copy of the text.
	int token_end() const noexcept { return location + static_cast<int>(strlen(extra.scanbuf + location)); }
};

// Of the tokens up to the first that the lexer refuses.
void
find_highest_parameter(const RawText &text, int &highest) noexcept
{
	Lexer lexer(text.bytes, true);

	while (const int token = lexer.next())
		if (token == PARAM && lexer.value.ival <= highest_parameter)
			highest = Max(highest, lexer.value.ival);
}

// What stands between two tokens: white space as it is, a space for comments.
void
append_gap(StringInfo out, const char *text, int from, int to) noexcept
{
	for (int i = from; i < to; ++i)
		if (strchr(" \t\n\r\f\v", text[i]) == nullptr)
		{
			if (out->len > 0 && out->data[out->len - 1] != ' ')
				appendStringInfoChar(out, ' ');
			return;
		}
	appendBinaryStringInfo(out, text + from, to - from);
}

bool
is_of_a_word(char c) noexcept
{
	return isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$' || IS_HIGHBIT_SET(c);
}

// A parameter is a word of its own, which quotes need not be: date'now'AS then.
void
append_token(StringInfo out, const char *text, int length) noexcept
{
	if (out->len > 0 && is_of_a_word(text[0]) && is_of_a_word(out->data[out->len - 1]))
		appendStringInfoChar(out, ' ');
	appendBinaryStringInfo(out, text, length);
}

// False if it is not known how to go on: strings may have been meant in either way,
// and here these part.
bool
append_normalised(StringInfo out, const RawText &text, int parameter) noexcept
{
	Lexer lexer(text.bytes, true);
	Lexer old_way(text.standard_strings ? "" : text.bytes, false);
	int end = 0;

	while (const int token = lexer.next())
	{
		const int start = lexer.location;
		if (!text.standard_strings && !(old_way.next() == token && old_way.is_with(lexer)))
			return false;
		append_gap(out, text.bytes, end, start);
		end = lexer.token_end();
		if (is_literal(token))
		{
			char name[16];
			append_token(out, name, snprintf(name, sizeof(name), "$%d", ++parameter));
		}
		else
			append_token(out, text.bytes + start, end - start);
	}
	return true;
}

// A function's parameters are known only one by one.
unsigned
types_known(ParamListInfo parameters) noexcept
{
	if (parameters == nullptr)
		return 0;
	if (parameters->paramFetch != nullptr || parameters->numParams > static_cast<int>(parameter_types_kept))
		return types_unknown;
	return parameters->numParams;
}

} // namespace

TextPart
own_part(const char *source, int location, int length) noexcept
{
	const char *start = CleanQuerytext(source, &location, &length);

	return {start, length};
}

RawText
copy_text(TextPart part, ParamListInfo parameters, MemoryContext context) noexcept
{
	const bool cut = part.length > raw_text_bytes;
	const int length = cut ? pg_mbcliplen(part.start, part.length, raw_text_bytes) : part.length;
	const unsigned types = types_known(parameters);
	const char *const path = strlen(namespace_search_path) < search_path_bytes ? namespace_search_path : nullptr;
	const Size types_at = INTALIGN(length + 1 + (path == nullptr ? 0 : strlen(path) + 1));
	const Size size = types_at + (types == types_unknown ? 0 : types * sizeof(Oid));
	char *const copy = static_cast<char *>(MemoryContextAllocExtended(context, size, MCXT_ALLOC_NO_OOM));
	Oid *const copied_types = reinterpret_cast<Oid *>(copy + types_at);

	if (copy == nullptr)
		return {};
	memcpy(copy, part.start, length);
	copy[length] = '\0';
	if (path != nullptr)
		strcpy(copy + length + 1, path);
	for (unsigned i = 0; types != types_unknown && i < types; ++i)
		copied_types[i] = parameters->params[i].ptype;
	return {copy,
			standard_conforming_strings && !old_strings_seen,
			cut,
			static_cast<std::uint8_t>(types),
			GetUserId(),
			types == types_unknown ? nullptr : copied_types,
			path == nullptr ? nullptr : copy + length + 1};
}

TextTraits
traits_of(const RawText &text) noexcept
{
	TextTraits traits = {};

	traits.encoding = static_cast<std::uint8_t>(GetDatabaseEncoding());
	traits.standard_strings = text.standard_strings;
	traits.cut = text.cut;
	traits.parameter_count = text.parameter_count;
	if (text.parameter_types != nullptr)
		memcpy(traits.parameter_types, text.parameter_types, text.parameter_count * sizeof(Oid));
	traits.database = MyDatabaseId;
	traits.user = text.user;
	return traits;
}

std::uint32_t
length_of(const RawText &text) noexcept
{
	const char *const last = text.search_path == nullptr ? text.bytes : text.search_path;

	return static_cast<std::uint32_t>(last + strlen(last) - text.bytes);
}

char *
normalised(const RawText &text) noexcept
{
	int parameter = 0;
	bool complete = false;
	StringInfoData out;

	if (text.bytes == nullptr)
		return nullptr;
	initStringInfo(&out);
	attempt_in_memory([&]() noexcept { find_highest_parameter(text, parameter); });
	if (!attempt_in_memory([&]() noexcept { complete = append_normalised(&out, text, parameter); }) || !complete ||
		text.cut)
		appendStringInfoString(&out, "...");
	return out.data;
}

} // namespace remedy::observe
