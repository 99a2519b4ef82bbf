#include "repetition/describing.hpp"

#include "observe/observe.hpp"
#include "repetition/batching.hpp"
#include "repetition/client_style.hpp"
#include "repetition/ties.hpp"

extern "C" {
#include "common/hashfn.h"
}

namespace remedy::repetition {

namespace {

void
copy_name(char *to, std::size_t size, const char *from) noexcept
{
	const int length = from == nullptr ? 0 : static_cast<int>(strlen(from));
	const int cut = pg_mbcliplen(from == nullptr ? "" : from, length, static_cast<int>(size) - 1);

	memcpy(to, from == nullptr ? "" : from, cut);
	to[cut] = '\0';
}

template <std::size_t Size>
void
copy_name(char (&to)[Size], const char *from) noexcept
{
	copy_name(to, Size, from);
}

template <std::size_t Size>
void
copy_table(char (&table)[Size], Oid relation) noexcept
{
	const char *const schema_name = get_namespace_name(get_rel_namespace(relation));
	const char *const table_name = get_rel_name(relation);

	if (schema_name == nullptr || table_name == nullptr)
		elog(ERROR, "relation %u is gone", relation);
	copy_name(table, quote_qualified_identifier(schema_name, table_name));
}

template <std::size_t TableSize, std::size_t ColumnSize>
void
copy_column(char (&table)[TableSize], char (&name)[ColumnSize], Column column) noexcept
{
	const char *const column_name = get_attname(column.relation, column.number, true);

	if (column_name == nullptr)
		elog(ERROR, "column %d of relation %u is gone", column.number, column.relation);
	copy_table(table, column.relation);
	copy_name(name, column_name);
}

const char *
name_of(Kind kind) noexcept
{
	switch (kind)
	{
	case Kind::count:
		return "count";
	case Kind::exists:
		return "exists";
	case Kind::select:
		break;
	}
	return "select";
}

// The parent's column that the child's key is tied to.
Column
parent_column(const Child &child, const Parent &parent) noexcept
{
	const Bond &bond = child.keys[child.key].bonds[child.parent];

	for (unsigned i = 0; i < parent.column_count; ++i)
		if ((bond.closest >> i & 1) != 0)
			return parent.columns[i];
	return {};
}

std::uint64_t
hash_of(const char *text, std::uint64_t seed) noexcept
{
	return hash_bytes_extended(reinterpret_cast<const unsigned char *>(text), static_cast<int>(strlen(text)), seed);
}

// The ailment, wherever and whenever it is seen: its name must survive a dump, so
// it is made of names and texts, not of identifiers.
void
name_finding(findings::Finding &finding, const char *child_query) noexcept
{
	std::uint64_t hash = hash_of(finding.database, 0);

	hash = hash_of(child_query, hash);
	hash = hash_of(finding.child_column, hash);
	hash = hash_of(finding.parent_table, hash);
	hash = hash_of(finding.parent_column, hash);
	snprintf(finding.key, sizeof(finding.key), "n_plus_one:%016llx", static_cast<unsigned long long>(hash));
}

const char *
name_of(LoopKind kind) noexcept
{
	switch (kind)
	{
	case LoopKind::lookup:
		return "lookup";
	case LoopKind::duplicate:
		return "duplicate";
	case LoopKind::write:
	case LoopKind::none:
		break;
	}
	return "write";
}

const char *
direction_of(LoopKind kind) noexcept
{
	return kind == LoopKind::lookup ? "N:1" : kind == LoopKind::duplicate ? "same" : "write";
}

// What all findings tell.  Looks names up in the catalogs; may raise an error.
void
describe_statement(const observe::RawText &text, findings::Finding &finding) noexcept
{
	finding = {};
	finding.user = GetUserId();
	finding.first_seen = GetCurrentTimestamp();
	copy_name(finding.database, get_database_name(MyDatabaseId));
	copy_name(finding.user_name, GetUserNameFromId(finding.user, true));
	copy_name(finding.application, application_name);
	copy_name(finding.route, observe::route());
	copy_name(finding.child_query, observe::normalised(text));
	copy_name(finding.client, client_style(finding.child_query).data());
}

void
identify(findings::Finding &finding, std::uint64_t seed) noexcept
{
	name_finding(finding, finding.child_query);
	finding.common_identity = hash_of(finding.key, finding.user ^ seed);
	finding.identity = hash_of(finding.route, hash_of(finding.application, finding.common_identity));
}

} // namespace

void
describe(const FanOut &fan_out, const Shape &shape, const Child &child, findings::Finding &finding) noexcept
{
	const Parent &parent = fan_out.parent_of(child);
	const observe::RawText parent_text = observe::statement_text(parent.fingerprint);
	const Column output = parent_column(child, parent);

	describe_statement(observe::statement_text(child.fingerprint), finding);
	copy_name(finding.level, "likely");
	copy_name(finding.kind, name_of(shape.kind));
	copy_name(finding.direction, key_is_unique(shape, child.key) ? "N:1" : "1:N");
	copy_column(finding.child_table, finding.child_column, shape.keys[child.key].column);
	if (output.relation != 0) // else it is linked by value to what no table holds
		copy_column(finding.parent_table, finding.parent_column, output);
	copy_name(finding.parent_query, observe::normalised(parent_text));
	finding.parent_user = parent_text.user;
	identify(finding, parent.fingerprint ^ child.fingerprint * 31);
}

void
describe(const Shape &shape, const PoolLink &link, const PoolLoop &loop, findings::Finding &finding) noexcept
{
	const ParentText parent_text = text_of(link);

	describe_statement(observe::statement_text(shape.fingerprint), finding);
	copy_name(finding.level, "possible");
	copy_name(finding.kind, name_of(shape.kind));
	copy_name(finding.direction, key_is_unique(shape, link.key) ? "N:1" : "1:N");
	copy_column(finding.child_table, finding.child_column, shape.keys[link.key].column);
	copy_column(finding.parent_table, finding.parent_column, loop.column);
	copy_name(finding.parent_query, parent_text.bytes);
	finding.parent_user = parent_text.user;
	identify(finding, loop.fingerprint ^ shape.fingerprint * 31);
}

void
describe(const NestedLoop &loop, findings::Finding &finding) noexcept
{
	const observe::RawText statement = observe::statement_text(loop.statement);

	describe_statement(loop.text, finding);
	finding.user = loop.text.user; // a function may be somebody else than its caller
	copy_name(finding.user_name, GetUserNameFromId(finding.user, true));
	copy_name(finding.level, "possible");
	copy_name(finding.kind, "server_loop");
	copy_name(finding.direction, loop.writes ? "write" : "");
	copy_table(finding.child_table, loop.table);
	copy_name(finding.parent_query, observe::normalised(statement));
	finding.parent_user = statement.user;
	identify(finding, loop.statement ^ loop.fingerprint * 31);
}

void
describe(const Shape &shape, const Loop &loop, findings::Finding &finding) noexcept
{
	describe_statement(observe::statement_text(loop.fingerprint), finding);
	copy_name(finding.level, loop.kind == LoopKind::lookup ? "possible" : "likely");
	copy_name(finding.kind, name_of(loop.kind));
	copy_name(finding.direction, direction_of(loop.kind));
	if (shape.key_count > 0 && shape.command != Command::insert)
		copy_column(finding.child_table, finding.child_column, shape.keys[0].column);
	else
		copy_table(finding.child_table, shape.table);
	identify(finding, loop.fingerprint * 31 + static_cast<unsigned>(loop.kind));
}

void
add_batch(const Shape &shape, unsigned varying, findings::Finding &finding) noexcept
{
	if (varying == 0 || !findings::is_new(finding))
		return;
	const Batch batch = batched(observe::statement_text(shape.fingerprint), shape, varying);
	if (batch.text == nullptr || strlen(batch.text) >= sizeof(finding.batched_query))
		return;
	copy_name(finding.batched_query, batch.text);
	if (batch.single_cost > 0)
		finding.batch_share = static_cast<float>(batch.cost / Batch::keys / batch.single_cost);
}

unsigned
varying_keys(const Shape &shape, const Child &child) noexcept
{
	unsigned varying = 1u << child.key;

	for (unsigned key = 0; key < shape.key_count; ++key)
		varying |= child.keys[key].varies ? 1u << key : 0;
	return varying;
}

unsigned
varying_keys(const Loop &loop) noexcept
{
	return loop.kind == LoopKind::duplicate ? 0 : (1u << keys_per_shape) - 1;
}

} // namespace remedy::repetition
