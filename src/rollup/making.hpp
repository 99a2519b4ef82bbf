// The relations of a rollup that is being made.

#pragma once

#include "rollup/specification.hpp"

namespace remedy::rollup {

struct Making
{
	Oid schema;
	const char *name; // of the view, as it is written in the catalogs
	const Specification *specification;
	Rollup rollup;
};

// Names in it are qualified as the running search_path asks for, columns not at all.
const char *printed(Node *expression, Oid relation) noexcept;

// What is known of it before it has relations.
Rollup begin_rollup(const Specification &specification, Oid source, Oid owner) noexcept;

// Both are to be called as its owner; errors are the server's.
void make_relations(Making &making) noexcept;
void make_level(Making &making, const Rollup &base) noexcept;

} // namespace remedy::rollup
