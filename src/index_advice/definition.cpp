#include "index_advice/definition.hpp"

#include <cstring>

namespace remedy::index_advice {

namespace {

bool
same_key(const Part &a, const Part &b) noexcept
{
	return a.text == b.text && a.opclass == b.opclass && a.collation == b.collation;
}

bool
same_direction(const Part &a, const Part &b) noexcept
{
	return a.descending == b.descending && a.nulls_first == b.nulls_first;
}

bool
opposite_direction(const Part &a, const Part &b) noexcept
{
	return a.descending != b.descending && a.nulls_first != b.nulls_first;
}

bool
same_kind(const Definition &a, const Definition &b) noexcept
{
	return a.relation == b.relation && a.method == b.method && a.predicate == b.predicate;
}

bool
is_btree(const Definition &definition) noexcept
{
	return definition.method == "btree";
}

bool
has_part(const Definition &definition, int first, int end, const Part &wanted) noexcept
{
	for (int i = first; i < end; ++i)
		if (same_key(definition.parts[i], wanted))
			return true;
	return false;
}

bool
has_column(const Definition &definition, int column) noexcept
{
	for (int i = 0; i < definition.part_count; ++i)
		if (definition.parts[i].column == column)
			return true;
	for (int i = 0; i < definition.include_count; ++i)
		if (definition.includes[i].column == column)
			return true;
	return false;
}

bool
has_includes_of(const Definition &definition, const Definition &other) noexcept
{
	for (int i = 0; i < other.include_count; ++i)
		if (!has_column(definition, other.includes[i].column))
			return false;
	return true;
}

// Whether these parts of both agree, read forwards or backwards.
bool
same_parts(const Definition &a, const Definition &b, int first, int end) noexcept
{
	bool forwards = true;
	bool backwards = true;

	for (int i = first; i < end; ++i)
	{
		if (!same_key(a.parts[i], b.parts[i]))
			return false;
		forwards = forwards && same_direction(a.parts[i], b.parts[i]);
		backwards = backwards && opposite_direction(a.parts[i], b.parts[i]);
	}
	return forwards || backwards;
}

// The included columns of the definition that are not in out yet.
bool
include_from(const Definition &definition, Definition &out) noexcept
{
	for (int i = 0; i < definition.include_count; ++i)
	{
		if (has_column(out, definition.includes[i].column))
			continue;
		if (out.include_count == includes_of_index)
			return false;
		out.includes[out.include_count++] = definition.includes[i];
	}
	return true;
}

// An arrangement of both whose free parts begin with those of a.  It has no part that the
// longer one lacks.
bool
arrange(const Definition &a, const Definition &b, Definition &out) noexcept
{
	int position = a.free_parts; // the next part of a, in its order
	int fixed = b.free_parts;    // the next part of b, in its order
	const auto append = [&](const Part &part) noexcept { out.parts[out.part_count++] = part; };

	for (int i = 0; i < a.free_parts; ++i)
	{
		if (!has_part(b, 0, b.free_parts, a.parts[i]))
			return false;
		append(a.parts[i]);
	}
	out.free_parts = a.free_parts;
	// What orders a must be equal for b, as long as b has such parts left.
	for (; out.part_count < b.free_parts && position < a.part_count; ++position)
	{
		if (!has_part(b, 0, b.free_parts, a.parts[position]))
			return false;
		append(a.parts[position]);
	}
	for (int i = 0; i < b.free_parts; ++i)
		if (!has_part(out, 0, out.part_count, b.parts[i]))
			append(b.parts[i]);
	for (; position < a.part_count && fixed < b.part_count; ++position, ++fixed)
	{
		if (!same_key(a.parts[position], b.parts[fixed]) || !same_direction(a.parts[position], b.parts[fixed]))
			return false;
		append(a.parts[position]);
	}
	while (position < a.part_count)
		append(a.parts[position++]);
	while (fixed < b.part_count)
		append(b.parts[fixed++]);
	return true;
}

// Writes as much as there is room for, and counts all.
struct Writer
{
	char *text;
	std::size_t size;
	std::size_t length;

	void put(std::string_view word) noexcept
	{
		const std::size_t room = length + 1 < size ? size - length - 1 : 0;
		if (room > 0)
			std::memcpy(text + length, word.data(), word.size() < room ? word.size() : room);
		length += word.size();
	}

	void put(const Part &part) noexcept
	{
		put(part.text);
		if (!part.collation.empty())
		{
			put(" COLLATE ");
			put(part.collation);
		}
		if (!part.opclass.empty())
		{
			put(" ");
			put(part.opclass);
		}
		if (part.descending)
			put(" DESC");
		if (part.nulls_first != part.descending)
			put(part.nulls_first ? " NULLS FIRST" : " NULLS LAST");
	}

	void end() noexcept
	{
		if (size > 0)
			text[length < size ? length : size - 1] = '\0';
	}
};

} // namespace

bool
same(const Definition &a, const Definition &b) noexcept
{
	if (!same_kind(a, b) || a.part_count != b.part_count || a.include_count != b.include_count)
		return false;
	for (int i = 0; i < a.part_count; ++i)
		if (!same_key(a.parts[i], b.parts[i]) || !same_direction(a.parts[i], b.parts[i]))
			return false;
	return has_includes_of(a, b);
}

bool
is_prefix(const Definition &a, const Definition &b) noexcept
{
	if (!same_kind(a, b) || a.part_count > b.part_count || (!is_btree(a) && a.part_count != b.part_count))
		return false;
	return same_parts(a, b, 0, a.part_count) && has_includes_of(b, a);
}

bool
serves(const Definition &index, const Definition &wanted) noexcept
{
	if (!is_btree(wanted))
		return is_prefix(wanted, index);
	if (!same_kind(index, wanted) || index.part_count < wanted.part_count)
		return false;
	for (int i = 0; i < wanted.free_parts; ++i)
		if (!has_part(index, 0, wanted.free_parts, wanted.parts[i]))
			return false;
	return same_parts(index, wanted, wanted.free_parts, wanted.part_count) && has_includes_of(index, wanted);
}

bool
merge(const Definition &a, const Definition &b, Definition &out) noexcept
{
	if (!same_kind(a, b))
		return false;
	if (!is_btree(a) && (a.part_count != b.part_count || !same_parts(a, b, 0, a.part_count)))
		return false;
	Definition merged = a;
	const auto start_anew = [&]() noexcept { merged.part_count = merged.free_parts = merged.include_count = 0; };
	start_anew();
	if (!arrange(a, b, merged))
	{
		start_anew();
		if (!arrange(b, a, merged))
			return false;
	}
	if (!include_from(a, merged) || !include_from(b, merged))
		return false;
	out = merged;
	return true;
}

std::size_t
write_ddl(const Definition &definition, bool concurrently, char *text, std::size_t size) noexcept
{
	Writer writer = {text, size, 0};

	writer.put(concurrently && !definition.partitioned ? "CREATE INDEX CONCURRENTLY ON " : "CREATE INDEX ON ");
	writer.put(definition.table);
	if (!is_btree(definition))
	{
		writer.put(" USING ");
		writer.put(definition.method);
	}
	for (int i = 0; i < definition.part_count; ++i)
	{
		writer.put(i == 0 ? " (" : ", ");
		writer.put(definition.parts[i]);
	}
	for (int i = 0; i < definition.include_count; ++i)
	{
		writer.put(i == 0 ? ") INCLUDE (" : ", ");
		writer.put(definition.includes[i].text);
	}
	writer.put(")");
	if (!definition.predicate.empty())
	{
		writer.put(" WHERE ");
		writer.put(definition.predicate);
	}
	writer.end();
	return writer.length;
}

} // namespace remedy::index_advice
