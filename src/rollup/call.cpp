#include "rollup/call.hpp"

#include <string_view>

#include "rollup/texts.hpp"

extern "C" {
#include "utils/ruleutils.h"
}

namespace remedy::rollup {

namespace {

List *
texts_in(ArrayType *array) noexcept
{
	Datum *elements;
	int count;
	List *texts = NIL;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, nullptr, &count);
	for (int i = 0; i < count; ++i)
		texts = lappend(texts, TextDatumGetCString(elements[i]));
	return texts;
}

bool
is_word(char byte) noexcept
{
	return isalnum(static_cast<unsigned char>(byte)) || byte == '_' || byte == '$' || IS_HIGHBIT_SET(byte);
}

// To where what is quoted here ends.
const char *
skip_quoted(const char *text) noexcept
{
	const char *const end = strchr(text + 1, *text);

	return end == nullptr ? text + strlen(text) : end + 1;
}

// What the columns k1…, v1…, f1… of a text stand for.
struct Meanings
{
	List *texts[3]; // of char *: of k, v, f

	const char *of(const char *word, int length) const noexcept
	{
		static constexpr char letters[] = "kvf";
		const char *const letter = strchr(letters, *word);
		const int number = letter == nullptr ? 0 : atoi(word + 1);

		if (number == 0 || psprintf("%c%d", *word, number) != std::string_view(word, length))
			return nullptr;
		List *const list = texts[letter - letters];
		return number > list_length(list) ? nullptr : static_cast<const char *>(list_nth(list, number - 1));
	}
};

const char *
filled(const char *text, const Meanings &meanings) noexcept
{
	StringInfoData result;
	const char *end;

	initStringInfo(&result);
	for (; *text != '\0'; text = end)
	{
		const char *meaning = nullptr;

		end = text + 1;
		if (*text == '\'' || *text == '"')
			end = skip_quoted(text);
		else if (is_word(*text))
		{
			while (is_word(*end))
				++end;
			meaning = meanings.of(text, end - text);
		}
		if (meaning != nullptr)
			appendStringInfoString(&result, meaning);
		else
			appendBinaryStringInfo(&result, text, end - text);
	}
	return result.data;
}

// ---- Expressions of the source --------------------------------------------------

Meanings
meanings_of(const Rollup &rollup, const char **time) noexcept
{
	List *const context = deparse_context_for(get_rel_name(rollup.source), rollup.source);
	Meanings meanings = {};
	const ListCell *cell;

	foreach (cell, row_expressions(rollup))
	{
		const TargetEntry *const entry = lfirst_node(TargetEntry, cell);
		char *const text = deparse_expression(reinterpret_cast<Node *>(entry->expr), context, false, false);
		const int place = foreach_current_index(cell) - 2;

		if (place == -2)
			*time =
				IsA(entry->expr, Var) ? get_attname(rollup.source, castNode(Var, entry->expr)->varattno, false) : text;
		else if (place >= 0)
		{
			List *&list = meanings.texts[place < rollup.keys ? 0 : place < rollup.keys + rollup.values ? 1 : 2];
			list = lappend(list, text);
		}
	}
	return meanings;
}

// Those of its base's view, for a level.
List *
names_of(Oid view, int count) noexcept
{
	List *names = NIL;

	for (int i = 0; i < count; ++i)
		names = lappend(names, const_cast<char *>(quote_identifier(get_attname(view, i + 2, false))));
	return names;
}

// ---- The call -------------------------------------------------------------------

// With the name that its column has in the view.
char *
named(const char *expression, Oid view, int column) noexcept
{
	const char *const name = quote_identifier(get_attname(view, column, false));

	return strcmp(name, expression) == 0 ? pstrdup(name) : psprintf("%s AS %s", expression, name);
}

const char *
without_schema(const char *call) noexcept
{
	constexpr std::string_view schema = "pg_catalog.";

	return strncmp(call, schema.data(), schema.size()) == 0 ? call + schema.size() : call;
}

const char *
array_of(const List *texts) noexcept
{
	StringInfoData array;
	const ListCell *cell;

	initStringInfo(&array);
	foreach (cell, texts)
		appendStringInfo(&array, "%s%s", array.len == 0 ? "" : ", ",
						 quote_literal_cstr(static_cast<const char *>(lfirst(cell))));
	return texts == NIL ? "'{}'" : psprintf("ARRAY[%s]", array.data);
}

const char *
text_of(const Rollup &rollup, const Call &call, const char *time) noexcept
{
	const bool level = OidIsValid(rollup.base);
	const bool zoned = rollup.time_zone != nullptr;

	return psprintf(
		"SELECT remedy.create_rollup(%s, %s, time_column => %s, bucket => '%s', keys => %s, measures => %s%s%s)",
		quote_literal_cstr(qualified(rollup.view)), quote_literal_cstr(qualified(level ? rollup.base : rollup.source)),
		quote_literal_cstr(level ? get_attname(rollup.base, 1, false) : time), name_of(rollup.unit),
		array_of(call.keys), array_of(call.measures), zoned ? ", time_zone => " : "",
		zoned ? quote_literal_cstr(rollup.time_zone) : "");
}

} // namespace

Call
call_of(const Rollup &rollup, ArrayType *keys, ArrayType *measures) noexcept
{
	const char *time;
	const Meanings meanings = meanings_of(rollup, &time);
	Call call = {};
	const ListCell *cell;
	int column = 1;

	if (!OidIsValid(rollup.base))
		foreach (cell, meanings.texts[0])
			call.keys = lappend(call.keys, named(static_cast<const char *>(lfirst(cell)), rollup.view, ++column));
	else
	{
		const Meanings base = {{names_of(rollup.base, rollup.keys), NIL, NIL}};
		foreach (cell, texts_in(keys))
			call.keys =
				lappend(call.keys, named(filled(static_cast<const char *>(lfirst(cell)), base), rollup.view, ++column));
	}
	foreach (cell, texts_in(measures))
		call.measures =
			lappend(call.measures, named(without_schema(filled(static_cast<const char *>(lfirst(cell)), meanings)),
										 rollup.view, ++column));
	call.text = text_of(rollup, call, time);
	return call;
}

} // namespace remedy::rollup
