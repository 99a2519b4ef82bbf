// Predicates in words, as far as their table is in this database and still there.

#pragma once

#include "scans/predicate.hpp"
#include "server/headers.hpp"

namespace remedy::scans {

// A condition in short: its column and operator.
Datum short_words(Oid relation, const Clause &clause) noexcept;

// Those for which wanted(clause, number) is true, as text[].
template <class Wanted>
Datum
words_for(Oid relation, const Predicate &predicate, Wanted &&wanted) noexcept
{
	Datum texts[clauses_per_predicate];
	int count = 0;

	for (int i = 0; i < predicate.count; ++i)
		if (wanted(predicate.clauses[i], i))
			texts[count++] = short_words(relation, predicate.clauses[i]);
	return PointerGetDatum(construct_array(texts, count, TEXTOID, -1, false, TYPALIGN_INT));
}

// All but those of the index, as SQL would have them: ? stands for a constant, $ for
// a parameter, ... for what cannot be told.
const char *predicate_text(Oid relation, const Predicate &predicate) noexcept;

} // namespace remedy::scans
