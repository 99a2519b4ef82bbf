#include "server/keeper.hpp"

namespace remedy {

namespace {

// Whoever installed the extension, or was given its objects.
Oid
keeper() noexcept
{
	const HeapTuple tuple = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(get_namespace_oid("remedy", false)));

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_SCHEMA), errmsg("the extension's schema is being dropped")));
	const Oid owner = reinterpret_cast<Form_pg_namespace>(GETSTRUCT(tuple))->nspowner;
	ReleaseSysCache(tuple);
	return owner;
}

int64
run(const char *statement, std::initializer_list<Value> values) noexcept
{
	constexpr int limit = 16;
	Oid types[limit];
	Datum datums[limit];
	char nulls[limit];
	int count = 0;

	Assert(values.size() <= limit);
	for (const Value &value : values)
	{
		types[count] = value.type;
		datums[count] = value.datum;
		nulls[count++] = value.null ? 'n' : ' ';
	}
	if (SPI_execute_with_args(statement, count, types, datums, nulls, false, 0) < 0)
		elog(ERROR, "could not run: %s", statement);
	return SPI_processed;
}

// What they ask for themselves may go through SPI, too.
void
read_rows(MemoryContext memory, ReadRow read, void *context) noexcept
{
	SPITupleTable *const table = SPI_tuptable;
	const uint64 count = SPI_processed;
	const MemoryContext before = MemoryContextSwitchTo(memory);

	for (uint64 i = 0; table != nullptr && i < count; ++i)
		read(Row(table->vals[i], table->tupdesc), context);
	MemoryContextSwitchTo(before);
}

} // namespace

int64
keep(const char *statement, std::initializer_list<Value> values, ReadRow read, void *context) noexcept
{
	const MemoryContext memory = CurrentMemoryContext;
	const Oid owner = keeper();
	Oid user;
	int security;

	// Whoever called something of the user's before, as throttle_query, has had its say on what
	// an operator means: not to these rights.
	const int settings = NewGUCNestLevel();
	set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
					  false);
	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(owner, security | SECURITY_LOCAL_USERID_CHANGE);
	SPI_connect();
	const int64 rows = run(statement, values);
	if (read != nullptr)
		read_rows(memory, read, context);
	SPI_finish();
	SetUserIdAndSecContext(user, security);
	AtEOXact_GUC(true, settings);
	return rows;
}

} // namespace remedy
