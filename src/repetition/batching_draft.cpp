#include "repetition/batching_draft.hpp"

#include "repetition/batching_text.hpp"

extern "C" {
#include "utils/ruleutils.h"
}

namespace remedy::repetition {

void
choose_name(const char *text, const char *wish, char *name, std::size_t size) noexcept
{
	strlcpy(name, wish, size);
	for (int i = 1; count_words(text, name) > 0; ++i)
		snprintf(name, size, "%.*s_%d", static_cast<int>(size) - 12, wish, i);
}

void
append_part(Draft &draft, const char *from, const char *end) noexcept
{
	const char *const part = end == nullptr ? from : pnstrdup(from, end - from);

	replace_parameters(
		part, [&](const char *start, int length) { appendBinaryStringInfo(&draft.out, start, length); },
		[&](int number) {
			if (number > draft.rewriting.array_count || draft.rewriting.whole_arrays)
				appendStringInfo(&draft.out, "$%d", number);
			else
				appendStringInfo(&draft.out, "%s.%s", draft.alias,
								 quote_identifier(draft.rewriting.arrays[number - 1].name));
		});
}

void
append_unnest(Draft &draft, bool with_ordinality) noexcept
{
	const Rewriting &rewriting = draft.rewriting;

	appendStringInfoString(&draft.out, "unnest(");
	for (int i = 0; i < rewriting.array_count; ++i)
		appendStringInfo(&draft.out, "%s$%d::%s", i == 0 ? "" : ", ", i + 1,
						 format_type_be(get_array_type(rewriting.arrays[i].element)));
	appendStringInfo(&draft.out, ")%s AS %s(", with_ordinality ? " WITH ORDINALITY" : "", draft.alias);
	for (int i = 0; i < rewriting.array_count; ++i)
		appendStringInfo(&draft.out, "%s%s", i == 0 ? "" : ", ", quote_identifier(rewriting.arrays[i].name));
	appendStringInfoString(&draft.out, with_ordinality ? ", ord)" : ")");
}

void
begin(Draft &draft, const Original &original, bool whole_arrays) noexcept
{
	draft.rewriting.array_count = draft.rewriting.place_count = 0;
	draft.rewriting.original = &original;
	draft.rewriting.whole_arrays = whole_arrays;
	initStringInfo(&draft.out);
	add_keys(draft.rewriting);
}

bool
write_tree(Draft &draft, Query *query) noexcept
{
	if (query == nullptr)
		return false;
	draft.tree_text = pg_get_querydef(query, true);
	choose_name(draft.tree_text, "u", draft.alias, sizeof(draft.alias));
	return true;
}

} // namespace remedy::repetition
