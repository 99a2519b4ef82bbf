// remedy.create_rollup(): makes the relations, arms the source, and leaves the rest to the first refresh.

#include "observe/observe.hpp"
#include "rollup/following.hpp"
#include "rollup/making.hpp"
#include "rollup/marks.hpp"
#include "server/guard.hpp"
#include "server/keeper.hpp"
#include "server/versions.hpp"

extern "C" {
#include "access/relation.h"
#include "catalog/pg_inherits.h"
#include "utils/inval.h"
#include "utils/varlena.h"
}

namespace remedy::rollup {

namespace {

struct Request
{
	const char *name;
	Oid source;
	const char *time_column;
	const char *bucket;
	ArrayType *keys;
	ArrayType *measures;
	const char *time_zone; // null: of the session
};

enum Argument
{
	name_argument,
	source_argument,
	time_column_argument,
	bucket_argument,
	keys_argument,
	measures_argument,
	time_zone_argument,
};

Request
read_request(FunctionCallInfo fcinfo) noexcept
{
	for (int i = 0; i < time_zone_argument; ++i)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("of a rollup only the time zone can be null"),
					 errhint("With time_zone => NULL buckets begin in the session's time zone of now.")));
	return {text_to_cstring(PG_GETARG_TEXT_PP(name_argument)),
			PG_GETARG_OID(source_argument),
			NameStr(*PG_GETARG_NAME(time_column_argument)),
			text_to_cstring(PG_GETARG_TEXT_PP(bucket_argument)),
			PG_GETARG_ARRAYTYPE_P(keys_argument),
			PG_GETARG_ARRAYTYPE_P(measures_argument),
			PG_ARGISNULL(time_zone_argument) ? nullptr : text_to_cstring(PG_GETARG_TEXT_PP(time_zone_argument))};
}

// ---- Where it is to be ----------------------------------------------------------

void
refuse_long_name(const char *name) noexcept
{
	constexpr int limit = NAMEDATALEN - 1 - static_cast<int>(sizeof("_cells") - 1);

	if (strlen(name) > limit)
		ereport(ERROR, (errcode(ERRCODE_NAME_TOO_LONG), errmsg("name of rollup \"%s\" is too long", name),
						errdetail("It has %zu bytes, and may have %d: names of other relations are made of it.",
								  strlen(name), limit)));
	if (*name == '\0')
		ereport(ERROR, (errcode(ERRCODE_INVALID_NAME), errmsg("a rollup must have a name")));
}

Making
place(const Request &request) noexcept
{
	List *const names = textToQualifiedNameList(cstring_to_text(request.name));
	char *schema_name, *name;

	DeconstructQualifiedName(names, &schema_name, &name);
	refuse_long_name(name);
	const Oid schema =
		schema_name == nullptr ? get_rel_namespace(request.source) : LookupExplicitNamespace(schema_name, false);
	if (isAnyTempNamespace(schema))
		ereport(ERROR, (errcode(ERRCODE_INVALID_TABLE_DEFINITION), errmsg("rollup \"%s\" cannot be temporary", name)));
	return {schema, name, nullptr, {}};
}

// ---- What is kept of it ---------------------------------------------------------

template <class Read>
ArrayType *
texts_of(const List *list, Read &&read) noexcept
{
	const int count = list_length(list);
	Datum *const texts = static_cast<Datum *>(palloc(sizeof(Datum) * (count + 1)));
	const ListCell *cell;

	foreach (cell, list)
		texts[foreach_current_index(cell)] = CStringGetTextDatum(read(lfirst(cell)));
	return construct_array(texts, count, TEXTOID, -1, false, TYPALIGN_INT);
}

void
keep_rollup(const Making &making, Oid base) noexcept
{
	const Rollup &rollup = making.rollup;
	const Specification &specification = *making.specification;
	ArrayType *const keys = texts_of(specification.keys, [&](void *element) {
		const Named &key = *static_cast<const Named *>(element);
		return OidIsValid(base) ? printed(key.expression, rollup.cells) : key.name;
	});
	ArrayType *const measures = texts_of(specification.measures, [](void *element) {
		const Measure &measure = *static_cast<const Measure *>(element);
		return measure.call == nullptr ? measure.name : measure.call;
	});
	ArrayType *const states = texts_of(specification.states, [](void *element) {
		const State &state = *static_cast<const State *>(element);
		return static_cast<const char *>(
			psprintf("%c %d %d", static_cast<char>(state.kind), state.value, state.filter));
	});

	keep("INSERT INTO remedy.rollup (view, source, base, row_view, cells, marks, now_view, bucket, time_zone, keys, "
		 "measures, states) VALUES ($1, $2, nullif($3, 0), $4, $5, $6, $7, $8, $9, $10, $11, $12)",
		 {rollup.view, rollup.source, base, rollup.rows, rollup.cells, rollup.marks, rollup.now, name_of(rollup.unit),
		  rollup.time_zone, keys, measures, states});
}

// Writers of all sessions look again at what there is to be done for the source.
void
tell_writers(Oid source) noexcept
{
	const ListCell *cell;

	foreach (cell, find_all_inheritors(source, NoLock, nullptr))
		CacheInvalidateRelcacheByRelid(lfirst_oid(cell));
}

// ---- Both kinds -----------------------------------------------------------------

Oid
create_level(Making &making, const Request &request, const Rollup &level_or_base) noexcept
{
	// The level of a level is one of its base.
	const Rollup *const base = OidIsValid(level_or_base.base) ? load_rollup(level_or_base.base) : &level_or_base;

	making.specification =
		specify_level(*base, request.time_column, request.bucket, request.keys, request.measures, request.time_zone);
	making.rollup = begin_rollup(*making.specification, base->source, base->owner);
	AsOwner owner(base->owner);
	make_level(making, *base);
	owner.end();
	keep_rollup(making, base->view);
	return making.rollup.view;
}

Oid
create_base(Making &making, const Request &request, Relation source) noexcept
{
	const Oid table = RelationGetRelid(source);

	refuse_unfit_source(table);
	making.specification =
		specify(source, request.time_column, request.bucket, request.keys, request.measures, request.time_zone);
	making.rollup = begin_rollup(*making.specification, table, source->rd_rel->relowner);
	arm(table);
	AsOwner owner(making.rollup.owner);
	make_relations(making);
	owner.end();
	keep_rollup(making, InvalidOid);
	const Rollup *const rollup = load_rollup(making.rollup.view);
	if (rollup == nullptr)
		elog(ERROR, "rollup \"%s\" cannot be read", making.name);
	mark_everything(*rollup);
	tell_writers(table);
	return rollup->view;
}

Oid
create(const Request &request) noexcept
{
	const Relation source = try_relation_open(request.source, AccessShareLock);

	if (source == nullptr)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation with OID %u does not exist", request.source)));
	if (!server::owns_relation(request.source, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, get_relkind_objtype(source->rd_rel->relkind),
					   RelationGetRelationName(source));
	Making making = place(request);
	const Rollup *const finer = load_rollup(request.source);
	const Oid view = finer == nullptr ? create_base(making, request, source) : create_level(making, request, *finer);
	relation_close(source, NoLock);
	return view;
}

} // namespace

} // namespace remedy::rollup

REMEDY_FUNCTION(remedy_create_rollup)
{
	remedy::observe::enter_function();
	PG_RETURN_OID(remedy::rollup::create(remedy::rollup::read_request(fcinfo)));
}
