// sources:

#include "check.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <thread>

#include "observe/single_writer.hpp"

namespace {

using remedy::observe::SingleWriter;

// Every field is the same number, whenever nobody writes.
struct Page
{
	static constexpr unsigned size = 1000;
	std::uint64_t fields[size];

	bool is_whole() const noexcept
	{
		return std::all_of(fields, fields + size, [this](std::uint64_t field) { return field == fields[0]; });
	}
};

using Slot = SingleWriter<Page>;

// Takes long to copy, and so little time to change that some copies span whole changes.
struct Scroll
{
	std::uint64_t first;
	char between[64 * 1024];
	std::uint64_t last;

	bool is_whole() const noexcept { return first == last; }
};

std::uint64_t
number_of(const Page &page) noexcept
{
	return page.fields[0];
}

std::uint64_t
number_of(const Scroll &scroll) noexcept
{
	return scroll.first;
}

void
raise_all(Page &page) noexcept
{
	for (std::uint64_t &field : page.fields)
		++field;
}

// Time for a reader to begin a copy that the next change would tear.
void
linger() noexcept
{
	static std::atomic<unsigned> turns;
	for (int i = 0; i < 200; ++i)
		turns.fetch_add(1, std::memory_order_relaxed);
}

struct Reading
{
	std::uint64_t whole = 0;
	std::uint64_t torn = 0;
	std::uint64_t backwards = 0;

	template <class T>
	void look_at(const T &copy, std::uint64_t &last)
	{
		++(copy.is_whole() ? whole : torn);
		backwards += number_of(copy) < last;
		last = number_of(copy);
	}
};

// Reads until the writer has ended, and then once more.
template <class T>
void
keep_reading(const SingleWriter<T> &slot, const std::atomic<bool> &ended, Reading &reading)
{
	T copy;
	std::uint64_t last = 0;

	for (bool more = true; more;)
	{
		more = !ended.load();
		if (slot.read(copy))
			reading.look_at(copy, last);
	}
}

// One thread makes changes, with pauses, while two read along.
template <class T>
void
check_reading_along(SingleWriter<T> &slot, void (*change)(T &) noexcept, std::uint64_t changes)
{
	constexpr int readers = 2;
	std::atomic<bool> ended = false;
	Reading readings[readers];

	std::thread threads[readers];
	for (int i = 0; i < readers; ++i)
		threads[i] = std::thread([&, i] { keep_reading(slot, ended, readings[i]); });
	for (std::uint64_t i = 0; i < changes; ++i)
	{
		slot.write(change);
		linger();
	}
	ended = true;
	for (std::thread &thread : threads)
		thread.join();

	for (const Reading &reading : readings)
	{
		CHECK(reading.whole > 0);
		CHECK(reading.torn == 0);
		CHECK(reading.backwards == 0);
	}
}

} // namespace

TEST(starts_as_zeroes_that_can_be_read)
{
	static Slot slot;
	Page copy;
	CHECK(slot.read(copy));
	CHECK(copy.is_whole() && copy.fields[0] == 0);
}

TEST(a_reader_gets_what_was_written)
{
	static Slot slot;
	Page copy;
	for (std::uint64_t round = 1; round <= 3; ++round)
	{
		slot.write(raise_all);
		CHECK(slot.own().fields[0] == round);
		CHECK(slot.read(copy));
		CHECK(copy.is_whole() && copy.fields[0] == round);
	}
}

TEST(reading_fails_while_a_write_is_open)
{
	static Slot slot;
	Page copy;
	bool read_before_change = true;
	bool read_in_the_middle = true;
	slot.write([&](Page &page) {
		read_before_change = slot.read(copy);
		page.fields[0] = 1;
		read_in_the_middle = slot.read(copy);
		page.fields[0] = 0;
	});
	CHECK(!read_before_change);
	CHECK(!read_in_the_middle);
	CHECK(slot.read(copy));
}

TEST(no_reader_sees_half_a_change)
{
	static Slot slot;
	check_reading_along(slot, raise_all, 100'000);
	CHECK(slot.own().is_whole() && slot.own().fields[0] == 100'000);
}

TEST(no_reader_misses_a_change_during_its_copy)
{
	static SingleWriter<Scroll> slot;
	check_reading_along<Scroll>(
		slot, [](Scroll &scroll) noexcept { scroll.last = ++scroll.first; }, 200'000);
	CHECK(slot.own().is_whole() && slot.own().first == 200'000);
}
