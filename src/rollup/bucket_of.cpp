// The bucket of a time, for statements that ask for those of many rows.

#include "rollup/calendar.hpp"
#include "server/guard.hpp"

namespace remedy::rollup {

namespace {

Calendar *
make_calendar(FunctionCallInfo fcinfo, Oid type) noexcept
{
	Rollup rollup = {};
	const char *const unit = text_to_cstring(PG_GETARG_TEXT_PP(1));
	Calendar *const calendar = static_cast<Calendar *>(palloc(sizeof(Calendar)));

	if (!find_unit(unit, rollup.unit))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("\"%s\" is no unit of buckets", unit)));
	if (type != TIMESTAMPOID && type != DATEOID && (type != TIMESTAMPTZOID || PG_ARGISNULL(2)))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a bucket is a timestamptz and has a time zone, or a timestamp or date")));
	rollup.time_type = type;
	rollup.time_zone = type == TIMESTAMPTZOID ? text_to_cstring(PG_GETARG_TEXT_PP(2)) : nullptr;
	*calendar = make_calendar(rollup);
	return calendar;
}

// That of the call before, if its unit and zone cannot be others.
Calendar &
calendar_of(FunctionCallInfo fcinfo) noexcept
{
	FmgrInfo *const function = fcinfo->flinfo;

	if (function->fn_extra != nullptr)
		return *static_cast<Calendar *>(function->fn_extra);
	const MemoryContext outside = MemoryContextSwitchTo(function->fn_mcxt);
	Calendar *const calendar = make_calendar(fcinfo, get_fn_expr_argtype(function, 0));
	MemoryContextSwitchTo(outside);
	if (get_fn_expr_arg_stable(function, 1) && get_fn_expr_arg_stable(function, 2))
		function->fn_extra = calendar;
	return *calendar;
}

} // namespace

} // namespace remedy::rollup

REMEDY_FUNCTION(remedy_bucket_of)
{
	using namespace remedy::rollup;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	return bucket_of(calendar_of(fcinfo), PG_GETARG_DATUM(0));
}
