#include "observe/nested_texts.hpp"

#include "observe/commands.hpp"
#include "observe/session.hpp"
#include "observe/statement_kinds.hpp"

namespace remedy::observe {

using detail::nested_region;
using detail::nested_texts;

namespace {

constexpr unsigned session_limit = 64; // without preloading only this session's are kept

unsigned
limit_for(int backends) noexcept
{
	return backends > 1 ? nested_texts_limit : session_limit;
}

Size
region_bytes(int backends)
{
	return TextStore::bytes(limit_for(backends));
}

void
placed(void *memory, int backends)
{
	nested_texts = static_cast<TextStore *>(memory);
	if (nested_texts->capacity() == 0)
		nested_texts->initialise(limit_for(backends));
}

} // namespace

TextStore *detail::nested_texts = nullptr;
server::Region detail::nested_region = {"pg_remedy nested texts", region_bytes, placed, nullptr, nullptr};

void
declare_nested_texts() noexcept
{
	server::declare_region(nested_region);
}

// The query of a command is planned with it, from its text.
void
keep_text_of(const QueryDesc *query) noexcept
{
	const PlannedStmt *const planned = query->plannedstmt;

	if (session() == nullptr || planned->queryId == 0 || query->sourceText == nullptr ||
		is_part_of_command(query->dest, explaining()))
		return;
	const RawText text = copy_text(own_part(query->sourceText, planned->stmt_location, planned->stmt_len),
								   query->params, CurrentMemoryContext);
	if (text.bytes == nullptr)
		return;
	if (nested_region.acquire_if_free(LW_EXCLUSIVE))
	{
		nested_texts->offer(planned->queryId, traits_of(text), text.bytes, length_of(text));
		nested_region.release();
	}
	pfree(text.bytes);
}

} // namespace remedy::observe
