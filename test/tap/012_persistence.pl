# What remedy.save() wrote is there after a restart and after a crash; a file that is not as it was written, or not
# this server's, is passed over with one line in the log; a save that fails leaves the old file.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use Fcntl ':mode';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Remedy;
use Test::More;

my $node = preloaded('saved', 'restart_after_crash = on', 'pg_remedy.save = off');
my $folder = $node->data_dir . '/pg_stat';
my $file = "$folder/pg_remedy.stat";

$node->safe_psql('postgres', 'CREATE EXTENSION pg_remedy');
library_shop($node);

my $findings = q{SELECT string_agg(application_name || ' ' || repeats_max || ' ' || units, ', '
	ORDER BY application_name) FROM remedy.n_plus_one};
my $everything = q{SELECT n.*, f.* FROM remedy.n_plus_one AS n JOIN remedy.findings AS f USING (key)
	ORDER BY application_name};

sub read_all { return $node->safe_psql('postgres', $_[0]); }
sub save { $node->safe_psql('postgres', 'SELECT remedy.save()'); return; }

# Stops and starts the server, changing something in between; returns what it says of its statistics meanwhile.
sub restarted
{
	my ($change, $how) = @_;
	my $offset = -s $node->logfile;

	$node->stop($how // 'fast');
	$change->() if $change;
	$node->start;
	return join("\n", grep { /pg_remedy(?! worker)/ } split(/\n/, slurp_file($node->logfile, $offset)));
}

sub write_file
{
	my ($name, $bytes) = @_;

	open(my $handle, '>:raw', $name) or BAIL_OUT("cannot write $name: $!");
	print $handle $bytes;
	close($handle) or BAIL_OUT("cannot write $name: $!");
	return;
}

# ---- It comes back ---------------------------------------------------------------------------------------

is(restarted(), '', 'without a file the server starts, and says nothing');
ok(!-e $file, 'nobody saved, so there is no file');
psql_as($node, 'shop', lazy_page(6));
psql_as($node, 'shop', lazy_page(8));
psql_as($node, 'other', lazy_page(7));

my $before = read_all($everything);

is(read_all($findings), 'other 7 1, shop 8 2', 'findings');
save();
is(S_IMODE((stat($file))[2]), oct('600'), 'the file is its owner\'s alone');
ok(!-e "$file.new", 'and under its own name');
is(restarted(), '', 'a restart says nothing');
is(read_all($everything), $before, 'and gives every column back');
ok(-e $file, 'the file stays');
psql_as($node, 'shop', lazy_page(9));
is(read_all($findings), 'other 7 1, shop 9 3', 'what was saved is counted on');
psql_as($node, 'third', lazy_page(6));
is(read_all($findings), 'other 7 1, shop 9 3, third 6 1', 'and what is new comes beside it');
restarted(undef, 'immediate');
is(read_all($findings), 'other 7 1, shop 8 2', 'an immediate stop gives what was saved last');
{
	my $session = client($node, 'shop');
	my $offset = -s $node->logfile;

	$session->query_safe(lazy_page(12));
	kill('KILL', pid_of($node, 'shop')) == 1 or BAIL_OUT('cannot kill');
	$node->wait_for_log(qr/all server processes terminated; reinitializing/, $offset);
	wait_until($node, 'true', 'the server to recover');
	is(read_all($everything), $before, 'and so does a crash');
	unlike(slurp_file($node->logfile, $offset), qr/LOG:  pg_remedy/, 'which says nothing');
	eval { $session->quit };
}
{
	my $session = client($node, 'shop');

	$session->query_safe("BEGIN;\n" . lazy_page(10) =~ s/^BEGIN;|COMMIT;//gmr);
	save();
	restarted(undef, 'immediate');
	is(read_all($findings), 'other 7 1, shop 10 3', 'counts that a backend still holds are saved too');
	eval { $session->quit };
}
read_all('SELECT remedy.reset()');
save();
is(restarted(), '', 'a file without findings');
is(read_all($findings), '', 'gives none');

# ---- It does not -----------------------------------------------------------------------------------------

psql_as($node, 'shop', lazy_page(6));
save();

my $good = slurp_file($file);
my $complaint = qr{^\S+ \S+ \S+ \[\d+\] LOG:  pg_remedy starts with empty statistics, without file "pg_stat/pg_remedy\.stat": };

# After this change the server starts, with one line in the log, and empty; then all is well again.
sub refused
{
	my ($what, $reason, $change, $undo) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $said = restarted($change);

	like($said, qr/$complaint$reason\z/, "$what: one line in the log");
	is(read_all($findings), '', "$what: an empty start");
	psql_as($node, 'shop', lazy_page(6));
	is(read_all($findings), 'shop 6 1', "$what: findings are made");
	$undo->() if $undo;
	save();
	is(restarted(), '', "$what: a save puts it right");
	is(read_all($findings), 'shop 6 1', "$what: and is loaded");
	return;
}

sub changed
{
	my ($place, $bytes) = @_;
	my $changed = $good;

	substr($changed, $place, length($bytes)) = $bytes;
	return sub { write_file($file, $changed) };
}

refused('garbage', 'it is no file of pg_remedy', sub { write_file($file, 'no statistics ' x 1000) });
refused('an empty file', 'it is too short', sub { write_file($file, '') });
refused('a truncated file', 'it has not the length that it was written with',
	sub { write_file($file, substr($good, 0, length($good) - 1)) });
refused('half a header', 'it is too short', sub { write_file($file, substr($good, 0, 20)) });
refused('a changed byte', 'its checksum is wrong', changed(length($good) - 100, '#'));
refused('a file of a newer pg_remedy', 'it was written by another version of pg_remedy', changed(8, pack('L', 1000)));
refused('a file of a newer server', 'it was written by another version of PostgreSQL', changed(12, pack('L', 99)));
refused('a file of another cluster', 'it was written by another cluster', changed(16, pack('Q', 12345)));
refused('an enormous file', 'it is larger than 1 GB', sub { truncate($file, 2**31) or BAIL_OUT($!) });
refused('a directory', 'it is no regular file', sub { unlink($file); mkdir($file) }, sub { rmdir($file) });
refused('a pipe', 'it is no regular file', sub { unlink($file); system_or_bail('mkfifo', $file) });
SKIP:
{
	skip 'files are readable for root', 5 if $> == 0;
	refused('an unreadable file', 'Permission denied', sub { chmod(0, $file) }, sub { chmod(oct('600'), $file) });
}

# A half-written file that a crash left is nobody's.
is(restarted(sub { write_file("$file.new", substr($good, 0, 1000)) }, 'immediate'), '', 'a half-written new file');
is(read_all($findings), 'shop 6 1', 'is not read');
save();
ok(!-e "$file.new", 'and is gone after the next save');

# Fewer findings than were saved find room.
$node->safe_psql('postgres', 'CREATE DATABASE more');
library_shop($node, 'more');
for my $i (1 .. 10)
{
	psql_as($node, "application $i", lazy_page(6), database => $_) for qw(postgres more);
}
save();
is(read_all('SELECT count(*) FROM remedy.n_plus_one'), 21, 'more findings than there will be room for');
$node->append_conf('postgresql.conf', 'pg_remedy.max_findings = 16');
restarted();
is(read_all('SELECT findings_used || \' of \' || findings_max FROM remedy.status'), '16 of 16', 'fill the table');
read_all('SELECT remedy.reset()');
psql_as($node, 'shop', lazy_page(6));

# ---- Saving fails ----------------------------------------------------------------------------------------

save();
my $saved = slurp_file($file);

# The error comes to whoever calls; the old file stays, the new one goes, and afterwards all is well.
sub not_saved
{
	my ($what, $message, $change, $undo) = @_;
	my $errors;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$change->();
	$node->psql('postgres', 'SELECT remedy.save()', stderr => \$errors);
	my $left = -l "$file.new" || -f "$file.new";
	$undo->();
	like($errors, $message, "$what: an error");
	ok(!$left, "$what: no new file is left");
	ok(slurp_file($file) eq $saved, "$what: the old file stays");
	return;
}

my $away = "$folder.away";

not_saved('no folder', qr/ERROR:  could not create file "pg_stat\/pg_remedy\.stat\.new": No such file/,
	sub { rename($folder, $away) or BAIL_OUT($!) }, sub { rename($away, $folder) or BAIL_OUT($!) });
not_saved('a full disk', qr/ERROR:  could not write file "pg_stat\/pg_remedy\.stat\.new": No space left/,
	sub { symlink('/dev/full', "$file.new") or BAIL_OUT($!) }, sub { });
not_saved('a directory of the new file\'s name', qr/ERROR:  could not create file .*: Is a directory/,
	sub { mkdir("$file.new") or BAIL_OUT($!) }, sub { rmdir("$file.new") or BAIL_OUT($!) });
SKIP:
{
	skip 'folders are writable for root', 3 if $> == 0;
	not_saved('a folder that is read only', qr/ERROR:  could not create file .*: Permission denied/,
		sub { chmod(oct('500'), $folder) }, sub { chmod(oct('700'), $folder) });
}
{
	my ($printed, $errors) = psql_as($node, 'client', <<"SQL");
\\! ln -s /dev/full $file.new
BEGIN;
SAVEPOINT s;
SELECT remedy.save();
ROLLBACK TO s;
SELECT 'still alive';
COMMIT;
SELECT remedy.save();
SQL
	like($printed, qr/still alive/, 'a session goes on after a save that failed');
	like($errors, qr/^\S+ ERROR:  could not write file .*No space left[^\n]*$/, 'and saves again');
}

# ---- Many at once ----------------------------------------------------------------------------------------

$node->pgbench('--no-vacuum --client=8 --jobs=2 --transactions=20', 0, [qr{processed: 160/160}], [qr/^$/],
	'saves of many sessions at once succeed', { '012_save' => 'SELECT remedy.save();' });
is(restarted(), '', 'and leave a file that is whole');

# ---- Whose it is -----------------------------------------------------------------------------------------

$node->safe_psql('postgres', 'CREATE ROLE ordinary LOGIN');
like((psql_as($node, 'client', 'SELECT remedy.save();', role => 'ordinary'))[1],
	qr/ERROR:  permission denied for function save/, 'saving is not for everyone');

save();
isnt(read_all($findings), '', 'a server has findings');
$node->append_conf('postgresql.conf', 'max_wal_senders = 4');
$node->append_conf('postgresql.conf', 'wal_level = replica');
restarted();
$node->backup('copied');
my $copy = PostgreSQL::Test::Cluster->new('copy');
$copy->init_from_backup($node, 'copied');
$copy->append_conf('postgresql.conf', 'restart_after_crash = on');
ok(-e $copy->data_dir . '/pg_stat/pg_remedy.stat', 'a copy of its data folder has its file');
$copy->start;
is($copy->safe_psql('postgres', $findings), '', 'but not its findings');
like(slurp_file($copy->logfile), qr/pg_remedy starts with empty statistics, .*: it is of the server that was backed up/,
	'which the log says');
$copy->stop('immediate');
$copy->start;
is($copy->safe_psql('postgres', $findings), '', 'nor does a crash bring them');
$copy->safe_psql('postgres', 'SELECT remedy.save()');
$copy->stop;
$node->stop;

# ---- Not preloaded ---------------------------------------------------------------------------------------

$node = plain('plain');
$node->safe_psql('postgres', 'CREATE EXTENSION pg_remedy');
{
	my (undef, $errors) = psql_as($node, 'client', "\\set VERBOSITY verbose\nSELECT remedy.save();");

	like($errors, qr/ERROR:  55000: .*preloaded\nHINT:  /, 'without preloading there is nothing to save');
}
$node->stop;

done_testing();
