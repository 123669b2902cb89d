# SPDX-License-Identifier: Apache-2.0
# A service manager of a few lines: makes the listening socket and gives it to a program as descriptor 3,
# as systemd does (LISTEN_FDS), and prints what the program tells it (NOTIFY_SOCKET), a line each.
#
#   perl manager.pl PORT NOTIFY_SOCKET WATCHDOG_USEC PROGRAM [ARGUMENT…]
use strict;
use warnings;
use Socket;
use Fcntl;
use POSIX ();

my ($port, $path, $watchdog, @program) = @ARGV;
socket(my $listen, PF_INET, SOCK_STREAM, 0) or die "socket: $!";
setsockopt($listen, SOL_SOCKET, SO_REUSEADDR, 1) or die "setsockopt: $!";
bind($listen, sockaddr_in($port, inet_aton("127.0.0.1"))) or die "bind: $!";
listen($listen, 1024) or die "listen: $!";
socket(my $notify, PF_UNIX, SOCK_DGRAM, 0) or die "socket: $!";
bind($notify, sockaddr_un($path)) or die "bind $path: $!";

my $child = fork();
defined $child or die "fork: $!";
if ($child == 0) {
  @ENV{qw(LISTEN_PID LISTEN_FDS LISTEN_FDNAMES NOTIFY_SOCKET WATCHDOG_PID WATCHDOG_USEC)} =
    ($$, 1, "public", $path, $$, $watchdog);
  POSIX::dup2(fileno($listen), 3) or die "dup2: $!";
  fcntl(STDIN, F_SETFD, 0);
  $^F = 3;
  open(my $three, ">&=", 3) or die "descriptor 3: $!";
  fcntl($three, F_SETFD, 0) or die "fcntl: $!";
  exec(@program) or die "exec: $!";
}
$SIG{TERM} = sub { kill "TERM", $child };
$| = 1;
while (1) {
  my $ready = "";
  vec($ready, fileno($notify), 1) = 1;
  if (select($ready, undef, undef, 0.2) > 0 && defined recv($notify, my $text, 4096, 0)) {
    print "notify: $_\n" for split /\n/, $text;
  }
  last if waitpid($child, POSIX::WNOHANG()) == $child;
}
exit($? >> 8);
