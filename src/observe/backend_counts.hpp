// What one backend alone writes of the shared statistics.  No server headers.

#pragma once

#include "observe/statement_counts.hpp"
#include "observe/transaction_groups.hpp"

namespace remedy::observe {

struct BackendCounts
{
	bool attached;
	StatementSlot statements;
	TransactionSlot transactions;
};

} // namespace remedy::observe
