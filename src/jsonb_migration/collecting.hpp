// The parts of the search for dependents.

#pragma once

#include "jsonb_migration/dependents.hpp"

extern "C" {
#include "catalog/objectaddress.h"
}

namespace remedy::jsonb_migration {

// What refers to an object, or to one column of a relation, as pg_depend knows; each once,
// the oldest first.
constexpr int any_column = -1;
List *referring_to(Oid catalog, Oid object, int column) noexcept; // of ObjectAddress *

// Null: of no concern (a part of the table itself, or seen to elsewhere).
Dependent *dependent_of(const ObjectAddress &address) noexcept;

Dependent *refused(const ObjectAddress &address, Oid relation, const char *refusal) noexcept;

// Refused for other reasons than what hangs on the column itself: users of the row type, foreign
// partitions, names that are taken ...
List *find_hazards(const Target &target) noexcept; // of Dependent *

// Who cannot live with another row type of the table, or with a view's twin for it.
List *users_of_row_type(Oid relation) noexcept; // of Dependent *

// Views that use whole rows of the table and are none of these dependents.
List *find_users_of_rows(const Scope &scope, Oid table, const List *dependents) noexcept; // of Dependent *

// Why the caller may not carry it over; null: he may.
const char *lacking_rights(const Dependent &dependent) noexcept;

// What the swap locks for something on this relation; null for a table of the tree.
const char *lock_besides(const Scope &scope, Oid relation) noexcept;

// Analyses a query of ours, and does not run it.
void prove_query(const char *query) noexcept;

// ---- The rehearsal ---------------------------------------------------------------

// An empty copy of any relation, which the mapping knows from then on.
Oid copy_of(Scope &scope, Oid relation) noexcept;

struct Failure
{
	const Dependent *dependent;
	const ErrorData *error;
};

// Each of those that are not refused is tried on its own; all is undone.
List *rehearse_each(const Target &target, const List *dependents) noexcept; // of Failure *

} // namespace remedy::jsonb_migration
