// What hangs on the column, and how each kind of it is carried over to the new one.
//
// Kinds come in two sorts.  A *twin* is made beside the original before the swap, under the
// name remedy_json_<oid of the original>; the swap then renames both (the original becomes
// remedy_old_<its oid>), and undo renames them back: views, materialised views, indexes, checks, extended
// statistics.  What is altered *in place* gets its new definition in the swap, and its old one
// in undo: defaults, policies, rules, triggers, functions with a parsed body, publications.
//
// The originals of twins stay, under their new names, until the migration is finished.
//
// What is a dependent of its own: defaults, generated columns, policies, rules, statistics and
// publications of each table of the tree; checks, indexes and triggers without those that a partition or
// child has from its parent, which their carrier sees to.  What belongs to a view or a materialised
// view (grants, comments, defaults, triggers, rules, indexes) is no dependent: the view's carrier takes it along.

#pragma once

#include "jsonb_migration/rewriting.hpp"
#include "jsonb_migration/target.hpp"

namespace remedy::jsonb_migration {

struct Carrier;

// Plain data, as it is kept with the migration (remedy.json_migration_object).
struct Dependent
{
	const Carrier *carrier;     // its kind
	Oid object;                 // in the kind's catalog
	Oid relation;               // the table or view that it belongs to, or is; 0: none
	const char *schema;         // of a twin: where it is; unquoted
	const char *name;           // unquoted, as it is called when all is well
	const char *identity;       // for people: index public.i, policy p on table public.t
	const char *definition;     // SQL that makes it as it is today
	const char *new_definition; // SQL that makes it as it will be, with the same names; null if refused
	const char *lock;    // what the swap locks for it: ACCESS EXCLUSIVE on public.v; null: nothing besides the table
	const char *refusal; // why it cannot be carried; else null
	const char *remark;  // what the user should know; else null
};

// What is real and what is a twin, while dependents are carried.
struct Scope
{
	const Target *target;
	Oid table;              // that the twins are made for: the table itself, or its empty copy in a rehearsal
	bool rehearsal;         // the copy's: nothing outside of it is altered
	bool subscribers_ready; // as the user says: they have the shadow, and the old column under its later name
	Mapping mapping;        // for twins: the column is the shadow; grows with each view's twin
	Mapping final;          // for definitions as they will be: real names and numbers, jsonb for json
};

// Both mappings have all tables of the tree; mapping.columns only those that have the shadow by now.
Scope scope_of(const Target &target) noexcept;

// What the relation is mapped to (a table's copy, a view's twin), or itself.
Oid twin_of(const Mapping &mapping, Oid relation) noexcept;

// Unquoted, but nothing in them needs quotes: remedy_json_<oid>, remedy_old_<oid>.
const char *name_of_twin(Oid object) noexcept;
const char *name_of_original(Oid object) noexcept;

// Each may be null: then there is nothing to do at that moment.  All raise errors; all SQL runs
// with the caller's rights.  Each may be called again after a crash: what is done already is left.
//
// In the rehearsal each table of the tree has an empty copy, and mapping.relations says which: with
// the same column numbers and names, the shadow as one more, and a primary key, in the table's schema if the
// caller may create there and else in pg_temp.  Twins are made as for the table itself.
struct Carrier
{
	const char *kind;
	// Fills definition, new_definition, lock, refusal, remark; object, relation, schema, name
	// and identity are there.  Adds to final.columns the columns of a view that become jsonb.
	void (*describe)(Scope &scope, Dependent &dependent) noexcept;
	void (*build)(
		Scope &scope,
		const Dependent &dependent) noexcept; // makes the twin; in the rehearsal, also proves what is in place
	void (*validate)(Scope &scope, const Dependent &dependent) noexcept; // a twin that is made unproved (checks)
	void (*swap)(Scope &scope, const Dependent &dependent) noexcept;     // the column has its new name already
	void (*undo)(Scope &scope, const Dependent &dependent) noexcept;     // the column has its old name again
	void (*finish)(Scope &scope, const Dependent &dependent) noexcept;   // drops the original of a twin
	void (*abandon)(Scope &scope, const Dependent &dependent) noexcept;  // drops the twin, if it is there
};

// What most of those that are altered in place do: the definition is the command.
void swap_in_place(Scope &scope, const Dependent &dependent) noexcept;
void undo_in_place(Scope &scope, const Dependent &dependent) noexcept;

extern const Carrier column_default, check, index, statistics, trigger, publication,
	generated_column;                                                 // stored with the table
extern const Carrier view, materialised_view, function, policy, rule; // that refer to it
extern const Carrier uncarried;                                       // whatever else hangs on it: always refused

// All, each after what it hangs on; recursively, through views.  Described.
List *find_dependents(Scope &scope) noexcept; // of Dependent *

// For the collector.  Whether it is a parent's and goes with that: an inherited check, the index of a
// partition, a partition's clone of a trigger.  Needs carrier and object.
bool follows_parent(const Dependent &dependent) noexcept;

// Publications of any table of the tree that name no columns, for which there are no dependencies: object is 0, the
// name is the publication's.  Not yet described.
List *find_publications(const Target &target) noexcept; // of Dependent *

// Makes the twins and the altered ones on an empty copy of the table and undoes all of it;
// raises the error of the first that cannot be made.  Nothing on the table itself is locked
// but in ACCESS SHARE.
void rehearse(const Target &target) noexcept;

// CREATE INDEX CONCURRENTLY and its like, each one command of a background worker: for the
// indexes that have no valid twin yet.  Drops invalid twins' remains by the commands as well.
// Those of partitions are attached to their parent's in the swap.
List *index_commands(const Scope &scope, const List *dependents) noexcept; // of const char *

} // namespace remedy::jsonb_migration
