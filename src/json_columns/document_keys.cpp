#include "json_columns/document_keys.hpp"

#include <algorithm>
#include <tuple>

extern "C" {
#include "common/hashfn.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"
}

namespace remedy::json_columns {

namespace {

constexpr int deepest = 64; // further down all is one place
constexpr std::uint64_t keys_of_objects = 1, elements = 2;

std::uint64_t
hash_of(const void *bytes, int size, std::uint64_t seed) noexcept
{
	return hash_bytes_extended(static_cast<const unsigned char *>(bytes), size, seed);
}

struct Scalar
{
	std::uint64_t hash;
	int bytes; // of its key in jsonb_ops
};

Scalar
scalar_of(const JsonbValue &value) noexcept
{
	switch (value.type)
	{
	case jbvString:
		return {hash_of(value.val.string.val, value.val.string.len, 1), value.val.string.len};
	case jbvNumeric: {
		const char *const digits = numeric_normalize(value.val.numeric);
		const int length = static_cast<int>(strlen(digits));
		return {hash_of(digits, length, 2), length};
	}
	case jbvBool:
		return {value.val.boolean ? 3u : 4u, 1};
	default:
		return {5, 0};
	}
}

} // namespace

void
DocumentKeys::note(std::uint64_t place, std::uint64_t value, int bytes) noexcept
{
	if (count_ == room_)
	{
		room_ = 2 * room_ + 100000;
		entries_ = static_cast<Entry *>(entries_ == nullptr
											? MemoryContextAllocHuge(CurrentMemoryContext, room_ * sizeof(Entry))
											: repalloc_huge(entries_, room_ * sizeof(Entry)));
	}
	entries_[count_++] = {place, value, documents_, static_cast<std::uint32_t>(bytes)};
}

void
DocumentKeys::add(Datum jsonb) noexcept
{
	JsonbIterator *iterator = JsonbIteratorInit(&DatumGetJsonbP(jsonb)->root);
	std::uint64_t places[deepest + 1] = {};
	std::uint64_t place = keys_of_objects + elements; // of the next value
	JsonbIteratorToken token;
	JsonbValue value;
	int depth = 0;

	while ((token = JsonbIteratorNext(&iterator, &value, false)) != WJB_DONE)
		if (token == WJB_BEGIN_OBJECT || token == WJB_BEGIN_ARRAY)
		{
			if (++depth <= deepest)
				places[depth] = token == WJB_BEGIN_ARRAY ? hash_of(&elements, sizeof(elements), place) : place;
			place = places[Min(depth, deepest)];
		}
		else if (token == WJB_END_OBJECT || token == WJB_END_ARRAY)
		{
			--depth;
			place = places[Min(depth, deepest)];
		}
		else if (token == WJB_KEY)
		{
			const std::uint64_t key = hash_of(value.val.string.val, value.val.string.len, 0);
			place = hash_of(&key, sizeof(key), places[Min(depth, deepest)]);
			if (object_keys_)
				note(keys_of_objects, key, value.val.string.len);
		}
		else
		{
			const Scalar scalar = scalar_of(value);
			note(place, scalar.hash, scalar.bytes);
			if (token == WJB_ELEM)
				place = places[Min(depth, deepest)];
		}
	++documents_;
}

int
DocumentKeys::classes(KeyClass *&classes) noexcept
{
	// jsonb_path_ops keeps hashes of four bytes, jsonb_ops hashes what is long.
	constexpr std::uint32_t hashed = 4, longest = 125, header = 2;
	int count = 0, room = 0;

	std::sort(entries_, entries_ + count_, [](const Entry &a, const Entry &b) {
		return std::tie(a.place, a.value, a.document) < std::tie(b.place, b.value, b.document);
	});
	classes = nullptr;
	for (Size i = 0; i < count_;)
	{
		const Size first = i;
		double documents = 0;
		for (; i < count_ && entries_[i].place == entries_[first].place && entries_[i].value == entries_[first].value;
			 ++i)
			documents += i == first || entries_[i].document != entries_[i - 1].document;
		if (first == 0 || entries_[first].place != entries_[first - 1].place)
		{
			if (count == room)
			{
				room = 2 * room + 100;
				const Size size = room * sizeof(KeyClass);
				classes = static_cast<KeyClass *>(classes == nullptr ? palloc(size) : repalloc(classes, size));
			}
			classes[count++] = {};
		}
		KeyClass &all = classes[count - 1];
		const double bytes = !object_keys_                     ? hashed
							 : entries_[first].bytes > longest ? header + 8
															   : header + entries_[first].bytes;
		all.entries += documents;
		all.bytes += (bytes - all.bytes) / (all.distinct + 1);
		all.distinct += 1;
		all.once += documents == 1;
	}
	return count;
}

} // namespace remedy::json_columns
