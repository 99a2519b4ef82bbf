// Filling and verifying, batch by batch.

#include "jsonb_migration/ranges.hpp"
#include "jsonb_migration/runner.hpp"
#include "server/commands.hpp"

namespace remedy::jsonb_migration {

namespace {

using Work = Batch (*)(const Leaf &leaf, Range &range, double budget_ms);

// Of a phase that goes through all blocks.
struct Pass
{
	Work work;
	instr_time start;
	int64 rows_before; // that earlier calls have done
	int64 left;        // in this round
	int64 refused;
	const char *refusals; // the first of some batches, for people
	int told;             // so many
	double batch_ms;      // the last one's
	BlockNumber unvacuumed;
};

double
speed(const Runner &runner, const Pass &pass) noexcept
{
	const double seconds = ms_since(pass.start) / 1000;

	return seconds > 0 ? (runner.migration.rows_done - pass.rows_before) / seconds : 0;
}

constexpr int most_told = 10;

const char *
name_refusal(Oid table, const char *refusal) noexcept
{
	return refusal == nullptr ? nullptr : psprintf("%s %s", qualified_name(table), refusal);
}

void
remember_left(Runner &runner, Pass &pass, const KeptRange &kept, const Batch &batch) noexcept
{
	const char *const refusal = name_refusal(kept.leaf, batch.refusal);

	add_range(runner.number(), {kept.leaf, 0, {batch.left_from, kept.range.next}, batch.refused, refusal});
	pass.left += batch.left;
	pass.refused += batch.refused;
	if (refusal != nullptr && pass.told < most_told)
		pass.refusals =
			MemoryContextStrdup(runner.memory, ++pass.told == 1 ? refusal : psprintf("%s\n%s", pass.refusals, refusal));
}

// One batch, in a step.
void
do_batch(Runner &runner, Pass &pass, const Leaf &leaf, KeptRange &kept) noexcept
{
	if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(leaf.table))) // it was dropped
	{
		drop_leaf(runner.number(), leaf.table);
		kept.range.next = kept.range.end;
		return;
	}
	const Batch batch = pass.work(leaf, kept.range, runner.options.batch_ms);

	runner.migration.rows_done += batch.rows;
	if (batch.left > 0)
		remember_left(runner, pass, kept, batch);
	if (kept.number != 0 && kept.range.next >= kept.range.end)
		drop_range(runner.number(), kept);
	else
		keep_range(runner.number(), kept);
	note_progress(runner.migration, pass.left, pass.refused, speed(runner, pass));
}

// Dead rows are to be reused by the next ones: a table is vacuumed each time that an
// eighth of it was filled.
void
pace_vacuum(Runner &runner, Pass &pass, const KeptRange &kept, BlockNumber begun) noexcept
{
	constexpr BlockNumber smallest = 1024;

	pass.unvacuumed += kept.range.next - begun;
	if (pass.work != fill || pass.unvacuumed < Max(smallest, kept.range.end / 8) || vacuum_is_running(runner))
		return;
	pass.unvacuumed = 0;
	start_vacuum(runner, kept.leaf);
}

void
do_range(Runner &runner, Pass &pass, const Leaf &leaf, KeptRange &kept) noexcept
{
	while (kept.range.next < kept.range.end)
	{
		// A step may fail, and be tried again from where it began.
		const KeptRange begun = kept;
		const Pass before = pass;
		const int64 rows = runner.migration.rows_done;

		rest(runner, pass.batch_ms);
		const instr_time start = clock_now();
		patient_step({0, runner.options.patience.tries}, [&]() noexcept {
			kept = begun;
			pass = before;
			runner.migration.rows_done = rows;
			set_locally("synchronous_commit", "off"); // nobody waits for our rows while the disk is waited for
			do_batch(runner, pass, leaf, kept);
		});
		XLogFlush(XactLastCommitEnd); // but a crash repeats no more than one batch
		pass.batch_ms = ms_since(start);
		pace_vacuum(runner, pass, kept, begun.range.next);
	}
	pass.unvacuumed = 0;
}

// What is to be done in a round: all ranges, with those that were left in the one before.
struct Round
{
	List *ranges;
	List *leaves;
};

// Its memory is as large as the tree has tables, and more where many rows are locked.
Round
load_round(Runner &runner, MemoryContext memory) noexcept
{
	Round round = {};

	step([&]() noexcept {
		MemoryContextSwitchTo(memory);
		round = {kept_ranges(runner.number()), find_leaves(runner.target())};
	});
	return round;
}

const Leaf *
find_leaf(const Round &round, Oid table) noexcept
{
	ListCell *cell;

	foreach (cell, round.leaves)
		if (static_cast<const Leaf *>(lfirst(cell))->table == table)
			return static_cast<const Leaf *>(lfirst(cell));
	return nullptr;
}

void
do_round(Runner &runner, Pass &pass, const Round &round) noexcept
{
	ListCell *cell;

	pass.left = pass.refused = 0;
	pass.refusals = nullptr;
	pass.told = 0;
	foreach (cell, round.ranges)
	{
		KeptRange &kept = *static_cast<KeptRange *>(lfirst(cell));
		if (const Leaf *const leaf = find_leaf(round, kept.leaf); leaf != nullptr)
			do_range(runner, pass, *leaf, kept);
		else // it was dropped, or left the tree
			step([&]() noexcept { drop_leaf(runner.number(), kept.leaf); });
	}
}

// Until nothing is left but what is refused.
void
do_all(Runner &runner, Pass &pass) noexcept
{
	const MemoryContext memory = AllocSetContextCreate(runner.memory, "json migration round", ALLOCSET_DEFAULT_SIZES);

	for (int number = 0;; ++number)
	{
		const Round round = load_round(runner, memory);
		if (round.ranges == NIL)
			break;
		do_round(runner, pass, round);
		if (pass.left == pass.refused)
			break;
		MemoryContextReset(memory);
		wait_ms(Min(100.0 * (1 + number), 1000.0)); // for those who have locked rows
	}
	MemoryContextDelete(memory);
}

void
go_through(Runner &runner, Pass &pass) noexcept
{
	pass.start = clock_now();
	pass.rows_before = runner.migration.rows_done;
	do_all(runner, pass);
	end_vacuum(runner);
}

[[noreturn]] void
refuse_documents(const Runner &runner, const Pass &pass) noexcept
{
	ereport(
		ERROR,
		(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
		 errmsg_plural("%lld row of %s cannot be converted to jsonb", "%lld rows of %s cannot be converted to jsonb",
					   static_cast<unsigned long>(pass.refused), static_cast<long long>(pass.refused), runner.name),
		 errdetail_internal("%s", pass.refusals == nullptr ? "none is told" : pass.refusals),
		 errhint("remedy.check_json() lists the documents. Mend or delete them, then CALL this again: it goes "
				 "on; or CALL remedy.abort_json_migration().")));
	pg_unreachable();
}

} // namespace

void
fill_all(Runner &runner) noexcept
{
	Pass pass = {fill};

	tell(runner, "phase fill: documents are converted");
	step([&]() noexcept { add_new_leaves(runner.target()); });
	go_through(runner, pass);
	if (pass.refused > 0)
		refuse_documents(runner, pass);
	go_to(runner, Phase::guard);
}

void
fill_again(Runner &runner) noexcept
{
	runner.filled_again = true;
	tell(runner,
		 "rows have no jsonb yet (the table was rewritten, or takes documents that jsonb refuses): back to phase fill");
	step([&]() noexcept {
		keep_whole_ranges(runner.target());
		enter_phase(runner.migration, Phase::fill);
	});
}

namespace {

// Plans are to know the new column, and the expressions of its indexes, from the first
// statement after the swap on.
void
analyse(Runner &runner) noexcept
{
	patient_step({0, runner.options.patience.tries},
				 [&]() noexcept { run_sql("ANALYZE %s", qualified_name(runner.target().table)); });
}

} // namespace

void
verify_all(Runner &runner) noexcept
{
	Pass pass = {verify};

	tell(runner, "phase verify: all rows are compared");
	go_through(runner, pass);
	if (pass.refused > 0)
		ereport(
			ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg_plural("%lld row of %s differs from its jsonb", "%lld rows of %s differ from their jsonb",
						   static_cast<unsigned long>(pass.refused), static_cast<long long>(pass.refused), runner.name),
			 errdetail_internal("%s", pass.refusals == nullptr ? "none is told" : pass.refusals),
			 errhint("Set column %s of these rows to null, which the trigger then fills, and CALL this again.",
					 runner.target().shadow)));
	analyse(runner);
	go_to(runner, Phase::ready);
}

} // namespace remedy::jsonb_migration
