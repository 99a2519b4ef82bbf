// Which keys GIN would make of the sampled rows.

#include "what_if/hypothetical.hpp"

#include <algorithm>

extern "C" {
#include "access/gin.h"
#include "access/tupmacs.h"
#include "catalog/pg_collation.h"
#include "common/hashfn.h"
}

namespace remedy::what_if {

namespace {

constexpr int most_keys = 400000;

// Keys are equal here if their bytes are.
SampledKey
key_of(Datum key, const Column &column, int number) noexcept
{
	int16 length;
	bool by_value;
	char alignment;

	get_typlenbyvalalign(column.stored, &length, &by_value, &alignment);
	if (by_value)
		return {hash_bytes_extended(reinterpret_cast<unsigned char *>(&key), sizeof(key), number), 1,
				static_cast<std::uint32_t>(length), 0};
	const char *const bytes = length == -1 ? VARDATA_ANY(DatumGetPointer(key)) : DatumGetPointer(key);
	const std::size_t size = length == -1   ? VARSIZE_ANY_EXHDR(DatumGetPointer(key))
							 : length == -2 ? strlen(bytes)
											: static_cast<std::size_t>(length);
	return {hash_bytes_extended(reinterpret_cast<const unsigned char *>(bytes), static_cast<int>(size), number), 1,
			static_cast<std::uint32_t>(size + (length == -1 ? 1 : 0)), 0};
}

void
make_room(KeyCollector &collector, int more) noexcept
{
	const int wanted = collector.count + more;

	if (wanted <= collector.room)
		return;
	collector.room = std::max(wanted, 2 * collector.room + 1024);
	collector.keys = static_cast<SampledKey *>(
		collector.keys == nullptr ? MemoryContextAllocHuge(collector.memory, sizeof(SampledKey) * collector.room)
								  : repalloc_huge(collector.keys, sizeof(SampledKey) * collector.room));
}

void
keep_lexemes(const Datum *keys, int count, SampledKey *of_keys, MemoryContext memory) noexcept
{
	const MemoryContext before = MemoryContextSwitchTo(memory);

	for (int i = 0; i < count; ++i)
		of_keys[i].lexeme = PointerGetDatum(PG_DETOAST_DATUM_COPY(keys[i]));
	MemoryContextSwitchTo(before);
}

bool
by_hash(const SampledKey &a, const SampledKey &b) noexcept
{
	return a.hash < b.hash;
}

bool
same_hash(const SampledKey &a, const SampledKey &b) noexcept
{
	return a.hash == b.hash;
}

} // namespace

void
collect_keys(const Hypothetical &index, int number, Datum value, bool is_null, KeyCollector &collector) noexcept
{
	const Column &column = index.columns[number];
	FmgrInfo &extract = collector.extract[number];
	const Oid collation = OidIsValid(column.collation) ? column.collation : DEFAULT_COLLATION_OID;
	int32 count = 0;
	bool *nulls = nullptr;

	if (!OidIsValid(extract.fn_oid))
		fmgr_info_cxt(get_opfamily_proc(column.family, column.input, column.input, GIN_EXTRACTVALUE_PROC), &extract,
					  collector.memory);
	const auto *const keys =
		is_null ? nullptr
				: reinterpret_cast<const Datum *>(
					  FunctionCall3Coll(&extract, collation, value, PointerGetDatum(&count), PointerGetDatum(&nulls)));
	const int of_row = keys == nullptr || count <= 0 ? 1 : count; // a row without keys has a mark
	make_room(collector, of_row);
	SampledKey *const first = collector.keys + collector.count;
	for (int i = 0; i < of_row; ++i)
		first[i] = keys == nullptr || count <= 0 || (nulls != nullptr && nulls[i])
					   ? SampledKey{static_cast<std::uint64_t>(number), 1, 0, 0}
					   : key_of(keys[i], column, number);
	if (column.type == TSVECTOROID && keys != nullptr)
		keep_lexemes(keys, count, first, collector.memory);
	std::sort(first, first + of_row, by_hash);
	collector.count = static_cast<int>(std::unique(first, first + of_row, same_hash) - collector.keys);
	collector.full = collector.count >= most_keys;
}

SampledKeys
count_keys(KeyCollector &collector) noexcept
{
	SampledKeys counted = {collector.keys, 0, static_cast<double>(collector.count)};

	std::sort(collector.keys, collector.keys + collector.count, by_hash);
	for (int i = 0; i < collector.count; ++i)
		if (counted.count > 0 && same_hash(counted.keys[counted.count - 1], collector.keys[i]))
			++counted.keys[counted.count - 1].rows;
		else
			counted.keys[counted.count++] = collector.keys[i];
	std::sort(counted.keys, counted.keys + counted.count,
			  [](const SampledKey &a, const SampledKey &b) { return a.rows > b.rows; });
	return counted;
}

} // namespace remedy::what_if
