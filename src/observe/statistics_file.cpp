#include "observe/statistics_file.hpp"

namespace remedy::observe {

const char *
FileReader::complaint(const FileOrigin &here, Checksum checksum) noexcept
{
	const char *const start = bytes_;
	const std::size_t size = size_;
	FileChecksum sum;

	if (size < sizeof(header_) + sizeof(sum))
		return "it is too short";
	size_ -= sizeof(sum);
	take(header_);
	if (std::memcmp(header_.magic, FileHeader{}.magic, sizeof(header_.magic)) != 0)
		return "it is no file of pg_remedy";
	if (header_.format != file_format)
		return "it was written by another version of pg_remedy";
	if (header_.server != here.server)
		return "it was written by another version of PostgreSQL";
	if (header_.cluster != here.cluster)
		return "it was written by another cluster";
	if (header_.length != size)
		return "it has not the length that it was written with";
	std::memcpy(&sum, start + size - sizeof(sum), sizeof(sum));
	if (checksum(start, size - sizeof(sum)) != sum)
		return "its checksum is wrong";
	return is_well_formed() ? nullptr : "its records are out of order";
}

template <class T>
bool
FileReader::take(T &value) noexcept
{
	if (size_ < sizeof(value))
		return false;
	std::memcpy(&value, bytes_, sizeof(value));
	bytes_ += sizeof(value);
	size_ -= sizeof(value);
	return true;
}

// Reads it all on trial, from where it stands.
bool
FileReader::is_well_formed() const noexcept
{
	FileReader trial = *this;
	SectionHeader section;

	while (trial.next_section(section))
		;
	return !trial.broken_;
}

bool
FileReader::next_section(SectionHeader &section) noexcept
{
	const char *record;
	std::size_t bytes;

	while (next_record(record, bytes))
		;
	if (broken_ || size_ == 0)
		return false;
	broken_ = !take(section) || section.name[section_name_bytes - 1] != '\0';
	records_left_ = broken_ ? 0 : section.records;
	return !broken_;
}

bool
FileReader::next_record(const char *&record, std::size_t &bytes) noexcept
{
	RecordLength length;

	if (records_left_ == 0 || broken_)
		return false;
	broken_ = !take(length) || length > size_;
	if (broken_)
		return false;
	--records_left_;
	record = bytes_;
	bytes = length;
	bytes_ += length;
	size_ -= length;
	return true;
}

} // namespace remedy::observe
