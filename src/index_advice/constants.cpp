#include "index_advice/constants.hpp"

#include "server/guard.hpp"
#include "server/versions.hpp"

extern "C" {
#include "catalog/pg_collation.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
}

namespace remedy::index_advice {

namespace {

bool
is_users_function(Oid function, void *)
{
	return function >= FirstNormalObjectId;
}

bool
finds_users_function(Node *node, void *)
{
	if (node == nullptr)
		return false;
	return IsA(node, CoerceToDomain) || check_functions_in_node(node, is_users_function, nullptr) ||
		   server::walk_expression(node, finds_users_function, nullptr);
}

} // namespace

bool
calls_users_functions(Node *node) noexcept
{
	return finds_users_function(node, nullptr);
}

Const *
constant_of(Oid type, Oid collation, Datum value) noexcept
{
	int16 length;
	bool by_value;

	get_typlenbyval(type, &length, &by_value);
	return makeConst(type, -1, collation, length, value, false, by_value);
}

Const *
text_constant(std::string_view text) noexcept
{
	return constant_of(TEXTOID, DEFAULT_COLLATION_OID,
					   PointerGetDatum(cstring_to_text_with_len(text.data(), static_cast<int>(text.size()))));
}

Const *
array_constant(Oid element, Oid collation, Datum *items, int count) noexcept
{
	int16 length;
	bool by_value;
	char align;

	get_typlenbyvalalign(element, &length, &by_value, &align);
	return constant_of(get_array_type(element), collation,
					   PointerGetDatum(construct_array(items, count, element, length, by_value, align)));
}

// A value that a cast refuses is no error of the statement.
Const *
evaluated(Node *expression) noexcept
{
	Node *result = expression;

	if (expression == nullptr || calls_users_functions(expression))
		return nullptr;
	if (!IsA(expression, Const))
	{
		const bool computed = attempt([&]() noexcept {
			result = reinterpret_cast<Node *>(evaluate_expr(reinterpret_cast<Expr *>(expression), exprType(expression),
															exprTypmod(expression), exprCollation(expression)));
		});
		if (!computed)
			return nullptr;
	}
	return IsA(result, Const) && !reinterpret_cast<Const *>(result)->constisnull ? reinterpret_cast<Const *>(result)
																				 : nullptr;
}

Const *
cast_to(Const *value, Oid type) noexcept
{
	if (value == nullptr || value->consttype == type)
		return value;
	return evaluated(coerce_to_target_type(nullptr, reinterpret_cast<Node *>(value), value->consttype,
										   getBaseType(type), -1, COERCION_EXPLICIT, COERCE_EXPLICIT_CAST, -1));
}

const char *
text_of(Const *value) noexcept
{
	const Const *const cast = cast_to(value, TEXTOID);

	return cast == nullptr ? nullptr : TextDatumGetCString(cast->constvalue);
}

} // namespace remedy::index_advice
