#include "index_advice/operators.hpp"

extern "C" {
#include "access/amapi.h"
#include "catalog/pg_am.h"
#include "catalog/pg_amop.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_opfamily.h"
#include "commands/defrem.h"
#include "parser/parse_coerce.h"
#include "utils/catcache.h"
}

namespace remedy::index_advice {

namespace {

struct Method
{
	Oid number;
	const char *name;
};

constexpr Method methods[] = {{BTREE_AM_OID, "btree"}, {GIN_AM_OID, "gin"}, {GIST_AM_OID, "gist"}};

// A class of the family for columns of this type; the default one, if it is in the family.
// Of the rest GIN's narrowest comes first, by name: jsonb_path_ops is in a family of its own.
Oid
opclass_in(Oid family, Oid method, Oid type) noexcept
{
	const Oid preferred = GetDefaultOpClass(type, method);
	Oid found = InvalidOid;

	if (OidIsValid(preferred) && get_opclass_family(preferred) == family)
		return preferred;
	CatCList *const classes = SearchSysCacheList1(CLAAMNAMENSP, ObjectIdGetDatum(method));
	for (int i = 0; i < classes->n_members && !OidIsValid(found); ++i)
	{
		const Form_pg_opclass form = reinterpret_cast<Form_pg_opclass>(GETSTRUCT(&classes->members[i]->tuple));
		if (form->opcfamily == family && IsBinaryCoercible(getBaseType(type), form->opcintype))
			found = form->oid;
	}
	ReleaseCatCacheList(classes);
	return found;
}

// Of two families that know the operator, the one with fewer operators has the smaller
// index: jsonb_path_ops before jsonb_ops.
int
operators_of(Oid family) noexcept
{
	CatCList *const operators = SearchSysCacheList1(AMOPSTRATEGY, ObjectIdGetDatum(family));
	const int count = operators->n_members;

	ReleaseCatCacheList(operators);
	return count;
}

// Whether a locale of this provider orders texts by their bytes: libc's C, and all of the
// server's own.
bool
orders_by_bytes(char provider, int cache, HeapTuple tuple, AttrNumber locale) noexcept
{
	bool is_null;
	const Datum name = SysCacheGetAttr(cache, tuple, locale, &is_null);

	if (provider != COLLPROVIDER_LIBC || is_null)
		return provider == 'b';
	const char *const text_of_name = TextDatumGetCString(name);
	return strcmp(text_of_name, "C") == 0 || strcmp(text_of_name, "POSIX") == 0;
}

bool
orders_by_bytes(Oid collation) noexcept
{
	const bool is_default = collation == DEFAULT_COLLATION_OID;
	const int cache = is_default ? DATABASEOID : COLLOID;
	const HeapTuple tuple = SearchSysCache1(cache, ObjectIdGetDatum(is_default ? MyDatabaseId : collation));

	if (!HeapTupleIsValid(tuple))
		return false;
	const bool by_bytes = is_default
							  ? orders_by_bytes(reinterpret_cast<Form_pg_database>(GETSTRUCT(tuple))->datlocprovider,
												cache, tuple, Anum_pg_database_datcollate)
							  : orders_by_bytes(reinterpret_cast<Form_pg_collation>(GETSTRUCT(tuple))->collprovider,
												cache, tuple, Anum_pg_collation_collcollate);
	ReleaseSysCache(tuple);
	return by_bytes;
}

struct Choice
{
	Oid opclass;
	int strategy;
	int operators;
};

void
consider(Choice &choice, const FormData_pg_amop &entry, Oid type) noexcept
{
	const Oid opclass = opclass_in(entry.amopfamily, entry.amopmethod, type);

	if (!OidIsValid(opclass))
		return;
	const bool is_default = entry.amopmethod == BTREE_AM_OID && GetDefaultOpClass(type, BTREE_AM_OID) == opclass;
	const int operators = is_default ? 0 : operators_of(entry.amopfamily);
	if (!OidIsValid(choice.opclass) || operators < choice.operators)
		choice = {opclass, entry.amopstrategy, operators};
}

} // namespace

Service
service_for(Oid operation, Oid type) noexcept
{
	CatCList *const entries = SearchSysCacheList1(AMOPOPID, ObjectIdGetDatum(operation));
	Service service = {};

	for (const Method &method : methods)
	{
		Choice choice = {};
		for (int i = 0; i < entries->n_members; ++i)
		{
			const Form_pg_amop form = reinterpret_cast<Form_pg_amop>(GETSTRUCT(&entries->members[i]->tuple));
			if (form->amopmethod == method.number && form->amoppurpose == AMOP_SEARCH)
				consider(choice, *form, type);
		}
		if (!OidIsValid(choice.opclass))
			continue;
		service = {method.name, opclass_text(choice.opclass, type), choice.strategy};
		break;
	}
	ReleaseCatCacheList(entries);
	return service;
}

const char *
opclass_text(Oid opclass, Oid type) noexcept
{
	const HeapTuple tuple = SearchSysCache1(CLAOID, ObjectIdGetDatum(opclass));

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator class %u", opclass);
	const Form_pg_opclass form = reinterpret_cast<Form_pg_opclass>(GETSTRUCT(tuple));
	const Oid preferred = GetDefaultOpClass(type, form->opcmethod);
	const char *text = nullptr;
	if (form->opcfamily == TEXT_PATTERN_BTREE_FAM_OID)
		text = "text_pattern_ops"; // also as varchar_pattern_ops
	else if (!OidIsValid(preferred) || get_opclass_family(preferred) != form->opcfamily)
		text = form->opcnamespace == PG_CATALOG_NAMESPACE
				   ? pstrdup(quote_identifier(NameStr(form->opcname)))
				   : quote_qualified_identifier(get_namespace_name(form->opcnamespace), NameStr(form->opcname));
	ReleaseSysCache(tuple);
	return text;
}

const char *
pattern_opclass(Oid type, Oid collation) noexcept
{
	type = getBaseType(type);
	if (OidIsValid(collation) && orders_by_bytes(collation))
		return nullptr;
	return type == TEXTOID || type == VARCHAROID ? "text_pattern_ops"
		   : type == BPCHAROID                   ? "bpchar_pattern_ops"
												 : nullptr;
}

bool
has_order(Oid type) noexcept
{
	return OidIsValid(GetDefaultOpClass(type, BTREE_AM_OID));
}

} // namespace remedy::index_advice
