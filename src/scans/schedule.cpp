#include "scans/schedule.hpp"

namespace remedy::scans {

void
Schedule::note_rows(std::uint64_t fingerprint) noexcept
{
	if (Slot *const slot = find(fingerprint))
		slot->scans = true;
}

void
Schedule::note_slow(std::uint64_t fingerprint) noexcept
{
	if (Slot *const slot = find(fingerprint))
		slot->scans = slot->slow = true;
}

bool
Schedule::is_due(std::uint64_t fingerprint) noexcept
{
	const Slot *const slot = find(fingerprint);

	if (slot == nullptr)
		return starts_anew(fingerprint);
	const std::uint32_t number = slot->executions;
	return number <= first_executions || (slot->slow && number % slow_interval == 0) ||
		   (number >= rare_from && ((number & (number - 1)) == 0 || number % rare_interval == 0));
}

bool
Schedule::starts_anew(std::uint64_t fingerprint) noexcept
{
	Slot *const set = set_of(fingerprint);
	Slot *choice = set;

	for (unsigned i = 1; i < set_size; ++i)
		if (set[i].executions < choice->executions)
			choice = &set[i];
	const bool replaces = choice->executions != 0;
	// Those that stay must earn it again, else a statement of old would stay for ever.
	for (unsigned i = 0; replaces && i < set_size; ++i)
		if (set[i].executions > rare_interval)
			set[i].executions -= rare_interval;
	*choice = {fingerprint, 1, false, false};
	return !replaces || ++replaced_ % replaced_interval == 1;
}

} // namespace remedy::scans
