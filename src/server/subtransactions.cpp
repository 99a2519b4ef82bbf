#include "server/subtransactions.hpp"

#include "server/headers.hpp"

namespace remedy::server {

namespace {

bool wanted; // by some subtransaction of the running transaction

struct Use
{
	Size bytes;
	Size blocks;
};

Use
use_of(MemoryContext context) noexcept
{
	MemoryContextCounters counters = {};

	context->methods->stats(context, nullptr, nullptr, &counters, false);
	return {counters.totalspace - counters.freespace, counters.nblocks};
}

// What contexts have that nothing is left in: one of one block, and what each further block adds.
struct Empty
{
	Use one;
	Size block;
};

Empty empty;

Empty
measure_empty() noexcept
{
	const MemoryContext context = AllocSetContextCreate(TopMemoryContext, "empty", ALLOCSET_DEFAULT_SIZES);
	const Use one = use_of(context);

	pfree(MemoryContextAlloc(context, ALLOCSET_DEFAULT_INITSIZE - 1024));
	pfree(MemoryContextAlloc(context, ALLOCSET_DEFAULT_INITSIZE));
	const Use more = use_of(context);
	MemoryContextDelete(context);
	return {one, more.blocks > one.blocks ? (more.bytes - one.bytes) / (more.blocks - one.blocks) : 0};
}

bool
is_empty(MemoryContext context) noexcept
{
	if (!IsA(context, AllocSetContext) || context->firstchild != nullptr || context->reset_cbs != nullptr)
		return false;
	const Use use = use_of(context);
	return use.bytes == empty.one.bytes + (use.blocks - empty.one.blocks) * empty.block;
}

// The server deletes a context that has been reset.
void
at_subtransaction(SubXactEvent event, SubTransactionId, SubTransactionId, void *) noexcept
{
	if (event == SUBXACT_EVENT_COMMIT_SUB && wanted && is_empty(CurTransactionContext))
		MemoryContextReset(CurTransactionContext);
}

void
at_transaction(XactEvent, void *) noexcept
{
	wanted = false;
}

} // namespace

void
release_subtransaction() noexcept
{
	static bool registered = false;

	if (!registered)
	{
		empty = measure_empty();
		RegisterSubXactCallback(at_subtransaction, nullptr);
		RegisterXactCallback(at_transaction, nullptr);
		registered = true;
	}
	wanted = true;
}

} // namespace remedy::server
