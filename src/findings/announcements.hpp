// Which findings somebody is still to be told of.

#pragma once

#include "findings/finding_table.hpp"

namespace remedy::findings {

// A finding that nobody was told of yet.
struct Announcement
{
	Handle handle;
	char database[NAMEDATALEN];
	char key[sizeof(Finding::key)];
	char level[sizeof(Finding::level)];
	char kind[sizeof(Finding::kind)];
	char direction[sizeof(Finding::direction)];
	char child_table[sizeof(Finding::child_table)];
	char child_column[sizeof(Finding::child_column)];
	char parent_table[sizeof(Finding::parent_table)];
	char parent_column[sizeof(Finding::parent_column)];
	char user_name[sizeof(Finding::user_name)];
	char application[sizeof(Finding::application)];
	char route[sizeof(Finding::route)];
};

// Copies the findings that were first seen since a time and not announced yet, in the
// current memory context, those of one database together; returns how many.
int findings_to_announce(TimestampTz since, Announcement *&announcements) noexcept;

void mark_announced(const Announcement *announcements, int count) noexcept;

} // namespace remedy::findings
