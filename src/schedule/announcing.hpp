// NOTIFY pg_remedy for each new finding, in the finding's database, with a JSON object of
// what it is; but for those that were muted when they were found.

#pragma once

namespace remedy::schedule {

// In the scheduler, every second or so.  Costs one comparison while there is nothing
// new.  What finds no free worker is sent later; what cannot be sent in its database
// (gone, closed to connections) is not sent at all, and nothing is on a standby, where
// NOTIFY is impossible.  Memory is of the current context.
void announce_findings() noexcept;

} // namespace remedy::schedule
