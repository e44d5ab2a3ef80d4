#!/usr/bin/perl
# data.pl KIND BYTES: test data on stdout, the same on every machine. Kinds: text (words by Zipf's law, in sentences),
# rows (records of figures, like a table's dump), noise (incompressible).
use strict;
use warnings;

my ($kind, $bytes) = @ARGV;
my $state = 88172645463325252;

# xorshift64 (a shift keeps 64 bits); perl's own rand differs between builds.
sub next_random {
    $state ^= $state << 13;
    $state ^= $state >> 7;
    $state ^= $state << 17;
    return $state >> 11;
}

my @consonants = qw(b c d f g h l m n p r s t v st tr ch);
my @vowels = qw(a e i o u ea ou);
my @words = map {
    join '', map { $consonants[next_random() % @consonants] . $vowels[next_random() % @vowels] } 0 .. next_random() % 3
} 1 .. 4000;

sub sentence {
    # The product of two draws favours low numbers, similarly to Zipf's law.
    my @picked = map { $words[(next_random() % 4000) * (next_random() % 4000) / 4000] } 0 .. 5 + next_random() % 15;
    return ucfirst(join(' ', @picked)) . (next_random() % 6 ? ". " : ".\n");
}

my %make = (
    text => sub { join '', map { sentence() } 1 .. 100 },
    rows => sub {
        join '', map {
            sprintf "%d\t%s\t%.2f\t2026-%02d-%02d\n", $_ + next_random() % 7, $words[next_random() % 300],
                next_random() % 100000 / 100, 1 + next_random() % 12, 1 + next_random() % 28
        } 1 .. 100;
    },
    noise => sub { pack 'V*', map { next_random() & 0xFFFFFFFF } 1 .. 1000 },
);
my $part = $make{ $kind // '' } or die "usage: data.pl text|rows|noise BYTES\n";
binmode STDOUT;
while ($bytes > 0) {
    my $piece = substr $part->(), 0, $bytes;
    $bytes -= length $piece;
    print $piece;
}
