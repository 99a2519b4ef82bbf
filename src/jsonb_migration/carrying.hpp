// What the carriers of a table's own objects have in common.

#pragma once

#include "jsonb_migration/dependents.hpp"

namespace remedy::jsonb_migration {

// A twin's own name in its schema.  A rehearsal's is another one: a migration may be under way.
const char *name_in(const Scope &scope, Oid original) noexcept;

// What stands for a relation or a column, quoted and qualified for SQL; itself, where the mapping tells of nothing
// else.
const char *twin_table(const Mapping &mapping, Oid relation) noexcept;
const char *twin_column(const Mapping &mapping, Oid relation, AttrNumber column) noexcept;

// An expression as the catalogs keep it; null if there is none.
Node *stored_tree(int cache, HeapTuple tuple, AttrNumber column) noexcept;
Node *stored_default(Oid table, AttrNumber column) noexcept; // or what a generated column is computed from

// What is to be said of an object whose parts are rewritten one after the other.
struct Verdict
{
	const char *refusal = nullptr; // the first
	const char *remark = nullptr;  // all of them, each once

	void refuse(const char *reason) noexcept;
	void note(const char *remark) noexcept;
	void note(const Rewritten &rewritten) noexcept;
	// The definition stands, unless it is refused.
	void give(Dependent &dependent, const char *new_definition) const noexcept;
};

// An expression of the relation's columns, rewritten, as SQL.
const char *rewritten_text(Node *expression, Oid relation, const Mapping &mapping, Verdict &verdict) noexcept;

// Further commands that give a new object what the old one has besides its definition; begun by ";\n" each.
void add_comment(StringInfo script, const char *object_type, const char *object, Oid catalog, Oid original) noexcept;
void add_extensions(StringInfo script, const char *object_type, const char *object, Oid catalog, Oid original) noexcept;

// A script of ours, unless it is empty.
void run_script(const StringInfoData &script) noexcept;

} // namespace remedy::jsonb_migration
