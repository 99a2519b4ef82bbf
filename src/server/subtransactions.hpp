// Memory that subtransactions leave behind.
//
// Until its transaction ends, the server keeps the memory context of a committed subtransaction in which anything was
// ever allocated, if only for a moment: 8 kB at least for each savepoint that has fired a trigger with transition
// tables.  A hundred thousand savepoints in one transaction are 800 MB.

#pragma once

namespace remedy::server {

// To be called in a trigger with transition tables: when the running subtransaction commits, its memory is given back
// if nothing is left in it.
void release_subtransaction() noexcept;

} // namespace remedy::server
