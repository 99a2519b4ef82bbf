#include "observe/query_text.hpp"

#include "observe/text_store.hpp"
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

namespace {

struct Lexer
{
	core_yyscan_t scanner;
	core_yy_extra_type extra;
	core_YYSTYPE value;
	YYLTYPE location;

	explicit Lexer(const RawText &text) noexcept
	{
		scanner = scanner_init(text.bytes, &extra, &ScanKeywords, ScanKeywordTokens);
		extra.standard_conforming_strings = text.standard_strings;
		// The text was accepted once; its style is not judged again.
		extra.backslash_quote = BACKSLASH_QUOTE_ON;
		extra.escape_string_warning = false;
	}

	int next() noexcept { return core_yylex(&value, &location, scanner); }

	// The scanner ends each token with a NUL in its own copy of the text.
	int token_end() const noexcept { return location + static_cast<int>(strlen(extra.scanbuf + location)); }

	void finish() noexcept { scanner_finish(scanner); }
};

// Of the tokens up to the first that the lexer refuses.
void
find_highest_parameter(const RawText &text, int &highest) noexcept
{
	Lexer lexer(text);

	while (const int token = lexer.next())
		if (token == PARAM)
			highest = Max(highest, lexer.value.ival);
	lexer.finish();
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

void
append_normalised(StringInfo out, const RawText &text, int parameter) noexcept
{
	Lexer lexer(text);
	int end = 0;

	while (const int token = lexer.next())
	{
		const int start = lexer.location;
		append_gap(out, text.bytes, end, start);
		end = lexer.token_end();
		if (is_literal(token))
			appendStringInfo(out, "$%d", ++parameter);
		else
			appendBinaryStringInfo(out, text.bytes + start, end - start);
	}
	lexer.finish();
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
	const Size types_at = INTALIGN(length + 1);
	const Size size = types_at + (types == types_unknown ? 0 : types * sizeof(Oid));
	char *const copy = static_cast<char *>(MemoryContextAllocExtended(context, size, MCXT_ALLOC_NO_OOM));
	Oid *const copied_types = reinterpret_cast<Oid *>(copy + types_at);

	if (copy == nullptr)
		return {};
	memcpy(copy, part.start, length);
	copy[length] = '\0';
	for (unsigned i = 0; types != types_unknown && i < types; ++i)
		copied_types[i] = parameters->params[i].ptype;
	return {copy,
			standard_conforming_strings,
			cut,
			static_cast<std::uint8_t>(types),
			GetUserId(),
			types == types_unknown ? nullptr : copied_types};
}

char *
normalised(const RawText &text) noexcept
{
	int parameter = 0;
	StringInfoData out;

	if (text.bytes == nullptr)
		return nullptr;
	initStringInfo(&out);
	attempt([&]() noexcept { find_highest_parameter(text, parameter); });
	if (!attempt([&]() noexcept { append_normalised(&out, text, parameter); }) || text.cut)
		appendStringInfoString(&out, "...");
	return out.data;
}

} // namespace remedy::observe
