// Saying no.

#pragma once

#include "server/headers.hpp"

namespace remedy::server {

// An error with a hint, if there is one that helps.
[[noreturn]] inline void
refuse(int sqlstate, const char *message, const char *hint = nullptr) noexcept
{
	ereport(ERROR, (errcode(sqlstate), errmsg_internal("%s", message), hint == nullptr ? 0 : errhint("%s", hint)));
	pg_unreachable();
}

} // namespace remedy::server
