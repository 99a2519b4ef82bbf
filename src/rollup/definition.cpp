#include "rollup/definition.hpp"

#include <iterator>

extern "C" {
#include "storage/bufmgr.h"
#include "utils/typcache.h"
}

namespace remedy::rollup {

namespace {

constexpr const char *units[] = {"minute", "hour", "day", "week", "month", "quarter", "year"};

// ---- The configuration ----------------------------------------------------------

// Columns of remedy.rollup, as rollup.sql declares them.
enum Column : AttrNumber
{
	view_column = 1,
	source_column,
	base_column,
	rows_column,
	cells_column,
	marks_column,
	now_column,
	bucket_column,
	zone_column,
	keys_column,
	measures_column,
	states_column,
	column_limit = 32,
};

struct Stored
{
	Datum value[column_limit];
	bool null[column_limit];

	Oid oid(Column column) const noexcept
	{
		return null[column - 1] ? InvalidOid : DatumGetObjectId(value[column - 1]);
	}
	const char *string(Column column) const noexcept
	{
		return null[column - 1] ? nullptr : TextDatumGetCString(value[column - 1]);
	}
	ArrayType *array(Column column) const noexcept { return DatumGetArrayTypeP(value[column - 1]); }
};

using ReadStored = void (*)(const Stored &stored, void *context);

// Not by the statement's snapshot: a writer that began long ago must know the rollups of now.
void
read_configuration(const char *index, Column column, Oid wanted, ReadStored read, void *context) noexcept
{
	const Oid schema = get_namespace_oid("remedy", true);
	const Oid configuration = OidIsValid(schema) ? get_relname_relid("rollup", schema) : InvalidOid;
	const Relation table = OidIsValid(configuration) ? try_table_open(configuration, AccessShareLock) : nullptr;
	ScanKeyData key;

	if (table == nullptr)
		return;
	if (RelationGetNumberOfBlocks(table) != 0)
	{
		const Oid index_oid = get_relname_relid(index, schema);
		ScanKeyInit(&key, column, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(wanted));
		const SysScanDesc scan = systable_beginscan(table, index_oid, OidIsValid(index_oid), nullptr, 1, &key);
		while (const HeapTuple tuple = systable_getnext(scan))
		{
			Stored stored;
			heap_deform_tuple(tuple, RelationGetDescr(table), stored.value, stored.null);
			read(stored, context);
		}
		systable_endscan(scan);
	}
	table_close(table, AccessShareLock);
}

// ---- Its relations --------------------------------------------------------------

// How many of the columns prefix1, prefix2… there are; without a lock.
int
count_columns(Oid relation, const char *prefix) noexcept
{
	int count = 0;
	char name[NAMEDATALEN];

	do
		snprintf(name, sizeof name, "%s%d", prefix, count + 1);
	while (get_attnum(relation, name) != InvalidAttrNumber && ++count != 0);
	return count;
}

// False if there is no such column.
bool
read_column(Oid relation, const char *prefix, int number, Oid &type, Oid &collation) noexcept
{
	const HeapTuple tuple = SearchSysCacheAttName(relation, psprintf("%s%d", prefix, number));

	if (!HeapTupleIsValid(tuple))
		return false;
	type = reinterpret_cast<Form_pg_attribute>(GETSTRUCT(tuple))->atttypid;
	collation = reinterpret_cast<Form_pg_attribute>(GETSTRUCT(tuple))->attcollation;
	ReleaseSysCache(tuple);
	return true;
}

bool
read_state(const char *written, int number, const Rollup &rollup, State &state) noexcept
{
	char kind;
	Oid collation;

	if (sscanf(written, "%c %d %d", &kind, &state.value, &state.filter) != 3)
		return false;
	state.kind = static_cast<StateKind>(kind);
	state.value_type = state.collation = InvalidOid;
	if (!read_column(rollup.cells, "s", number, state.type, collation) ||
		(state.value != 0 && !read_column(rollup.rows, "v", state.value, state.value_type, state.collation)))
		return false;
	state.additive = is_additive(state.kind, state.value_type);
	return true;
}

bool
read_states(ArrayType *written, Rollup &rollup) noexcept
{
	Datum *texts;
	bool additive = true;

	deconstruct_array(written, TEXTOID, -1, false, TYPALIGN_INT, &texts, nullptr, &rollup.states);
	rollup.state = static_cast<State *>(palloc(sizeof(State) * rollup.states));
	for (int i = 0; i < rollup.states; ++i)
	{
		if (!read_state(TextDatumGetCString(texts[i]), i + 1, rollup, rollup.state[i]))
			return false;
		additive = additive && rollup.state[i].additive;
	}
	rollup.additive = additive;
	return rollup.states != 0;
}

bool
read_relations(const Stored &stored, Rollup &rollup) noexcept
{
	const AttrNumber time = get_attnum(rollup.rows, "time");
	const HeapTuple source = SearchSysCache1(RELOID, ObjectIdGetDatum(rollup.source));

	if (!HeapTupleIsValid(source))
		return false;
	rollup.owner = reinterpret_cast<Form_pg_class>(GETSTRUCT(source))->relowner;
	ReleaseSysCache(source);
	if (time == InvalidAttrNumber || get_rel_relkind(rollup.marks) == '\0')
		return false;
	rollup.time_type = get_atttype(rollup.rows, time);
	rollup.keys = count_columns(rollup.rows, "k");
	rollup.values = count_columns(rollup.rows, "v");
	rollup.filters = count_columns(rollup.rows, "f");
	return read_states(stored.array(states_column), rollup);
}

// Null if some of its relations is gone, as in the middle of a dump's restoration.
const Rollup *
read_rollup(const Stored &stored) noexcept
{
	const char *const bucket = stored.string(bucket_column);
	Rollup *const rollup = static_cast<Rollup *>(palloc0(sizeof(Rollup)));

	rollup->view = stored.oid(view_column);
	rollup->source = stored.oid(source_column);
	rollup->base = stored.oid(base_column);
	rollup->rows = stored.oid(rows_column);
	rollup->cells = stored.oid(cells_column);
	rollup->marks = stored.oid(marks_column);
	rollup->now = stored.oid(now_column);
	rollup->time_zone = stored.string(zone_column);
	return find_unit(bucket, rollup->unit) && read_relations(stored, *rollup) ? rollup : nullptr;
}

// No function of a user's has a say on the order of its values.
bool
is_ordered_by_server(Oid type) noexcept
{
	const Oid base = getBaseType(type);
	const Oid family = lookup_type_cache(base, TYPECACHE_BTREE_OPFAMILY)->btree_opf;

	return base < FirstNormalObjectId && OidIsValid(family) && family < FirstNormalObjectId;
}

} // namespace

const char *
name_of(Unit unit) noexcept
{
	return units[static_cast<int>(unit)];
}

bool
find_unit(const char *name, Unit &unit) noexcept
{
	for (std::size_t i = 0; i < std::size(units); ++i)
		if (strcmp(units[i], name) == 0)
		{
			unit = static_cast<Unit>(i);
			return true;
		}
	return false;
}

bool
is_additive(StateKind kind, Oid value_type) noexcept
{
	switch (kind)
	{
	case StateKind::count:
	case StateKind::histogram:
		return true;
	case StateKind::sum:
	case StateKind::squares:
		return is_exact(value_type);
	case StateKind::least:
	case StateKind::greatest:
		return is_ordered_by_server(value_type);
	default:
		return false;
	}
}

const Rollup *
load_rollup(Oid view) noexcept
{
	const Rollup *rollup = nullptr;

	read_configuration(
		"rollup_pkey", view_column, view,
		[](const Stored &stored, void *context) { *static_cast<const Rollup **>(context) = read_rollup(stored); },
		&rollup);
	return rollup;
}

List *
rollups_of(Oid source) noexcept
{
	List *rollups = NIL;

	read_configuration(
		"rollup_source", source_column, source,
		[](const Stored &stored, void *context) {
			List *&list = *static_cast<List **>(context);
			const Rollup *const rollup = OidIsValid(stored.oid(base_column)) ? nullptr : read_rollup(stored);
			if (rollup != nullptr)
				list = lappend(list, const_cast<Rollup *>(rollup));
		},
		&rollups);
	return rollups;
}

} // namespace remedy::rollup
