// Values that are the same though they are written differently: an integer as a
// numeric or as text, a uuid as text.  No server headers.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace remedy::repetition {

// Digits to the base of 10,000, the first of them worth 10,000 to the power of weight,
// as the server sends numerics.  Nothing if it has a fraction or is larger than eight bytes.
template <class DigitAt>
std::optional<std::int64_t>
integer_of_digits(int count, int weight, bool negative, DigitAt &&digit_at) noexcept
{
	std::int64_t value = 0;

	if (count > weight + 1)
		return {};
	for (int i = 0; i <= weight && count > 0; ++i)
	{
		const std::int64_t digit = i < count ? digit_at(i) : 0;
		// Towards the sign: the smallest integer has no positive counterpart.
		if (__builtin_mul_overflow(value, 10000, &value) ||
			__builtin_add_overflow(value, negative ? -digit : digit, &value))
			return {};
	}
	return value;
}

// The integer that the text spells as the server would print it; nothing else.
inline std::optional<std::int64_t>
integer_of_text(const char *text, std::size_t length) noexcept
{
	constexpr std::size_t longest = 20;
	const bool negative = length > 0 && text[0] == '-';
	const std::size_t first = negative;
	std::int64_t value = 0;

	if (length == first || length > longest || (text[first] == '0' && length > 1))
		return {};
	for (std::size_t i = first; i < length; ++i)
	{
		const int digit = text[i] - '0';
		if (digit < 0 || digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, negative ? -digit : digit, &value))
			return {};
	}
	return value;
}

constexpr std::size_t uuid_size = 16;

// Whether the text is a uuid with its four hyphens, whose bytes these are.
inline bool
uuid_of_text(const char *text, std::size_t length, unsigned char (&bytes)[uuid_size]) noexcept
{
	constexpr std::size_t spelt = 36;
	std::size_t nibbles = 0;

	if (length != spelt)
		return false;
	for (std::size_t i = 0; i < spelt; ++i)
	{
		const char c = text[i];
		if (i == 8 || i == 13 || i == 18 || i == 23)
		{
			if (c != '-')
				return false;
			continue;
		}
		const int nibble = c >= '0' && c <= '9'   ? c - '0'
						   : c >= 'a' && c <= 'f' ? c - 'a' + 10
						   : c >= 'A' && c <= 'F' ? c - 'A' + 10
												  : -1;
		if (nibble < 0)
			return false;
		unsigned char &byte = bytes[nibbles / 2];
		byte = static_cast<unsigned char>(nibbles++ % 2 == 0 ? nibble << 4 : byte | nibble);
	}
	return true;
}

} // namespace remedy::repetition
