#include "rollup/specification.hpp"

#include <new>

#include "rollup/measuring.hpp"
#include "rollup/reading.hpp"
#include "rollup/texts.hpp"
#include "rollup/times.hpp"

#include "server/refusal.hpp"

extern "C" {
#include "access/relation.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
}

namespace remedy::rollup {

namespace {

Specification &
begin() noexcept
{
	return *new (palloc(sizeof(Specification))) Specification();
}

template <class Read>
void
for_each_text(ArrayType *array, const char *what, Read &&read) noexcept
{
	Datum *elements;
	bool *nulls;
	int count;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		if (nulls[i])
			server::refuse(ERRCODE_NULL_VALUE_NOT_ALLOWED, psprintf("a %s must not be null", what), nullptr);
		read(TextDatumGetCString(elements[i]));
	}
}

Named *
read_key(Relation source, const char *text) noexcept
{
	Reading reading("key", text);
	Named *const key = static_cast<Named *>(palloc0(sizeof(Named)));

	reading.begin();
	const ResTarget *const item = reading.read();
	key->name = item->name != nullptr ? item->name : usual_name(item->val);
	key->expression = reading.analyse(source, item->val, false);
	check_key(key->expression, key->name);
	reading.end();
	return key;
}

// ---- Names -----------------------------------------------------------------------

void
check_name(const char *name, List **names) noexcept
{
	const ListCell *cell;

	if (strcmp(name, "bucket") == 0)
		server::refuse(ERRCODE_DUPLICATE_COLUMN, "\"bucket\" is the name of the bucket's own column",
					   "Give another name with AS.");
	if (strlen(name) >= NAMEDATALEN)
		server::refuse(ERRCODE_NAME_TOO_LONG, psprintf("name \"%s\" is too long", name), "Give a shorter one with AS.");
	foreach (cell, *names)
		if (strcmp(name, static_cast<const char *>(lfirst(cell))) == 0)
			server::refuse(ERRCODE_DUPLICATE_COLUMN, psprintf("two columns would have the name \"%s\"", name),
						   "Give one of them another name with AS.");
	*names = lappend(*names, const_cast<char *>(name));
}

void
check_names(const Specification &specification) noexcept
{
	List *names = NIL;
	const ListCell *cell;

	foreach (cell, specification.keys)
		check_name(static_cast<const Named *>(lfirst(cell))->name, &names);
	foreach (cell, specification.measures)
		check_name(static_cast<const Measure *>(lfirst(cell))->name, &names);
}

// ---- Levels ----------------------------------------------------------------------

// What the base has: its values, filters and states under their numbers.
void
begin_with(Specification &specification, const Rollup &base) noexcept
{
	const List *const columns = row_expressions(base);
	const int first_value = 2 + base.keys; // after time, bucket and keys
	const ListCell *cell;

	foreach (cell, columns)
	{
		Expr *const expression = lfirst_node(TargetEntry, cell)->expr;
		const int number = foreach_current_index(cell);
		if (number >= first_value + base.values)
			specification.filters = lappend(specification.filters, expression);
		else if (number >= first_value)
			specification.values = lappend(specification.values, expression);
	}
	for (int i = 0; i < base.states; i++)
		specification.states = lappend(specification.states, &base.state[i]);
}

void
read_measure_of_level(Specification &specification, const Rollup &base, Relation source, const char *text) noexcept
{
	specification.measures =
		lappend(specification.measures, const_cast<Measure *>(read_measure(source, specification, text)));
	if (list_length(specification.states) != base.states)
		server::refuse(
			ERRCODE_FEATURE_NOT_SUPPORTED, psprintf("measure \"%s\" cannot be derived from the base's", text),
			psprintf("Rollup %s keeps other things; a measure is to be written as it is there.", qualified(base.view)));
}

// The view's columns are the bucket, the keys and the measures.
void
read_key_of_level(Specification &specification, const Rollup &base, Relation view, const char *text) noexcept
{
	Named *const key = read_key(view, text);
	Bitmapset *columns = nullptr;

	pull_varattnos(key->expression, 1, &columns);
	for (int member = -1; (member = bms_next_member(columns, member)) >= 0;)
		if (const int number = member + FirstLowInvalidHeapAttributeNumber; number < 2 || number > 1 + base.keys)
			server::refuse(ERRCODE_FEATURE_NOT_SUPPORTED,
						   psprintf("key \"%s\" cannot be derived from the base's", text),
						   psprintf("It may be made of the keys of rollup %s.", qualified(base.view)));
	specification.keys = lappend(specification.keys, key);
}

void
check_time_of_level(const Rollup &base, const char *time_column, const char *time_zone) noexcept
{
	const char *const zone = time_zone == nullptr ? base.time_zone : zone_of(time_zone, base.time_type);

	if (strcmp(time_column, "bucket") != 0)
		server::refuse(ERRCODE_INVALID_PARAMETER_VALUE, psprintf("\"%s\" is not the time of a rollup", time_column),
					   "A level's time column is \"bucket\".");
	if (zone != nullptr && strcmp(zone, base.time_zone) != 0)
		server::refuse(
			ERRCODE_INVALID_PARAMETER_VALUE,
			psprintf("rollup %s is in time zone \"%s\", and so are its levels", qualified(base.view), base.time_zone),
			"Leave time_zone out, or make a rollup of the source itself.");
}

} // namespace

const Specification *
specify(Relation source, const char *time_column, const char *bucket, ArrayType *keys, ArrayType *measures,
		const char *time_zone) noexcept
{
	Specification &specification = begin();

	specification.time = time_of(source, time_column);
	specification.unit = unit_of(bucket, exprType(specification.time));
	specification.time_zone = zone_of(time_zone, exprType(specification.time));
	for_each_text(keys, "key",
				  [&](const char *text) { specification.keys = lappend(specification.keys, read_key(source, text)); });
	state_number(specification, {StateKind::count, 0, 0, INT8OID, InvalidOid, InvalidOid, true});
	for_each_text(measures, "measure", [&](const char *text) {
		specification.measures =
			lappend(specification.measures, const_cast<Measure *>(read_measure(source, specification, text)));
	});
	check_names(specification);
	return &specification;
}

const Specification *
specify_level(const Rollup &base, const char *time_column, const char *bucket, ArrayType *keys, ArrayType *measures,
			  const char *time_zone) noexcept
{
	Specification &specification = begin();
	const Relation view = relation_open(base.view, AccessShareLock);
	const Relation source = table_open(base.source, AccessShareLock);

	check_time_of_level(base, time_column, time_zone);
	specification.time = reinterpret_cast<Node *>(makeVar(1, 1, base.time_type, -1, InvalidOid, 0));
	specification.unit = unit_of(bucket, base.time_type);
	specification.time_zone = base.time_zone;
	check_unit_of_level(specification.unit, base);
	begin_with(specification, base);
	for_each_text(keys, "key", [&](const char *text) { read_key_of_level(specification, base, view, text); });
	for_each_text(measures, "measure",
				  [&](const char *text) { read_measure_of_level(specification, base, source, text); });
	check_names(specification);
	table_close(source, NoLock);
	relation_close(view, NoLock);
	return &specification;
}

} // namespace remedy::rollup
