// The settings of saving; doc comments are in their definitions.

#pragma once

namespace remedy::schedule {

struct Settings
{
	bool save;
	int save_interval_s;
};

extern Settings settings;

// From _PG_init.
void define_settings() noexcept;

} // namespace remedy::schedule
