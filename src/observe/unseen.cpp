#include "observe/unseen.hpp"

#include "observe/execution.hpp"
#include "server/headers.hpp"

namespace remedy::observe {

bool detail::ignoring = false;

namespace {

// It ends with its portal, or at the latest when the next message has come.
bool portal_watched = false;
TimestampTz message;
MemoryContextCallback portal_end;

void
portal_ended(void *)
{
	detail::ignoring = false;
	portal_watched = false;
}

} // namespace

void
ignore_running_statement() noexcept
{
	// Other processes of the server have no portals, not even the means to look for one.
	if (MyBackendType != B_BACKEND)
		return;
	// A simple query runs in the portal without a name, whatever runs inside it.
	const Portal unnamed = GetPortalByName("");
	const Portal portal = unnamed != nullptr && unnamed->status == PORTAL_ACTIVE ? unnamed : ActivePortal;

	if (portal == nullptr)
		return;
	detail::ignoring = true;
	not_ready();
	message = GetCurrentStatementStartTimestamp();
	if (portal_watched)
		return;
	portal_watched = true;
	portal_end.func = portal_ended;
	MemoryContextRegisterResetCallback(portal->portalContext, &portal_end);
}

bool
detail::still_ignoring() noexcept
{
	if (GetCurrentStatementStartTimestamp() != message)
		ignoring = false;
	return ignoring;
}

} // namespace remedy::observe
