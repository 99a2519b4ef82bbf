#include "scans/schedule.hpp"

#include <algorithm>
#include <bit>

namespace remedy::scans {

// Finds out which execution after the present one is to be sampled.
void
Schedule::plan(Slot &slot) noexcept
{
	const std::uint32_t number = slot.executions;

	if (!slot.scans)
		slot.next = never;
	else if (number < (slot.slow ? first_slow_executions : first_executions))
		slot.next = number + 1;
	else if (slot.slow)
		slot.next = (number / slow_interval + 1) * slow_interval;
	else if (number < rare_interval)
		slot.next = std::max(rare_from, std::bit_ceil(number + 1));
	else
		slot.next = (number / rare_interval + 1) * rare_interval;
}

void
Schedule::note_rows(std::uint64_t fingerprint) noexcept
{
	Slot *const slot = find(fingerprint);

	if (slot == nullptr || slot->scans)
		return;
	slot->scans = true;
	plan(*slot);
}

void
Schedule::note_slow(std::uint64_t fingerprint) noexcept
{
	Slot *const slot = find(fingerprint);

	if (slot == nullptr || slot->slow)
		return;
	slot->scans = slot->slow = true;
	plan(*slot);
}

bool
Schedule::note_slow_again(std::uint64_t fingerprint, Time now, Time duration) noexcept
{
	Slot *const slot = find(fingerprint);

	if (slot == nullptr || !slot->slow)
		return false;
	if (now - slot->sampled >= std::max(slow_pause, slow_share * duration))
		slot->next = slot->executions + 1;
	return true;
}

bool
Schedule::is_due(std::uint64_t fingerprint, Time now) noexcept
{
	Slot *const slot = find(fingerprint);

	if (slot == nullptr)
		return starts_anew(fingerprint, now);
	slot->sampled = now;
	plan(*slot);
	return true;
}

bool
Schedule::starts_anew(std::uint64_t fingerprint, Time now) noexcept
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
		{
			set[i].executions -= rare_interval;
			plan(set[i]);
		}
	*choice = {fingerprint, 1, never, now, false, false};
	return !replaces || ++replaced_ % replaced_interval == 1;
}

} // namespace remedy::scans
