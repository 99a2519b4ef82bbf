// What belongs to a column, besides its name, type and values: copied from one column to the
// other, in each table of the tree.  Only what differs is altered, so that it goes both ways
// and costs little the second time.

#pragma once

#include "jsonb_migration/target.hpp"

namespace remedy::jsonb_migration {

// Storage, compression, statistics target, options and grants: who may use all columns may
// go on using all columns.
void copy_use(const Target &target, const char *from, const char *to) noexcept;

// Comment and security labels.
void copy_words(const Target &target, const char *from, const char *to) noexcept;

// NOT NULL, with its name where it has one.  No row is read where a valid check says it already.
void move_not_null(const Target &target, const char *from, const char *to) noexcept;

// Runs the commands that a query makes: pairs of a role, null for the caller's own, and a command.
// Its parameters are the tables, two columns' names and one more name.
void run_made(const Target &target, const char *query, const char *from, const char *to, const char *name) noexcept;

} // namespace remedy::jsonb_migration
