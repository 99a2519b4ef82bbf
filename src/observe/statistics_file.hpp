// The bytes of a statistics file: what a FileWriter puts together, a FileReader
// takes apart again, but only if every byte is the one that was written.
//
// A header says whose file it is and how long; sections follow, each with its name,
// its layout and its records; a checksum over all of it ends the file.  Records are
// of any length and not aligned.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace remedy::observe {

// Of bytes that lie in memory; never changes.
using Checksum = std::uint32_t (*)(const void *bytes, std::size_t size);

// Takes the records of a section, in order.
class RecordWriter
{
public:
	virtual void put(const void *record, std::size_t bytes) noexcept = 0;

protected:
	~RecordWriter() = default;
};

// Where a file was written.  Elsewhere its numbers of roles, databases and
// statements mean something else.
struct FileOrigin
{
	std::uint32_t server;  // major version
	std::uint64_t cluster; // its system identifier
};

constexpr std::uint32_t file_format = 1;
constexpr std::size_t section_name_bytes = 32;

struct FileHeader
{
	char magic[8] = {'R', 'E', 'M', 'E', 'D', 'Y', 'S', '\n'};
	std::uint32_t format = file_format;
	std::uint32_t server = 0;
	std::uint64_t cluster = 0;
	std::int64_t saved_at = 0; // in the server's units
	std::uint64_t length = 0;  // of the whole file
};

struct SectionHeader
{
	char name[section_name_bytes];
	std::uint32_t layout;
	std::uint32_t records;
};

using RecordLength = std::uint32_t; // before each record
using FileChecksum = std::uint32_t; // at the end

// No padding: the file holds nothing that was not put there.
static_assert(std::has_unique_object_representations_v<FileHeader>);
static_assert(std::has_unique_object_representations_v<SectionHeader>);

// Bytes is a growing array: size(), data(), append(const char *, std::size_t).
template <class Bytes>
class FileWriter final : public RecordWriter
{
public:
	FileWriter(Bytes &bytes, const FileOrigin &origin, std::int64_t saved_at) noexcept : bytes_(bytes)
	{
		header_.server = origin.server;
		header_.cluster = origin.cluster;
		header_.saved_at = saved_at;
		append(header_);
	}

	// The name is shorter than section_name_bytes.
	void begin_section(const char *name, std::uint32_t layout) noexcept
	{
		section_ = {};
		std::strncpy(section_.name, name, section_name_bytes - 1);
		section_.layout = layout;
		section_start_ = bytes_.size();
		append(section_);
	}

	void put(const void *record, std::size_t bytes) noexcept override
	{
		append(static_cast<RecordLength>(bytes));
		bytes_.append(static_cast<const char *>(record), bytes);
		++section_.records;
		std::memcpy(bytes_.data() + section_start_, &section_, sizeof(section_));
	}

	void finish(Checksum checksum) noexcept
	{
		header_.length = bytes_.size() + sizeof(FileChecksum);
		std::memcpy(bytes_.data(), &header_, sizeof(header_));
		append(FileChecksum{checksum(bytes_.data(), bytes_.size())});
	}

private:
	template <class T>
	void append(const T &value) noexcept
	{
		bytes_.append(reinterpret_cast<const char *>(&value), sizeof(value));
	}

	Bytes &bytes_;
	FileHeader header_ = {};
	SectionHeader section_ = {};
	std::size_t section_start_ = 0;
};

// Reads the bytes from front to back; they must outlive it.
class FileReader
{
public:
	FileReader(const char *bytes, std::size_t size) noexcept : bytes_(bytes), size_(size) {}

	// Null if every byte is as it was written, and here; else what is wrong.  Nothing
	// below may be called before, or if anything is wrong.
	const char *complaint(const FileOrigin &here, Checksum checksum) noexcept;

	std::int64_t saved_at() const noexcept { return header_.saved_at; }

	// The next section, behind what was not read of the one before; false after the
	// last.
	bool next_section(SectionHeader &section) noexcept;

	// The next record of the section; false after its last.
	bool next_record(const char *&record, std::size_t &bytes) noexcept;

private:
	template <class T>
	bool take(T &value) noexcept;

	bool is_well_formed() const noexcept;

	const char *bytes_;
	std::size_t size_; // what is not read yet
	FileHeader header_;
	std::uint32_t records_left_ = 0; // of the section
	bool broken_ = false;            // a length points beyond the end
};

} // namespace remedy::observe
