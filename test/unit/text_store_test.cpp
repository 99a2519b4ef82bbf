// sources:

#include "check.hpp"

#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <string>

#include "observe/text_store.hpp"

namespace {

using remedy::observe::TextStore;
using remedy::observe::TextTraits;
using std::string;

struct Free
{
	void operator()(TextStore *store) const { std::free(store); }
};

std::unique_ptr<TextStore, Free>
store_of(unsigned capacity)
{
	auto *const store = static_cast<TextStore *>(std::malloc(TextStore::bytes(capacity)));
	store->initialise(capacity);
	return std::unique_ptr<TextStore, Free>(store);
}

bool
add(TextStore &store, std::uint64_t fingerprint, const string &text)
{
	TextTraits traits = {};
	traits.user = static_cast<std::uint32_t>(fingerprint);
	return store.add(fingerprint, traits, text.data(), static_cast<std::uint32_t>(text.size()));
}

// The text of a fingerprint, or "-".
string
text_of(const TextStore &store, std::uint64_t fingerprint)
{
	const TextStore::Record *const record = store.find(fingerprint);
	if (record == nullptr)
		return "-";
	string text(record->length, '?');
	store.read(*record, text.data());
	return text;
}

// A text that no other fingerprint has, and whose every part tells whose it is.
string
sample(std::uint64_t fingerprint, std::size_t length)
{
	string text;
	while (text.size() < length)
		text += std::to_string(fingerprint) + "." + std::to_string(text.size()) + " ";
	text.resize(length);
	return text;
}

constexpr std::size_t block = TextStore::block_bytes;

} // namespace

TEST(a_text_is_read_as_it_was_written)
{
	const auto store = store_of(8);
	std::uint64_t fingerprint = 0;
	for (const std::size_t length : {std::size_t{1}, block - 1, block, block + 1, 3 * block})
	{
		++fingerprint;
		CHECK(add(*store, fingerprint, sample(fingerprint, length)));
		CHECK(text_of(*store, fingerprint) == sample(fingerprint, length));
		CHECK(store->find(fingerprint)->traits.user == fingerprint);
	}
	CHECK(store->used() == 5);
	for (fingerprint = 1; fingerprint <= 5; ++fingerprint)
		CHECK(text_of(*store, fingerprint)[0] == static_cast<char>('0' + fingerprint));
	CHECK(text_of(*store, 6) == "-" && !store->mark(6) && store->mark(5));
}

TEST(an_empty_text_is_a_text)
{
	const auto store = store_of(8);
	CHECK(add(*store, 1, "") && text_of(*store, 1) == "" && store->used() == 1);
}

TEST(a_text_longer_than_the_store_is_refused_and_disturbs_nobody)
{
	const auto store = store_of(2); // eight blocks
	CHECK(add(*store, 1, "one"));
	CHECK(!add(*store, 2, sample(2, 8 * block + 1)));
	CHECK(text_of(*store, 1) == "one" && text_of(*store, 2) == "-" && store->used() == 1);
	CHECK(add(*store, 2, sample(2, 8 * block)));
	CHECK(text_of(*store, 1) == "-" && text_of(*store, 2) == sample(2, 8 * block) && store->used() == 1);
}

TEST(of_all_texts_one_that_was_not_used_again_goes)
{
	const auto store = store_of(4);
	for (std::uint64_t fingerprint = 1; fingerprint <= 4; ++fingerprint)
		CHECK(add(*store, fingerprint, "text"));
	CHECK(add(*store, 5, "text"));
	CHECK(text_of(*store, 1) == "-" && store->used() == 4);
	CHECK(store->mark(2));
	CHECK(add(*store, 6, "text"));
	CHECK(text_of(*store, 2) == "text" && text_of(*store, 3) == "-");
	CHECK(add(*store, 7, "text") && add(*store, 8, "text")); // round to the first, whose mark is gone
	CHECK(add(*store, 9, "text"));
	CHECK(text_of(*store, 2) == "-" && text_of(*store, 9) == "text");
}

TEST(where_all_are_in_use_one_goes_all_the_same)
{
	const auto store = store_of(4);
	for (std::uint64_t fingerprint = 1; fingerprint <= 4; ++fingerprint)
		CHECK(add(*store, fingerprint, "text") && store->mark(fingerprint));
	CHECK(add(*store, 5, "text") && store->used() == 4 && text_of(*store, 5) == "text");
}

TEST(a_text_in_use_outlives_any_number_of_others)
{
	const auto store = store_of(16);
	CHECK(add(*store, 1, "in use"));
	for (std::uint64_t fingerprint = 2; fingerprint < 10'000; ++fingerprint)
	{
		CHECK(add(*store, fingerprint, sample(fingerprint, 1 + fingerprint % 1500)));
		store->mark(1);
	}
	CHECK(text_of(*store, 1) == "in use");
}

TEST(a_removed_text_gives_its_blocks_back)
{
	const auto store = store_of(4);
	for (std::uint64_t fingerprint = 1; fingerprint < 1000; ++fingerprint)
	{
		CHECK(add(*store, fingerprint, sample(fingerprint, 16 * block))); // all there are
		store->remove(fingerprint);
		CHECK(store->used() == 0 && text_of(*store, fingerprint) == "-");
	}
	store->remove(77);
	for (std::uint64_t fingerprint = 1; fingerprint <= 4; ++fingerprint)
		CHECK(add(*store, fingerprint, sample(fingerprint, 4 * block)));
	CHECK(store->used() == 4);
}

// Against a map of what was added: a text is there whole or not at all.
TEST(no_text_is_torn_under_random_load)
{
	std::mt19937_64 random(7);
	const auto store = store_of(50);
	std::map<std::uint64_t, string> added;
	for (int i = 0; i < 50'000; ++i)
	{
		const std::uint64_t fingerprint = (1 + random() % 200) << (random() % 2 * 32);
		if (random() % 10 == 0)
			store->remove(fingerprint);
		else if (!store->mark(fingerprint))
		{
			const std::size_t length = random() % (random() % 8 == 0 ? 20'000 : 900);
			added[fingerprint] = sample(fingerprint, length);
			CHECK(add(*store, fingerprint, added[fingerprint]));
			CHECK(text_of(*store, fingerprint) == added[fingerprint]);
		}
		if (i % 100 != 0)
			continue;
		unsigned there = 0;
		for (const auto &[key, text] : added)
			if (const string found = text_of(*store, key); found != "-")
			{
				CHECK(found == text);
				++there;
			}
		CHECK(there == store->used() && there <= 50);
	}
}

TEST(a_copy_of_the_bytes_is_a_store_and_a_cleared_one_is_empty)
{
	const auto store = store_of(8);
	CHECK(add(*store, 1, sample(1, 700)) && add(*store, 2, sample(2, 300)));
	const auto copy = store_of(8);
	std::memcpy(static_cast<void *>(copy.get()), store.get(), TextStore::bytes(8));
	store->clear();
	CHECK(store->used() == 0 && text_of(*store, 1) == "-");
	CHECK(text_of(*copy, 1) == sample(1, 700) && text_of(*copy, 2) == sample(2, 300));
	CHECK(add(*store, 3, sample(3, 32 * block)));
}
