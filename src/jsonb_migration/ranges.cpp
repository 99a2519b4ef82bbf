#include "jsonb_migration/ranges.hpp"

#include <new>

#include "server/keeper.hpp"
#include "jsonb_migration/shadow_trigger.hpp"

namespace remedy::jsonb_migration {

namespace {

int64
blocks(BlockNumber number) noexcept
{
	return number;
}

const char *
beside(const Target &target) noexcept
{
	return is_swapped(target) ? target.old : target.shadow;
}

} // namespace

void
keep_whole_ranges(const Target &target) noexcept
{
	keep("DELETE FROM remedy.json_migration_range WHERE migration = $1", {target.migration});
	add_new_leaves(target);
}

// One that left the tree and came back was written without the trigger meanwhile.
int
add_new_leaves(const Target &target) noexcept
{
	int added = 0;
	ListCell *cell;

	foreach (cell, find_leaves(target))
	{
		const Oid leaf = static_cast<const Leaf *>(lfirst(cell))->table;
		const Oid trigger = trigger_of(target, leaf, beside(target));
		keep("DELETE FROM remedy.json_migration_range WHERE migration = $1 AND leaf = $2 AND $3 <> "
			 "(SELECT in_step_by FROM remedy.json_migration_range WHERE migration = $1 AND leaf = $2 AND number = 0)",
			 {target.migration, leaf, trigger});
		added +=
			keep("INSERT INTO remedy.json_migration_range (migration, leaf, number, next_block, end_block, in_step_by) "
				 "VALUES ($1, $2, 0, 0, $3, $4) ON CONFLICT DO NOTHING",
				 {target.migration, leaf, blocks(blocks_of(leaf)), trigger});
	}
	return added;
}

void
note_triggers(const Target &target) noexcept
{
	ListCell *cell;

	foreach (cell, find_leaves(target))
	{
		const Oid leaf = static_cast<const Leaf *>(lfirst(cell))->table;
		keep("UPDATE remedy.json_migration_range SET in_step_by = $3 WHERE migration = $1 AND leaf = $2 AND number = 0",
			 {target.migration, leaf, trigger_of(target, leaf, beside(target))});
	}
}

List *
kept_ranges(int64 migration) noexcept
{
	List *ranges = NIL;

	keep("SELECT leaf, number::bigint, next_block, end_block, refused, refusal FROM remedy.json_migration_range "
		 "WHERE migration = $1 AND next_block < end_block ORDER BY leaf, number",
		 {migration}, [&](const Row &row) noexcept {
			 const KeptRange range = {
				 row.oid(1),
				 static_cast<int>(row.bigint(2)),
				 {static_cast<BlockNumber>(row.bigint(3)), static_cast<BlockNumber>(row.bigint(4))},
				 row.bigint(5),
				 row.text(6)};
			 ranges = lappend(ranges, new (palloc(sizeof(KeptRange))) KeptRange(range));
		 });
	return ranges;
}

void
keep_range(int64 migration, const KeptRange &range) noexcept
{
	keep("UPDATE remedy.json_migration_range SET next_block = $4, end_block = $5, refused = $6, refusal = $7 "
		 "WHERE migration = $1 AND leaf = $2 AND number = $3",
		 {migration, range.leaf, range.number, blocks(range.range.next), blocks(range.range.end), range.refused,
		  range.refusal});
}

void
add_range(int64 migration, const KeptRange &range) noexcept
{
	keep("INSERT INTO remedy.json_migration_range (migration, leaf, number, next_block, end_block, refused, refusal) "
		 "SELECT $1, $2, 1 + max(number), $3, $4, $5, $6 FROM remedy.json_migration_range "
		 "WHERE migration = $1 AND leaf = $2",
		 {migration, range.leaf, blocks(range.range.next), blocks(range.range.end), range.refused, range.refusal});
}

void
drop_range(int64 migration, const KeptRange &range) noexcept
{
	keep("DELETE FROM remedy.json_migration_range WHERE migration = $1 AND leaf = $2 AND number = $3",
		 {migration, range.leaf, range.number});
}

void
drop_leaf(int64 migration, Oid leaf) noexcept
{
	keep("DELETE FROM remedy.json_migration_range WHERE migration = $1 AND leaf = $2", {migration, leaf});
}

} // namespace remedy::jsonb_migration
