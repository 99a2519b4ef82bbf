// How a statement is planned with values that an application would really use.
//
// A plan for any values tells little: it takes each value for as frequent as all others,
// and sees no pattern's beginning.  So a statement is planned with up to three sets of
// values, as the server would for a client that gave them: observed ones where they are
// known, else a common, a middle and a rare one of the column's statistics.  Constants
// that always recur stay; others are treated as if they were parameters.

#pragma once

#include <cstdint>

#include "observe/replannable.hpp"
#include "scans/evidence.hpp"
#include "server/headers.hpp"

namespace remedy::index_advice {

struct Variant
{
	Query *query; // not to be changed: it may be the one given
	ParamListInfo values;
	double weight; // 1 for all variants of a statement together
};

constexpr int variant_limit = 3;

using scans::Recurrence;

// What was observed of the constants of a statement's text.
struct ConstantEvidence
{
	// The operator has the column on its left if it has a commutator; the column is 0 for
	// an expression.  Null if nothing was observed.
	Recurrence (*recurrence)(Oid relation, AttrNumber column, Oid operation, const Const *value, void *context);
	void *context;
};

// A run that is known exactly.
struct ObservedRun
{
	const Query *query;   // of its text, with its constants; null: the statement's
	ParamListInfo values; // null: none.  Those without a type, and nulls, are not known
};

// Returns how many variants there are: at least one.  Observed runs come first, the most
// important first; of constants of which nothing was observed the first variant has those of
// the text.  Values that nothing is known of are left open.  Never nulls; LIMIT 20, OFFSET 0.
// The relations are locked.  In the current memory context.
int make_variants(const Query *query, int parameter_count, const ObservedRun *runs, int run_count,
				  const ConstantEvidence &evidence, Variant (&variants)[variant_limit]) noexcept;

// The same for a query of an analysed form, whose samples are the observed runs, the
// newest first.  While the form's surroundings hold, and in a subtransaction.
int make_variants(const observe::Replannable &form, const observe::Analysed &analysed, const Query *query,
				  const ConstantEvidence &evidence, Variant (&variants)[variant_limit]) noexcept;

} // namespace remedy::index_advice
