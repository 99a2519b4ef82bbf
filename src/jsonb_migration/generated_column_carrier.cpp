// Columns that are generated from the column: not carried.
//
// A stored one can neither be computed from another column nor be added again without
// rewriting the table under ACCESS EXCLUSIVE.  The expression of a virtual one (from version 18
// on) cannot be changed in a table that has checks, which the migration's guards are.

#include "jsonb_migration/carrying.hpp"

namespace remedy::jsonb_migration {

namespace {

void
describe(Scope &, Dependent &dependent) noexcept
{
	const Oid relation = dependent.relation;
	const AttrNumber number = get_attnum(relation, dependent.name);
	const char *const column = quote_identifier(dependent.name);
	const char *const table = qualified_name(relation);
	const bool stored = get_attgenerated(relation, number) == ATTRIBUTE_GENERATED_STORED;
	Oid type, collation;
	int32 modifier;

	get_atttypetypmodcoll(relation, number, &type, &modifier, &collation);
	dependent.definition =
		psprintf("ALTER TABLE %s ADD COLUMN %s %s GENERATED ALWAYS AS (%s) %s", table, column,
				 format_type_with_typemod(type, modifier), print_expression(stored_default(relation, number), relation),
				 stored ? "STORED" : "VIRTUAL");
	dependent.refusal =
		stored
			? psprintf("a stored generated column cannot be computed from another column without rewriting the table; "
					   "make it a plain column (ALTER TABLE %s ALTER COLUMN %s DROP EXPRESSION) that a trigger fills",
					   table, column)
			: psprintf("the expression of a virtual generated column cannot be changed beside checks; drop %s, and "
					   "add it again after the migration",
					   column);
}

} // namespace

extern const Carrier generated_column = {"generated column", describe};

} // namespace remedy::jsonb_migration
