# Wire: a client that speaks the protocol's messages one by one, for what no client program can be made to send:
# portals that are fetched from in parts, several open at once, bound and never run.

package Wire;

use strict;
use warnings FATAL => 'all';

use IO::Socket::UNIX;

# Connects to a node as an application; anyone is trusted there.
sub connect
{
	my ($class, $node, $application) = @_;
	my $path = $node->host . '/.s.PGSQL.' . $node->port;
	my $socket = IO::Socket::UNIX->new(Peer => $path) or die "cannot connect to $path: $!";
	my $wire = bless { socket => $socket }, $class;
	my $user = getpwuid($>);
	my $startup = pack('N(Z*)6x', 3 << 16, 'user', $user, 'database', 'postgres', 'application_name', $application);

	print {$socket} pack('N', 4 + length $startup) . $startup;
	$wire->answers;
	return $wire;
}

sub _send
{
	my ($wire, $type, $content) = @_;

	$wire->{unsent} .= $type . pack('N', 4 + length $content) . $content;
	return $wire;
}

sub query { my ($wire, $sql) = @_; return $wire->_send('Q', pack('Z*', $sql)); }

# The types of parameters by number, if it is for the client to say.
sub parse
{
	my ($wire, $name, $sql, @types) = @_;

	return $wire->_send('P', pack('Z*Z*nN*', $name, $sql, scalar @types, @types));
}

sub execute { my ($wire, $portal, $rows) = @_; return $wire->_send('E', pack('Z*N', $portal, $rows // 0)); }
sub close_portal { my ($wire, $portal) = @_; return $wire->_send('C', pack('AZ*', 'P', $portal)); }
sub sync { my ($wire) = @_; return $wire->_send('S', ''); }

# Parameters are texts, or all in binary form.
sub bind { my ($wire, $portal, $name, @values) = @_; return $wire->_bind(0, $portal, $name, @values); }
sub bind_binary { my ($wire, $portal, $name, @values) = @_; return $wire->_bind(1, $portal, $name, @values); }

sub _bind
{
	my ($wire, $format, $portal, $name, @values) = @_;

	return $wire->_send('B',
		pack('Z*Z*nn', $portal, $name, 1, $format) . pack('n(N/a*)*', scalar @values, @values) . pack('n', 0));
}

# Sends what waits, and reads until the server is ready for more: the types of the messages it answered, with
# notices and settings left out. Values of rows, and the last error, stay in the client.
sub answers
{
	my ($wire) = @_;
	my $types = '';
	my $type = '';

	$wire->{rows} = [];
	$wire->{error} = '';
	print { $wire->{socket} } delete $wire->{unsent} // '';
	$wire->{socket}->flush;
	while ($type ne 'Z')
	{
		my $length;
		($type, $length) = unpack('AN', $wire->_read(5));
		my $content = $wire->_read($length - 4);
		push @{ $wire->{rows} }, [ unpack('x2(N/a*)*', $content) ] if $type eq 'D';
		$wire->{error} = join(' ', $content =~ /\0C([^\0]*)\0M([^\0]*)/) if $type eq 'E';
		$types .= $type unless $type =~ /[NSRK]/;
	}
	return $types;
}

sub _read
{
	my ($wire, $length) = @_;
	my $content = '';

	while (length $content < $length)
	{
		read($wire->{socket}, $content, $length - length $content, length $content)
		  or die 'the server closed the connection';
	}
	return $content;
}

sub disconnect
{
	my ($wire) = @_;

	print { $wire->{socket} } 'X' . pack('N', 4);
	close $wire->{socket};
	return;
}

1;
