// Which indexes one query could gain from, by rule; whether it does, is the planner's to say.
//
// The rules read what the planner knows of each table by the time that it looks for ways
// to scan it: subqueries and views are pulled up by then, conditions pushed down and
// simplified, equalities drawn together, orders stripped of what is constant.  So each
// form of a statement that the planner can see through is seen through here.
//
// All memory is palloc'd, in the context current at the call.

#pragma once

#include "index_advice/definition.hpp"
#include "server/headers.hpp"

namespace remedy::index_advice {

inline constexpr int candidates_of_query = 24;

// Why a candidate is one: bits.
inline constexpr unsigned by_equality = 1 << 0;
inline constexpr unsigned by_range = 1 << 1;
inline constexpr unsigned by_order = 1 << 2; // ORDER BY, DISTINCT, GROUP BY, min() or max()
inline constexpr unsigned by_join = 1 << 3;
inline constexpr unsigned by_alternative = 1 << 4; // one arm of an OR: of use with the indexes of its other arms only
inline constexpr unsigned by_search = 1 << 5;      // containment, full text, trigrams: what B-trees cannot do
inline constexpr unsigned is_partial = 1 << 6;
inline constexpr unsigned is_covering = 1 << 7;
inline constexpr unsigned on_expression = 1 << 8;

struct Proposal
{
	Definition definition;
	unsigned reasons;
	int alternatives;   // number of the OR, within the query, whose arm it is; 0: none
	Bitmapset *columns; // that it holds, or its expressions and predicate read; numbered as by pull_varattnos()
	double promise;     // the most promising come first
};

// Why a condition gets no index.  For the words "no advice because " to stand before.
struct Refusal
{
	Oid relation;
	const char *table;
	const char *text;
};

struct Proposals
{
	Proposal *items; // at most candidates_of_query from one query
	int count;
	Refusal *refusals;
	int refusal_count;
};

// Whether a constant that the query compares this column with is the same in each run.
// Without evidence that is assumed where the column has few different values: the
// constant stands in the query, and is no parameter.
struct Evidence
{
	bool (*recurs)(Oid relation, AttrNumber column, Oid operation, const Const *value, void *context); // may be null
	void *context;
};

// The query is analysed and rewritten, and is not changed.  It is planned once; raises what
// the planner raises.
void propose(const Query *query, const Evidence &evidence, Proposals &out) noexcept;

// ---- Indexes that exist ----------------------------------------------------------------

struct ExistingIndex
{
	Oid index;
	Definition definition; // without free parts
	bool unique;
	bool immediate; // uniqueness is not put off to the end of the transaction
	bool primary;
	bool constraint; // it belongs to one
	bool valid;      // also ready, and not being dropped
};

// Of a table that is open, or locked; exact: the texts are those that propose() writes.
// Indexes of more parts or columns than a Definition holds are cut.
int existing_indexes(Oid relation, ExistingIndex *&indexes) noexcept;

// CREATE INDEX …, as a text of the server's.
char *ddl_of(const Definition &definition, bool concurrently) noexcept;

} // namespace remedy::index_advice
