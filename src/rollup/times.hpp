// The time column, the unit and the zone of a rollup that is asked for: checked, and errors raised.

#pragma once

#include "rollup/definition.hpp"

namespace remedy::rollup {

Node *time_of(Relation source, const char *name) noexcept;
Unit unit_of(const char *bucket, Oid time_type) noexcept;

// By its full name, the session's if none is given; null for times without a zone.
const char *zone_of(const char *asked, Oid time_type) noexcept;

// Whether each bucket of the base is within one of the unit, also where the zone's clocks were changed.
void check_unit_of_level(Unit unit, const Rollup &base) noexcept;

} // namespace remedy::rollup
