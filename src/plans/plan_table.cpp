#include "plans/plan_table.hpp"

#include <algorithm>
#include <tuple>

#include "plans/settings.hpp"
#include "plans/turns.hpp"
#include "server/shared.hpp"

namespace remedy::plans {

namespace {

constexpr int session_limit = 32; // without preloading only this session keeps plans
constexpr int plans_per_statement = 4;

struct Table
{
	Turns turns;
	std::atomic<std::uint64_t> evicted;
	std::atomic<std::uint64_t> missed;
	int limit;
	KeptPlan entries[FLEXIBLE_ARRAY_MEMBER];
};

int
limit_for(int backends) noexcept
{
	return backends > 1 ? settings.shared_limit : session_limit;
}

Table *table = nullptr;

Size
region_bytes(int backends)
{
	return add_size(offsetof(Table, entries), mul_size(limit_for(backends), sizeof(KeptPlan)));
}

void
placed(void *memory, int backends)
{
	table = static_cast<Table *>(memory);
	table->limit = limit_for(backends);
}

server::Region region = {"pg_remedy plans", region_bytes, placed, nullptr, nullptr};

bool
seen_before(const KeptPlan &entry, const KeptPlan *other) noexcept
{
	return other == nullptr || entry.runs.last_seen < other->runs.last_seen;
}

// The plan's entry, else the one that it gets: of its own statement the plan that was
// seen longest ago, if that has enough of them; a free one; that seen longest ago of
// all.  The lock is held exclusively.
KeptPlan &
entry_for(const PlanKey &key) noexcept
{
	KeptPlan *free = nullptr;
	KeptPlan *oldest = nullptr;
	KeptPlan *oldest_own = nullptr;
	int own = 0;

	for (KeptPlan *entry = table->entries; entry < table->entries + table->limit; ++entry)
	{
		if (entry->runs.calls == 0)
		{
			free = entry;
			continue;
		}
		if (entry->key == key)
			return *entry;
		if (seen_before(*entry, oldest))
			oldest = entry;
		if (!entry->key.same_statement(key))
			continue;
		++own;
		if (seen_before(*entry, oldest_own))
			oldest_own = entry;
	}
	if (own >= plans_per_statement)
		return *oldest_own;
	return free != nullptr ? *free : *oldest;
}

bool
lies_in(const PlanKey &key, const observe::Scope &scope) noexcept
{
	return (scope.database == 0 || scope.database == key.database) && (scope.user == 0 || scope.user == key.user) &&
		   (scope.fingerprint == 0 || scope.fingerprint == key.fingerprint);
}

bool
comes_before(const KeptPlan *one, const KeptPlan *other) noexcept
{
	const auto order = [](const KeptPlan *plan) noexcept {
		const PlanKey &key = plan->key;
		return std::tuple(key.database, key.user, key.fingerprint, plan->runs.first_seen, key.plan);
	};
	return order(one) < order(other);
}

} // namespace

void
declare_plan_table() noexcept
{
	server::declare_region(region);
}

bool
take_turn(const observe::Statement &statement) noexcept
{
	const std::uint64_t second = statement.ended / 1'000'000'000;

	return table->turns.take(statement.fingerprint ^ MyDatabaseId * UINT64CONST(0x9E3779B97F4A7C15), second,
							 settings.interval_s);
}

void
keep(const PlanKey &key, const PlanText &text, Nanoseconds execution) noexcept
{
	const TimestampTz when = GetCurrentTimestamp();

	if (!region.acquire_if_free(LW_EXCLUSIVE))
	{
		count_missed();
		return;
	}
	KeptPlan &entry = entry_for(key);
	if (!(entry.key == key) || entry.runs.calls == 0)
	{
		if (entry.runs.calls > 0)
			table->evicted.fetch_add(1, std::memory_order_relaxed);
		entry.key = key;
		entry.runs = {};
	}
	entry.runs.add(execution, when);
	entry.text = text;
	region.release();
}

bool
take_back(const KeptPlan &plan) noexcept
{
	for (KeptPlan *entry = table->entries; entry < table->entries + table->limit; ++entry)
		if (entry->runs.calls == 0)
		{
			*entry = plan;
			return true;
		}
	return false;
}

void
count_missed() noexcept
{
	table->missed.fetch_add(1, std::memory_order_relaxed);
}

void
reset_plans(const observe::Scope &scope) noexcept
{
	region.acquire(LW_EXCLUSIVE);
	for (KeptPlan *entry = table->entries; entry < table->entries + table->limit; ++entry)
		if (lies_in(entry->key, scope))
			entry->runs = {};
	// After a reset one wants to see something.
	table->turns.forget();
	if (scope.database == 0 && scope.user == 0 && scope.fingerprint == 0)
	{
		table->evicted.store(0, std::memory_order_relaxed);
		table->missed.store(0, std::memory_order_relaxed);
	}
	region.release();
}

TableStatus
table_status() noexcept
{
	TableStatus status = {0, table->limit, table->evicted.load(std::memory_order_relaxed),
						  table->missed.load(std::memory_order_relaxed)};

	region.acquire(LW_SHARED);
	for (const KeptPlan *entry = table->entries; entry < table->entries + table->limit; ++entry)
		status.used += entry->runs.calls > 0;
	region.release();
	return status;
}

const KeptPlan **
copy_plans(int &count) noexcept
{
	KeptPlan *const copies =
		static_cast<KeptPlan *>(MemoryContextAllocHuge(CurrentMemoryContext, mul_size(table->limit, sizeof(KeptPlan))));
	const KeptPlan **const plans = static_cast<const KeptPlan **>(palloc(table->limit * sizeof(KeptPlan *)));

	count = 0;
	region.acquire(LW_SHARED);
	for (const KeptPlan *entry = table->entries; entry < table->entries + table->limit; ++entry)
		if (entry->runs.calls > 0)
			copies[count++] = *entry;
	region.release();
	for (int i = 0; i < count; ++i)
		plans[i] = &copies[i];
	std::sort(plans, plans + count, comes_before);
	return plans;
}

} // namespace remedy::plans
