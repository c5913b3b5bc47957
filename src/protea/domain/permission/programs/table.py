"""The table of commands that everybody uses to look around: which options and operands leave them harmless."""

from __future__ import annotations

from functools import lru_cache

from protea.domain.permission.programs.options import Spec, spec

# name | options without value | options with value, `:f` a file to read, `:l` one to look at | operands
# operands: t text, f file to read, l path to look at, `*` any number of the last, `.` the working directory if none

_TABLE = """
cat|-AbeEnstTuv --show-all --number-nonblank --show-ends --number --squeeze-blank --show-tabs --show-nonprinting||f*
tac|-br --before --regex|-s --separator|f*
rev|||f*
nl|-p|-b -d -f -h -i -l -n -s -v -w|f*
head|-qvz --quiet --silent --verbose --zero-terminated -#|-n -c --lines --bytes|f*
tail|-qvz --quiet --silent --verbose --zero-terminated -#|-n -c --lines --bytes|f*
wc|-clLmw --bytes --chars --lines --words --max-line-length|--total|f*
cut|-sz --complement --only-delimited --zero-terminated|-b -c -d -f --bytes --characters --delimiter --fields \
--output-delimiter|f*
tr|-cCdst --complement --delete --squeeze-repeats --truncate-set1||tt
uniq|-cdDiuz --count --repeated --ignore-case --unique --all-repeated= --group=|-f -s -w --skip-fields \
--skip-chars --check-chars|f
comm|-123z --total --check-order --nocheck-order|--output-delimiter|ff
paste|-sz --serial|-d --delimiters|f*
join|-ivz --ignore-case --header --check-order --nocheck-order|-1 -2 -a -e -j -o -t -v|ff
fold|-bs --bytes --spaces|-w --width|f*
fmt|-cstu|-w -p --width|f*
expand|-i|-t --tabs|f*
unexpand|-a|-t --tabs|f*
column|-txnJ --table|-s -o -c -N -R -H --separator --output-separator --table-columns|f*
cmp|-bls --silent --quiet --verbose --print-bytes|-i -n|ff
md5sum|-bt --binary --text --tag||f*
sha1sum|-bt --binary --text --tag||f*
sha224sum|-bt --binary --text --tag||f*
sha256sum|-bt --binary --text --tag||f*
sha384sum|-bt --binary --text --tag||f*
sha512sum|-bt --binary --text --tag||f*
b2sum|-bt --binary --text --tag|-l|f*
shasum|-bt|-a|f*
cksum|||f*
sum|-rs||f*
base64|-di --decode --ignore-garbage|-w --wrap|f
base32|-di --decode --ignore-garbage|-w --wrap|f
od|-abcdfiloshxv|-A -j -N -t -w -S|f*
hexdump|-bcCdovx|-n -s|f*
xxd|-bupiCE|-c -g -l -s|f
strings|-af|-n -t -e --bytes --radix|f*
zcat|||f*
nm|-aAgnpPrSuC --demangle --defined-only --undefined-only|--format|f*
readelf|-ahlSsdeVrnAW||f*
size|-ABd||f*
ls|-1aAbBcCdfFgGhHiklmnopqQrRsStuUvwxXZ --all --almost-all --author --escape --ignore-backups --directory \
--classify --classify= --file-type --full-time --group-directories-first --no-group --human-readable --si \
--inode --kibibytes --literal --numeric-uid-gid --quote-name --reverse --recursive --size --color --color= \
--zero --context|-I -w -T --ignore --hide --format --indicator-style --quoting-style --sort --time --time-style \
--width --tabsize --block-size|l*.
dir|-1aAlhR||l*.
vdir|-1aAlhR||l*.
stat|-fLt --dereference --file-system --terse|-c --format --printf|l*
file|-bhikLNprv0 --brief --mime --mime-type --mime-encoding --dereference --no-dereference --keep-going \
--extension|-F -P --separator|f*
du|-0abchHklmsSxP --all --bytes --total --human-readable --si --summarize --one-file-system --apparent-size \
--separate-dirs|-d -B -t --max-depth --block-size --exclude --threshold|l*.
df|-aBhHiklmPT --all --human-readable --inodes --local --portability --print-type --total|-t -x --type|l*
tree|-adfilpsughDFqNQCxvtrcUnASJX --dirsfirst --noreport --gitignore --prune --si --du --inodes --device \
--ignore-case --matchdirs --filesfirst --metafirst|-L -I -P --filelimit --charset --sort --timefmt|l*.
realpath|-eEmLPqsz --canonicalize-existing --canonicalize-missing --logical --physical --quiet --strip \
--no-symlinks --zero|--relative-to:l --relative-base:l|l*
readlink|-femnqsvz --canonicalize --canonicalize-existing --canonicalize-missing --no-newline||l*
pwd|-LP||
whoami|||
logname|||
id|-agGnruz --user --group --groups --name --real||t
groups|||t*
uname|-asnrvmpio --all --kernel-name --nodename --kernel-release --machine --operating-system||
hostname|-s --short||
arch|||
nproc|--all|--ignore|
uptime|-ps --pretty --since||
free|-bkmghltw --human --mega --giga --total --wide||
lscpu|-ae||
tty|-s||
locale|-a||
getconf|-a||t*
true|*||t*
false|*||t*
:|*||t*
sleep|||t
seq|-w --equal-width|-f -s --format --separator|ttt
echo|*||t*
printf|||t*
basename|-az --multiple --zero|-s --suffix|t*
dirname|-z --zero||t*
expr|*||t*
factor|||t*
which|-as --all||t*
type|-aftpP||t*
jobs|-lnprs||
wait|||
exit|||t
cal|-13jmsy||t*
tput|||t
fd|-HIasiFgpl0u1q --hidden --no-ignore --absolute-path --case-sensitive --ignore-case --fixed-strings --glob \
--full-path --list-details --unrestricted --no-ignore-vcs --quiet|-e -t -d -E -c -S -j --extension --type \
--max-depth --min-depth --exact-depth --exclude --color --size --changed-within --changed-before --max-results|tl*.
pgrep|-acfilnvx|-u -P -t -g|t
ss|-tulnapxwsr4640||
zipinfo|-12hmslvtz||f
""".strip()

_COPIES = {"fdfind": "fd", "gls": "ls", "ghead": "head"}


@lru_cache(maxsize=1)
def specs() -> dict[str, Spec]:
    table = {}
    for line in _TABLE.splitlines():
        name, flags, valued, operands = line.split("|")
        table[name] = spec(flags, valued, operands)
    for copy, name in _COPIES.items():
        table[copy] = table[name]
    return table


OPTIONS_FIRST = frozenset({"xxd", "uniq", "tr", "hexdump", "od", "fd", "fdfind"})
"""For these an option after the first operand may be an operand, and `xxd` and `uniq` write to their second."""
