#include "index_advice/built.hpp"

#include "index_advice/canonical.hpp"

namespace remedy::index_advice {

namespace {

bool
has_form(Oid index, std::uint64_t form) noexcept
{
	LOCAL_FCINFO(call, 1);

	InitFunctionCallInfoData(*call, nullptr, 1, InvalidOid, nullptr, nullptr);
	call->args[0] = {ObjectIdGetDatum(index), false};
	const Datum definition = pg_get_indexdef(call); // null of one that was just dropped
	return !call->isnull && form_of(TextDatumGetCString(definition)) == form;
}

} // namespace

Built
find_built(Oid relation, std::uint64_t form) noexcept
{
	Built built = {InvalidOid, false};
	ScanKeyData of_relation;
	const Relation catalog = table_open(IndexRelationId, AccessShareLock);

	ScanKeyInit(&of_relation, Anum_pg_index_indrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relation));
	const SysScanDesc scan = systable_beginscan(catalog, IndexIndrelidIndexId, true, nullptr, 1, &of_relation);
	while (const HeapTuple tuple = systable_getnext(scan))
	{
		const FormData_pg_index *const index = reinterpret_cast<Form_pg_index>(GETSTRUCT(tuple));
		if (!index->indisvalid || !index->indislive || !has_form(index->indexrelid, form))
			continue;
		built = {index->indexrelid, !TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(tuple->t_data))};
		break;
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return built;
}

int
begin_deparsing() noexcept
{
	const int level = NewGUCNestLevel();

	set_config_option("search_path", "pg_catalog", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	return level;
}

} // namespace remedy::index_advice
