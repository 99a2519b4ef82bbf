// Views that use a table's rows as a whole and do not name the column: no dependency tells of them.

#include "jsonb_migration/collecting.hpp"
#include "jsonb_migration/view_settings.hpp"

extern "C" {
#include "catalog/pg_rewrite.h"
}

namespace remedy::jsonb_migration {

namespace {

bool
is_found(const List *dependents, Oid object) noexcept
{
	ListCell *cell;

	foreach (cell, dependents)
		if (static_cast<const Dependent *>(lfirst(cell))->object == object)
			return true;
	return false;
}

} // namespace

List *
find_users_of_rows(const Scope &scope, Oid table, const List *dependents) noexcept
{
	List *found = NIL;
	ListCell *cell;

	foreach (cell, referring_to(RelationRelationId, table, any_column))
	{
		const auto &address = *static_cast<const ObjectAddress *>(lfirst(cell));
		Dependent *const user = address.classId == RewriteRelationId ? dependent_of(address) : nullptr;
		if (user == nullptr || (user->carrier != &view && user->carrier != &materialised_view) ||
			is_found(dependents, user->object) || is_found(found, user->object))
			continue;
		user->carrier = &uncarried;
		user->refusal = rewrite(reinterpret_cast<Node *>(query_of_view(user->object)), scope.final).refusal;
		if (user->refusal != nullptr)
			found = lappend(found, user);
	}
	return found;
}

} // namespace remedy::jsonb_migration
