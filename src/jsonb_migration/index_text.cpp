#include "jsonb_migration/index_text.hpp"

#include "server/versions.hpp"

extern "C" {
#include "access/reloptions.h"
#include "commands/defrem.h"
#include "commands/tablespace.h"
#include "parser/parse_coerce.h"
#include "utils/ruleutils.h"
}

namespace remedy::jsonb_migration {

namespace {

struct Catalogs
{
	HeapTuple index;
	HeapTuple relation;

	explicit Catalogs(Oid oid) noexcept
		: index(SearchSysCache1(INDEXRELID, ObjectIdGetDatum(oid))),
		  relation(SearchSysCache1(RELOID, ObjectIdGetDatum(oid)))
	{
		if (!HeapTupleIsValid(index) || !HeapTupleIsValid(relation))
			elog(ERROR, "cache lookup failed for index %u", oid);
	}

	void release() const noexcept
	{
		ReleaseSysCache(index);
		ReleaseSysCache(relation);
	}

	Form_pg_index form() const noexcept { return reinterpret_cast<Form_pg_index>(GETSTRUCT(index)); }
	Form_pg_class class_form() const noexcept { return reinterpret_cast<Form_pg_class>(GETSTRUCT(relation)); }

	template <class Vector>
	const Vector *vector(AttrNumber column) const noexcept
	{
		bool is_null;
		return reinterpret_cast<const Vector *>(DatumGetPointer(SysCacheGetAttr(INDEXRELID, index, column, &is_null)));
	}
};

// One column of the new index.
struct Key
{
	const char *text;
	Oid type;
	Oid collation;
};

Key
column_key(Oid table, AttrNumber column, const Mapping &mapping) noexcept
{
	Key key = {twin_column(mapping, table, column), InvalidOid, InvalidOid};
	int32 modifier;

	get_atttypetypmodcoll(table, column, &key.type, &modifier, &key.collation);
	if (mapped_column(mapping, table, column) != nullptr)
		key.type = JSONBOID;
	return key;
}

// In parentheses, as an expression must be; the column itself may be so.
Key
expression_key(Node *expression, Oid table, const Mapping &mapping, Verdict &verdict) noexcept
{
	const Rewritten rewritten = rewrite_expression(expression, table, mapping);

	verdict.note(rewritten);
	if (rewritten.refusal != nullptr)
		return {"", InvalidOid, InvalidOid};
	const char *const text = print_expression(rewritten.tree, twin_of(mapping, table));
	return {IsA(rewritten.tree, Var) ? text : psprintf("(%s)", text), exprType(rewritten.tree),
			exprCollation(rewritten.tree)};
}

void
add_options(StringInfo text, const char *before, Datum options) noexcept
{
	const char *separator = before;
	ListCell *cell;

	if (options == 0)
		return;
	foreach (cell, untransformRelOptions(options))
	{
		const auto *const option = static_cast<DefElem *>(lfirst(cell));
		const char *const value = option->arg == nullptr ? "true" : strVal(option->arg);
		appendStringInfo(text, "%s%s=%s", separator, quote_identifier(option->defname),
						 quote_identifier(value) == value ? value : quote_literal_cstr(value));
		separator = ", ";
	}
	appendStringInfoChar(text, ')');
}

bool
takes(Oid opclass, Oid type) noexcept
{
	const Oid input = get_opclass_input_type(opclass);

	return !OidIsValid(type) || IsPolymorphicType(input) || IsBinaryCoercible(type, input);
}

void
add_order(StringInfo text, int16 option) noexcept
{
	const bool descending = (option & INDOPTION_DESC) != 0;
	const bool nulls_first = (option & INDOPTION_NULLS_FIRST) != 0;

	if (descending)
		appendStringInfoString(text, " DESC");
	if (descending != nulls_first)
		appendStringInfoString(text, nulls_first ? " NULLS FIRST" : " NULLS LAST");
}

void
add_class(StringInfo text, const Catalogs &catalogs, int i, const Key &key, Verdict &verdict) noexcept
{
	const Oid collation = catalogs.vector<oidvector>(Anum_pg_index_indcollation)->values[i];
	const Oid opclass = catalogs.vector<oidvector>(Anum_pg_index_indclass)->values[i];
	const Datum options = get_attoptions(catalogs.form()->indexrelid, i + 1);

	if (!takes(opclass, key.type))
		verdict.refuse(psprintf("its operator class %s is not for jsonb", generate_opclass_name(opclass)));
	if (OidIsValid(collation) && collation != key.collation)
		appendStringInfo(text, " COLLATE %s", generate_collation_name(collation));
	if (options != 0 || !OidIsValid(key.type) || GetDefaultOpClass(key.type, catalogs.class_form()->relam) != opclass)
		appendStringInfo(text, " %s", generate_opclass_name(opclass));
	add_options(text, " (", options);
	add_order(text, catalogs.vector<int2vector>(Anum_pg_index_indoption)->values[i]);
}

void
add_keys(StringInfo text, const Catalogs &catalogs, const Mapping &mapping, Verdict &verdict) noexcept
{
	const Form_pg_index form = catalogs.form();
	const List *const expressions = castNode(List, stored_tree(INDEXRELID, catalogs.index, Anum_pg_index_indexprs));
	int expression = 0;

	for (int i = 0; i < form->indnatts; ++i)
	{
		const AttrNumber column = form->indkey.values[i];
		const Key key = column != 0 ? column_key(form->indrelid, column, mapping)
									: expression_key(static_cast<Node *>(list_nth(expressions, expression++)),
													 form->indrelid, mapping, verdict);
		appendStringInfo(text, "%s%s", i == 0 ? " (" : i == form->indnkeyatts ? ") INCLUDE (" : ", ", key.text);
		if (i < form->indnkeyatts)
			add_class(text, catalogs, i, key, verdict);
	}
	appendStringInfoChar(text, ')');
}

// Named also where it is the database's default, because default_tablespace may be another; for
// a partitioned index, which is nowhere, that is not allowed.
void
add_tablespace(StringInfo text, const Catalogs &catalogs, const IndexWords &words) noexcept
{
	const Oid tablespace = catalogs.class_form()->reltablespace;

	if (OidIsValid(tablespace) || !(words.anywhere || words.only))
		appendStringInfo(
			text, " TABLESPACE %s",
			quote_identifier(get_tablespace_name(OidIsValid(tablespace) ? tablespace : MyDatabaseTableSpace)));
}

int
target_of(Oid index, int column) noexcept
{
	const HeapTuple tuple = SearchSysCache2(ATTNUM, ObjectIdGetDatum(index), Int16GetDatum(column));
	bool is_null;

	if (!HeapTupleIsValid(tuple))
		return -1;
	const Datum value = SysCacheGetAttr(ATTNUM, tuple, Anum_pg_attribute_attstattarget, &is_null);
	const int target = server::statistics_target(value, is_null);
	ReleaseSysCache(tuple);
	return target;
}

} // namespace

const char *
index_text(Oid index, const Mapping &mapping, const IndexWords &words, Verdict &verdict) noexcept
{
	const Catalogs catalogs(index);
	const Form_pg_index form = catalogs.form();
	bool is_null;
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "CREATE %sINDEX %s%s ON %s%s USING %s", form->indisunique ? "UNIQUE " : "",
					 words.concurrently ? "CONCURRENTLY " : "", words.name, words.only ? "ONLY " : "",
					 twin_table(mapping, form->indrelid), quote_identifier(get_am_name(catalogs.class_form()->relam)));
	add_keys(&text, catalogs, mapping, verdict);
	if (form->indnullsnotdistinct)
		appendStringInfoString(&text, " NULLS NOT DISTINCT");
	const Datum options = SysCacheGetAttr(RELOID, catalogs.relation, Anum_pg_class_reloptions, &is_null);
	add_options(&text, " WITH (", is_null ? 0 : options);
	add_tablespace(&text, catalogs, words);
	if (Node *const predicate = stored_tree(INDEXRELID, catalogs.index, Anum_pg_index_indpred))
		appendStringInfo(&text, " WHERE %s", rewritten_text(predicate, form->indrelid, mapping, verdict));
	catalogs.release();
	return text.data;
}

// An expression that has become the column itself has the column's target.
List *
index_targets(Oid index, const Mapping &mapping, const char *new_name, Oid new_index) noexcept
{
	const Catalogs catalogs(index);
	const Form_pg_index form = catalogs.form();
	const List *const expressions = castNode(List, stored_tree(INDEXRELID, catalogs.index, Anum_pg_index_indexprs));
	int expression = 0;
	List *commands = NIL;

	for (int i = 0; i < form->indnatts; ++i)
	{
		if (form->indkey.values[i] != 0)
			continue;
		const int target = target_of(index, i + 1);
		Node *const tree = static_cast<Node *>(list_nth(expressions, expression++));
		if (target != target_of(new_index, i + 1) && !IsA(rewrite_expression(tree, form->indrelid, mapping).tree, Var))
			commands = lappend(commands,
							   psprintf("ALTER INDEX %s ALTER COLUMN %d SET STATISTICS %d", new_name, i + 1, target));
	}
	catalogs.release();
	return commands;
}

} // namespace remedy::jsonb_migration
