#include "jsonb_migration/document_sample.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <numeric>

#include "server/guard.hpp"

extern "C" {
#include "access/detoast.h"
#include "access/heaptoast.h"
#include "access/tableam.h"
#include "access/toast_compression.h"
#include "access/toast_internals.h"
#include "storage/bufmgr.h"
#include "utils/fmgrprotos.h"
}

namespace remedy::jsonb_migration {

namespace {

constexpr double most_pages = 1500;
constexpr double longest_seconds = 0.5;

using Clock = std::chrono::steady_clock;

double
seconds_since(Clock::time_point began) noexcept
{
	return std::chrono::duration<double>(Clock::now() - began).count();
}

// Costs a microsecond to ask for.
double
processor_seconds() noexcept
{
	timespec time = {};

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// ---- How a row is stored ---------------------------------------------------------

// A value that the server may compress or put elsewhere.
struct Value
{
	varlena *plain; // null: it cannot be made smaller here
	double here;    // bytes in the row
	double elsewhere;
	char compression; // invalid: none
};

Value
value_of(Datum datum, const Form_pg_attribute column) noexcept
{
	auto *const value = reinterpret_cast<varlena *>(DatumGetPointer(datum));
	const bool is_plain = !VARATT_IS_EXTERNAL(value) && !VARATT_IS_COMPRESSED(value);
	const bool is_compressible = column->attstorage == TYPSTORAGE_EXTENDED || column->attstorage == TYPSTORAGE_MAIN;
	const char chosen =
		CompressionMethodIsValid(column->attcompression) ? column->attcompression : default_toast_compression;
	double here = VARSIZE_ANY(value);

	if (is_plain && !VARATT_IS_SHORT(value) && VARATT_CAN_MAKE_SHORT(value))
		here = VARATT_CONVERTED_SHORT_SIZE(value);
	return {is_plain ? value : nullptr, here, 0, is_compressible ? chosen : '\0'};
}

void
compress(Value &value, Stored &stored) noexcept
{
	const Clock::time_point began = Clock::now();
	auto *const smaller = reinterpret_cast<varlena *>(
		DatumGetPointer(toast_compress_datum(PointerGetDatum(value.plain), value.compression)));

	if (smaller != nullptr)
		value.here = VARSIZE(smaller);
	value.compression = '\0';
	stored.compress_seconds += seconds_since(began);
}

void
put_elsewhere(Value &value) noexcept
{
	value.elsewhere = value.here;
	value.here = TOAST_POINTER_SIZE;
	value.plain = nullptr;
}

Value *
biggest(Value *values, int count, bool to_compress) noexcept
{
	Value *found = nullptr;

	for (int i = 0; i < count; ++i)
		if (values[i].plain != nullptr && (!to_compress || values[i].compression != '\0') &&
			(found == nullptr || values[i].here > found->here))
			found = &values[i];
	return found;
}

void
put_into_heap(double tuple, const Relation relation, Stored &stored) noexcept
{
	stored.heap.add(static_cast<Size>(tuple), RelationGetTargetPageFreeSpace(relation, HEAP_DEFAULT_FILLFACTOR));
}

// A chunk has a value's number, its own number, and a varlena header.
void
put_into_toast(double bytes, Stored &stored) noexcept
{
	constexpr Size beside = MAXALIGN(SizeofHeapTupleHeader) + sizeof(Oid) + sizeof(int32) + VARHDRSZ;

	for (; bytes > 0; bytes -= TOAST_MAX_CHUNK_SIZE)
		stored.toast.add(beside + static_cast<Size>(std::min<double>(bytes, TOAST_MAX_CHUNK_SIZE)), 0);
}

// The server's way: the biggest value is compressed, or put elsewhere, until the row is small enough.
void
store(double rest, Value *values, int count, const Relation relation, Stored &stored) noexcept
{
	const double target = RelationGetToastTupleTarget(relation, TOAST_TUPLE_TARGET);
	const auto bytes = [&]() noexcept {
		return std::accumulate(values, values + count, rest,
							   [](double sum, const Value &value) { return sum + value.here; });
	};

	if (bytes() > TOAST_TUPLE_THRESHOLD)
	{
		while (Value *const value = bytes() > target ? biggest(values, count, true) : nullptr)
		{
			compress(*value, stored);
			if (value->here > target)
				put_elsewhere(*value);
		}
		while (Value *const value = bytes() > target ? biggest(values, count, false) : nullptr)
			put_elsewhere(*value);
	}
	for (int i = 0; i < count; ++i)
		put_into_toast(values[i].elsewhere, stored);
	put_into_heap(bytes(), relation, stored);
}

// ---- Rows ------------------------------------------------------------------------

// Null if jsonb refuses it.
varlena *
convert_document(varlena *document, MemoryContext memory) noexcept
{
	varlena *volatile result = nullptr;

	attempt_in_memory([&]() noexcept {
		const Datum text = CStringGetDatum(text_to_cstring(document));
		const varlena *const made = reinterpret_cast<varlena *>(DatumGetPointer(DirectFunctionCall1(jsonb_in, text)));
		varlena *const copy = static_cast<varlena *>(MemoryContextAlloc(memory, VARSIZE(made)));
		memcpy(copy, made, VARSIZE(made));
		result = copy;
	});
	return result;
}

struct Reading
{
	DocumentSample &sample;
	Relation relation;
	Form_pg_attribute column;
	MemoryContext memory; // for one row
};

void
read_document(const Reading &reading, double rest, Datum datum) noexcept
{
	DocumentSample &sample = reading.sample;
	const auto *const kept = reinterpret_cast<varlena *>(DatumGetPointer(datum));
	const Clock::time_point began = Clock::now();
	varlena *const document = pg_detoast_datum_packed(reinterpret_cast<varlena *>(DatumGetPointer(datum)));
	varlena *const converted = convert_document(document, CurrentMemoryContext);
	const double seconds = seconds_since(began);

	++sample.documents;
	if (converted == nullptr)
	{
		++sample.refused;
		return;
	}
	const Value json = value_of(datum, reading.column);
	const Value jsonb = value_of(PointerGetDatum(converted), reading.column);
	Value both[] = {json, jsonb};
	Value alone[] = {jsonb};
	sample.convert_seconds += seconds;
	sample.json_bytes += toast_datum_size(datum);
	sample.text_bytes += VARSIZE_ANY_EXHDR(document);
	put_into_heap(rest + json.here, reading.relation, sample.now);
	if (VARATT_IS_EXTERNAL(kept))
		put_into_toast(toast_datum_size(datum), sample.now);
	store(rest, both, lengthof(both), reading.relation, sample.both);
	store(rest, alone, lengthof(alone), reading.relation, sample.jsonb);
	sample.jsonb_bytes += alone[0].elsewhere > 0 ? alone[0].elsewhere : alone[0].here;
}

void
read_row(const Reading &reading, TupleTableSlot *slot) noexcept
{
	bool is_null;
	bool is_copy;
	const Datum document = slot_getattr(slot, reading.column->attnum, &is_null);
	const HeapTuple tuple = ExecFetchSlotHeapTuple(slot, false, &is_copy);
	const double length = tuple->t_len;

	++reading.sample.rows;
	if (is_null)
		for (Stored *stored : {&reading.sample.now, &reading.sample.both, &reading.sample.jsonb})
			put_into_heap(length, reading.relation, *stored);
	else
		read_document(reading, length - VARSIZE_ANY(DatumGetPointer(document)), document);
	if (is_copy)
		heap_freetuple(tuple);
}

// ---- Pages -----------------------------------------------------------------------

void
read_page(const Reading &reading, TableScanDesc scan, TupleTableSlot *slot, BlockNumber page) noexcept
{
	ItemPointerData first;
	ItemPointerData last;

	CHECK_FOR_INTERRUPTS();
	const double before_page = processor_seconds();
	ItemPointerSet(&first, page, FirstOffsetNumber);
	ItemPointerSet(&last, page, PG_UINT16_MAX);
	table_rescan_tidrange(scan, &first, &last);
	while (table_scan_getnextslot_tidrange(scan, ForwardScanDirection, slot))
	{
		const Clock::time_point began = Clock::now();
		const MemoryContext before = MemoryContextSwitchTo(reading.memory);
		read_row(reading, slot);
		MemoryContextSwitchTo(before);
		MemoryContextReset(reading.memory);
		reading.sample.row_seconds += seconds_since(began);
	}
	ExecClearTuple(slot);
	reading.sample.pages_seen += 1;
	reading.sample.processor_seconds += processor_seconds() - before_page;
}

// Leaps of the golden section meet all pages once, and are spread evenly at any time.
BlockNumber
leap(BlockNumber pages) noexcept
{
	auto step = static_cast<BlockNumber>(pages * 0.6180339887);

	while (step > 1 && std::gcd(step, pages) != 1)
		--step;
	return std::max<BlockNumber>(step, 1);
}

// So many pages, or until the clock says that others are to have their share.
void
read_leaf(const Reading &reading, BlockNumber pages, double wanted, double until, Clock::time_point began) noexcept
{
	const BlockNumber step = leap(pages);
	const double count = std::min<double>(pages, std::max(wanted, 1.0));
	ItemPointerData none;
	BlockNumber page = 0;

	ItemPointerSet(&none, 0, FirstOffsetNumber);
	const TableScanDesc scan = table_beginscan_tidrange(reading.relation, GetActiveSnapshot(), &none, &none);
	TupleTableSlot *const slot = table_slot_create(reading.relation, nullptr);
	for (double i = 0; i < count && (i == 0 || seconds_since(began) < until); i += 1)
	{
		read_page(reading, scan, slot, page);
		page = static_cast<BlockNumber>((static_cast<std::uint64_t>(page) + step) % pages);
	}
	ExecDropSingleTupleTableSlot(slot);
	table_endscan(scan);
}

template <class Body>
void
each_leaf(const List *leaves, Body body) noexcept
{
	ListCell *cell;

	foreach (cell, leaves)
	{
		const Leaf &leaf = *static_cast<const Leaf *>(lfirst(cell));
		const Relation relation = table_open(leaf.table, AccessShareLock);
		body(leaf, relation, RelationGetNumberOfBlocks(relation));
		table_close(relation, NoLock);
	}
}

double
toast_pages_of(const Relation relation) noexcept
{
	if (!OidIsValid(relation->rd_rel->reltoastrelid))
		return 0;
	const Relation toast = table_open(relation->rd_rel->reltoastrelid, AccessShareLock);
	const double pages = RelationGetNumberOfBlocks(toast);
	table_close(toast, NoLock);
	return pages;
}

} // namespace

void
Packing::add(Size tuple, Size kept_free) noexcept
{
	const double needed = MAXALIGN(tuple) + sizeof(ItemIdData);

	bytes += needed;
	if (room < needed + kept_free)
	{
		pages += 1;
		room = BLCKSZ - SizeOfPageHeaderData;
	}
	room -= needed;
}

double
busyness(const DocumentSample &sample) noexcept
{
	return sample.processor_seconds > 0 ? std::max(sample.row_seconds / sample.processor_seconds, 1.0) : 1;
}

DocumentSample
sample_documents(const List *leaves) noexcept
{
	DocumentSample sample = {};
	const MemoryContext memory =
		AllocSetContextCreate(CurrentMemoryContext, "pg_remedy document", ALLOCSET_DEFAULT_SIZES);
	const Clock::time_point began = Clock::now();
	double before = 0;

	each_leaf(leaves, [&](const Leaf &, Relation relation, BlockNumber pages) noexcept {
		sample.pages += pages;
		sample.toast_pages += toast_pages_of(relation);
	});
	each_leaf(leaves, [&](const Leaf &leaf, Relation relation, BlockNumber pages) noexcept {
		if (pages == 0 || relation->rd_tableam->scan_set_tidrange == nullptr)
			return;
		before += pages;
		const Form_pg_attribute column = TupleDescAttr(RelationGetDescr(relation), leaf.column - 1);
		read_leaf({sample, relation, column, memory}, pages, most_pages * pages / sample.pages,
				  longest_seconds * before / sample.pages, began);
	});
	MemoryContextDelete(memory);
	for (double *seconds : {&sample.convert_seconds, &sample.both.compress_seconds, &sample.jsonb.compress_seconds})
		*seconds /= busyness(sample);
	return sample;
}

double
slowness() noexcept
{
	constexpr int times = 100;
	constexpr int batches = 7;
	constexpr double calibrated = 3.85e-6;
	const char *const document =
		R"({"order": 1234567, "user_id": 815, "status": "paid", "placed": "2026-05-04T12:34:56.789Z", "items": [)"
		R"({"sku": "A1B2C3D4", "name": "amber kettle", "quantity": 2, "price": 12.95, "taxed": true}, )"
		R"({"sku": "0F1E2D3C", "name": "silver quarry", "quantity": 1, "price": 799.0, "taxed": false}, )"
		R"({"sku": "99887766", "name": "valley pebble", "quantity": 5, "price": 0.5, "taxed": true}], )"
		R"("ship_to": {"street": "harbor of the seven winds", "city": "grove", "zip": "01234"}, "coupon": null})";
	const MemoryContext memory =
		AllocSetContextCreate(CurrentMemoryContext, "pg_remedy document", ALLOCSET_DEFAULT_SIZES);
	const MemoryContext before = MemoryContextSwitchTo(memory);
	double seconds[batches];

	for (double &batch : seconds)
	{
		const Clock::time_point began = Clock::now();
		for (int i = 0; i < times; ++i)
			DirectFunctionCall1(jsonb_in, CStringGetDatum(document));
		batch = seconds_since(began) / times;
		MemoryContextReset(memory);
	}
	MemoryContextSwitchTo(before);
	MemoryContextDelete(memory);
	std::sort(seconds, seconds + batches);
	return seconds[batches / 2] / calibrated;
}

} // namespace remedy::jsonb_migration
