// A setting that is a list of names.  No server headers.

#pragma once

#include <string_view>

namespace remedy::repetition {

// Whether a comma-separated list holds a name; spaces around names count for nothing.
inline bool
list_holds(std::string_view list, std::string_view name) noexcept
{
	constexpr std::string_view spaces = " \t\r\n";

	while (!list.empty())
	{
		const std::size_t comma = list.find(',');
		std::string_view item = list.substr(0, comma);
		list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
		const std::size_t begin = item.find_first_not_of(spaces);
		if (begin == std::string_view::npos)
			continue;
		item = item.substr(begin, item.find_last_not_of(spaces) - begin + 1);
		if (item == name)
			return true;
	}
	return false;
}

} // namespace remedy::repetition
