// The room's settings.

#pragma once

namespace remedy::observe {

struct Settings
{
	bool enabled = true;
};

extern Settings settings;

// From _PG_init.
void define_settings() noexcept;

} // namespace remedy::observe
