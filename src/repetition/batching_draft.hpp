// A batched query in the making, and its forms.
//
// Each form reads the original and writes a draft, or says no.  They raise errors: call them
// in attempt().

#pragma once

#include "repetition/batching_tree.hpp"

namespace remedy::repetition {

struct Draft
{
	Rewriting rewriting;
	char *tree_text; // of the new tree
	char alias[16];  // of what unnests the arrays
	StringInfoData out;
};

// A name that does not stand in the text.
void choose_name(const char *text, const char *wish, char *name, std::size_t size) noexcept;

// With arrays for the keys, which are used whole or by their elements.
void begin(Draft &draft, const Original &original, bool whole_arrays) noexcept;

// False if there is no tree.
bool write_tree(Draft &draft, Query *query) noexcept;

// A part of the new tree's text, up to an end, with the elements of arrays by their names.
void append_part(Draft &draft, const char *from, const char *end = nullptr) noexcept;

// unnest($1::bigint[], …) AS u(key, …)
void append_unnest(Draft &draft, bool with_ordinality) noexcept;

using Form = bool (*)(const Original &original, Draft &draft);

// The rows of all keys at once, told apart by the key's column.
bool write_select_any(const Original &original, Draft &draft) noexcept;

// Aggregates of each key's rows, and for the other keys what they are of no rows.
bool write_aggregates(const Original &original, Draft &draft) noexcept;

// The query for each key in turn: right for whatever it is.
bool write_lateral(const Original &original, Draft &draft) noexcept;

bool write_update(const Original &original, Draft &draft) noexcept;
bool write_delete(const Original &original, Draft &draft) noexcept;
bool write_insert(const Original &original, Draft &draft) noexcept;

} // namespace remedy::repetition
