#include "observe/statement_totals.hpp"

#include <algorithm>

#include "observe/shared_store.hpp"

namespace remedy::observe {

namespace {

bool
is_less(const StatementTotals &one, const StatementTotals &other) noexcept
{
	return one.fingerprint < other.fingerprint;
}

// The lock is held.
int
copy_counts(StatementTotals *totals) noexcept
{
	StatementStore &statements = *detail::store.statements;
	int count = 0;

	for (std::uint32_t i = 0; i < statements.size(); ++i)
		if (statements.is_used(i) && statements.key(i).database == MyDatabaseId && statements.key(i).fingerprint != 0 &&
			statements[i].counts.calls > 0)
			totals[count++] = {statements.key(i).fingerprint, statements[i].counts};
	return count;
}

// Ordered; returns how many are left.
int
add_up(StatementTotals *totals, int count) noexcept
{
	int last = -1;

	for (int i = 0; i < count; ++i)
		if (last >= 0 && totals[last].fingerprint == totals[i].fingerprint)
			totals[last].counts.add(totals[i].counts);
		else
			totals[++last] = totals[i];
	return last + 1;
}

} // namespace

AllTotals
statement_totals() noexcept
{
	const Size size = mul_size(detail::store.statements->size(), sizeof(StatementTotals));
	AllTotals all = {static_cast<StatementTotals *>(palloc(size)), 0};

	bring_up_to_date();
	detail::region.acquire(LW_SHARED);
	all.count = copy_counts(all.totals);
	detail::region.release();
	std::sort(all.totals, all.totals + all.count, is_less);
	all.count = add_up(all.totals, all.count);
	return all;
}

const StatementCounts *
AllTotals::of(std::uint64_t fingerprint) const noexcept
{
	StatementTotals *const end = totals + count;
	StatementTotals *const found = std::lower_bound(totals, end, StatementTotals{fingerprint, {}}, is_less);

	return found != end && found->fingerprint == fingerprint ? &found->counts : nullptr;
}

} // namespace remedy::observe
