// sources:

#include <string>
#include <vector>

#include "check.hpp"
#include "repetition/spelling.hpp"

using namespace remedy::repetition;

// Values that are the same though they are written differently.

static std::optional<std::int64_t>
text(const std::string &spelt)
{
	return integer_of_text(spelt.data(), spelt.size());
}

static std::optional<std::int64_t>
digits(int weight, bool negative, const std::vector<int> &all)
{
	return integer_of_digits(static_cast<int>(all.size()), weight, negative, [&](int i) { return all[i]; });
}

static std::string
uuid(const std::string &spelt)
{
	unsigned char bytes[uuid_size];

	if (!uuid_of_text(spelt.data(), spelt.size(), bytes))
		return "none";
	return {reinterpret_cast<char *>(bytes), uuid_size};
}

TEST(texts_that_the_server_would_print_for_an_integer)
{
	CHECK(text("0") == 0);
	CHECK(text("7") == 7);
	CHECK(text("-7") == -7);
	CHECK(text("9223372036854775807") == INT64_MAX);
	CHECK(text("-9223372036854775808") == INT64_MIN);
}

TEST(other_texts_are_no_integers)
{
	for (const char *const other : {"", "-", "-0", "00", "01", "+1", " 1", "1 ", "1.0", "1e3", "a", "1a", "--1",
									"9223372036854775808", "-9223372036854775809", "100000000000000000000"})
		CHECK(!text(other));
}

TEST(digits_of_integers)
{
	CHECK(digits(0, false, {}) == 0);
	CHECK(digits(0, false, {7}) == 7);
	CHECK(digits(0, true, {7}) == -7);
	CHECK(digits(1, false, {1, 2345}) == 12345);
	CHECK(digits(1, false, {1}) == 10000);
	CHECK(digits(4, false, {100}) == 1000000000000000000);
	CHECK(digits(4, false, {922, 3372, 368, 5477, 5807}) == INT64_MAX);
	CHECK(digits(4, true, {922, 3372, 368, 5477, 5808}) == INT64_MIN);
}

TEST(other_digits_are_no_integers)
{
	CHECK(!digits(0, false, {1, 5000}));
	CHECK(!digits(-1, false, {5000}));
	CHECK(!digits(4, false, {922, 3372, 368, 5477, 5808}));
	CHECK(!digits(4, true, {922, 3372, 368, 5477, 5809}));
	CHECK(!digits(200, false, {1}));
}

TEST(uuids)
{
	const std::string lower = uuid("0123abcd-4567-89ef-0123-456789abcdef");
	CHECK(lower == std::string("\x01\x23\xab\xcd\x45\x67\x89\xef\x01\x23\x45\x67\x89\xab\xcd\xef", uuid_size));
	CHECK(uuid("0123ABCD-4567-89EF-0123-456789ABCDEF") == lower);
}

TEST(other_texts_are_no_uuids)
{
	for (const char *const other : {"", "0123abcd-4567-89ef-0123-456789abcde", "0123abcd-4567-89ef-0123-456789abcdef0",
									"0123abcd+4567-89ef-0123-456789abcdef", "0123abcd-4567-89ef-0123-456789abcdeg",
									"0123abcd45678-9ef-0123-456789abcdef-", "{0123abcd-4567-89ef-0123-456789abcd}"})
		CHECK(uuid(other) == "none");
}


