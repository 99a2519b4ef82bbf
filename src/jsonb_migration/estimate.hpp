// What a migration will take, and what ALTER TABLE … TYPE jsonb would: time, WAL, disk.
//
// One sample of documents is converted, which gives the size they will have and the rate of
// this machine as busy as it is now; the rest is arithmetic (estimate_model).  Meant to be
// right within a quarter; it knows nothing of load that comes later, nor how much disk is free.

#pragma once

#include "jsonb_migration/target.hpp"

namespace remedy::jsonb_migration {

struct Cost
{
	double seconds;      // all of it, rests included
	double stall_ms;     // the longest that others wait, if locks are free at once
	double wal_bytes;    // with full-page images
	double peak_bytes;   // disk that is needed besides what is used now, without the WAL
	double sort_bytes;   // part of the peak: what sorts of index builds put aside for a time
	double end_bytes;    // table, TOAST and indexes at its end
	double repack_bytes; // of these, what a rewrite (VACUUM FULL) would give back
};

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

struct Intentions
{
	double rest_share;         // of the backfill's time, 0 to below 1
	double permitted_stall_ms; // 0: plain ALTER is never offered
	bool vacuum;               // paced into the backfill
};

// The dependents are those of find_dependents: twins are built and the others altered in the
// swap; any but indexes and defaults keep plain ALTER from being offered.  Reads the sample as
// the current user, who must be allowed to; takes at most a second or so, and ACCESS SHARE.
// A document that jsonb refuses is counted, no error.
Estimate estimate(const Target &target, const List *dependents, const Intentions &intentions) noexcept;

} // namespace remedy::jsonb_migration
