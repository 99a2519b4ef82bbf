// What a migration will take, and what ALTER TABLE … TYPE jsonb would: time, WAL, disk.
//
// One sample of documents is converted, which gives the size they will have and the rate of
// this machine as busy as it is now; the rest is arithmetic (estimate_model).  Meant to be
// right within a quarter; it knows nothing of load that comes later, nor how much disk is free.

#pragma once

#include "jsonb_migration/estimate_model.hpp"
#include "jsonb_migration/target.hpp"

namespace remedy::jsonb_migration {

struct Estimate
{
	double rows;
	double heap_bytes; // with TOAST, of all leaves
	double index_bytes;
	double json_bytes;      // of a document as it is stored, not null, on average
	double jsonb_bytes;     // the same as jsonb
	double rows_per_second; // of the backfill while it does not rest
	int sampled;            // documents converted
	int refused;            // of these, by jsonb
	Cost migration;
	Cost alter;         // its stall is all of its time
	const char *offer;  // the one command, where plain ALTER fits the permitted stall; else null
	const char *remark; // in words: what disk is needed, why there is no offer, what the sample lacks
};

// The dependents are those of find_dependents: twins are built and the others altered in the
// swap; any but indexes and defaults keep plain ALTER from being offered.  Reads the sample as
// the current user, who must be allowed to; takes at most a second or so, and ACCESS SHARE.
// A document that jsonb refuses is counted, no error.
Estimate estimate(const Target &target, const List *dependents, const Intentions &intentions) noexcept;

} // namespace remedy::jsonb_migration
