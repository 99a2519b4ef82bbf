// The room's settings.

#pragma once

namespace remedy::repetition {

enum Action : int
{
	action_record,
	action_log,
	action_warning,
	action_error,
};

enum Level : int
{
	level_likely,
	level_possible, // and surer ones
};

struct Settings
{
	int threshold = 5;
	int burst_gap_ms = 50;
	int action = action_record;
	int action_level = level_likely;
	char *ignore = nullptr; // names of tables and keys of findings, separated by commas
};

extern Settings settings;

// From _PG_init.
void define_settings() noexcept;

} // namespace remedy::repetition
