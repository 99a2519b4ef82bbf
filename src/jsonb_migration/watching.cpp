#include "jsonb_migration/watching.hpp"

extern "C" {
#include "utils/inval.h"
}

namespace remedy::jsonb_migration {

namespace {

List *watched = NIL;
bool changed;
bool registered = false;

void
on_relation(Datum, Oid relation)
{
	if (!OidIsValid(relation) || list_member_oid(watched, relation))
		changed = true;
}

void
on_rule_or_function(Datum, int, uint32)
{
	changed = true;
}

} // namespace

void
watch(const List *relations) noexcept
{
	const MemoryContext before = MemoryContextSwitchTo(TopMemoryContext);
	List *const old = watched;

	watched = list_copy(relations);
	list_free(old);
	MemoryContextSwitchTo(before);
	if (!registered)
	{
		CacheRegisterRelcacheCallback(on_relation, 0);
		CacheRegisterSyscacheCallback(RULERELNAME, on_rule_or_function, 0);
		CacheRegisterSyscacheCallback(PROCOID, on_rule_or_function, 0);
		registered = true;
	}
	AcceptInvalidationMessages();
	changed = false;
}

bool
has_changed() noexcept
{
	AcceptInvalidationMessages();
	return changed;
}

} // namespace remedy::jsonb_migration
