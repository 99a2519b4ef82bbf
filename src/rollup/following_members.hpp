// The rows of remedy.rollup_member, and what hangs on a member: its triggers, and the times that its bounds allow.
//
// They are read in the latest snapshot, as catalogs are, whatever the transaction's isolation is: who has locked a
// table must see who captures it now.  A member's row is written under a lock of the table that conflicts with itself,
// so nobody else writes it at the same time; and by plain insertions, which need no right and meet no search_path.

#pragma once

#include "rollup/definition.hpp"

namespace remedy::rollup {

struct Member
{
	Oid table;
	Oid source;
	bool armed;
	bool has_first, has_end;
	TimestampTz first, end; // first <= time < end; times without a zone as if they were UTC
};

Oid table_of_rollups(const char *name) noexcept; // of the schema remedy; invalid while the extension is being dropped

bool there_are_rollups() noexcept;
bool find_member(Oid table, Member &member) noexcept;
List *members_of(Oid source) noexcept; // of Member *
void add_member(const Member &member) noexcept;
void set_armed(Oid table, bool armed) noexcept;
void forget_member(Oid table) noexcept;

// Sets first and end.  Bounds are those of the source's first partitioning column, if that is a time and its values are
// compared as usual: marks for a rollup over another time column are for everything.
void find_bounds(Member &member) noexcept;

// All rollups of the member's source are to be recomputed where it may have rows.
void mark_member(const Member &member) noexcept;

// The four triggers.  Null, or what is wrong with one of them, as a clause.
const char *trouble_with_triggers(Oid table) noexcept;
void make_triggers(Oid table) noexcept; // those that are missing, disabled or altered; waits for writers
void drop_triggers(Oid table) noexcept;
bool is_name_of_ours(const char *trigger) noexcept;

} // namespace remedy::rollup
