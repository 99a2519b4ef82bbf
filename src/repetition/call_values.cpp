#include "repetition/call_values.hpp"

#include <string_view>

#include "repetition/values.hpp"

extern "C" {
#include "common/hashfn.h"
}

namespace remedy::repetition {

namespace {

ValueHash
hash_of_parameters(ParamListInfo parameters) noexcept
{
	ValueHash hash = 1;

	if (parameters->paramFetch != nullptr)
		return 0;
	for (int i = 0; i < parameters->numParams; ++i)
		hash = in_column(hash ^ any_hash(parameters->params[i]), i);
	return hash;
}

std::string_view
without_comments(std::string_view text) noexcept
{
	constexpr std::string_view spaces = " \t\n\r\f\v;";

	if (text.starts_with("/*"))
		text.remove_prefix(std::min(text.find("*/"), text.size()));
	text = text.substr(0, text.find_last_not_of(spaces) + 1);
	if (text.ends_with("*/"))
		text = text.substr(0, text.rfind("/*"));
	return text.substr(0, text.find_last_not_of(spaces) + 1);
}

ValueHash
hash_of_text(const char *source, const PlannedStmt &planned) noexcept
{
	const char *const start = source + Max(planned.stmt_location, 0);
	const std::size_t length = planned.stmt_len > 0 ? planned.stmt_len : strlen(start);
	const std::string_view text = without_comments({start, length});

	return hash_bytes_extended(reinterpret_cast<const unsigned char *>(text.data()), static_cast<int>(text.size()), 0);
}

} // namespace

void
key_values(const Shape &shape, ParamListInfo parameters, const ValueHash *constants, ValueHash *values) noexcept
{
	for (unsigned key = 0; key < shape.key_count; ++key)
		if (shape.keys[key].parameter != 0)
			values[key] = parameter_value(parameters, shape.keys[key]);
		else
			values[key] = constants == nullptr ? 0 : constants[key];
}

ValueHash
combined(const ValueHash *values, unsigned count) noexcept
{
	ValueHash hash = 0;

	for (unsigned i = 0; i < count; ++i)
	{
		if (values[i] == 0)
			return 0;
		hash = in_column(hash ^ values[i], i);
	}
	return hash;
}

ValueHash
all_values(const QueryDesc &query) noexcept
{
	if (query.params != nullptr && query.params->numParams > 0)
		return hash_of_parameters(query.params);
	return query.sourceText == nullptr ? 0 : hash_of_text(query.sourceText, *query.plannedstmt);
}

} // namespace remedy::repetition
