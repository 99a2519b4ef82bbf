// sources:

#include "check.hpp"

#include <cstdlib>
#include <memory>
#include <string>

#include "observe/new_texts.hpp"

namespace {

using namespace remedy::observe;

struct Free
{
	void operator()(TextStore *store) const { std::free(store); }
};

std::unique_ptr<TextStore, Free>
store_of(unsigned capacity)
{
	std::unique_ptr<TextStore, Free> store(static_cast<TextStore *>(std::malloc(TextStore::bytes(capacity))));
	store->initialise(capacity);
	return store;
}

const TextTraits plain = {6, true, false, false, 0, 5, 10, {}};

std::string
text_in(const TextStore &store, std::uint64_t fingerprint)
{
	const TextStore::Record *const record = store.find(fingerprint);
	if (record == nullptr)
		return "(none)";
	std::string text(record->length, '?');
	store.read(*record, text.data());
	return text;
}

} // namespace

TEST(new_texts_go_to_the_store_once)
{
	const auto store = store_of(100);
	const auto texts = std::make_unique<NewTexts>();

	texts->add(1, plain, "SELECT 1", 8);
	texts->add(2, plain, "", 0);
	texts->add(1, plain, "SELECT 2", 8);
	texts->add(3, plain, "SELECT 3", 8);
	CHECK(texts->fold(*store) == 0);
	CHECK(store->used() == 3);
	CHECK(text_in(*store, 1) == "SELECT 1");
	CHECK(text_in(*store, 2) == "");
	CHECK(text_in(*store, 3) == "SELECT 3");
	CHECK(store->find(3)->traits.database == 5 && store->find(3)->traits.encoding == 6);
	texts->empty();
	texts->add(4, plain, "SELECT 4", 8);
	CHECK(texts->fold(*store) == 0 && store->used() == 4);
}

TEST(new_texts_have_room_until_they_say_not)
{
	const auto texts = std::make_unique<NewTexts>();
	const auto store = store_of(1000);
	const std::string longest(4096, 'x');
	unsigned count = 0;

	CHECK(texts->has_room(4096));
	for (; texts->has_room(count % 100); ++count)
		texts->add(count + 1, plain, longest.data(), count % 100);
	CHECK(count > 40);
	CHECK(texts->fold(*store) == 0 && store->used() == count);
	CHECK(text_in(*store, count) == std::string((count - 1) % 100, 'x'));
	texts->empty();
	CHECK(texts->has_room(4096));
}

TEST(a_text_longer_than_the_store_is_missed)
{
	const auto store = store_of(2);
	const auto texts = std::make_unique<NewTexts>();
	const std::string text(4096, 'x');

	texts->add(1, plain, text.data(), 4096);
	texts->add(2, plain, text.data(), 10);
	CHECK(texts->fold(*store) == 1);
	CHECK(store->find(1) == nullptr && text_in(*store, 2) == std::string(10, 'x'));
}

TEST(what_was_folded_is_not_folded_again)
{
	const auto texts = std::make_unique<NewTexts>();
	const auto store = store_of(10);

	texts->add(1, plain, "SELECT 1", 8);
	texts->fold(*store);
	store->clear();
	texts->add(2, plain, "SELECT 2", 8);
	texts->fold(*store);
	CHECK(store->used() == 1 && text_in(*store, 2) == "SELECT 2");
}

TEST(a_new_text_takes_the_place_of_one_from_the_file)
{
	const auto texts = std::make_unique<NewTexts>();
	const auto store = store_of(10);
	TextTraits from_file = plain;

	from_file.normalised = true;
	store->add(1, from_file, "SELECT $1", 9);
	texts->add(1, plain, "SELECT 1", 8);
	CHECK(texts->fold(*store) == 0 && store->used() == 1);
	CHECK(text_in(*store, 1) == "SELECT 1");
}

TEST(a_new_text_stays_for_a_round_of_the_hand)
{
	const auto store = store_of(10);

	for (unsigned i = 1; i <= 11; ++i) // the hand takes all marks but that of the last
		store->offer(i, plain, "SELECT", 6);
	for (unsigned i = 2; i <= 10; ++i)
		store->mark(i);
	store->offer(12, plain, "SELECT", 6);
	CHECK(store->find(11) != nullptr && store->find(12) != nullptr);
}
