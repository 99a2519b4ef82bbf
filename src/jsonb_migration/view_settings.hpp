// What a view is made of: its query, and what it has besides, as commands that give it to another one.

#pragma once

#include "jsonb_migration/dependents.hpp"

namespace remedy::jsonb_migration {

Query *query_of_view(Oid view) noexcept; // a copy

// Options, access method and tablespace of CREATE VIEW or CREATE MATERIALIZED VIEW; empty or begun by a space.
const char *creation_options(Oid view) noexcept;

// Once the new view belongs to its owner: defaults, comments, labels, settings of columns, triggers and
// grants.  Names are quoted and qualified.
List *settings_of_view(Oid view, const char *name, const char *new_name) noexcept; // of const char *

// Grants that default privileges gave to a new view, and that the original does not have.
List *revocations(Oid new_view, const char *new_name) noexcept; // of const char *

// Why it cannot be given all of it; null: it can.
const char *why_not_carried(Oid view) noexcept;

} // namespace remedy::jsonb_migration
