#include "findings/announcements.hpp"

#include <algorithm>

#include "findings/finding_memory.hpp"

namespace remedy::findings {

namespace {

using namespace detail;

void
describe(const Finding &finding, Announcement &announcement) noexcept
{
	memcpy(announcement.database, finding.database, sizeof(finding.database));
	memcpy(announcement.key, finding.key, sizeof(finding.key));
	memcpy(announcement.level, finding.level, sizeof(finding.level));
	memcpy(announcement.kind, finding.kind, sizeof(finding.kind));
	memcpy(announcement.direction, finding.direction, sizeof(finding.direction));
	memcpy(announcement.child_table, finding.child_table, sizeof(finding.child_table));
	memcpy(announcement.child_column, finding.child_column, sizeof(finding.child_column));
	memcpy(announcement.parent_table, finding.parent_table, sizeof(finding.parent_table));
	memcpy(announcement.parent_column, finding.parent_column, sizeof(finding.parent_column));
	memcpy(announcement.user_name, finding.user_name, sizeof(finding.user_name));
	memcpy(announcement.application, finding.application, sizeof(finding.application));
	memcpy(announcement.route, finding.route, sizeof(finding.route));
	// Where the entry is the common one, it is of many of them.
	if (finding.identity == finding.common_identity)
		announcement.application[0] = announcement.route[0] = '\0';
}

} // namespace

int
findings_to_announce(TimestampTz since, Announcement *&announcements) noexcept
{
	int count = 0;

	announcements =
		static_cast<Announcement *>(MemoryContextAllocHuge(CurrentMemoryContext, table->limit * sizeof(Announcement)));
	region.acquire(LW_SHARED);
	for (int i = 0; i < table->limit; ++i)
	{
		const Entry &entry = table->entries[i];
		const std::uint64_t serial = entry.serial.load(std::memory_order_relaxed);
		if (serial == 0 || entry.announced.load(std::memory_order_relaxed) || entry.finding.first_seen < since)
			continue;
		Announcement &announcement = announcements[count++];
		announcement.handle = {static_cast<std::uint32_t>(i), serial};
		describe(entry.finding, announcement);
	}
	region.release();
	std::sort(announcements, announcements + count, [](const Announcement &one, const Announcement &other) {
		return strcmp(one.database, other.database) < 0;
	});
	return count;
}

void
mark_announced(const Announcement *announcements, int count) noexcept
{
	region.acquire(LW_SHARED);
	for (int i = 0; i < count; ++i)
		if (holds(announcements[i].handle))
			table->entries[announcements[i].handle.index].announced.store(true, std::memory_order_relaxed);
	region.release();
}

} // namespace remedy::findings
