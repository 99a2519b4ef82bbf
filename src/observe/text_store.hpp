// Query texts by fingerprint, in a fixed number of records and blocks of bytes.
//
// A text that has no room takes that of others, which were not marked as used since
// the hand came by last (the clock algorithm).  A new text is not marked, so that those
// of statements that never come again give way to each other; a text that is missing is
// offered again with its statement's next fold.  Like the statement store this is one stretch of
// memory whose copy is a store too.  No server headers.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace remedy::observe {

constexpr unsigned parameter_types_kept = 16;
constexpr unsigned types_unknown = 255; // as a number of parameters

// What must be known of a text to read it, and to plan its statement again.  Behind the
// text's end may stand the search path under which it was analysed.
struct TextTraits
{
	std::uint8_t encoding; // of the database it was written in
	bool standard_strings; // it was surely parsed with standard_conforming_strings
	bool cut;
	bool normalised;              // has no constants any more
	std::uint8_t parameter_count; // or types_unknown
	std::uint32_t database;
	std::uint32_t user; // who ran it
	std::uint32_t parameter_types[parameter_types_kept];
};

class TextStore
{
public:
	static constexpr unsigned block_bytes = 256;
	static constexpr unsigned blocks_per_text = 4; // on average

	struct Record
	{
		std::uint64_t fingerprint; // 0: free
		TextTraits traits;
		std::uint32_t length;
		std::uint32_t first_block;
		std::uint32_t next; // in its bucket, or free
		bool marked;
	};

	static std::size_t bytes(unsigned capacity) noexcept
	{
		return sizeof(TextStore) + capacity * (sizeof(Record) + sizeof(std::uint32_t)) +
			   std::size_t{capacity} * blocks_per_text * (sizeof(std::uint32_t) + block_bytes);
	}

	void initialise(unsigned capacity) noexcept
	{
		capacity_ = capacity;
		clear();
	}

	void clear() noexcept
	{
		hand_ = 0;
		used_ = 0;
		std::fill_n(buckets(), capacity_, none);
		for (std::uint32_t i = 0; i < capacity_; ++i)
		{
			records()[i] = {};
			records()[i].next = i + 1 < capacity_ ? i + 1 : none;
		}
		for (std::uint32_t i = 0; i < blocks(); ++i)
			next_block()[i] = i + 1 < blocks() ? i + 1 : none;
		free_record_ = free_block_ = 0;
		free_blocks_ = blocks();
	}

	unsigned used() const noexcept { return used_; }
	unsigned capacity() const noexcept { return capacity_; }

	// One of as many as there is room for; null if it is free.
	const Record *record(unsigned number) const noexcept
	{
		return records()[number].fingerprint == 0 ? nullptr : &records()[number];
	}

	const Record *find(std::uint64_t fingerprint) const noexcept
	{
		for (std::uint32_t i = buckets()[bucket_of(fingerprint)]; i != none; i = records()[i].next)
			if (records()[i].fingerprint == fingerprint)
				return &records()[i];
		return nullptr;
	}

	// Whether the text is there; then it stays for another round of the hand.
	bool mark(std::uint64_t fingerprint) noexcept
	{
		Record *const record = const_cast<Record *>(find(fingerprint));
		if (record != nullptr)
			record->marked = true;
		return record != nullptr;
	}

	// The same of a raw text: what was read from a file has no constants, and cannot
	// always be planned again.
	bool holds(std::uint64_t fingerprint) noexcept
	{
		return mark(fingerprint) && !find(fingerprint)->traits.normalised;
	}

	// Adds a raw text unless there is one.  False if it is longer than the store.
	bool offer(std::uint64_t fingerprint, const TextTraits &traits, const char *text, std::uint32_t length) noexcept
	{
		if (holds(fingerprint))
			return true;
		remove(fingerprint);
		return add(fingerprint, traits, text, length) && mark(fingerprint);
	}

	// Adds a text that is not there.  False if it is longer than the store.
	bool add(std::uint64_t fingerprint, const TextTraits &traits, const char *text, std::uint32_t length) noexcept
	{
		const std::uint32_t needed = (length + block_bytes - 1) / block_bytes;

		if (needed > blocks())
			return false;
		while (free_record_ == none || free_blocks_ < needed)
			evict_one();
		const std::uint32_t index = free_record_;
		Record &record = records()[index];
		std::uint32_t &bucket = buckets()[bucket_of(fingerprint)];
		free_record_ = record.next;
		record = {fingerprint, traits, length, none, bucket, false};
		bucket = index;
		++used_;
		write(record, text);
		return true;
	}

	// Writes length bytes and no end.
	void read(const Record &record, char *to) const noexcept
	{
		std::uint32_t block = record.first_block;
		for (std::uint32_t done = 0; done < record.length; done += block_bytes, block = next_block()[block])
			std::memcpy(to + done, block_at(block), std::min(block_bytes, record.length - done));
	}

	// Calls visit(record) for each text.
	template <class Visit>
	void each(Visit &&visit) const noexcept
	{
		for (std::uint32_t i = 0; i < capacity_; ++i)
			if (records()[i].fingerprint != 0)
				visit(records()[i]);
	}

	void remove(std::uint64_t fingerprint) noexcept
	{
		if (const Record *const record = find(fingerprint))
			release(static_cast<std::uint32_t>(record - records()));
	}

private:
	static constexpr std::uint32_t none = UINT32_MAX;

	std::uint32_t blocks() const noexcept { return capacity_ * blocks_per_text; }
	std::uint32_t bucket_of(std::uint64_t fingerprint) const noexcept
	{
		return static_cast<std::uint32_t>((fingerprint ^ fingerprint >> 32) % capacity_);
	}

	Record *records() noexcept { return reinterpret_cast<Record *>(this + 1); }
	const Record *records() const noexcept { return reinterpret_cast<const Record *>(this + 1); }
	std::uint32_t *buckets() noexcept { return reinterpret_cast<std::uint32_t *>(records() + capacity_); }
	const std::uint32_t *buckets() const noexcept
	{
		return reinterpret_cast<const std::uint32_t *>(records() + capacity_);
	}
	std::uint32_t *next_block() noexcept { return buckets() + capacity_; }
	const std::uint32_t *next_block() const noexcept { return buckets() + capacity_; }
	char *block_at(std::uint32_t block) noexcept
	{
		return reinterpret_cast<char *>(next_block() + blocks()) + std::size_t{block} * block_bytes;
	}
	const char *block_at(std::uint32_t block) const noexcept
	{
		return reinterpret_cast<const char *>(next_block() + blocks()) + std::size_t{block} * block_bytes;
	}

	void write(Record &record, const char *text) noexcept
	{
		std::uint32_t *link = &record.first_block;
		for (std::uint32_t done = 0; done < record.length; done += block_bytes)
		{
			const std::uint32_t block = free_block_;
			free_block_ = next_block()[block];
			--free_blocks_;
			std::memcpy(block_at(block), text + done, std::min(block_bytes, record.length - done));
			*link = block;
			link = &next_block()[block];
			*link = none;
		}
	}

	// Ends after two rounds at most: the first takes every mark away.
	void evict_one() noexcept
	{
		for (;; hand_ = (hand_ + 1) % capacity_)
		{
			Record &record = records()[hand_];
			if (record.fingerprint != 0 && !record.marked)
				break;
			record.marked = false;
		}
		release(hand_);
		hand_ = (hand_ + 1) % capacity_;
	}

	void release(std::uint32_t index) noexcept
	{
		Record &record = records()[index];
		std::uint32_t *link = &buckets()[bucket_of(record.fingerprint)];
		while (*link != index)
			link = &records()[*link].next;
		*link = record.next;
		for (std::uint32_t block = record.first_block; block != none;)
		{
			const std::uint32_t next = next_block()[block];
			next_block()[block] = free_block_;
			free_block_ = block;
			++free_blocks_;
			block = next;
		}
		record = {};
		record.next = free_record_;
		free_record_ = index;
		--used_;
	}

	std::uint32_t capacity_;
	std::uint32_t used_;
	std::uint32_t hand_;
	std::uint32_t free_record_;
	std::uint32_t free_block_;
	std::uint32_t free_blocks_;
};

} // namespace remedy::observe
