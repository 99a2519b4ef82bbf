// What background workers, or an operator, run to make the indexes' twins.

#include "jsonb_migration/index_text.hpp"
#include "jsonb_migration/index_twins.hpp"

namespace remedy::jsonb_migration {

namespace {

// One that has become invalid is what a build left that was interrupted.
List *
commands_for(Oid original, const Mapping &mapping) noexcept
{
	const Oid twin = find_index_twin(original);
	const char *const name = name_of_twin(original);
	const char *full_name = quote_qualified_identifier(get_namespace_name(get_rel_namespace(original)), name);
	List *commands = NIL;
	Verdict verdict;

	if (get_rel_relkind(original) != RELKIND_INDEX)
		return NIL;
	if (OidIsValid(twin) && get_index_isvalid(twin))
		return index_targets(original, mapping, qualified_name(twin), twin);
	if (OidIsValid(twin))
		commands = lappend(commands, psprintf("DROP INDEX CONCURRENTLY %s", qualified_name(twin)));
	const char *const create = index_text(original, mapping, {.name = name, .concurrently = true}, verdict);
	if (verdict.refusal != nullptr)
		elog(ERROR, "%s", verdict.refusal);
	return list_concat(lappend(commands, const_cast<char *>(create)),
					   index_targets(original, mapping, full_name, InvalidOid));
}

} // namespace

List *
index_commands(const Scope &scope, const List *dependents) noexcept
{
	List *commands = NIL;
	ListCell *cell, *member;

	foreach (cell, dependents)
	{
		const auto *const dependent = static_cast<const Dependent *>(lfirst(cell));
		if (dependent->carrier == &index && dependent->refusal == nullptr)
			foreach (member, index_tree(dependent->object))
				commands = list_concat(commands, commands_for(lfirst_oid(member), scope.mapping));
	}
	return commands;
}

} // namespace remedy::jsonb_migration
