// The pieces of SQL that views, refresh and verification are made of.  All names in it are qualified; it is valid
// under search_path = pg_catalog, pg_temp and any other.

#pragma once

#include "rollup/definition.hpp"

namespace remedy::rollup {

// "p.k1, p.k2", or with lead_in ", p.k1, p.k2"; empty if there are no keys.
const char *key_list(const Rollup &rollup, const char *prefix, bool lead_in = true) noexcept;

// "p.s1, p.s2".
const char *state_list(const Rollup &rollup, const char *prefix) noexcept;

// Over daily_rows: "count(*) AS s1, sum(v1) FILTER (WHERE f1) AS s2, …": each of the very type of the cells' column.
const char *states_of_rows(const Rollup &rollup, const char *prefix) noexcept;

// Over whatever has columns s1…, as cells and additive marks: "sum(s1)::bigint AS s1, min(s3) AS s3, …".
const char *states_of_states(const Rollup &rollup, const char *prefix) noexcept;

// Over marks: the extremes that were taken away, "min(p.r3) AS r3, max(p.r4) AS r4", with lead_in ", "; of rollups that
// are additive and have least or greatest, else empty.
const char *removed_extremes(const Rollup &rollup, const char *prefix) noexcept;

// A condition over merged states and removed extremes: some that was taken away may have been a cell's extreme, so the
// cell must be recomputed.  "false" if it cannot be.
const char *touched(const Rollup &rollup, const char *prefix) noexcept;

// The body of the view daily_now; columns bucket, k1…, s1….  The view itself finishes them.
const char *now_states(const Rollup &rollup) noexcept;

const char *qualified(Oid relation) noexcept; // quoted, with its schema

// In which an extension's functions for its type are; quoted.
const char *schema_of_type(Oid type) noexcept;

} // namespace remedy::rollup
