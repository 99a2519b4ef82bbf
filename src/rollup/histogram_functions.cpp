// The histogram's aggregates and functions.
//
// Equal values give equal bytes, however they were counted: together, in parts that were merged, or added and taken
// away again.  Where nothing is left there is no histogram: null.

#include "rollup/histogram_state.hpp"
#include "server/guard.hpp"

namespace remedy::rollup {

namespace {

[[noreturn]] void
refuse_bytes() noexcept
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("bytes are not a histogram"),
					errhint("Histograms come from remedy.histogram() and remedy.merge_histograms().")));
	pg_unreachable();
}

const unsigned char *
bytes_of(const bytea *value) noexcept
{
	return reinterpret_cast<const unsigned char *>(VARDATA_ANY(value));
}

// That of the running aggregate, made by its first value.
HistogramState &
state_of(FunctionCallInfo fcinfo) noexcept
{
	MemoryContext context;

	if (!PG_ARGISNULL(0))
		return *reinterpret_cast<HistogramState *>(PG_GETARG_POINTER(0));
	if (AggCheckCallContext(fcinfo, &context) == 0)
		elog(ERROR, "a function of an aggregate was called outside of one");
	return *new_histogram(context);
}

Datum
unchanged(FunctionCallInfo fcinfo) noexcept
{
	fcinfo->isnull = PG_ARGISNULL(0);
	return fcinfo->isnull ? Datum{0} : PG_GETARG_DATUM(0);
}

void
count_all(HistogramState &state, const HistogramState &other) noexcept
{
	other.visit([&](const BucketCount &pair) noexcept {
		count_bucket(state, pair);
		return true;
	});
}

Datum
result_of(HistogramState &state) noexcept
{
	return PointerGetDatum(&state);
}

bytea *
encoded(const HistogramState &state) noexcept
{
	auto *const result = static_cast<bytea *>(palloc(VARHDRSZ + state.encoded_size_limit()));

	SET_VARSIZE(result, VARHDRSZ + state.encode(reinterpret_cast<unsigned char *>(VARDATA(result))));
	return result;
}

} // namespace

void
count_bucket(HistogramState &state, const BucketCount &pair) noexcept
{
	if (!state.add(pair.bucket, pair.count))
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("a count of a histogram is out of range")));
}

void
count_histogram(HistogramState &state, const bytea *histogram) noexcept
{
	HistogramReader reader(bytes_of(histogram), VARSIZE_ANY_EXHDR(histogram));
	BucketCount pair;

	while (reader.next(pair))
		count_bucket(state, pair);
	if (reader.broken())
		refuse_bytes();
}

bytea *
histogram_bytes(const HistogramState &state) noexcept
{
	const bool is_empty = state.visit([](const BucketCount &) noexcept { return false; });

	return is_empty ? nullptr : encoded(state);
}

} // namespace remedy::rollup

using namespace remedy::rollup;

REMEDY_FUNCTION(remedy_histogram_add)
{
	if (PG_ARGISNULL(1))
		return unchanged(fcinfo);
	HistogramState &state = state_of(fcinfo);
	count_value(state, PG_GETARG_FLOAT8(1));
	return result_of(state);
}

REMEDY_FUNCTION(remedy_histogram_merge)
{
	if (PG_ARGISNULL(1))
		return unchanged(fcinfo);
	HistogramState &state = state_of(fcinfo);
	count_histogram(state, PG_GETARG_BYTEA_PP(1));
	return result_of(state);
}

REMEDY_FUNCTION(remedy_histogram_combine)
{
	if (PG_ARGISNULL(1))
		return unchanged(fcinfo);
	HistogramState &state = state_of(fcinfo);
	count_all(state, *reinterpret_cast<const HistogramState *>(PG_GETARG_POINTER(1)));
	return result_of(state);
}

REMEDY_FUNCTION(remedy_histogram_serialize)
{
	PG_RETURN_BYTEA_P(encoded(*reinterpret_cast<const HistogramState *>(PG_GETARG_POINTER(0))));
}

REMEDY_FUNCTION(remedy_histogram_deserialize)
{
	HistogramState &state = *new_histogram(CurrentMemoryContext);

	count_histogram(state, PG_GETARG_BYTEA_PP(0));
	return result_of(state);
}

REMEDY_FUNCTION(remedy_histogram_finish)
{
	bytea *const result =
		PG_ARGISNULL(0) ? nullptr : histogram_bytes(*reinterpret_cast<const HistogramState *>(PG_GETARG_POINTER(0)));

	if (result == nullptr)
		PG_RETURN_NULL();
	PG_RETURN_BYTEA_P(result);
}

REMEDY_FUNCTION(remedy_percentile_of)
{
	const bytea *const histogram = PG_GETARG_BYTEA_PP(0);
	const double fraction = PG_GETARG_FLOAT8(1);
	double result = 0;

	if (!(fraction >= 0 && fraction <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("fraction %g is not within 0 and 1", fraction)));
	switch (percentile_of(bytes_of(histogram), VARSIZE_ANY_EXHDR(histogram), fraction, result))
	{
	case Percentile::told:
		PG_RETURN_FLOAT8(result);
	case Percentile::empty:
		PG_RETURN_NULL();
	case Percentile::negative:
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("histogram has a bucket with fewer than no values"),
				 errdetail("It is what is to be taken away from another one.")));
		break;
	case Percentile::broken:
		refuse_bytes();
	}
	pg_unreachable();
}
