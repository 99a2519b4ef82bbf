// What is known of scans, to be read by other rooms: how much each statement reads of each
// table, by which conditions, and which constants recur.

#pragma once

#include "scans/scan_table.hpp"

namespace remedy::scans {

// One way in which a statement reads a table.
struct Evidence
{
	// Whose, of which table, how, under which conditions; what samples know of its rows and
	// constants.  Of Method::volume there are no samples, and no conditions are known.
	const Entry *entry;

	// Exactly, of sequential scans: those begun and their rows.  Where a statement reads a
	// table in several ways their sum is exact, split as the samples tell.
	bool counted; // false: not known
	std::uint64_t scans;
	std::uint64_t rows_read;
};

struct EvidenceList
{
	Evidence *first; // by fingerprint
	int count;
	Others others; // that found no room, of all databases

	const Evidence *begin() const noexcept { return first; }
	const Evidence *end() const noexcept { return first + count; }

	// Those of one statement, whoever ran it.
	EvidenceList of(std::uint64_t fingerprint) const noexcept;
};

// In the current memory context, of all databases or of this one.
EvidenceList read_all_evidence() noexcept;
EvidenceList read_evidence() noexcept;

enum class Recurrence : std::uint8_t
{
	unknown, // too few samples, or none
	varies,
	recurs, // the same one in all of them
};

// What is known of the constant at a condition's place, of which this is one.  The operator has
// the column on its left.
Recurrence recurrence_of(const EvidenceList &evidence, std::uint64_t fingerprint, Oid relation, AttrNumber column,
						 Oid operation, const Const *constant) noexcept;

// The hash of the one that recurs there; unknown_constant if none does.
ConstantHash recurring_constant(const EvidenceList &evidence, std::uint64_t fingerprint, Oid relation,
								AttrNumber column, Oid operation) noexcept;

// Finds the column's value that has the hash among those that its statistics tell are
// common, for a user who may see these in pg_stats; of an index, the common values of its
// expression.  The value is of the column's type, in the current memory context.  False if it
// is not there.
bool recover_constant(Oid relation, AttrNumber column, ConstantHash hash, Datum &value, Oid &type) noexcept;

} // namespace remedy::scans
