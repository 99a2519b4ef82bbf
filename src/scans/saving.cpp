#include "scans/saving.hpp"

#include "scans/scan_memory.hpp"
#include "scans/scan_table.hpp"

namespace remedy::scans {

namespace {

void
save(observe::RecordWriter &writer)
{
	const Contents contents = read_scans();

	for (int i = 0; i < contents.count; ++i)
		writer.put(&contents.entries[i], sizeof(Entry));
	writer.put(&contents.others, sizeof(Others));
}

bool
load_entry(const char *record) noexcept
{
	Entry entry;

	memcpy(static_cast<void *>(&entry), record, sizeof(entry));
	const Key &key = entry.key;
	if (key.subject.method > Method::bitmap || key.predicate.count > clauses_per_predicate ||
		entry.hash != hash_of(key) || !entry.counts.are_shown())
		return false;
	store_entry(key, entry.hash).add(entry);
	return true;
}

bool
load(const char *record, Size bytes)
{
	Others others;

	if (bytes == sizeof(Entry))
		return load_entry(record);
	if (bytes != sizeof(others))
		return false;
	memcpy(&others, record, sizeof(others));
	store->others.add(others);
	return true;
}

} // namespace

const observe::Section section = {"scans", 2, save, load};

} // namespace remedy::scans
