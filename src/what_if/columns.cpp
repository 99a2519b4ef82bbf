// The columns of a hypothetical index: from a CREATE INDEX to what the planner wants to know.

#include "what_if/hypothetical.hpp"

extern "C" {
#include "access/gist.h"
#include "catalog/pg_am.h"
#include "catalog/pg_opclass.h"
#include "commands/defrem.h"
#include "optimizer/optimizer.h"
}

namespace remedy::what_if {

namespace {

// True if it is a column of the table, with or without parentheses.
bool
name_column(const IndexElem *element, Relation table, Column &column) noexcept
{
	const Node *tree = element->expr;

	if (element->name != nullptr)
		column.number = get_attnum(RelationGetRelid(table), element->name);
	while (tree != nullptr && IsA(tree, CollateExpr))
		tree = reinterpret_cast<Node *>(reinterpret_cast<const CollateExpr *>(tree)->arg);
	if (tree != nullptr && IsA(tree, Var))
		column.number = reinterpret_cast<const Var *>(tree)->varattno;
	if (element->name != nullptr && column.number == InvalidAttrNumber)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN), errmsg("column \"%s\" does not exist", element->name)));
	if (column.number < 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("index creation on system columns is not supported")));
	if (column.number == InvalidAttrNumber)
		return false;
	get_atttypetypmodcoll(RelationGetRelid(table), column.number, &column.type, &column.modifier, &column.collation);
	return true;
}

// As the planner prepares conditions, so that both are found equal.
Node *
prepare(Node *tree) noexcept
{
	Node *const prepared = eval_const_expressions(nullptr, tree);

	fix_opfuncids(prepared);
	return prepared;
}

void
add_expression(Hypothetical &index, const IndexElem *element, Column &column) noexcept
{
	Node *tree = element->expr;

	column.type = exprType(tree);
	column.modifier = exprTypmod(tree);
	column.collation = exprCollation(tree);
	while (IsA(tree, CollateExpr))
		tree = reinterpret_cast<Node *>(reinterpret_cast<CollateExpr *>(tree)->arg);
	check_immutable(tree, "expression");
	index.expressions = lappend(index.expressions, prepare(tree));
}

void
choose_collation(const IndexElem *element, Column &column) noexcept
{
	if (element->collation != NIL)
		column.collation = get_collation_oid(element->collation, false);
	if (type_is_collatable(column.type) && !OidIsValid(column.collation))
		ereport(ERROR, (errcode(ERRCODE_INDETERMINATE_COLLATION),
						errmsg("could not determine which collation to use for index expression"),
						errhint("Use the COLLATE clause to set the collation explicitly.")));
	if (!type_is_collatable(column.type) && OidIsValid(column.collation))
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("collations are not supported by type %s", format_type_be(column.type))));
}

void
choose_order(const Hypothetical &index, const IndexStmt *statement, const IndexElem *element, Column &column) noexcept
{
	const bool descends = element->ordering == SORTBY_DESC;
	const bool nulls_first =
		element->nulls_ordering == SORTBY_NULLS_DEFAULT ? descends : element->nulls_ordering == SORTBY_NULLS_FIRST;

	if (index.routine->amcanorder)
		column.order = (descends ? INDOPTION_DESC : 0) | (nulls_first ? INDOPTION_NULLS_FIRST : 0);
	else if (element->ordering != SORTBY_DEFAULT || element->nulls_ordering != SORTBY_NULLS_DEFAULT)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("access method \"%s\" does not support ASC/DESC or NULLS FIRST/LAST options",
							   statement->accessMethod)));
}

// Whether the operator class gives back what was stored.
bool
returns_values(const Hypothetical &index, const Column &column) noexcept
{
	if (index.method == BTREE_AM_OID)
		return true;
	return index.method == GIST_AM_OID &&
		   (OidIsValid(get_opfamily_proc(column.family, column.input, column.input, GIST_FETCH_PROC)) ||
			!OidIsValid(get_opfamily_proc(column.family, column.input, column.input, GIST_COMPRESS_PROC)));
}

void
choose_operators(const Hypothetical &index, const IndexStmt *statement, IndexElem *element, Column &column) noexcept
{
	const Oid operators = ResolveOpClass(element->opclass, column.type, statement->accessMethod, index.method);
	const HeapTuple tuple = SearchSysCache1(CLAOID, ObjectIdGetDatum(operators));

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for opclass %u", operators);
	const auto *const form = reinterpret_cast<Form_pg_opclass>(GETSTRUCT(tuple));
	column.family = form->opcfamily;
	column.input = form->opcintype;
	column.stored = OidIsValid(form->opckeytype) ? form->opckeytype : column.type;
	ReleaseSysCache(tuple);
	if (column.stored == ANYELEMENTOID)
		column.stored = get_base_element_type(column.type);
	column.returns = returns_values(index, column);
}

void
add_key(Hypothetical &index, const IndexStmt *statement, IndexElem *element, Relation table) noexcept
{
	Column &column = index.columns[index.column_count++];

	if (!name_column(element, table, column))
		add_expression(index, element, column);
	choose_collation(element, column);
	choose_order(index, statement, element, column);
	choose_operators(index, statement, element, column);
}

void
add_included(Hypothetical &index, const IndexElem *element, Relation table) noexcept
{
	Column &column = index.columns[index.column_count++];

	if (element->collation != NIL || element->opclass != NIL || element->ordering != SORTBY_DEFAULT ||
		element->nulls_ordering != SORTBY_NULLS_DEFAULT)
		ereport(ERROR, (errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
						errmsg("including column does not support a collation, an operator class or an order")));
	if (!name_column(element, table, column))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("expressions are not supported in included columns")));
	column.collation = InvalidOid;
	column.stored = column.type;
	column.returns = true;
}

} // namespace

void
check_immutable(Node *tree, const char *where) noexcept
{
	Node *const planned = reinterpret_cast<Node *>(expression_planner(static_cast<Expr *>(copyObjectImpl(tree))));

	if (contain_mutable_functions(planned))
		ereport(ERROR, (errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
						errmsg("functions in index %s must be marked IMMUTABLE", where)));
}

void
add_columns(Hypothetical &index, const IndexStmt *statement, Relation table) noexcept
{
	ListCell *cell;

	if (list_length(statement->indexParams) + list_length(statement->indexIncludingParams) > INDEX_MAX_KEYS)
		ereport(ERROR, (errcode(ERRCODE_TOO_MANY_COLUMNS),
						errmsg("cannot use more than %d columns in an index", INDEX_MAX_KEYS)));
	foreach (cell, statement->indexParams)
		add_key(index, statement, lfirst_node(IndexElem, cell), table);
	index.key_count = index.column_count;
	foreach (cell, statement->indexIncludingParams)
		add_included(index, lfirst_node(IndexElem, cell), table);
}

} // namespace remedy::what_if
