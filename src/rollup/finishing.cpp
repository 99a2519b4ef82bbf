#include "rollup/finishing.hpp"

#include "rollup/texts.hpp"

#include "server/refusal.hpp"

extern "C" {
#include "catalog/dependency.h"
#include "commands/extension.h"
#include "utils/catcache.h"
}

namespace remedy::rollup {

namespace {

Oid
type_of_sum(Oid value) noexcept
{
	if (value == INT2OID || value == INT4OID)
		return INT8OID;
	if (is_floating(value))
		return FLOAT8OID;
	return value == INT8OID ? NUMERICOID : value;
}

const char *
finish_sum(const Kept &kept, Oid type) noexcept
{
	const bool exact = is_exact(kept.value_type);
	const int sum = kept.number(StateKind::sum, type);

	// Rows that came and went leave a zero behind.
	return exact ? psprintf("CASE WHEN s%d OPERATOR(pg_catalog.>) 0 THEN s%d END", kept.count(), sum)
				 : psprintf("s%d", sum);
}

const char *
finish_average(const Kept &kept) noexcept
{
	const bool exact = is_exact(kept.value_type);
	const int count = kept.count();
	const int sum = kept.number(StateKind::sum, type_of_sum(kept.value_type));

	if (!exact)
		return psprintf("s%d OPERATOR(pg_catalog./) CAST(s%d AS double precision)", sum, count);
	return psprintf("CASE WHEN s%d OPERATOR(pg_catalog.>) 0 THEN CAST(s%d AS numeric) OPERATOR(pg_catalog./) "
					"CAST(s%d AS numeric) END",
					count, sum, count);
}

// variance() and stddev() are those of a sample.
const char *
finish_spread(const Kept &kept, const char *name) noexcept
{
	const bool exact = is_exact(kept.value_type);
	const bool root = strncmp(name, "stddev", 6) == 0;
	const bool of_all = strstr(name, "_pop") != nullptr;
	const int count = kept.count();
	const int sum = kept.number(StateKind::sum, type_of_sum(kept.value_type));

	if (!exact)
		return psprintf(
			"pg_catalog.float8_%s_%s(ARRAY[CAST(s%d AS double precision), COALESCE(s%d, 0), COALESCE(s%d, 0)])",
			root ? "stddev" : "var", of_all ? "pop" : "samp", count, sum, kept.number(StateKind::spread, FLOAT8OID));
	const char *const variance =
		psprintf("remedy.variance_of(s%d, s%d, s%d, s%d%s)", count, sum, kept.number(StateKind::squares, NUMERICOID),
				 count, of_all ? "" : " OPERATOR(pg_catalog.-) 1");
	return root ? psprintf("remedy.deviation_of(%s)", variance) : variance;
}

// Of an extension that may be installed: its type of its own name.
Oid
type_of_extension(const char *name) noexcept
{
	const Oid extension = get_extension_oid(name, true);
	const CatCList *const types = SearchSysCacheList1(TYPENAMENSP, CStringGetDatum(name));
	Oid found = InvalidOid;

	for (int i = 0; OidIsValid(extension) && i < types->n_members; i++)
	{
		const Oid type = reinterpret_cast<Form_pg_type>(GETSTRUCT(&types->members[i]->tuple))->oid;
		if (getExtensionOfObject(TypeRelationId, type) == extension)
			found = type;
	}
	ReleaseSysCacheList(const_cast<CatCList *>(types));
	return found;
}

// Not where it was not asked for: a digest does not bound the error, nor can anything be taken away from it.
const char *
finish_digest(const Kept &kept, const char *fraction) noexcept
{
	const Oid digest = type_of_extension("tdigest");

	if (!OidIsValid(digest))
		server::refuse(ERRCODE_FEATURE_NOT_SUPPORTED, "tdigest_percentile() needs the extension tdigest",
					   "Install it (CREATE EXTENSION tdigest), or write percentile(), which needs none.");
	// There is only an aggregate to ask it.
	return psprintf("(SELECT %s.tdigest_percentile(one.state, CAST('%s' AS double precision)) "
					"FROM (VALUES (s%d)) AS one (state))",
					schema_of_type(digest), fraction, kept.number(StateKind::digest, digest));
}

const char *
finish_percentile(const Kept &kept, const Aggref *aggregate, bool digest) noexcept
{
	const char *const fraction = fraction_of(aggregate);

	if (aggregate->aggtype != FLOAT8OID)
		server::refuse(ERRCODE_FEATURE_NOT_SUPPORTED, "a percentile can be kept of numbers only",
					   "Of an interval, take extract(epoch FROM ...).");
	if (digest)
		return finish_digest(kept, fraction);
	return psprintf("remedy.percentile_of(s%d, CAST('%s' AS double precision))",
					kept.number(StateKind::histogram, BYTEAOID), fraction);
}

const char *
finish_distinct(const Kept &kept) noexcept
{
	const Oid set = type_of_extension("hll");

	if (!OidIsValid(set))
		server::refuse(ERRCODE_FEATURE_NOT_SUPPORTED, "count(DISTINCT) needs the extension hll",
					   "Install it (CREATE EXTENSION hll), or make what is counted a key.");
	return psprintf("remedy.distinct_of(%s.hll_cardinality(s%d))", schema_of_type(set),
					kept.number(StateKind::distinct, set));
}

} // namespace

const char *
finish(const Kept &kept, const MeasureCall &call, const Aggref *aggregate) noexcept
{
	const char *const name = call.name;

	if (strcmp(name, "count") == 0)
		return aggregate->aggdistinct != NIL ? finish_distinct(kept) : psprintf("s%d", kept.count());
	if (strcmp(name, "sum") == 0)
		return finish_sum(kept, aggregate->aggtype);
	if (strcmp(name, "avg") == 0)
		return finish_average(kept);
	if (strcmp(name, "min") == 0 || strcmp(name, "max") == 0)
		return psprintf("s%d",
						kept.number(name[1] == 'i' ? StateKind::least : StateKind::greatest, aggregate->aggtype));
	if (strcmp(name, "percentile_cont") == 0)
		return finish_percentile(kept, aggregate, call.digest);
	return finish_spread(kept, name);
}

} // namespace remedy::rollup
