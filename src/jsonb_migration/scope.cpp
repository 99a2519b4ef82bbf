// What stands for what while dependents are carried.

#include <new>

#include "jsonb_migration/collecting.hpp"

namespace remedy::jsonb_migration {

namespace {

void
add_table(Scope &scope, Oid table) noexcept
{
	const bool swapped = is_swapped(*scope.target);
	const Target &target = *scope.target;
	const AttrNumber column = get_attnum(table, swapped ? target.old : target.column_name);
	const AttrNumber shadow = get_attnum(table, swapped ? target.column_name : target.shadow);
	const auto add_to = [table, column](Mapping &mapping, AttrNumber twin_column) noexcept {
		mapping.relations =
			lappend(mapping.relations, new (palloc(sizeof(MappedRelation))) MappedRelation{table, table});
		if (twin_column != InvalidAttrNumber)
			mapping.columns =
				lappend(mapping.columns, new (palloc(sizeof(MappedColumn))) MappedColumn{table, column, twin_column});
	};

	add_to(scope.mapping, shadow);
	add_to(scope.final, column);
}

} // namespace

Scope
scope_of(const Target &target) noexcept
{
	Scope scope = {.target = &target, .table = target.table};
	ListCell *cell;

	foreach (cell, find_tables(target))
		add_table(scope, lfirst_oid(cell));
	return scope;
}

Oid
twin_of(const Mapping &mapping, Oid relation) noexcept
{
	ListCell *cell;

	foreach (cell, mapping.relations)
		if (const auto *mapped = static_cast<const MappedRelation *>(lfirst(cell)); mapped->relation == relation)
			return mapped->twin;
	return relation;
}

const char *
name_of_twin(Oid object) noexcept
{
	return psprintf("remedy_json_%u", object);
}

const char *
name_of_original(Oid object) noexcept
{
	return psprintf("remedy_old_%u", object);
}

const char *
lock_besides(const Scope &scope, Oid relation) noexcept
{
	return list_member_oid(find_tables(*scope.target), relation)
			   ? nullptr
			   : psprintf("ACCESS EXCLUSIVE on %s", qualified_name(relation));
}

void
prove_query(const char *query) noexcept
{
	SPI_connect();
	if (SPI_prepare(query, 0, nullptr) == nullptr)
		elog(ERROR, "could not prepare: %s", query);
	SPI_finish();
}

} // namespace remedy::jsonb_migration
