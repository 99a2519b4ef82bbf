#include "repetition/batching.hpp"

#include "repetition/batching_draft.hpp"
#include "repetition/batching_text.hpp"
#include "server/guard.hpp"

extern "C" {
#include "optimizer/optimizer.h"
}

namespace remedy::repetition {

namespace {

constexpr int line_bytes = 160; // what is longer has several lines

// The text with parameters behind the arrays' numbered as they come.
char *
numbered(const Draft &draft) noexcept
{
	const int arrays = draft.rewriting.array_count;
	const int others = list_length(draft.rewriting.others);
	int *const numbers = static_cast<int *>(palloc0((arrays + others + 1) * sizeof(int)));
	int last = arrays;
	StringInfoData out;

	initStringInfo(&out);
	replace_parameters(
		draft.out.data, [&](const char *start, int length) { appendBinaryStringInfo(&out, start, length); },
		[&](int number) {
			int &place = numbers[number];
			if (place == 0)
				place = number <= arrays ? number : ++last;
			appendStringInfo(&out, "$%d", place);
		});
	return out.data;
}

const char *
laid_out(const char *text) noexcept
{
	StringInfoData line;

	initStringInfo(&line);
	write_in_one_line(text, [&](char c) { appendStringInfoChar(&line, c); });
	return line.len <= line_bytes ? line.data : text + strspn(text, " \n");
}

double
planned_cost(Query *query, const char *text) noexcept
{
	double cost = 0;
	ListCell *cell;

	foreach (cell, pg_rewrite_query(query))
		cost += pg_plan_query(lfirst_node(Query, cell), text, CURSOR_OPT_PARALLEL_OK, nullptr)->planTree->total_cost;
	return cost;
}

// What is shown is what was read and planned.
void
check(const Draft &draft, Batch &batch) noexcept
{
	const char *const text = laid_out(numbered(draft));
	Query *const query = has_string(text) ? nullptr : analysed_text(text, nullptr, 0);

	if (query == nullptr)
		return;
	batch.cost = planned_cost(query, text);
	batch.text = text;
}

void
try_form(Form write, const Original &original, Batch &batch) noexcept
{
	for (const bool share : {false, true})
	{
		Draft *const draft = static_cast<Draft *>(palloc0(sizeof(Draft)));
		draft->rewriting.share = share;
		if (batch.text == nullptr)
			attempt([&]() noexcept {
				if (write(original, *draft))
					check(*draft, batch);
			});
	}
}

void
set_here(const char *name, const char *value) noexcept
{
	set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

bool
is_offered(const Query *query) noexcept
{
	ListCell *cell;

	foreach (cell, query->rowMarks)
		if (lfirst_node(RowMarkClause, cell)->waitPolicy == LockWaitSkip)
			return false;
	if (query->hasModifyingCTE)
		return false;
	return query->commandType == CMD_INSERT ||
		   !contain_volatile_functions(reinterpret_cast<Node *>(const_cast<Query *>(query)));
}

void
try_forms(const Original &original, Batch &batch) noexcept
{
	switch (original.query->commandType)
	{
	case CMD_SELECT:
		try_form(write_select_any, original, batch);
		try_form(write_aggregates, original, batch);
		try_form(write_lateral, original, batch);
		break;
	case CMD_UPDATE:
		try_form(write_update, original, batch);
		break;
	case CMD_DELETE:
		try_form(write_delete, original, batch);
		break;
	case CMD_INSERT:
		try_form(write_insert, original, batch);
		break;
	default:
		break;
	}
}

// The text is read as it was when it ran, or not at all.
bool
is_known(const observe::RawText &text) noexcept
{
	return text.bytes != nullptr && !text.cut && text.user == GetUserId() &&
		   (text.standard_strings || strchr(text.bytes, '\\') == nullptr) &&
		   (text.search_path == nullptr || strcmp(text.search_path, namespace_search_path) == 0);
}

} // namespace

Batch
batched(const observe::RawText &text, const Shape &shape, unsigned varying) noexcept
{
	Batch *const batch = static_cast<Batch *>(palloc0(sizeof(Batch)));

	if (!is_known(text))
		return {};
	attempt([&]() noexcept {
		const int settings = NewGUCNestLevel();
		Original *const original = static_cast<Original *>(palloc(sizeof(Original)));
		set_here("standard_conforming_strings", "on");
		set_here("client_min_messages", "error");
		set_here("lock_timeout", "1");
		PushActiveSnapshot(GetTransactionSnapshot());
		if (read_original(text, shape, varying, *original) && is_offered(original->query) && !has_twin(*original))
		{
			batch->single_cost = planned_cost(static_cast<Query *>(copyObject(original->query)), text.bytes);
			try_forms(*original, *batch);
		}
		PopActiveSnapshot();
		AtEOXact_GUC(false, settings);
	});
	return *batch;
}

} // namespace remedy::repetition
