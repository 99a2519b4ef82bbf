#include "plans/reading.hpp"

#include "observe/settings.hpp"
#include "plans/mask.hpp"

namespace remedy::plans {

namespace {

constexpr char hidden[] = "<insufficient privilege>";

bool
is_ascii(const char *text) noexcept
{
	for (; *text != '\0'; ++text)
		if (IS_HIGHBIT_SET(*text))
			return false;
	return true;
}

} // namespace

const char *
in_own_encoding(const char *text, int encoding) noexcept
{
	const int own = GetDatabaseEncoding();
	const int length = static_cast<int>(strlen(text));

	if (encoding == own || own == PG_SQL_ASCII || is_ascii(text))
		return text;
	const Oid conversion = encoding == PG_SQL_ASCII ? InvalidOid : FindDefaultConversionProc(encoding, own);
	if (!OidIsValid(conversion))
		return nullptr;
	const int room = length * MAX_CONVERSION_GROWTH + 1;
	unsigned char *const source = reinterpret_cast<unsigned char *>(pstrdup(text));
	unsigned char *const converted = static_cast<unsigned char *>(palloc(room));
	const int read = pg_do_encoding_conversion_buf(conversion, encoding, own, source, length, converted, room, true);

	return read == length ? reinterpret_cast<char *>(converted) : nullptr;
}

const char *
without_values(const PlanText &text, const char *plan) noexcept
{
	const Strings strings = text.standard_strings ? Strings::standard : Strings::with_backslashes;
	const std::size_t length = strlen(plan);
	char *const masked = static_cast<char *>(palloc(length + 1));

	masked[mask_values(std::string_view(plan, length), strings, masked)] = '\0';
	return masked;
}

// Values that were kept while they were wanted are not shown when they are not.
const char *
readable_plan(const KeptPlan &plan) noexcept
{
	if (!observe::may_read_texts_of(plan.key.user))
		return hidden;
	const char *const text = in_own_encoding(plan.text.plan, plan.text.encoding);

	return text == nullptr || plan.text.masked || observe::settings.keep_values ? text
																				: without_values(plan.text, text);
}

} // namespace remedy::plans
