// The scheduler: one background worker of a server that preloads the library.
//
// It saves the statistics, now and then and at shutdown, and notifies of findings.
// It is connected to no database, so it is in nobody's way who drops one, and it
// works on a hot standby.  Each duty that fails is logged and tried again.

#pragma once

namespace remedy::schedule {

// From _PG_init, while preloading.
void register_scheduler() noexcept;

// What the scheduler's duties use.

// Sleeps until something happens, this long at most, and does what the server asks of
// all its processes meanwhile.
void nap(long milliseconds) noexcept;

// In remedy.scheduler.
void show_error(const char *message) noexcept;

// The same, and a line in the log; an error that comes again within an hour gets no
// second one.
void note_error(const char *message) noexcept;

} // namespace remedy::schedule
