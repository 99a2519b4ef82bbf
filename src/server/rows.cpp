#include "server/rows.hpp"

namespace remedy::server {

const char *
valid_text(const char *text) noexcept
{
	const int encoding = GetDatabaseEncoding();
	const int length = static_cast<int>(strlen(text));

	if (pg_verify_mbstr(encoding, text, length, true))
		return text;
	char *const copy = pstrdup(text);
	for (int i = 0; i < length;)
	{
		int bytes = pg_encoding_verifymbchar(encoding, copy + i, length - i);
		if (bytes <= 0)
		{
			copy[i] = '?';
			bytes = 1;
		}
		i += bytes;
	}
	return copy;
}

} // namespace remedy::server
