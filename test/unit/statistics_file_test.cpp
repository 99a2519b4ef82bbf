// sources: src/observe/statistics_file.cpp

#include "check.hpp"

#include <memory>
#include <string>
#include <vector>

#include "observe/statistics_file.hpp"

namespace {

using remedy::observe::FileOrigin;
using remedy::observe::FileReader;
using remedy::observe::FileWriter;
using remedy::observe::SectionHeader;

using Writer = FileWriter<std::string>;
using Strings = std::vector<std::string>;

constexpr FileOrigin here = {15, 0x1234567890abcdef};
constexpr std::size_t header_bytes = sizeof(remedy::observe::FileHeader);

// CRC-32C, a bit at a time.
std::uint32_t
crc(const void *bytes, std::size_t size)
{
	std::uint32_t sum = ~0u;
	for (std::size_t i = 0; i < size; ++i)
	{
		sum ^= static_cast<const unsigned char *>(bytes)[i];
		for (int bit = 0; bit < 8; ++bit)
			sum = (sum >> 1) ^ (sum & 1 ? 0x82f63b78u : 0);
	}
	return ~sum;
}

std::string
file_of_two_sections()
{
	std::string bytes;
	Writer writer(bytes, here, 77);

	writer.begin_section("texts", 3);
	writer.put("one", 3);
	writer.put("", 0);
	writer.put("three", 5);
	writer.begin_section("nothing", 1);
	writer.begin_section("numbers", 2);
	const std::uint64_t number = 42;
	writer.put(&number, sizeof(number));
	writer.finish(crc);
	return bytes;
}

// In memory of exactly its size, so that a sanitizer sees what is read beyond.
std::string
complaint_about(const std::string &file, const FileOrigin &origin = here)
{
	const std::unique_ptr<char[]> copy(new char[file.size()]);
	std::memcpy(copy.get(), file.data(), file.size());
	const char *const complaint = FileReader(copy.get(), file.size()).complaint(origin, crc);
	return complaint == nullptr ? "" : complaint;
}

// The file after this change of its bytes, length and checksum put right: what only a writer of ours could write.
template <class Change>
std::string
rewritten(std::string file, Change &&change)
{
	file.resize(file.size() - sizeof(std::uint32_t));
	change(file);
	const std::uint64_t length = file.size() + sizeof(std::uint32_t);
	std::memcpy(file.data() + header_bytes - sizeof(length), &length, sizeof(length));
	const std::uint32_t sum = crc(file.data(), file.size());
	return file.append(reinterpret_cast<const char *>(&sum), sizeof(sum));
}

std::string
with_number(const std::string &file, std::size_t place, std::uint32_t number)
{
	return rewritten(file, [=](std::string &bytes) { std::memcpy(bytes.data() + place, &number, sizeof(number)); });
}

// Where numbers are in the file of two sections.
constexpr std::size_t first_count = header_bytes + sizeof(SectionHeader) - sizeof(std::uint32_t);
constexpr std::size_t first_length = header_bytes + sizeof(SectionHeader);

} // namespace

TEST(what_was_written_is_read)
{
	const std::string file = file_of_two_sections();
	FileReader reader(file.data(), file.size());
	SectionHeader section;
	const char *record;
	std::size_t bytes;
	Strings seen;

	CHECK(reader.complaint(here, crc) == nullptr);
	CHECK(reader.saved_at() == 77);
	while (reader.next_section(section))
	{
		seen.push_back(section.name + std::to_string(section.layout));
		while (reader.next_record(record, bytes))
			seen.emplace_back(record, bytes);
	}
	CHECK(seen == Strings{"texts3", "one", "", "three", "nothing1", "numbers2", std::string("*\0\0\0\0\0\0\0", 8)});
	CHECK(!reader.next_section(section));
}

TEST(a_section_may_be_passed_over)
{
	const std::string file = file_of_two_sections();
	FileReader reader(file.data(), file.size());
	SectionHeader section;
	const char *record;
	std::size_t bytes;

	CHECK(reader.complaint(here, crc) == nullptr);
	CHECK(reader.next_section(section) && reader.next_record(record, bytes));
	CHECK(reader.next_section(section) && std::string(section.name) == "nothing");
	CHECK(!reader.next_record(record, bytes));
	CHECK(reader.next_section(section) && std::string(section.name) == "numbers");
	CHECK(!reader.next_section(section));
}

TEST(a_file_without_sections)
{
	std::string file;
	Writer(file, here, 0).finish(crc);
	SectionHeader section;

	CHECK(complaint_about(file).empty());
	FileReader reader(file.data(), file.size());
	CHECK(reader.complaint(here, crc) == nullptr && !reader.next_section(section));
}

TEST(a_truncated_file_is_refused_wherever_it_ends)
{
	const std::string file = file_of_two_sections();
	for (std::size_t size = 0; size < file.size(); ++size)
		CHECK(!complaint_about(file.substr(0, size)).empty());
	CHECK(complaint_about(file).empty());
}

TEST(a_longer_file_is_refused)
{
	CHECK(complaint_about(file_of_two_sections() + '\0') == "it has not the length that it was written with");
	CHECK(!complaint_about(file_of_two_sections() + file_of_two_sections()).empty());
}

TEST(every_changed_bit_is_noticed)
{
	const std::string file = file_of_two_sections();
	for (std::size_t i = 0; i < file.size(); ++i)
		for (int bit = 0; bit < 8; ++bit)
		{
			std::string changed = file;
			changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
			CHECK(!complaint_about(changed).empty());
		}
}

TEST(every_changed_byte_is_noticed)
{
	const std::string file = file_of_two_sections();
	for (std::size_t i = 0; i < file.size(); ++i)
		for (int change = 1; change < 256; ++change)
		{
			std::string changed = file;
			changed[i] = static_cast<char>(changed[i] ^ change);
			CHECK(!complaint_about(changed).empty());
		}
}

TEST(files_from_elsewhere_are_named)
{
	const std::string file = file_of_two_sections();
	CHECK(complaint_about(file, {15, 1}) == "it was written by another cluster");
	CHECK(complaint_about(file, {16, here.cluster}) == "it was written by another version of PostgreSQL");
	CHECK(complaint_about(with_number(file, 8, remedy::observe::file_format + 1)) ==
		  "it was written by another version of pg_remedy");
	CHECK(complaint_about(std::string(5000, 'x')) == "it is no file of pg_remedy");
	CHECK(complaint_about("") == "it is too short");
}

TEST(lengths_beyond_the_end_are_refused_although_the_checksum_is_right)
{
	const std::string file = file_of_two_sections();
	CHECK(complaint_about(with_number(file, first_length, 3)).empty());
	for (const std::uint32_t length : {4u, 100'000u, 0x7fffffffu, 0xfffffffcu, 0xffffffffu})
		CHECK(complaint_about(with_number(file, first_length, length)) == "its records are out of order");
	CHECK(complaint_about(with_number(file, first_count, 3)).empty());
	for (const std::uint32_t records : {2u, 4u, 100'000u, 0xffffffffu})
		CHECK(complaint_about(with_number(file, first_count, records)) == "its records are out of order");
}

TEST(a_section_cut_short_is_refused_although_the_checksum_is_right)
{
	const std::string file = file_of_two_sections();
	const std::size_t body = file.size() - sizeof(std::uint32_t);
	unsigned accepted = 0;
	for (std::size_t size = header_bytes; size < body; ++size)
		accepted += complaint_about(rewritten(file, [=](std::string &bytes) { bytes.resize(size); })).empty();
	// It may end before each section.
	CHECK(accepted == 3);
}

TEST(a_name_without_end_is_refused)
{
	const auto unending = [](std::string &bytes) { std::memset(bytes.data() + header_bytes, 'x', 32); };
	CHECK(complaint_about(rewritten(file_of_two_sections(), unending)) == "its records are out of order");
}

TEST(a_long_name_is_cut)
{
	std::string file;
	Writer writer(file, here, 0);
	writer.begin_section(std::string(40, 'n').c_str(), 1);
	writer.finish(crc);
	FileReader reader(file.data(), file.size());
	SectionHeader section;
	CHECK(reader.complaint(here, crc) == nullptr && reader.next_section(section));
	CHECK(section.name == std::string(31, 'n'));
}
