#include "observe/replannable.hpp"

#include "observe/shared_store.hpp"

extern "C" {
#include "parser/parse_param.h"
#include "storage/proc.h"
#include "utils/guc.h"
}

namespace remedy::observe {

namespace {

using detail::region;
using detail::store;

// The lock is held.
bool
copy_form(std::uint64_t fingerprint, Replannable &form) noexcept
{
	const TextStore::Record *const record = store.texts->find(fingerprint);

	if (record == nullptr || record->traits.database != MyDatabaseId)
		return false;
	const TextTraits &traits = record->traits;
	char *const text = static_cast<char *>(palloc(record->length + 1));
	store.texts->read(*record, text);
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

struct Parameters
{
	Oid *types;
	int count;
};

Query *
analyse(RawStmt *raw, const char *text, Parameters &parameters, bool with_variables) noexcept
{
	ParseState *const state = make_parsestate(nullptr);

	state->p_sourcetext = text;
	setup_parse_variable_parameters(state, &parameters.types, &parameters.count);
	variables = NIL;
	if (with_variables)
		state->p_post_columnref_hook = variable_for;
	Query *const query = transformTopLevelStmt(state, raw);
	check_variable_parameters(state, query);
	free_parsestate(state);
	return query;
}

// A value stands for its parameter where its type is the one that the analysis found.
ParamListInfo
values_for(const Sample &sample, const Parameters &parameters) noexcept
{
	ParamListInfo values = makeParamList(parameters.count);

	sample.each([&](std::uint32_t i, const SampledValue &value) {
		if (i >= static_cast<std::uint32_t>(parameters.count) || parameters.types[i] != value.type)
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
plan_text(const Replannable &form, const char *text, const Sample *values) noexcept
{
	List *const statements = raw_parser(text, RAW_PARSE_DEFAULT);
	List *plans = NIL;
	ListCell *cell;

	if (list_length(statements) != 1)
		ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR), errmsg("it is not one statement")));
	RawStmt *const raw = linitial_node(RawStmt, statements);
	raw->stmt = plannable_part(raw->stmt);
	if (raw->stmt == nullptr)
		return NIL;
	const bool with_variables = asks_for_variables(form);
	Parameters parameters = {form.parameter_types, with_variables ? 0 : Max(form.parameter_count, 0)};
	if (parameters.types != nullptr)
		parameters.types = static_cast<Oid *>(
			memcpy(palloc(sizeof(TextTraits::parameter_types)), parameters.types, sizeof(TextTraits::parameter_types)));
	Query *const query = analyse(raw, text, parameters, with_variables);
	const ParamListInfo list = values == nullptr || with_variables ? nullptr : values_for(*values, parameters);
	foreach (cell, pg_rewrite_query(query))
		if (lfirst_node(Query, cell)->commandType != CMD_UTILITY)
			plans = lappend(plans, pg_plan_query(lfirst_node(Query, cell), text, CURSOR_OPT_PARALLEL_OK, list));
	return plans;
}

} // namespace

bool
find_replannable(std::uint64_t fingerprint, Replannable &form) noexcept
{
	bring_up_to_date();
	region.acquire(LW_SHARED);
	const bool found = copy_form(fingerprint, form);
	region.release();
	if (found)
		form.sample_count = copy_samples(fingerprint, form.samples);
	return found;
}

int
replannable_statements(std::uint64_t *&fingerprints) noexcept
{
	int count = 0;

	fingerprints = static_cast<std::uint64_t *>(palloc(store.header->capacity * sizeof(std::uint64_t)));
	bring_up_to_date();
	region.acquire(LW_SHARED);
	store.texts->each([&](const TextStore::Record &record) {
		if (record.traits.database == MyDatabaseId)
			fingerprints[count++] = record.fingerprint;
	});
	region.release();
	return count;
}

List *
plan_again(const Replannable &form, const Sample *sample) noexcept
{
	if (form.cut || form.ambiguous)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("the statement's text is not known exactly")));
	Surroundings surroundings(form);
	const bool is_text = sample != nullptr && sample->is_text();
	List *const plans = plan_text(form, is_text ? sample->bytes : form.text, is_text ? nullptr : sample);

	surroundings.leave();
	return plans;
}

} // namespace remedy::observe
