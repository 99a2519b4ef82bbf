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

struct Settings
{
	int threshold = 5;
	int burst_gap_ms = 50;
	int action = action_record;
};

extern Settings settings;

// From _PG_init.
void define_settings() noexcept;

} // namespace remedy::repetition
