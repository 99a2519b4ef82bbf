// The columns that a statement's equality conditions fix, from its analysed tree.
//
// Plans lose conditions, and the analysis does not run again when a prepared
// statement does: so the columns are taken once per shape, and the constants, for
// clients that write values into the text, at each analysis.

#pragma once

#include "repetition/shapes.hpp"
#include "repetition/value_filter.hpp"
#include "server/headers.hpp"

namespace remedy::repetition {

// A hash of the relations that the query names.  From version 18 on fingerprints are
// made of names: one may stand for tables of several schemas, one after another.
std::uint32_t relations_of(const Query *query) noexcept;

// Fills in the shape's keys and kind.  Looks things up in the catalogs.
void describe(const Query *query, Shape &shape) noexcept;

// The analysed tree of the prepared statement that the client's portal runs, if it
// has a name and this fingerprint; otherwise null.
const Query *prepared_query(std::uint64_t fingerprint) noexcept;

// The values of the shape's constant keys in this tree; 0 for the others.
void constant_values(const Query *query, const Shape &shape, ValueHash *values) noexcept;

// The condition of a key (KeyColumn::ordinal) in a tree of its shape, if it compares by an
// operator; otherwise null.
OpExpr *condition_of(const Query *query, unsigned ordinal) noexcept;

// The node below casts that keep different values different.
Node *without_casts(Node *node) noexcept;

} // namespace remedy::repetition
