#include "observe/replannable.hpp"

#include <algorithm>

#include "observe/nested_texts.hpp"
#include "observe/shared_store.hpp"
#include "server/guard.hpp"

extern "C" {
#include "parser/parse_param.h"
#include "storage/proc.h"
#include "utils/guc.h"
}

namespace remedy::observe {

namespace {

using detail::region;
using detail::store;

// Databases that are alike, made from one template or, from version 18 on, with tables of the same
// names, have equal fingerprints, and each has one text: it is this database's too if the same role
// ran it here.
bool
is_of_this_database(const TextStore::Record &record) noexcept
{
	const TextTraits &traits = record.traits;
	StatementKey key = {record.fingerprint, MyDatabaseId, traits.user, 0, 0};

	if (traits.database == MyDatabaseId)
		return true;
	if (traits.encoding != GetDatabaseEncoding())
		return false;
	const bool from_client = store.statements->find(key) != StatementStore::none;
	key.nested = 1;
	return from_client || store.statements->find(key) != StatementStore::none;
}

// The lock of the texts is held.
bool
copy_form(const TextStore &texts, std::uint64_t fingerprint, Replannable &form) noexcept
{
	const TextStore::Record *const record = texts.find(fingerprint);

	if (record == nullptr || !is_of_this_database(*record))
		return false;
	const TextTraits &traits = record->traits;
	char *const text = static_cast<char *>(palloc(record->length + 1));
	texts.read(*record, text);
	text[record->length] = '\0';
	form = {};
	form.fingerprint = fingerprint;
	form.user = traits.user;
	form.text = text;
	form.cut = traits.cut;
	form.ambiguous = !traits.normalised && !traits.standard_strings && strchr(text, '\\') != nullptr;
	form.has_constants = !traits.normalised;
	form.parameter_count = -1;
	if (traits.parameter_count != types_unknown)
	{
		form.parameter_count = traits.parameter_count;
		form.parameter_types = static_cast<Oid *>(palloc(sizeof(traits.parameter_types)));
		memcpy(form.parameter_types, traits.parameter_types, sizeof(traits.parameter_types));
	}
	if (strlen(text) < record->length)
		form.search_path = text + strlen(text) + 1;
	return true;
}

// ---- The surroundings ------------------------------------------------------------

void
set_here(const char *name, const char *value) noexcept
{
	set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

// As if its user ran it: functions that the planner evaluates are his, and may do only
// what he may, and nothing to this session.
class Surroundings
{
public:
	explicit Surroundings(const Replannable &form) noexcept : settings_(NewGUCNestLevel())
	{
		if (GetUserNameFromId(form.user, true) == nullptr)
			ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("role %u does not exist", form.user)));
		GetUserIdAndSecContext(&user_, &context_);
		SetUserIdAndSecContext(form.user, context_ | SECURITY_RESTRICTED_OPERATION);
		if (form.search_path != nullptr)
			set_here("search_path", form.search_path);
		set_here("standard_conforming_strings", "on");
		set_here("escape_string_warning", "off");
		set_here("client_min_messages", "error");
		if (LockTimeout == 0 || LockTimeout > 1000)
			set_here("lock_timeout", "1000");
	}

	void leave() noexcept
	{
		AtEOXact_GUC(false, settings_);
		SetUserIdAndSecContext(user_, context_);
	}

private:
	int settings_;
	Oid user_;
	int context_;
};

// ---- From the text to a query ----------------------------------------------------

// As SQL, or what PL/pgSQL makes queries of: an assignment, or a mere expression.
List *
parse(const char *text) noexcept
{
	for (const RawParseMode mode : {RAW_PARSE_DEFAULT, RAW_PARSE_PLPGSQL_ASSIGN1})
		if (attempt_in_memory([=]() noexcept { raw_parser(text, mode); }))
			return raw_parser(text, mode);
	return raw_parser(text, RAW_PARSE_PLPGSQL_EXPR);
}

// The query that has a plan in a command, as its client sees it; null without one.
Node *
plannable_part(Node *statement) noexcept
{
	while (statement != nullptr)
		switch (nodeTag(statement))
		{
		case T_PrepareStmt:
			statement = reinterpret_cast<PrepareStmt *>(statement)->query;
			break;
		case T_DeclareCursorStmt:
			statement = reinterpret_cast<DeclareCursorStmt *>(statement)->query;
			break;
		case T_CreateTableAsStmt:
			statement = reinterpret_cast<CreateTableAsStmt *>(statement)->query;
			break;
		case T_CopyStmt:
			statement = reinterpret_cast<CopyStmt *>(statement)->query;
			break;
		case T_PLAssignStmt:
			statement = reinterpret_cast<Node *>(reinterpret_cast<PLAssignStmt *>(statement)->val);
			break;
		case T_SelectStmt:
			reinterpret_cast<SelectStmt *>(statement)->intoClause = nullptr;
			return statement;
		case T_InsertStmt:
		case T_UpdateStmt:
		case T_DeleteStmt:
		case T_MergeStmt:
			return statement;
		default:
			return nullptr;
		}
	return nullptr;
}

// Names of a function's variables, as which a text asks for its parameters; its $n are
// numbered in the order in which they are met.
List *variables = NIL;

int
number_of_variable(const char *name) noexcept
{
	ListCell *cell;

	foreach (cell, variables)
		if (strcmp(static_cast<const char *>(lfirst(cell)), name) == 0)
			return foreach_current_index(cell) + 1;
	variables = lappend(variables, pstrdup(name));
	return list_length(variables);
}

// What is no column is a variable, whose type its use tells.
Node *
variable_for(ParseState *state, ColumnRef *reference, Node *column)
{
	ListCell *cell;

	if (column != nullptr)
		return nullptr;
	foreach (cell, reference->fields)
		if (!IsA(lfirst(cell), String))
			return nullptr;
	ParamRef *const parameter = makeNode(ParamRef);
	parameter->number = number_of_variable(NameListToString(reference->fields));
	parameter->location = reference->location;
	return state->p_paramref_hook(state, parameter);
}

bool
asks_for_variables(const Replannable &form) noexcept
{
	return form.parameter_count != 0 && strchr(form.text, '$') == nullptr;
}

Query *
analyse(RawStmt *raw, Analysed &analysed, bool with_variables) noexcept
{
	ParseState *const state = make_parsestate(nullptr);

	state->p_sourcetext = analysed.text;
	setup_parse_variable_parameters(state, &analysed.parameter_types, &analysed.parameter_count);
	variables = NIL;
	if (with_variables)
		state->p_post_columnref_hook = variable_for;
	Query *const query = transformTopLevelStmt(state, raw);
	check_variable_parameters(state, query);
	free_parsestate(state);
	return query;
}

void
analyse_text(const Replannable &form, const char *text, Analysed &analysed) noexcept
{
	List *const statements = parse(text);
	const bool with_variables = asks_for_variables(form);
	const ListCell *cell;

	if (list_length(statements) != 1)
		ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR), errmsg("it is not one statement")));
	RawStmt *const raw = linitial_node(RawStmt, statements);
	analysed = {text, NIL, form.parameter_types, with_variables ? 0 : Max(form.parameter_count, 0), !with_variables};
	raw->stmt = plannable_part(raw->stmt);
	if (raw->stmt == nullptr)
		return;
	if (form.parameter_types != nullptr)
	{
		// The analysis adds the types that it finds.
		analysed.parameter_types = static_cast<Oid *>(palloc(sizeof(TextTraits::parameter_types)));
		memcpy(analysed.parameter_types, form.parameter_types, sizeof(TextTraits::parameter_types));
	}
	foreach (cell, pg_rewrite_query(analyse(raw, analysed, with_variables)))
		if (lfirst_node(Query, cell)->commandType != CMD_UTILITY)
			analysed.queries = lappend(analysed.queries, lfirst(cell));
}

struct Planning
{
	const Sample *values; // null: for any
	List *plans;
};

void
plan_analysed(const Analysed &analysed, void *context)
{
	Planning &planning = *static_cast<Planning *>(context);
	const ParamListInfo values = planning.values == nullptr ? nullptr : values_of(*planning.values, analysed);
	const ListCell *cell;

	foreach (cell, analysed.queries)
		planning.plans = lappend(
			planning.plans, pg_plan_query(lfirst_node(Query, cell), analysed.text, CURSOR_OPT_PARALLEL_OK, values));
}

} // namespace

bool
find_replannable(std::uint64_t fingerprint, Replannable &form) noexcept
{
	bring_up_to_date();
	region.acquire(LW_SHARED);
	bool found = copy_form(*store.texts, fingerprint, form);
	region.release();
	if (!found || !form.has_constants)
		found |= with_nested_texts([&](const TextStore &texts) { return copy_form(texts, fingerprint, form); });
	if (found)
		form.sample_count = copy_samples(fingerprint, form.samples);
	return found;
}

int
replannable_statements(std::uint64_t *&fingerprints) noexcept
{
	const Size limit = store.header->capacity + nested_texts_limit;
	int count = 0;
	const auto add_those_of = [&](const TextStore &texts) {
		texts.each([&](const TextStore::Record &record) {
			if (is_of_this_database(record))
				fingerprints[count++] = record.fingerprint;
		});
		return count;
	};

	fingerprints = static_cast<std::uint64_t *>(palloc(limit * sizeof(std::uint64_t)));
	bring_up_to_date();
	region.acquire(LW_SHARED);
	add_those_of(*store.texts);
	region.release();
	with_nested_texts(add_those_of);
	std::sort(fingerprints, fingerprints + count);
	return static_cast<int>(std::unique(fingerprints, fingerprints + count) - fingerprints);
}

void
analyse_again(const Replannable &form, const Sample *sample, void (*use)(const Analysed &, void *),
			  void *context) noexcept
{
	if (form.cut || form.ambiguous)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("the statement's text is not known exactly")));
	Surroundings surroundings(form);
	Analysed analysed;
	analyse_text(form, sample != nullptr && sample->is_text() ? sample->bytes : form.text, analysed);
	use(analysed, context);
	surroundings.leave();
}

void
with_rights_of(const Replannable &form, void (*use)(void *), void *context) noexcept
{
	Surroundings surroundings(form);

	use(context);
	surroundings.leave();
}

// A value stands for its parameter where its type is the one that the analysis found.
ParamListInfo
values_of(const Sample &sample, const Analysed &analysed) noexcept
{
	if (sample.is_text() || !analysed.takes_values)
		return nullptr;
	ParamListInfo values = makeParamList(analysed.parameter_count);
	memset(values->params, 0, analysed.parameter_count * sizeof(ParamExternData)); // no type: not known
	sample.each([&](std::uint32_t i, const SampledValue &value) {
		if (i >= static_cast<std::uint32_t>(analysed.parameter_count) || analysed.parameter_types[i] != value.type)
			return;
		ParamExternData &parameter = values->params[i];
		parameter.isnull = value.kind == ValueKind::null;
		if (!parameter.isnull && !datum_of(value, parameter.value))
			return;
		parameter.ptype = value.type;
		parameter.pflags = PARAM_FLAG_CONST;
	});
	return values;
}

List *
plan_again(const Replannable &form, const Sample *sample) noexcept
{
	Planning planning = {sample, NIL};

	analyse_again(form, sample, plan_analysed, &planning);
	return planning.plans;
}

} // namespace remedy::observe
