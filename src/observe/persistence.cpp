#include "observe/persistence.hpp"

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "observe/observe.hpp"
#include "server/guard.hpp"
#include "server/shared.hpp"

namespace remedy::observe {

namespace {

constexpr char file_name[] = PGSTAT_STAT_PERMANENT_DIRECTORY "/pg_remedy.stat";
constexpr char new_file_name[] = PGSTAT_STAT_PERMANENT_DIRECTORY "/pg_remedy.stat.new";

constexpr int max_sections = 16;
const Section *sections[max_sections];
int section_count = 0;

// The lock is held while the file is written.  Saves take a number before they
// collect what they write, so that none replaces a younger one's file.
struct State
{
	std::atomic<std::uint64_t> begun;
	std::uint64_t written; // the youngest save whose file is there
	std::atomic<bool> asked_for;
	std::atomic<TimestampTz> saved_at;
	std::atomic<std::int64_t> loaded;
	std::atomic<std::int64_t> not_taken;
};

State *state = nullptr;

server::Region region = {"pg_remedy saved statistics", [](int) -> Size { return sizeof(State); },
						 [](void *memory, int) { state = static_cast<State *>(memory); }, nullptr, nullptr};

FileOrigin
here() noexcept
{
	return {PG_VERSION_NUM / 10000, GetSystemIdentifier()};
}

std::uint32_t
checksum(const void *bytes, std::size_t size) noexcept
{
	pg_crc32c sum;

	INIT_CRC32C(sum);
	COMP_CRC32C(sum, bytes, size);
	FIN_CRC32C(sum);
	return sum;
}

// ---- Saving ----------------------------------------------------------------------

// Grows to a gigabyte, then raises an error.
struct Image
{
	StringInfoData bytes;

	std::size_t size() const noexcept { return bytes.len; }
	char *data() noexcept { return bytes.data; }
	void append(const char *from, std::size_t size) noexcept
	{
		if (size > MaxAllocSize)
			elog(ERROR, "a record of %zu bytes is too long", size);
		appendBinaryStringInfo(&bytes, from, static_cast<int>(size));
	}
};

void
collect(Image &image, TimestampTz when) noexcept
{
	FileWriter<Image> writer(image, here(), when);

	for (int i = 0; i < section_count; ++i)
	{
		writer.begin_section(sections[i]->name, sections[i]->layout);
		sections[i]->save(writer);
	}
	writer.finish(checksum);
}

[[noreturn]] void
refuse(const char *doing) noexcept
{
	ereport(ERROR, (errcode_for_file_access(), errmsg("could not %s file \"%s\": %m", doing, new_file_name)));
	pg_unreachable();
}

void
write_image(const Image &image) noexcept
{
	const int file = OpenTransientFile(new_file_name, O_WRONLY | O_CREAT | O_TRUNC | PG_BINARY);

	if (file < 0)
		refuse("create");
	for (int done = 0; done < image.bytes.len;)
	{
		errno = 0;
		const ssize_t written = write(file, image.bytes.data + done, image.bytes.len - done);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
		{
			errno = errno == 0 ? ENOSPC : errno;
			refuse("write");
		}
		done += static_cast<int>(written);
	}
	if (CloseTransientFile(file) != 0)
		refuse("close");
	durable_rename(new_file_name, file_name, ERROR);
}

// Raises an error if that is not possible; the old file stays then.
void
write_statistics() noexcept
{
	const std::uint64_t number = state->begun.fetch_add(1) + 1;
	const TimestampTz when = GetCurrentTimestamp();
	Image image;

	initStringInfo(&image.bytes);
	collect(image, when);
	region.acquire(LW_EXCLUSIVE);
	if (state->written < number)
	{
		finally([&]() noexcept { write_image(image); },
				[](bool failed) noexcept {
					if (failed)
						unlink(new_file_name);
				});
		state->written = number;
		state->saved_at = when;
	}
	region.release();
	pfree(image.bytes.data);
}

// ---- Loading ---------------------------------------------------------------------

// A file in memory, and what is wrong if it is not; neither if there is none.
struct Contents
{
	char *bytes;
	Size size;
	const char *complaint;
};

Contents
read_open_file(int file) noexcept
{
	struct stat status;

	if (fstat(file, &status) != 0)
		return {nullptr, 0, strerror(errno)};
	if (!S_ISREG(status.st_mode))
		return {nullptr, 0, "it is no regular file"};
	if (static_cast<Size>(status.st_size) > MaxAllocSize)
		return {nullptr, 0, "it is larger than 1 GB"};
	const Size size = static_cast<Size>(status.st_size);
	char *const bytes = static_cast<char *>(malloc(size + 1));
	Size done = 0;
	ssize_t taken = 1;

	if (bytes == nullptr)
		return {nullptr, 0, "out of memory"};
	while (done < size && taken > 0)
	{
		taken = read(file, bytes + done, size - done);
		done += Max(taken, 0);
	}
	return {bytes, done, taken < 0 ? strerror(errno) : nullptr};
}

Contents
read_file() noexcept
{
	// Of a pipe, too, an answer is awaited at once.
	const int file = BasicOpenFile(file_name, O_RDONLY | O_NONBLOCK | PG_BINARY);

	if (file < 0)
		return {nullptr, 0, errno == ENOENT ? nullptr : strerror(errno)};
	const Contents contents = read_open_file(file);
	close(file);
	return contents;
}

const Section *
section_of(const SectionHeader &header) noexcept
{
	for (int i = 0; i < section_count; ++i)
		if (strcmp(sections[i]->name, header.name) == 0)
		{
			if (sections[i]->layout == header.layout)
				return sections[i];
			ereport(LOG, (errmsg("pg_remedy does not take back \"%s\": it has another layout in file \"%s\"",
								 header.name, file_name)));
		}
	return nullptr;
}

// The file is whole.
void
take_records(FileReader &reader) noexcept
{
	SectionHeader header;
	const char *record;
	Size bytes;

	state->saved_at = reader.saved_at();
	while (reader.next_section(header))
	{
		const Section *const section = section_of(header);
		while (reader.next_record(record, bytes))
			++(section != nullptr && section->load(record, bytes) ? state->loaded : state->not_taken);
	}
}

// A data folder that was copied brings the statistics of the server that it is a
// copy of.  The file must not come back after a crash either.
bool
discard_of_copy() noexcept
{
	return access(BACKUP_LABEL_FILE, F_OK) == 0 && unlink(file_name) == 0;
}

// In the postmaster.
void
load_statistics() noexcept
{
	const Contents contents =
		discard_of_copy() ? Contents{nullptr, 0, "it is of the server that was backed up"} : read_file();
	const char *complaint = contents.complaint;

	if (complaint == nullptr && contents.bytes != nullptr)
	{
		FileReader reader(contents.bytes, contents.size);
		complaint = reader.complaint(here(), checksum);
		if (complaint == nullptr)
			take_records(reader);
	}
	if (complaint != nullptr)
		ereport(LOG, (errmsg("pg_remedy starts with empty statistics, without file \"%s\": %s", file_name, complaint)));
	free(contents.bytes);
}

} // namespace

void
declare_section(const Section &section) noexcept
{
	Assert(section_count < max_sections);
	sections[section_count++] = &section;
}

void
declare_persistence() noexcept
{
	server::declare_region(region);
	server::after_placing(load_statistics);
}

bool
save_statistics() noexcept
{
	return attempt([]() noexcept { write_statistics(); }, "save its statistics");
}

void
ask_for_save() noexcept
{
	state->asked_for.store(true);
}

bool
save_is_asked_for() noexcept
{
	return state->asked_for.exchange(false);
}

SavedStatus
saved_status() noexcept
{
	return {state->saved_at, state->loaded, state->not_taken};
}

} // namespace remedy::observe

using namespace remedy;
using namespace remedy::observe;

REMEDY_FUNCTION(remedy_save)
{
	enter_function();
	if (!server::preloaded())
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("statistics can be saved only if pg_remedy is preloaded"),
						errhint("Add pg_remedy to shared_preload_libraries and restart the server.")));
	write_statistics();
	PG_RETURN_VOID();
}
