// Subscriptions of logical replication, whose workers fire no statement triggers for rows.

#include "rollup/following.hpp"
#include "server/keeper.hpp"

namespace remedy::rollup {

// Who has the marks of the publisher as well has all that he needs.
const char *
uncaptured_reason(const Rollup &rollup) noexcept
{
	const char *reason = unarmed_reason(rollup.source);

	if (reason == nullptr)
		keep("SELECT format('subscription %s writes to %s, which is not captured', s.subname, t.srrelid::regclass) "
			 "FROM pg_subscription_rel AS t JOIN pg_subscription AS s ON s.oid = t.srsubid "
			 "WHERE t.srrelid IN (SELECT m.member FROM remedy.rollup_member AS m WHERE m.source = $1) "
			 "AND NOT EXISTS (SELECT FROM pg_subscription_rel AS o WHERE o.srrelid = $2) ORDER BY 1 LIMIT 1",
			 {rollup.source, rollup.marks}, [&](const Row &row) noexcept { reason = row.text(1); });
	return reason;
}

const char *
subscribed_reason(const Rollup &rollup) noexcept
{
	const char *reason = nullptr;

	keep("SELECT format('subscription %s writes to %s, which is refreshed on the publisher', s.subname, "
		 "t.srrelid::regclass) FROM pg_subscription_rel AS t JOIN pg_subscription AS s ON s.oid = t.srsubid "
		 "WHERE t.srrelid IN ($1, $2) ORDER BY 1 LIMIT 1",
		 {rollup.cells, rollup.marks}, [&](const Row &row) noexcept { reason = row.text(1); });
	return reason;
}

} // namespace remedy::rollup
