// Advice that was given, and the indexes that were built on it: a fixed number of entries
// in memory that is zero at first.  No server headers; who calls holds the lock.

#pragma once

#include <cstdint>
#include <cstring>

namespace remedy::index_advice {

constexpr int definition_bytes = 512;
constexpr int advised_statements = 8;
constexpr int advised_limit = 128;

// All that was counted of a statement until some moment.
struct Figures
{
	std::uint64_t calls;
	double total_ms;
};

struct AdvisedStatement
{
	std::uint64_t fingerprint;
	Figures figures; // when the index was noticed
};

struct Advised
{
	std::uint32_t database; // 0: the entry is free
	std::uint32_t relation;
	std::uint64_t form;                // see canonical.hpp
	char definition[definition_bytes]; // the command
	std::int64_t advised_at;           // first
	std::int64_t repeated_at;          // last
	std::int64_t built_at;             // 0: not noticed
	std::uint32_t index;               // that was built
	bool confirmed;                    // it was there after the transaction that built it
	double saving_ms;                  // expected
	double cost_before;
	double cost_after;
	int statement_count;
	AdvisedStatement statements[advised_statements];

	bool is_of(std::uint32_t in_database, std::uint32_t of_relation, std::uint64_t of_form) const noexcept
	{
		return database == in_database && relation == of_relation && form == of_form;
	}

	// What the statement took when the index was noticed; null if it is none of those served.
	const Figures *figures_of(std::uint64_t fingerprint) const noexcept
	{
		for (int i = 0; i < statement_count; ++i)
			if (statements[i].fingerprint == fingerprint)
				return &statements[i].figures;
		return nullptr;
	}

	// What so many calls in so much time would take with the index that is there now: as those
	// since, of which there may be none yet.  After a reset all of them came since.
	double ms_by_now(std::uint64_t fingerprint, double calls, double ms) const noexcept
	{
		const Figures &before = *figures_of(fingerprint);
		const double since = calls - static_cast<double>(before.calls);

		return since <= 0 || ms < before.total_ms ? ms : (ms - before.total_ms) / since * calls;
	}

	bool ran_since(std::uint64_t fingerprint, double calls) const noexcept
	{
		return calls != static_cast<double>(figures_of(fingerprint)->calls);
	}

	// Whether what a file holds can be an entry.
	bool makes_sense() const noexcept
	{
		return database != 0 && relation != 0 && statement_count >= 0 && statement_count <= advised_statements &&
			   std::memchr(definition, '\0', sizeof(definition)) != nullptr;
	}
};

// What statements took, before an index and after.
struct Outcome
{
	std::uint64_t calls_before = 0;
	double total_ms_before = 0;
	std::uint64_t calls_after = 0;
	double total_ms_after = 0;
	double expected_ms = 0; // that the calls after would have taken before

	// After a reset everything that is counted came after.
	void add(const Figures &at_building, const Figures &now) noexcept
	{
		const bool reset = now.calls < at_building.calls || now.total_ms < at_building.total_ms;
		const Figures after = {reset ? now.calls : now.calls - at_building.calls,
							   reset ? now.total_ms : now.total_ms - at_building.total_ms};

		calls_before += at_building.calls;
		total_ms_before += at_building.total_ms;
		if (at_building.calls == 0)
			return; // nothing to compare with
		calls_after += after.calls;
		total_ms_after += after.total_ms;
		expected_ms += at_building.total_ms / static_cast<double>(at_building.calls) * static_cast<double>(after.calls);
	}
};

class AdvisedTable
{
public:
	// The entry that holds this advice, or the one that it gets: a free one, else of those
	// that were not built the one not repeated for longest, else that built first.
	Advised &entry_for(std::uint32_t database, std::uint32_t relation, std::uint64_t form) noexcept
	{
		Advised *best = entries;

		for (Advised &entry : entries)
		{
			if (entry.is_of(database, relation, form))
				return entry;
			if (gives_way_before(entry, *best))
				best = &entry;
		}
		return *best;
	}

	Advised *find(std::uint32_t database, std::uint32_t relation, std::uint64_t form) noexcept
	{
		Advised &entry = entry_for(database, relation, form);

		return entry.is_of(database, relation, form) ? &entry : nullptr;
	}

	// The latest index that was noticed of those that serve the statement; null if none was.
	const Advised *latest_built_for(std::uint32_t database, std::uint64_t fingerprint) const noexcept
	{
		const Advised *latest = nullptr;

		for (const Advised &entry : entries)
			if (entry.database == database && entry.built_at != 0 && entry.figures_of(fingerprint) != nullptr &&
				(latest == nullptr || entry.built_at > latest->built_at))
				latest = &entry;
		return latest;
	}

	// Once more, or anew; of an index that is there what was known stays.
	void remember(const Advised &advice) noexcept
	{
		Advised &entry = entry_for(advice.database, advice.relation, advice.form);
		const bool known = entry.is_of(advice.database, advice.relation, advice.form) && entry.built_at == 0;
		const std::int64_t first = known ? entry.advised_at : advice.advised_at;

		entry = advice;
		entry.advised_at = first;
		entry.repeated_at = advice.advised_at;
	}

	bool take_back(const Advised &saved) noexcept
	{
		Advised &entry = entry_for(saved.database, saved.relation, saved.form);

		if (entry.database != 0)
			return false;
		entry = saved;
		return true;
	}

	Advised entries[advised_limit];

private:
	static bool gives_way_before(const Advised &one, const Advised &other) noexcept
	{
		if ((one.database == 0) != (other.database == 0))
			return one.database == 0;
		if ((one.built_at == 0) != (other.built_at == 0))
			return one.built_at == 0;
		return one.built_at == 0 ? one.repeated_at < other.repeated_at : one.built_at < other.built_at;
	}
};

} // namespace remedy::index_advice
