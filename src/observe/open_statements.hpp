// Queries that are open at top level, several when portals outlive one another.
//
// A query may vanish with its transaction without having ended: pointers are
// compared, never followed, and the end of a transaction clears them all.  When
// more are open than there is room for, the oldest is forgotten: what its later runs
// add is lost.

#pragma once

#include "observe/observe.hpp"

namespace remedy::observe {

class OpenStatements
{
public:
	// The one that was added last, if it is open; otherwise it has another query.
	Statement &newest() noexcept { return *newest_; }

	Statement *find(const QueryDesc *query) noexcept
	{
		if (newest_->query == query)
			return newest_;
		return count_ == 0 ? nullptr : find_older(query);
	}

	// The place of a query's statement, with its last content.
	Statement &add(const QueryDesc *query) noexcept
	{
		if (likely(count_ == 0))
		{
			count_ = 1;
			return *newest_;
		}
		return add_beside(query);
	}

	void remove(const QueryDesc *query) noexcept
	{
		if (Statement *const statement = find(query))
		{
			statement->query = nullptr;
			--count_;
		}
	}

	void clear() noexcept
	{
		if (count_ == 0)
			return;
		for (Statement &statement : statements_)
			statement.query = nullptr;
		count_ = 0;
	}

private:
	pg_noinline Statement *find_older(const QueryDesc *query) noexcept
	{
		for (Statement &statement : statements_)
			if (statement.query == query)
				return &statement;
		return nullptr;
	}

	pg_noinline Statement &add_beside(const QueryDesc *query) noexcept
	{
		if (Statement *const known = find(query))
			return *known;
		newest_ = newest_ + 1 == statements_ + limit ? statements_ : newest_ + 1;
		count_ += newest_->query == nullptr;
		return *newest_;
	}

	static constexpr unsigned limit = 16;

	unsigned count_ = 0;
	Statement statements_[limit];
	Statement *newest_ = statements_;
};

} // namespace remedy::observe
