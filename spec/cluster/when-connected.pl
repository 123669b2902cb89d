# SPDX-License-Identifier: Apache-2.0
# Rings at a node again and again, as one caller, until it answers with a stream to itself; then prints the Unix time in
# milliseconds. Each call is over as soon as it was answered.
#
#   perl when-connected.pl PORT PUBLIC_URL ACCOUNT TOKEN TO FROM FIRST_NUMBER
use strict;
use warnings;
use Digest::SHA qw(hmac_sha1_base64);
use IO::Socket::INET;
use Time::HiRes qw(time sleep);

my ($port, $url, $account, $token, $to, $from, $number) = @ARGV;

sub post {
    my ($path, %form) = @_;
    my $signed = $url . $path . join "", map { $_ . $form{$_} } sort keys %form;
    my $signature = hmac_sha1_base64($signed, $token);
    $signature .= "=" while length($signature) % 4;
    my $body = join "&", map { (my $v = $form{$_}) =~ s/\+/%2B/g; "$_=$v" } sort keys %form;
    my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port", Timeout => 10) or return "";
    print $s "POST $path HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        . "X-Twilio-Signature: $signature\r\nContent-Length: " . length($body) . "\r\nConnection: close\r\n\r\n$body";
    local $/;
    return scalar(<$s>) // "";
}

my $until = time + 60;
while (time < $until) {
    my %call = (CallSid => sprintf("CA%032x", $number++), AccountSid => $account, From => $from, To => $to,
        Direction => "inbound", ApiVersion => "2010-04-01");
    my $answer = post("/twilio/voice", %call, CallStatus => "ringing");
    my $now = time;
    post("/twilio/status", %call, CallStatus => "completed", CallDuration => 0);
    if ($answer =~ /<Connect>/) {
        printf "%d\n", $now * 1000;
        exit 0;
    }
    sleep 0.02;
}
exit 1;
