#include "scans/words.hpp"

namespace remedy::scans {

namespace {

void
append_column(StringInfo text, Oid relation, const Clause &clause) noexcept
{
	const char *const name = clause.column > 0 ? get_attname(relation, clause.column, true) : nullptr;
	const char *const column = name == nullptr ? "..." : quote_identifier(name);
	const char *const function = clause.function == InvalidOid ? nullptr : get_func_name(clause.function);

	if (!clause.is_expression)
		appendStringInfoString(text, column);
	else
		appendStringInfo(text, "%s(%s)", function == nullptr ? "..." : quote_identifier(function), column);
}

const char *
operator_name(const Clause &clause) noexcept
{
	const char *const name = get_opname(clause.operation);
	return name == nullptr ? "?" : name;
}

const char *
other_side(const Clause &clause) noexcept
{
	switch (clause.other_side)
	{
	case OtherSide::constant:
		return "?";
	case OtherSide::parameter:
		return "$";
	case OtherSide::column:
		return "other column";
	default:
		return "...";
	}
}

// Without its other side, if that is not wanted.
void
append_clause(StringInfo text, Oid relation, const Clause &clause, bool whole) noexcept
{
	if (clause.kind == ClauseKind::is_false)
		appendStringInfoString(text, "NOT ");
	append_column(text, relation, clause);
	switch (clause.kind)
	{
	case ClauseKind::comparison:
		appendStringInfo(text, " %s", operator_name(clause));
		if (whole)
			appendStringInfo(text, " %s", other_side(clause));
		break;
	case ClauseKind::any_of:
	case ClauseKind::all_of:
		appendStringInfo(text, " %s %s", operator_name(clause), clause.kind == ClauseKind::any_of ? "ANY" : "ALL");
		if (whole)
			appendStringInfo(text, " (%s)", other_side(clause));
		break;
	case ClauseKind::is_null:
		appendStringInfoString(text, " IS NULL");
		break;
	case ClauseKind::is_not_null:
		appendStringInfoString(text, " IS NOT NULL");
		break;
	case ClauseKind::other:
		appendStringInfoString(text, " ...");
		break;
	case ClauseKind::is_true:
	case ClauseKind::is_false:
		break;
	}
}

// Clauses of a group follow each other, and so do those of an arm.
void
append_between(StringInfo text, const Clause *before, const Clause &next) noexcept
{
	const bool same_group = before != nullptr && before->group != 0 && before->group == next.group;

	if (before != nullptr && before->group != 0 && !same_group)
		appendStringInfoChar(text, ')');
	if (before != nullptr)
		appendStringInfoString(text, same_group && before->arm != next.arm ? " OR " : " AND ");
	if (next.group != 0 && !same_group)
		appendStringInfoChar(text, '(');
}

} // namespace

Datum
short_words(Oid relation, const Clause &clause) noexcept
{
	StringInfoData text;

	initStringInfo(&text);
	append_clause(&text, relation, clause, false);
	return CStringGetTextDatum(text.data);
}

const char *
predicate_text(Oid relation, const Predicate &predicate) noexcept
{
	const Clause *before = nullptr;
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < predicate.count; ++i)
	{
		if (predicate.clauses[i].indexed)
			continue;
		append_between(&text, before, predicate.clauses[i]);
		before = &predicate.clauses[i];
		append_clause(&text, relation, *before, true);
	}
	if (before != nullptr && before->group != 0)
		appendStringInfoChar(&text, ')');
	if (predicate.cut)
		appendStringInfoString(&text, text.len == 0 ? "..." : " AND ...");
	return text.data;
}

} // namespace remedy::scans
