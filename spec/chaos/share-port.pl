# SPDX-License-Identifier: Apache-2.0
# Several programs on one port, as behind one address: makes a listening socket of its own that shares the port,
# and becomes the program, which gets the socket as descriptor 3 (LISTEN_FDS). The kernel spreads the connections;
# those of a program that is gone go to the others.
#
#   perl share-port.pl PORT PROGRAM [ARGUMENT…]
use strict;
use warnings;
use Socket;
use Fcntl;
use POSIX ();

my ($port, @program) = @ARGV;
socket(my $listen, PF_INET, SOCK_STREAM, 0) or die "socket: $!";
setsockopt($listen, SOL_SOCKET, SO_REUSEADDR, 1) or die "setsockopt: $!";
setsockopt($listen, SOL_SOCKET, SO_REUSEPORT, 1) or die "setsockopt: $!";
bind($listen, sockaddr_in($port, inet_aton("127.0.0.1"))) or die "bind: $!";
listen($listen, 1024) or die "listen: $!";
POSIX::dup2(fileno($listen), 3) or die "dup2: $!" if fileno($listen) != 3;
$^F = 3;
open(my $three, ">&=", 3) or die "descriptor 3: $!";
fcntl($three, F_SETFD, 0) or die "fcntl: $!";
@ENV{qw(LISTEN_PID LISTEN_FDS LISTEN_FDNAMES)} = ($$, 1, "public");
exec(@program) or die "exec: $!";
