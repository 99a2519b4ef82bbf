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
	Statement *find(const QueryDesc *query) noexcept
	{
		if (count_ == 0)
			return nullptr;
		for (unsigned i = 0; i < limit; ++i)
		{
			Statement &statement = statements_[(newest_ - i) % limit];
			if (statement.query == query)
				return &statement;
		}
		return nullptr;
	}

	Statement &add(QueryDesc *query) noexcept
	{
		Statement *statement = find(query);

		if (statement == nullptr)
		{
			if (count_ > 0)
				newest_ = (newest_ + 1) % limit;
			statement = &statements_[newest_];
			count_ += statement->query == nullptr;
		}
		*statement = {};
		statement->query = query;
		return *statement;
	}

	void remove(Statement &statement) noexcept
	{
		statement.query = nullptr;
		--count_;
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
	static constexpr unsigned limit = 16;

	unsigned count_;
	unsigned newest_;
	Statement statements_[limit];
};

} // namespace remedy::observe
