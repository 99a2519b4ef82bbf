// Unit tests in one header.  A test program is one file:
//
//     // sources: src/repetition/value_filter.cpp
//     #include "check.hpp"
//     #include "repetition/value_filter.hpp"
//
//     TEST(empty_filter_holds_nothing)
//     {
//         CHECK(!remedy::ValueFilter{}.contains(1));
//     }
//
// The first line names what else is compiled into the program.  Every TEST runs, in the order of the file; it
// fails if one of its CHECKs does, or if an exception leaves it.  The last line printed is "N passed, N failed",
// and the program fails unless something passed and nothing failed.

#pragma once

#include <cstdio>
#include <exception>

namespace check {

struct Test
{
	const char *name;
	void (*body)();
	Test *next = nullptr;

	Test(const char *test_name, void (*test_body)()) : name(test_name), body(test_body)
	{
		*last = this;
		last = &next;
	}

	static inline Test *first = nullptr;
	static inline Test **last = &first;
};

inline int failed_checks = 0;

inline void
fail(const char *file, int line, const char *what)
{
	++failed_checks;
	std::printf("%s:%d: %s\n", file, line, what);
}

inline bool
passes(const Test &test)
{
	const int before = failed_checks;
	try
	{
		test.body();
	}
	catch (const std::exception &error)
	{
		fail(test.name, 0, error.what());
	}
	catch (...)
	{
		fail(test.name, 0, "an exception of an unknown type");
	}
	if (failed_checks == before)
		return true;
	std::printf("FAILED %s\n", test.name);
	return false;
}

} // namespace check

#define TEST(name)                                                                                                     \
	static void name();                                                                                                \
	static const check::Test name##_test{#name, name};                                                                 \
	static void name()

#define CHECK(...) ((__VA_ARGS__) ? (void)0 : check::fail(__FILE__, __LINE__, "not so: " #__VA_ARGS__))

int
main()
{
	int passed = 0, failed = 0;
	for (const check::Test *test = check::Test::first; test != nullptr; test = test->next)
		++(check::passes(*test) ? passed : failed);
	std::printf("%d passed, %d failed\n", passed, failed);
	return failed == 0 && passed > 0 ? 0 : 1;
}
