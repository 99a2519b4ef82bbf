// The room's settings.

#pragma once

namespace remedy::observe {

enum Track
{
	track_top,
	track_all,
};

struct Settings
{
	bool enabled = true;
	int max_statements = 5000;
	int track = track_top;
	bool keep_values = false; // for every room that keeps texts or parameters
};

extern Settings settings;

// From _PG_init.
void define_settings() noexcept;

} // namespace remedy::observe
