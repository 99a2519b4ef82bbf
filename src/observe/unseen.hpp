// A statement whose start was not seen, because the library was loaded or counting
// was switched on in the middle of it: it is ignored to its end, with all that it
// runs.

#pragma once

namespace remedy::observe {

// If the server is inside a statement now, ignores it from here on.
void ignore_running_statement() noexcept;

namespace detail {

extern bool ignoring;
bool still_ignoring() noexcept;

} // namespace detail

// Whether such a statement is still running.
inline bool
ignoring_statement() noexcept
{
	return detail::ignoring && detail::still_ignoring();
}

} // namespace remedy::observe
