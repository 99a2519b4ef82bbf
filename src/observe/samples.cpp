#include "observe/samples.hpp"

#include <algorithm>

#include "observe/persistence.hpp"
#include "observe/settings.hpp"
#include "server/guard.hpp"
#include "server/rows.hpp"
#include "server/shared.hpp"

namespace remedy::observe {

namespace {

constexpr int shared_limit = 500;
constexpr int session_limit = 32; // without preloading only this session's are kept

struct Table
{
	int limit;
	SampledStatement statements[FLEXIBLE_ARRAY_MEMBER];
};

Table *table = nullptr;
SamplingTurns turns;

int
limit_for(int backends) noexcept
{
	return backends > 1 ? shared_limit : session_limit;
}

Size
region_bytes(int backends)
{
	return add_size(offsetof(Table, statements), mul_size(limit_for(backends), sizeof(SampledStatement)));
}

void
placed(void *memory, int backends)
{
	table = static_cast<Table *>(memory);
	table->limit = limit_for(backends);
}

server::Region region = {"pg_remedy samples", region_bytes, placed, nullptr, nullptr};

// ---- Taking ----------------------------------------------------------------------

// Passed by value, or by reference with a length, -1 for a varlena.  Of these types the
// bytes are all there is, and mean the same in every process.
constexpr int by_value = 0;

struct Type
{
	Oid oid;
	int length;
};

constexpr Type types[] = {
	{BOOLOID, by_value},
	{CHAROID, by_value},
	{INT2OID, by_value},
	{INT4OID, by_value},
	{INT8OID, by_value},
	{OIDOID, by_value},
	{FLOAT4OID, by_value},
	{FLOAT8OID, by_value},
	{DATEOID, by_value},
	{TIMEOID, by_value},
	{TIMESTAMPOID, by_value},
	{TIMESTAMPTZOID, by_value},
	{MONEYOID, by_value},
	{NAMEOID, NAMEDATALEN},
	{UUIDOID, 16},
	{INTERVALOID, 16},
	{TIMETZOID, 12},
	{MACADDROID, 6},
	{MACADDR8OID, 8},
	{TEXTOID, -1},
	{VARCHAROID, -1},
	{BPCHAROID, -1},
	{BYTEAOID, -1},
	{NUMERICOID, -1},
	{JSONOID, -1},
	{JSONBOID, -1},
	{XMLOID, -1},
	{INETOID, -1},
	{CIDROID, -1},
	{BITOID, -1},
	{VARBITOID, -1},
	{TSVECTOROID, -1},
	{TSQUERYOID, -1},
	{BOOLARRAYOID, -1},
	{INT2ARRAYOID, -1},
	{INT4ARRAYOID, -1},
	{INT8ARRAYOID, -1},
	{OIDARRAYOID, -1},
	{FLOAT4ARRAYOID, -1},
	{FLOAT8ARRAYOID, -1},
	{TEXTARRAYOID, -1},
	{VARCHARARRAYOID, -1},
	{BPCHARARRAYOID, -1},
	{NUMERICARRAYOID, -1},
	{DATEARRAYOID, -1},
	{TIMESTAMPARRAYOID, -1},
	{TIMESTAMPTZARRAYOID, -1},
	{UUIDARRAYOID, -1},
	{JSONBARRAYOID, -1},
	{INT4RANGEOID, -1},
	{INT8RANGEOID, -1},
	{NUMRANGEOID, -1},
	{TSRANGEOID, -1},
	{TSTZRANGEOID, -1},
	{DATERANGEOID, -1},
};

// An enumeration's value is a word; who reads it finds out whether it was one.
SampledValue
sampled(const ParamExternData &parameter) noexcept
{
	const Oid type = parameter.ptype;
	const Type *const known =
		std::find_if(std::begin(types), std::end(types), [type](const Type &each) { return each.oid == type; });

	if (parameter.isnull)
		return {type, ValueKind::null, 0, nullptr, 0};
	if (known == std::end(types))
		return {type, type >= FirstNormalObjectId ? ValueKind::word : ValueKind::missing, parameter.value, nullptr, 0};
	if (known->length == by_value)
		return {type, ValueKind::word, parameter.value, nullptr, 0};
	const char *const bytes = DatumGetPointer(parameter.value);
	if (known->length > 0)
		return {type, ValueKind::bytes, 0, bytes, static_cast<std::uint32_t>(known->length)};
	if (VARATT_IS_EXTERNAL(bytes))
		return {type, ValueKind::missing, 0, nullptr, 0};
	return {type, ValueKind::bytes, 0, bytes, static_cast<std::uint32_t>(VARSIZE_ANY(bytes))};
}

// Without parameters, the text with its constants is the sample.
bool
describe(const Statement &statement, Sample &sample) noexcept
{
	const QueryDesc &query = *statement.query;
	const ParamListInfo parameters = query.params;

	if (parameters != nullptr && parameters->numParams > 0)
	{
		if (parameters->paramFetch != nullptr)
			return false;
		for (int i = 0; i < parameters->numParams; ++i)
			if (!sample.add(sampled(parameters->params[i])))
				break;
		return true;
	}
	if (query.sourceText == nullptr || !standard_conforming_strings || old_strings_seen)
		return false;
	const TextPart part = own_part(query.sourceText, query.plannedstmt->stmt_location, query.plannedstmt->stmt_len);
	return sample.set_text(part.start, part.length);
}

// The lock is held exclusively.
SampledStatement &
entry_for(std::uint64_t fingerprint) noexcept
{
	SampledStatement *oldest = table->statements;

	for (SampledStatement *each = table->statements; each < table->statements + table->limit; ++each)
	{
		if (each->fingerprint == fingerprint && each->database == MyDatabaseId)
			return *each;
		if (each->sampled_at < oldest->sampled_at)
			oldest = each;
	}
	memset(static_cast<void *>(oldest), 0, sizeof(*oldest));
	oldest->fingerprint = fingerprint;
	oldest->database = MyDatabaseId;
	return *oldest;
}

} // namespace

void
detail::take_sample(const Statement &statement)
{
	Sample sample = {};

	if (statement.query == nullptr || statement.fingerprint == 0 ||
		!turns.take(statement.fingerprint, statement.ended, statement.execution >= slow_floor) ||
		!describe(statement, sample))
		return;
	sample.taken_at = GetCurrentTimestamp();
	sample.execution = statement.execution;
	sample.user = statement.user;
	if (!region.acquire_if_free(LW_EXCLUSIVE))
		return;
	SampledStatement &entry = entry_for(statement.fingerprint);
	entry.sampled_at = sample.taken_at;
	entry.samples[place_of_next(entry.samples)] = sample;
	region.release();
}

// ---- Forgetting ------------------------------------------------------------------

namespace {

bool
lies_in(const SampledStatement &statement, const Scope &scope) noexcept
{
	return (scope.database == 0 || scope.database == statement.database) &&
		   (scope.fingerprint == 0 || scope.fingerprint == statement.fingerprint);
}

} // namespace

void
detail::forget_samples(const Scope &scope)
{
	region.acquire(LW_EXCLUSIVE);
	for (SampledStatement *each = table->statements; each < table->statements + table->limit; ++each)
		if (lies_in(*each, scope))
			for (Sample &sample : each->samples)
				if (scope.user == 0 || scope.user == sample.user)
					memset(static_cast<void *>(&sample), 0, sizeof(sample));
	region.release();
}

namespace {

// Saves nothing.  The process that saves regularly notices here that values are not
// wanted any more, server-wide: then those that there are go.
void
save(RecordWriter &)
{
	static bool were_wanted = false;

	if (were_wanted && !settings.keep_values)
		detail::forget_samples({});
	were_wanted = settings.keep_values;
}

constexpr Section section = {"samples", 1, save, [](const char *, Size) { return false; }};

// ---- Reading ---------------------------------------------------------------------

bool
is_older(const Sample &one, const Sample &other) noexcept
{
	return one.taken_at < other.taken_at;
}

// Moves the samples that there are to the front, the oldest first; returns how many.
int
put_in_order(Sample *samples) noexcept
{
	Sample *const end = samples + samples_per_statement;
	Sample *const used = std::remove_if(samples, end, [](const Sample &sample) { return sample.taken_at == 0; });

	std::sort(samples, used, is_older);
	std::for_each(used, end, [](Sample &sample) { sample.taken_at = 0; });
	return static_cast<int>(used - samples);
}

} // namespace

void
declare_samples() noexcept
{
	server::declare_region(region);
	declare_section(section);
}

int
copy_sampled_statements(const SampledStatement *&statements) noexcept
{
	int count = 0;

	if (!settings.keep_values)
		return 0;
	SampledStatement *const copies = static_cast<SampledStatement *>(
		MemoryContextAllocHuge(CurrentMemoryContext, mul_size(table->limit, sizeof(SampledStatement))));
	region.acquire(LW_SHARED);
	for (const SampledStatement *each = table->statements; each < table->statements + table->limit; ++each)
		if (each->fingerprint != 0 && each->database == MyDatabaseId)
			copies[count++] = *each;
	region.release();
	for (int i = 0; i < count; ++i)
		put_in_order(copies[i].samples);
	statements = copies;
	return count;
}

int
copy_samples(std::uint64_t fingerprint, const Sample *&samples) noexcept
{
	if (!settings.keep_values)
		return 0;
	Sample *const copies = static_cast<Sample *>(palloc0(samples_per_statement * sizeof(Sample)));
	region.acquire(LW_SHARED);
	for (const SampledStatement *each = table->statements; each < table->statements + table->limit; ++each)
		if (each->fingerprint == fingerprint && each->database == MyDatabaseId)
			memcpy(static_cast<void *>(copies), each->samples, sizeof(each->samples));
	region.release();
	samples = copies;
	return put_in_order(copies);
}

bool
datum_of(const SampledValue &value, Datum &datum) noexcept
{
	const bool is_foreign = value.type >= FirstNormalObjectId;

	if (value.kind == ValueKind::word && (!is_foreign || get_typbyval(value.type)))
		datum = value.word;
	else if (value.kind == ValueKind::bytes)
		datum = PointerGetDatum(value.bytes);
	else
		return false;
	return true;
}

} // namespace remedy::observe

using namespace remedy;
using namespace remedy::observe;

namespace {

// In this session's way of writing; null for a null.
Datum
values_of(const Sample &sample) noexcept
{
	Datum *const texts = static_cast<Datum *>(palloc(sample.value_count * sizeof(Datum)));
	bool *const nulls = static_cast<bool *>(palloc(sample.value_count * sizeof(bool)));
	int size = static_cast<int>(sample.value_count);
	int lower_bound = 1;

	sample.each([&](std::uint32_t i, const SampledValue &value) {
		const char *text = "<not kept>";
		Datum datum;
		Oid output;
		bool is_varlena;

		nulls[i] = value.kind == ValueKind::null;
		if (!nulls[i] && datum_of(value, datum))
		{
			getTypeOutputInfo(value.type, &output, &is_varlena);
			text = OidOutputFunctionCall(output, datum);
		}
		texts[i] = CStringGetTextDatum(text);
	});
	return PointerGetDatum(construct_md_array(texts, nulls, 1, &size, &lower_bound, TEXTOID, -1, false, TYPALIGN_INT));
}

void
put_sample(server::Rows &rows, std::uint64_t fingerprint, const Sample &sample) noexcept
{
	rows.put_bigint(static_cast<int64>(fingerprint));
	rows.put_text(GetUserNameFromId(sample.user, true));
	rows.put_time(sample.taken_at);
	rows.put_double(milliseconds(sample.execution));
	sample.is_text() ? rows.put_null() : rows.put(values_of(sample));
	rows.put_text(sample.is_text() ? sample.bytes : nullptr);
	rows.end_row();
}

} // namespace

REMEDY_FUNCTION(remedy_statement_samples)
{
	enter_function();
	server::Rows rows(fcinfo);
	const SampledStatement *statements = nullptr;
	const int count = copy_sampled_statements(statements);

	for (int i = 0; i < count; ++i)
		for (const Sample &sample : statements[i].samples)
			if (sample.taken_at != 0 && may_read_texts_of(sample.user))
				put_sample(rows, statements[i].fingerprint, sample);
	return 0;
}
