#include "scans/entries.hpp"

namespace remedy::scans {

namespace {

std::uint64_t
mix(std::uint64_t hash, std::uint64_t word) noexcept
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15;
	return hash ^ (hash >> 32);
}

} // namespace

std::uint64_t
hash_of(const Key &key) noexcept
{
	constexpr int clause_words = sizeof(Clause) / sizeof(std::uint64_t);
	constexpr int subject_words = sizeof(Subject) / sizeof(std::uint64_t);
	const int words = subject_words + key.predicate.count * clause_words;
	std::uint64_t hash = 0;

	for (int i = 0; i < words; ++i)
	{
		std::uint64_t word;
		std::memcpy(&word, reinterpret_cast<const char *>(&key) + i * sizeof(word), sizeof(word));
		hash = mix(hash, word);
	}
	return hash | 1;
}

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
