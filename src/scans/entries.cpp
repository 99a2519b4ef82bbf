#include "scans/entries.hpp"

namespace remedy::scans {

void
Counts::subtract(const Counts &other) noexcept
{
	scans -= other.scans;
	rows -= other.rows;
	samples -= other.samples;
	sampled_rows -= other.sampled_rows;
	kept_rows -= other.kept_rows;
	loops -= other.loops;
}

Entry &
entry_for(Entry *entries, unsigned count, const Key &key, std::uint64_t hash, Others &others) noexcept
{
	Entry *const set = entries + (hash >> 1) % (count / set_size) * set_size;
	Entry *choice = set;

	for (Entry *entry = set; entry < set + set_size; ++entry)
	{
		if (entry->hash == hash && entry->key == key)
			return *entry;
		if (choice->hash != 0 && (entry->hash == 0 || entry->touched < choice->touched))
			choice = entry;
	}
	if (choice->hash != 0 && !choice->counts.empty())
		others.miss(choice->counts);
	*choice = {};
	choice->hash = hash;
	choice->key = key;
	return *choice;
}

std::uint64_t
Shares::next(std::uint64_t part) noexcept
{
	if (parts_ == 0)
		return 0;
	const bool last = part >= parts_;
	const std::uint64_t share =
		last ? whole_ : std::min(whole_, static_cast<std::uint64_t>(static_cast<long double>(whole_) * part / parts_));

	whole_ -= share;
	parts_ -= last ? parts_ : part;
	return share;
}

} // namespace remedy::scans
