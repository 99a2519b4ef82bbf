// The room's settings.

#pragma once

namespace remedy::plans {

struct Settings
{
	int slow_ms = 1000;  // -1: no plans are kept
	int interval_s = 60; // between two looks at one statement's plan
	int shared_limit = 200;
};

extern Settings settings;

// From _PG_init.
void define_settings() noexcept;

} // namespace remedy::plans
