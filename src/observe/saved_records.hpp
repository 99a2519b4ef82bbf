// The records that a statistics file keeps of statements and transactions.  No server
// headers.
//
// Each is a head, which begins with its kind, and after it the bytes or the buckets
// that there are: of a histogram only those that hold something.  A record is taken
// back only if its numbers could have come from counting.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "observe/statement_counts.hpp"
#include "observe/text_store.hpp"
#include "observe/transaction_groups.hpp"

namespace remedy::observe {

enum class SavedKind : std::uint32_t
{
	totals = 1,
	text,
	statement,
	group,
};

struct SavedTotals
{
	SavedKind kind = SavedKind::totals;
	std::uint32_t unused = 0;
	std::int64_t reset_at; // a timestamp
	std::uint64_t evicted;
	std::uint64_t times_missed;
	std::uint64_t sizes_missed;
	std::uint64_t texts_missed;
};

// The text follows, normalised, without an end.
struct SavedText
{
	SavedKind kind = SavedKind::text;
	std::uint8_t encoding;
	std::uint8_t parameter_count; // or types_unknown
	std::uint16_t unused = 0;
	std::uint64_t fingerprint;
	std::uint32_t database;
	std::uint32_t user;
	std::uint32_t parameter_types[parameter_types_kept];
};

// Of user 0 is what has lost its key; so with groups.
struct SavedStatement
{
	SavedKind kind = SavedKind::statement;
	std::uint32_t index; // in the store
	StatementKey key;
	StatementCounts counts;
};

struct SavedGroup
{
	SavedKind kind = SavedKind::group;
	std::uint32_t unused = 0;
	std::uint64_t last_fold;
	GroupKey key;
	GroupCounts counts;
	std::uint64_t statements_max;
};

struct SavedBucket
{
	std::uint32_t bucket;
	std::uint32_t count;
};

// No padding: the file holds nothing that was not put there.
static_assert(std::has_unique_object_representations_v<SavedTotals>);
static_assert(std::has_unique_object_representations_v<SavedText>);
static_assert(std::has_unique_object_representations_v<SavedStatement>);
static_assert(std::has_unique_object_representations_v<SavedGroup>);
static_assert(std::has_unique_object_representations_v<SavedBucket>);

constexpr bool
is_count(std::uint64_t number) noexcept
{
	return number <= std::uint64_t{std::numeric_limits<std::int64_t>::max()};
}

inline bool
makes_sense(const StatementCounts &counts) noexcept
{
	return counts.calls > 0 && is_count(counts.calls) && counts.failed <= counts.calls && is_count(counts.rows) &&
		   counts.total >= 0 && counts.min >= 0 && counts.max >= 0 && counts.first >= 0 && counts.first <= counts.last;
}

inline bool
makes_sense(const SavedStatement &statement) noexcept
{
	return statement.key.nested <= 1 && makes_sense(statement.counts);
}

inline bool
makes_sense(const GroupCounts &counts) noexcept
{
	return counts.statements > 0 && is_count(counts.statements) && is_count(counts.transactions) &&
		   is_count(counts.nested) && is_count(counts.failed) && is_count(counts.rows) && counts.execution >= 0 &&
		   counts.waiting >= 0;
}

inline bool
makes_sense(const SavedGroup &group) noexcept
{
	return std::memchr(group.key.application, '\0', application_bytes) != nullptr &&
		   std::memchr(group.key.route, '\0', route_bytes) != nullptr && is_count(group.statements_max) &&
		   makes_sense(group.counts);
}

inline bool
makes_sense(const SavedText &head, const char *text, std::size_t length) noexcept
{
	return head.fingerprint != 0 &&
		   (head.parameter_count <= parameter_types_kept || head.parameter_count == types_unknown) && length > 0 &&
		   std::memchr(text, '\0', length) == nullptr;
}

// Without what else lies in the memory of its names.
inline GroupKey
clean_copy(const GroupKey &key) noexcept
{
	GroupKey copy = {key.database, key.user, {}, {}};

	std::memcpy(copy.application, key.application, strnlen(key.application, application_bytes - 1));
	std::memcpy(copy.route, key.route, strnlen(key.route, route_bytes - 1));
	return copy;
}

// A record with a histogram, to be written.
template <class Head, class Histogram>
struct WithBuckets
{
	Head head;
	SavedBucket buckets[Histogram::size];

	// The number of bytes to write.
	std::size_t pack(const Histogram &histogram) noexcept
	{
		unsigned used = 0;
		for (std::uint32_t bucket = 0; bucket < Histogram::size; ++bucket)
			if (histogram.counts[bucket] > 0 && histogram.counts[bucket] < Histogram::most)
				buckets[used++] = {bucket, histogram.counts[bucket]};
		return sizeof(Head) + used * sizeof(SavedBucket);
	}
};

// Reads a head; false if the record is shorter.
template <class Head>
bool
read_head(const char *record, std::size_t bytes, Head &head) noexcept
{
	if (bytes < sizeof(Head))
		return false;
	std::memcpy(static_cast<void *>(&head), record, sizeof(Head));
	return true;
}

// Reads what follows the head; false if these are no buckets of such a histogram.
template <class Histogram>
bool
read_buckets(const char *from, std::size_t bytes, Histogram &histogram) noexcept
{
	std::uint32_t next = 0;

	histogram = {};
	for (; bytes >= sizeof(SavedBucket); from += sizeof(SavedBucket), bytes -= sizeof(SavedBucket))
	{
		SavedBucket saved;
		std::memcpy(&saved, from, sizeof(saved));
		if (saved.bucket < next || saved.bucket >= Histogram::size || saved.count == 0 ||
			saved.count >= Histogram::most)
			return false;
		histogram.add_to_bucket(saved.bucket, saved.count);
		next = saved.bucket + 1;
	}
	return bytes == 0;
}

} // namespace remedy::observe
