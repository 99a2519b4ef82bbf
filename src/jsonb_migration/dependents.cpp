// The search goes from the column on through views, whose columns may be in other views, and so on.
//
// It is depth first, and each view is put before whatever was found below it: so each
// dependent comes after all that it hangs on.

#include "jsonb_migration/collecting.hpp"

extern "C" {
#include "catalog/dependency.h"
}

namespace remedy::jsonb_migration {

namespace {

struct Search
{
	List *found;   // of Dependent *
	List *views;   // Oids, of materialised ones too
	List *refused; // of Dependent *: whatever uses their row types
	List *tree;
	const char *shadow;
};

bool
is_view(const Dependent &dependent) noexcept
{
	return dependent.carrier == &view || dependent.carrier == &materialised_view;
}

bool
was_found(const Search &search, const Dependent &dependent) noexcept
{
	ListCell *cell;

	if (is_view(dependent))
		return list_member_oid(search.views, dependent.object);
	foreach (cell, search.found)
		if (const auto *other = static_cast<const Dependent *>(lfirst(cell));
			other->carrier == dependent.carrier && other->object == dependent.object &&
			strcmp(other->identity, dependent.identity) == 0)
			return true;
	return false;
}

// A check of our own, that ties the shadow to the column.
bool
is_guard(const Search &search, const Dependent &dependent) noexcept
{
	return dependent.carrier == &check && strncmp(dependent.name, search.shadow, strlen(search.shadow)) == 0;
}

void search_from(Search &search, Oid catalog, Oid object, int column) noexcept;

void
add(Search &search, Dependent *dependent) noexcept
{
	if (was_found(search, *dependent) || follows_parent(*dependent) || is_guard(search, *dependent))
		return;
	if (is_view(*dependent))
	{
		search.views = lappend_oid(search.views, dependent->object);
		search_from(search, RelationRelationId, dependent->object, any_column);
		search.refused = list_concat(search.refused, users_of_row_type(dependent->object));
	}
	search.found = lcons(dependent, search.found);
}

void
search_from(Search &search, Oid catalog, Oid object, int column) noexcept
{
	const List *const referring = referring_to(catalog, object, column);

	check_stack_depth();
	for (int i = list_length(referring) - 1; i >= 0; --i)
	{
		const auto *address = static_cast<const ObjectAddress *>(list_nth(referring, i));
		if (address->classId == RelationRelationId && list_member_oid(search.tree, address->objectId))
			continue; // partitions and children
		if (Dependent *const dependent = dependent_of(*address); dependent != nullptr)
			add(search, dependent);
	}
}

// Its own rules and triggers go with a view.
void
drop_parts_of_views(Search &search) noexcept
{
	ListCell *cell;

	foreach (cell, search.found)
		if (const auto *dependent = static_cast<const Dependent *>(lfirst(cell));
			!is_view(*dependent) && list_member_oid(search.views, dependent->relation))
			search.found = foreach_delete_current(search.found, cell);
}

void
describe(Scope &scope, Dependent &dependent) noexcept
{
	if (dependent.carrier->describe != nullptr)
		dependent.carrier->describe(scope, dependent);
	if (dependent.refusal == nullptr)
		dependent.refusal = lacking_rights(dependent);
	if (dependent.refusal != nullptr)
		dependent.new_definition = nullptr;
}

} // namespace

List *
find_dependents(Scope &scope) noexcept
{
	const bool swapped = is_swapped(*scope.target);
	Search search = {.tree = find_tables(*scope.target), .shadow = scope.target->shadow};
	ListCell *cell;

	for (int i = list_length(search.tree) - 1; i >= 0; --i)
		search_from(search, RelationRelationId, list_nth_oid(search.tree, i),
					get_attnum(list_nth_oid(search.tree, i), swapped ? scope.target->old : scope.target->column_name));
	drop_parts_of_views(search);
	search.found = list_concat(search.found, search.refused);
	search.found = list_concat(search.found, find_publications(*scope.target));
	search.found = list_concat(search.found, find_hazards(*scope.target));
	foreach (cell, search.tree)
		search.found = list_concat(search.found, find_users_of_rows(scope, lfirst_oid(cell), search.found));
	foreach (cell, search.found)
		describe(scope, *static_cast<Dependent *>(lfirst(cell)));
	return search.found;
}

} // namespace remedy::jsonb_migration
