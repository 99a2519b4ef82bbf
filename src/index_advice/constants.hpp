// Constants of any type: made, cast and computed by the server's own functions only.

#pragma once

#include <string_view>

#include "server/headers.hpp"

namespace remedy::index_advice {

// All in the current memory context; null where there is no value.

Const *constant_of(Oid type, Oid collation, Datum value) noexcept;
Const *text_constant(std::string_view text) noexcept;
Const *array_constant(Oid element, Oid collation, Datum *items, int count) noexcept;

// An expression without variables.  Null also if it fails, or calls a function that is not
// the server's own.
Const *evaluated(Node *expression) noexcept;

// By an explicit cast; for a domain to the type below it.
Const *cast_to(Const *value, Oid type) noexcept;

const char *text_of(Const *value) noexcept;

// Whether a function that is not the server's own is called in the expression, or a
// domain's condition.
bool calls_users_functions(Node *node) noexcept;

} // namespace remedy::index_advice
