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
		return several_ ? find_older(query) : nullptr;
	}

	// The place of a query's statement, with its last content.
	Statement &add(const QueryDesc *query) noexcept
	{
		return likely(newest_->query == nullptr) ? *newest_ : add_beside(query);
	}

	void remove(const QueryDesc *query) noexcept
	{
		if (likely(newest_->query == query))
			newest_->query = nullptr;
		else if (unlikely(several_))
			remove_older(query);
	}

	void clear() noexcept
	{
		newest_->query = nullptr;
		if (unlikely(several_))
			clear_all();
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
		several_ = true;
		newest_ = newest_ + 1 == statements_ + limit ? statements_ : newest_ + 1;
		return *newest_;
	}

	pg_noinline void remove_older(const QueryDesc *query) noexcept
	{
		if (Statement *const statement = find_older(query))
			statement->query = nullptr;
	}

	pg_noinline void clear_all() noexcept
	{
		for (Statement &statement : statements_)
			statement.query = nullptr;
		several_ = false;
	}

	static constexpr unsigned limit = 16;

	Statement statements_[limit];
	Statement *newest_ = statements_;
	bool several_ = false; // others than the newest may be open
};

} // namespace remedy::observe
