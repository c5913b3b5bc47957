"""What one command does, as far as its words tell: reads, writes, removals, and whether that is all.

A table of options and operands for the commands everybody uses to look around, and a function each for those whose
operands are programs of their own (find, sed, awk …). An option that is not in the table makes the command one that
asks. `decision` calls `study`; the adapter looks up the paths that are named here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from protea.domain.pattern import regex
from protea.domain.permission.git import study_git
from protea.domain.permission.options import Access, Spec, Study, UnfitError, Use, assign, read_options, spec, use
from protea.domain.permission.script import Word, listed
from protea.domain.permission.unwrap import basename

# -- the table -------------------------------------------------------------------------------------------------------
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
def _specs() -> dict[str, Spec]:
    table = {}
    for line in _TABLE.splitlines():
        name, flags, valued, operands = line.split("|")
        table[name] = spec(flags, valued, operands)
    for copy, name in _COPIES.items():
        table[copy] = table[name]
    return table


_OPTIONS_FIRST = frozenset({"xxd", "uniq", "tr", "hexdump", "od", "fd", "fdfind"})
"""For these an option after the first operand may be an operand, and `xxd` and `uniq` write to their second."""


# -- commands with a language of their own ---------------------------------------------------------------------------

_GREP = spec(
    "-abcEFGhHilLnoPqsTuvwxyzZrRU --text --count --extended-regexp --fixed-strings --basic-regexp --no-filename"
    " --with-filename --ignore-case --no-ignore-case --files-with-matches --files-without-match --line-number"
    " --only-matching --perl-regexp --quiet --silent --no-messages --invert-match --word-regexp --line-regexp"
    " --null --null-data --recursive --color --color= --colour= --line-buffered --byte-offset --initial-tab -#",
    "-e -f:f -A -B -C -m -d -D --regexp --file:f --after-context --before-context --context --max-count --include"
    " --exclude --exclude-dir --label --binary-files --directories --devices",
    "",
)
_RG = spec(
    "-aceFhHiIlnNopPqsSTuvwxU0. --text --count --count-matches --fixed-strings --no-filename --with-filename"
    " --ignore-case --case-sensitive --smart-case --files-with-matches --files-without-match --files --line-number"
    " --no-line-number --only-matching --pretty --pcre2 --quiet --invert-match --word-regexp --line-regexp --hidden"
    " --no-hidden --no-ignore --no-ignore-vcs --multiline --multiline-dotall --json --vimgrep --heading --no-heading"
    " --column --trim --stats --null --crlf --no-config --unrestricted --type-list --sort-files --no-messages"
    " --one-file-system --byte-offset --passthru --color= --glob-case-insensitive --no-ignore-parent -#",
    "-e -f:f -A -B -C -m -g -t -T -r -E -d -M -j --regexp --file:f --after-context --before-context --context"
    " --max-count --glob --iglob --type --type-not --replace --encoding --max-depth --max-columns --threads --color"
    " --colors --sort --sortr --max-filesize --context-separator --type-add --engine --path-separator",
    "",
)
_LITERAL = regex(r"[A-Za-z0-9_][A-Za-z0-9_ ,:=/#@%-]*")


def _needle(patterns: list[str], given: dict[str, list[str]]) -> str | None:
    inverted = any(option in given for option in ("-v", "--invert-match", "--passthru", "-f", "--file"))
    around = any(
        option in given
        for option in ("-A", "-B", "-C", "--after-context", "--before-context", "--context", "-z", "--null-data")
    )
    if len(patterns) == 1 and not inverted and not around and _LITERAL.fullmatch(patterns[0]):
        return patterns[0]
    return None


def _searching(words: Sequence[Word], uses: list[Use], row: Spec, always_tree: bool) -> None:
    operands, given = read_options(words, row, uses)
    if any(option in given for option in ("-R", "--dereference-recursive")):
        raise UnfitError("it follows symbolic links into other folders")
    patterns = given.get("-e", []) + given.get("--regexp", [])
    listing = always_tree and ("--files" in given or "--type-list" in given)
    if not patterns and "-f" not in given and "--file" not in given and not listing:
        if not operands:
            raise UnfitError("a pattern is missing")
        pattern = operands.pop(0)
        if not pattern.known or pattern.glob is not None:
            raise UnfitError("the pattern is not literal")
        patterns = [pattern.text]
    tree = (
        always_tree
        or "-r" in given
        or "--recursive" in given
        or "recurse" in given.get("-d", []) + given.get("--directories", [])
    )
    needle = _needle(patterns, given)
    hidden = (
        not always_tree
        or any(option in given for option in ("-.", "--hidden", "--unrestricted"))
        # A glob or type that names a hidden file opens it, ignored or not.
        or any(option in given for option in ("-g", "--glob", "--iglob", "-t", "--type", "--type-add"))
        or len(given.get("-u", [])) > 1
    )
    for word in operands:
        if not word.known or not word.text:
            raise UnfitError("a path is not literal")
        if word.text != "-":
            access: Access = "list" if listing else "tree" if tree else "read"
            uses.append(Use(access, word.text, word.glob, needle if tree else None, hidden))
    if tree and not operands:
        uses.append(Use("list" if listing else "tree", ".", None, needle, hidden))


_FIND_ALONE = listed(
    """
    -print -print0 -ls -prune -true -false -not -a -o -and -or ( ) ! , -empty -depth -d -daystart -mount -xdev
    -noleaf -readable -writable -executable -nouser -nogroup -quit -ignore_readdir_race -noignore_readdir_race
    -nowarn -warn
    """
)
_FIND_VALUED = listed(
    """
    -name -iname -path -ipath -wholename -iwholename -regex -iregex -regextype -type -xtype -size -mtime -atime
    -ctime -mmin -amin -cmin -perm -user -group -uid -gid -links -inum -maxdepth -mindepth -lname -ilname
    -fstype -printf -used -newermt
    """
)
_FIND_FILE = listed("-newer -anewer -cnewer -samefile")
FIND_HAZARDS = ("-exec", "-ok", "-delete", "-fprint", "-fls", "-files0-from")


def _find(words: Sequence[Word], uses: list[Use]) -> None:
    index = 1
    while index < len(words) and words[index].text in ("-P", "-H", "-O1", "-O2", "-O3"):
        index += 1
    starts: list[Word] = []
    while (
        index < len(words) and not words[index].text.startswith("-") and words[index].text not in ("(", "!", ")", ",")
    ):
        if not words[index].known or not words[index].text:
            raise UnfitError("a path is not literal")
        starts.append(words[index])
        index += 1
    content: list[Use] = []
    while index < len(words):
        word = words[index]
        index += 1
        if not word.known or word.glob is not None:
            raise UnfitError("a predicate is not literal")
        if word.text in _FIND_ALONE:
            continue
        if word.text in _FIND_VALUED or word.text in _FIND_FILE:
            if index >= len(words):
                raise UnfitError(f"{word.text} has no value")
            value = words[index]
            if not value.known or value.glob is not None:
                raise UnfitError(f"the value of {word.text} is not literal (quote it)")
            if word.text in _FIND_FILE:
                uses.append(Use("list", value.text))
            index += 1
            continue
        if word.text == "-exec":
            end = index
            while end < len(words) and words[end].text not in (";", "+"):
                end += 1
            content.extend(_find_exec(words[index:end], starts))
            index = end + 1
            continue
        raise UnfitError(f"{word.text} is not known to be harmless")
    uses.extend([use("list", start) for start in starts] or [Use("list", ".")])
    uses.extend(content)


def _find_exec(inner: Sequence[Word], starts: Sequence[Word]) -> list[Use]:
    """`find src -exec grep -n x {} +`: only what reads, and then it reads everything below the starts."""
    if not inner or any("{}" in word.text and word.text != "{}" for word in inner):
        raise UnfitError("-exec runs something that is not known to be harmless")
    done = study(inner)
    if not done.fit or inner[0].text in ("find", "git"):
        raise UnfitError("-exec runs something that is not known to be harmless")
    uses: list[Use] = []
    for one in done.uses:
        if one.path != "{}":
            uses.append(one)
        elif one.access in ("read", "tree"):
            uses.extend(Use("tree", s.text, s.glob) for s in starts)
            if not starts:
                uses.append(Use("tree", "."))
        elif one.access != "list":
            raise UnfitError("-exec writes")
    return uses


_SED = spec(
    "-nErsuz --quiet --silent --regexp-extended --separate --unbuffered --null-data --posix --debug",
    "-e -l --expression --line-length",
    "",
)


def _sed(words: Sequence[Word], uses: list[Use]) -> None:
    operands, given = read_options(words, _SED, uses)
    scripts = given.get("-e", []) + given.get("--expression", [])
    if not scripts:
        if not operands:
            raise UnfitError("a script is missing")
        script = operands.pop(0)
        if not script.known or script.glob is not None:
            raise UnfitError("the script is not literal")
        scripts = [script.text]
    wrong = sed_fault("\n".join(scripts))
    if wrong:
        raise UnfitError(wrong)
    assign(operands, "f*", uses)


_SED_ADDRESS = regex(r"[ \t]*(?:\d+(?:~\d+)?|\$|[+~]\d+)")


def sed_fault(script: str) -> str | None:
    """Why a sed script may do more than print, or None. A whitelist: `w r e W R F` and what is unknown are faults."""
    at, end = 0, len(script)

    def regex(at: int, delimiter: str) -> int:
        while at < end:
            if script[at] == "\\":
                at += 2
            elif script[at] == "\n":
                return -1
            elif script[at] == delimiter:
                return at + 1
            else:
                at += 1
        return -1

    while at < end:
        if script[at] in " \t;\n}{":
            at += 1
            continue
        if script[at] == "#":
            newline = script.find("\n", at)
            at = end if newline < 0 else newline
            continue
        for _ in range(2):
            match = _SED_ADDRESS.match(script, at)
            if match:
                at = match.end()
            elif script[at : at + 1] == "/" or (
                script[at : at + 1] == "\\" and at + 1 < end and script[at + 1] not in "\n\\"
            ):
                delimiter = "/" if script[at] == "/" else script[at + 1]
                at = regex(at + (1 if script[at] == "/" else 2), delimiter)
                if at < 0:
                    return "a sed address is not closed"
                while script[at : at + 1] in ("I", "M"):
                    at += 1
            while script[at : at + 1] in (" ", "\t"):
                at += 1
            if script[at : at + 1] == ",":
                at += 1
            else:
                break
        while script[at : at + 1] in ("!", " ", "\t"):
            at += 1
        command = script[at : at + 1]
        at += 1
        if not command:
            return "a sed command is missing"
        if command in "{}":
            continue
        if command in "pdDhHgGxnNP=lz":
            pass
        elif command in "qQ":
            match = re.compile(r"[ \t]*\d*").match(script, at)
            at = match.end() if match else at
        elif command in "btT:":
            match = re.compile(r"[ \t]*[A-Za-z0-9_]*").match(script, at)
            at = match.end() if match else at
        elif command in "sy":
            delimiter = script[at : at + 1]
            if not delimiter or delimiter in "\n\\":
                return "a sed command is not understood"
            at = regex(at + 1, delimiter)
            at = regex(at, delimiter) if at >= 0 else at
            if at < 0:
                return "a sed command is not closed"
            while command == "s" and at < end and script[at] in "gpiIm0123456789M":
                at += 1
        elif command in "aic":
            newline = script.find("\n", at)
            if script[at:newline].endswith("\\") if newline >= 0 else script.endswith("\\"):
                return "a sed text goes on over lines"
            at = end if newline < 0 else newline
        else:
            return f"the sed command {command} can run or write something"
        while script[at : at + 1] in (" ", "\t"):
            at += 1
        if at < end and script[at] not in ";\n}#":
            return "a sed command has flags that can run or write something"
    return None


_AWK = spec("", "-F -v", "")
_AWK_FAULTS = regex(
    r"system|getline|ENVIRON|PROCINFO|SYMTAB|FUNCTAB|ARG|@|(?<!\|)\|(?!\|)|close|/inet|print.*>|load|include|namespace",
    re.DOTALL,
)


def awk_fault(program: str) -> str | None:
    """Why an awk program may do more than print, or None."""
    match = _AWK_FAULTS.search(program)
    return f"the awk program contains {match.group()[:12]}" if match else None


def _awk(words: Sequence[Word], uses: list[Use]) -> None:
    operands, given = read_options(words, _AWK, uses, ordered=True)
    if not operands or not operands[0].known or operands[0].glob is not None:
        raise UnfitError("the program is not literal")
    wrong = awk_fault(operands.pop(0).text)
    if wrong:
        raise UnfitError(wrong)
    if any("\\" in value for value in given.get("-v", [])):
        raise UnfitError("a value has escapes")
    for word in operands:
        if re.match(r"[A-Za-z_]\w*=", word.text):
            raise UnfitError("an operand assigns")
    assign(operands, "f*", uses)


_JQ = spec(
    "-racnesSMCRj --raw-output --compact-output --null-input --exit-status --slurp --sort-keys --monochrome-output"
    " --color-output --raw-input --join-output --tab --ascii-output --args --jsonargs --stream",
    "--indent",
    "",
)


def _jq(words: Sequence[Word], uses: list[Use]) -> None:
    kept = list(words)
    index = 1
    while index < len(kept):
        if kept[index].text in ("--arg", "--argjson"):
            if not all(word.known and word.glob is None for word in kept[index : index + 3]):
                raise UnfitError("an argument is not literal")
            del kept[index : index + 3]
        else:
            index += 1
    operands, _ = read_options(kept, _JQ, uses)
    if operands:
        program = operands.pop(0)
        if not program.known or program.glob is not None:
            raise UnfitError("the program is not literal")
        if re.search(r"\benv\b|ENV|import|include|modulemeta|get_search_list|input_filename", program.text):
            raise UnfitError("the jq program may read more than its input")
    assign(operands, "f*", uses)


_TEST_FILE = listed("-a -b -c -d -e -f -g -h -k -L -N -O -G -p -r -s -S -u -w -x")
_TEST_TEXT = listed("-z -n")
_TEST_BETWEEN = listed("= == != < > -eq -ne -lt -le -gt -ge -a -o -nt -ot -ef")


def _test(words: Sequence[Word], uses: list[Use]) -> None:
    rest = list(words[1:])
    if words[0].text == "[" and (not rest or rest.pop().text != "]"):
        raise UnfitError("the bracket is not closed")
    for word in rest:
        if word.text in ("-v", "-R", "-o", "-t"):
            raise UnfitError(f"{word.text} evaluates its operand")
        if word.glob is not None:
            raise UnfitError("an operand is not literal")
    pending = ""
    for index, word in enumerate(rest):
        text = word.text
        if not word.known:
            if pending in _TEST_FILE:
                raise UnfitError("a path is not literal")
            pending = ""
        elif pending:
            if pending in _TEST_FILE:
                uses.append(Use("list", text))
            pending = ""
        elif text in ("!", "(", ")"):
            continue
        elif text in ("-nt", "-ot", "-ef"):
            for other in rest[max(index - 1, 0) : index + 2 : 2]:
                if not other.known:
                    raise UnfitError("a path is not literal")
                uses.append(Use("list", other.text))
        elif text in _TEST_BETWEEN and index > 0:
            continue
        elif text in _TEST_FILE or text in _TEST_TEXT:
            pending = text


_SORT = spec(
    "-bdfgihMnRrVcCmsuz --ignore-leading-blanks --dictionary-order --ignore-case --general-numeric-sort --month-sort"
    " --human-numeric-sort --numeric-sort --random-sort --reverse --version-sort --check --merge --stable --unique"
    " --zero-terminated --debug",
    "-k -t -S --key --field-separator --buffer-size --parallel --sort --batch-size",
    "",
)


def _sort(words: Sequence[Word], uses: list[Use]) -> None:
    operands, _ = read_options(words, _SORT, uses)
    assign(operands, "f*", uses)


_DIFF = spec(
    "-aBbcdeEiNnpqrsTtuwyZ --text --brief --ignore-blank-lines --ignore-space-change --ignore-all-space --ignore-case"
    " --minimal --new-file --side-by-side --report-identical-files --unified --context --color --color= --recursive"
    " --suppress-common-lines --ignore-trailing-space --unified= --strip-trailing-cr --no-dereference"
    " --speed-large-files",
    "-U -C -W -I -x -L --label --width --exclude --ignore-matching-lines",
    "",
)


def _diff(words: Sequence[Word], uses: list[Use]) -> None:
    operands, _ = read_options(words, _DIFF, uses)
    if len(operands) != 2:
        raise UnfitError("it needs two files")
    found: list[Use] = []
    assign(operands, "ff", found)
    # Two folders are compared file by file even without -r.
    uses.extend(Use("tree", one.path, one.glob) for one in found)


_DATE = spec(
    "-uR --utc --universal --rfc-email --iso-8601 --iso-8601= --rfc-3339= -I", "-d -r:l --date --reference:l", ""
)


def _date(words: Sequence[Word], uses: list[Use]) -> None:
    plain = [w for w in words if not re.fullmatch(r"-I(date|hours|minutes|seconds|ns)", w.text)]
    operands, _ = read_options(plain, _DATE, uses)
    if any(not word.text.startswith("+") or word.glob is not None for word in operands) or len(operands) > 1:
        raise UnfitError("it may set the clock")


def _ps(words: Sequence[Word], uses: list[Use]) -> None:
    if not all(
        re.fullmatch(r"-[efFlAHTjaNw]+|[auxfwj]+|-[pCu]|\d+(,\d+)*|--forest|--no-headers", w.text) for w in words[1:]
    ):
        raise UnfitError("its options may show the environment of other programs")


def _printf(words: Sequence[Word], uses: list[Use]) -> None:
    if len(words) > 1 and (words[1].text.startswith("-") or not words[1].known) and words[1].text != "--":
        raise UnfitError("it may assign a variable")
    if any(re.search(r"%[^A-Za-z%]*[hlLqjzt]*n", word.text) for word in words[1:]):
        raise UnfitError("%n assigns a variable")
    assign(words[1:], "t*", uses)


def _command(words: Sequence[Word], uses: list[Use]) -> None:
    if len(words) < 2 or words[1].text not in ("-v", "-V"):
        raise UnfitError("it runs another command")
    if not all(re.fullmatch(r"[A-Za-z0-9_.+-]+", word.text) for word in words[2:]):
        raise UnfitError("a name is unusual")


def _cd(words: Sequence[Word], uses: list[Use]) -> None:
    operands = [word for word in words[1:] if word.text != "--"]
    if len(operands) != 1 or operands[0].text.startswith("-") or not operands[0].text:
        raise UnfitError("it goes somewhere that is not plain")
    if not operands[0].known or operands[0].glob is not None:
        raise UnfitError("it goes somewhere that is not literal")
    uses.append(Use("enter", operands[0].text))


def _tar(words: Sequence[Word], uses: list[Use]) -> None:
    if len(words) < 3 or not re.fullmatch(r"-?t[vzjJ]*f|-?[vzjJ]+tf|-tv?f", words[1].text):
        raise UnfitError("it may unpack or run something")
    if ":" in words[2].text:
        raise UnfitError("an archive with a colon in its name is fetched from another machine")
    assign(words[2:3], "f", uses)
    for word in words[3:]:
        if word.text.startswith("-") or not word.known or word.glob is not None:
            raise UnfitError("it may unpack or run something")


def _unzip(words: Sequence[Word], uses: list[Use]) -> None:
    if len(words) != 3 or words[1].text not in ("-l", "-v", "-Z1", "-Z"):
        raise UnfitError("it may unpack something")
    assign(words[2:], "f", uses)


_XARGS = spec(
    "-0rtx --null --no-run-if-empty --verbose", "-n -L -d -P --max-args --max-lines --delimiter --max-procs", ""
)


def _xargs(words: Sequence[Word], uses: list[Use]) -> None:
    index = 1
    while index < len(words) and words[index].text.startswith("-"):
        index += 2 if words[index].text in ("-n", "-L", "-d", "-P") else 1
    read_options(words[:index], _XARGS, uses)
    inner = words[index:]
    if inner and inner[0].text not in ("echo", "basename", "dirname"):
        raise UnfitError("it gives operands that nobody can see to another command")
    done = study([*inner, Word("x", known=False)]) if inner else Study(True)
    if not done.fit:
        raise UnfitError(done.why)
    uses.extend(done.uses)


_PIP = frozenset({"list", "show", "freeze"})


def _pip(words: Sequence[Word], uses: list[Use]) -> None:
    if len(words) < 2 or words[1].text not in ("list", "show"):
        raise UnfitError("it may install something")
    if any(
        not re.fullmatch(r"[A-Za-z0-9_.-]+", word.text)
        or (word.text.startswith("-") and word.text not in ("-v", "-f", "--files", "--outdated"))
        for word in words[2:]
    ):
        raise UnfitError("its options are not known to be harmless")
    if any(word.text == "--outdated" for word in words):
        raise UnfitError("it goes to the network")


_VERSIONED = listed(
    """
    python python3 python3.11 python3.12 python3.13 python3.14 pip pip3 node npm deno bun ruby gem perl php java
    javac go gcc g++ clang clang++ cc c++ make cmake ninja git rg ruff uv mypy docker podman kubectl helm
    terraform jq curl wget tar zip bash zsh sh dotnet swift ghc lua R julia sqlite3 psql mysql redis-cli ffmpeg
    openssl rustc cargo rustup fd bat grep sed awk gawk find diff tree make bwrap
    """
)
_RUST = frozenset({"rustc", "cargo", "rustup"})


def _versions(words: Sequence[Word], uses: list[Use]) -> bool:
    if len(words) != 2 or words[0].text not in _VERSIONED or words[0].text == "sh":
        return False
    asked = words[1].text
    if asked != "--version" and not (asked == "version" and words[0].text in ("go", "docker", "openssl")):
        short = {"python": "-V", "python3": "-V", "node": "-v", "npm": "-v", "pip": "-V", "rustc": "-V", "cargo": "-V"}
        if asked != short.get(words[0].text):
            return False
    if words[0].text in _RUST:
        # These may be rustup's proxies, which start a toolchain that the project names.
        uses.extend((Use("absent", "rust-toolchain"), Use("absent", "rust-toolchain.toml")))
    return True


# -- commands that write, known so that their targets are seen -------------------------------------------------------


def _plain(words: Sequence[Word]) -> list[Word]:
    """The operands, options left out. May take an option's value for an operand, which errs to the safe side."""
    for index, word in enumerate(words):
        if word.text == "--":
            return [w for w in words[1:index] if not w.text.startswith("-")] + list(words[index + 1 :])
    return [word for word in words[1:] if not word.text.startswith("-") or word.text == "-"]


def _flag(words: Sequence[Word], letters: str) -> bool:
    return any(
        (re.match(r"-[A-Za-z]", w.text) and any(letter in w.text for letter in letters))
        or w.text in ("--recursive", "--archive")
        for w in words[1:]
    )


def _writes(words: Sequence[Word]) -> list[Use] | None:
    """The paths of a command that is known to write; None for one that is not."""
    name = basename(words[0].text)
    plain = _plain(words)
    if name in ("rm", "rmdir", "unlink", "shred", "srm", "trash", "trash-put"):
        return [use("remove", word) for word in plain]
    if name in (
        "touch",
        "tee",
        "mkdir",
        "truncate",
        "mkfifo",
        "mknod",
        "vi",
        "vim",
        "nano",
        "emacs",
        "ed",
        "ex",
        "sponge",
    ):
        return [use("write", word) for word in plain]
    if name in ("chmod", "chown", "chgrp", "chattr", "setfacl"):
        return [use("write", word) for word in plain[1:]]
    if name in ("cp", "mv", "ln", "install", "rsync", "scp", "link"):
        target = None
        for index, word in enumerate(words):
            option, equals, value = word.text.partition("=")
            if option == "--target-directory" and equals:
                target = Word(value)
            elif word.text in ("-t", "--target-directory") and name != "rsync" and index + 1 < len(words):
                target = words[index + 1]
            elif word.text.startswith("-t") and len(word.text) > 2 and name != "rsync":
                target = Word(word.text[2:])
        sources = [w for w in plain if w is not target]
        if target is None:
            if len(sources) < 2:
                sources, target = sources, Word(".")
            else:
                sources, target = sources[:-1], sources[-1]
        read: Access = "remove" if name == "mv" else "tree" if _flag(words, "rRa") else "read"
        found = [use(read, word) for word in sources]
        if name == "mv":
            found += [use("read", word) for word in sources]
        found.append(use("write", target))
        for word in sources:
            found.append(Use("write", target.text.rstrip("/") + "/" + basename(word.text.rstrip("/"))))
        return found
    if name in ("tar", "bsdtar", "unzip", "cpio", "7z"):
        return [
            use("write", words[i + 1])
            for i, w in enumerate(words[:-1])
            if w.text in ("-C", "--directory", "-d", "-D") and (w.text != "-d" or name == "unzip")
        ] + [Use("write", w.text.partition("=")[2]) for w in words if w.text.startswith("--directory=")] or None
    if name == "dd":
        found = []
        for word in words[1:]:
            key, _, value = word.text.partition("=")
            if key in ("of", "if"):
                found.append(Use("write" if key == "of" else "read", value))
        return found
    if name in ("curl", "wget"):
        found = []
        for index, word in enumerate(words):
            option, equals, value = word.text.partition("=")
            following = words[index + 1].text if index + 1 < len(words) else ""
            if option in (
                "-o",
                "-O",
                "--output",
                "--output-document",
                "-P",
                "--output-dir",
                "-c",
                "--cookie-jar",
                "-D",
            ):
                path = value if equals else following
                if path and path != "-" and not path.startswith("-") and "://" not in path:
                    found.append(Use("write", path))
            if word.text.startswith("@"):
                found.append(Use("read", word.text[1:]))
            if option in (
                "-T",
                "--upload-file",
                "-K",
                "--config",
                "-b",
                "--post-file",
                "--body-file",
                "-F",
                "-d",
                "--data",
                "--data-binary",
            ):
                path = (value if equals and word.text.startswith("--") else following).rpartition("@")[2]
                found.append(Use("read", path))
        return found
    return None


def _sed_in_place(words: Sequence[Word]) -> list[Use]:
    rest = [w for w in words[1:] if not w.text.startswith("-")]
    scripted = any(w.text.startswith(("-e", "--expression")) for w in words)
    return [use("write", word) for word in (rest if scripted else rest[1:])]


# -- hazards: what no starred rule covers ----------------------------------------------------------------------------

_HAZARDOUS = {
    "sort": ("--co", "-T", "--te", "--files0-from", "--random-source"),
    "rg": ("--pre", "--hostname-bin", "-z", "--search-zip"),
    "tar": (
        "--to-command",
        "-I",
        "--use-compress-program",
        "--checkpoint-action",
        "--rsh-command",
        "--info-script",
        "-F",
        "--new-volume-script",
    ),
    "rsync": ("-e", "--rsh", "--rsync-path"),
    "ssh": ("-o", "-F", "-D", "-L", "-R", "-w"),
    "scp": ("-o", "-F", "-S"),
    "man": ("-P", "--pager", "-H", "--html", "-C"),
    "zip": ("-T", "--unzip-command", "-TT"),
    "date": ("-s", "--s", "-f", "--f"),
    "file": ("-f", "--files-from", "-m", "-C"),
    "wc": ("--files0-from",),
    "tree": ("-o", "-R", "--fromfile", "-H"),
    "fd": ("-x", "-X", "--exec"),
    "fdfind": ("-x", "-X", "--exec"),
    "mapfile": ("-C",),
    "readarray": ("-C",),
    "printf": ("-v",),
    "test": ("-v", "-R"),
    "[": ("-v", "-R"),
    "less": ("+", "-k", "-o", "-O"),
    "more": ("+",),
    "vim": ("+", "-c", "--cmd", "-s", "-S"),
    "vi": ("+", "-c", "--cmd", "-s", "-S"),
    "xxd": ("-r",),
    "go": ("-exec", "-toolexec", "-vettool", "-overlay"),
    "cargo": ("--config",),
    "make": ("SHELL=", "--eval", "-E", "MAKEFLAGS="),
    "curl": ("-K", "--config", "-o", "-O", "--output", "--remote-name"),
    "wget": ("--use-askpass", "-e", "--execute", "-O", "--output-document"),
    "docker": ("--privileged", "-v", "--volume", "--mount"),
    "node": ("-e", "--eval", "-p", "--print", "-r", "--require", "--import", "--loader"),
    "python": ("-c",),
    "python3": ("-c",),
    "perl": ("-e", "-E", "-i"),
    "ruby": ("-e", "-i"),
    "php": ("-r",),
}


def _hazard(words: Sequence[Word]) -> str | None:
    name = basename(words[0].text)
    texts = [word.text for word in words[1:]]
    if name == "find":
        for text in texts:
            if text.startswith(FIND_HAZARDS):
                return f"{text} runs, writes or removes something"
    for text in texts:
        for option in _HAZARDOUS.get(name, ()):
            longer = option.startswith("--") or len(option) > 2
            if text == option or (text.startswith(option) and (longer or option[:1] in "-+")):
                return f"{name} {option} can run, write or read something else"
            if (
                len(option) == 2
                and re.match(r"-[A-Za-z]+\Z", text)
                and option[1] in text[1:]
                and name not in ("go", "node", "python", "python3")
            ):
                return f"{name} {option} can run, write or read something else"
    return None


_SPECIAL: dict[str, Callable[[Sequence[Word], list[Use]], None]] = {
    "grep": lambda words, uses: _searching(words, uses, _GREP, False),
    "egrep": lambda words, uses: _searching(words, uses, _GREP, False),
    "fgrep": lambda words, uses: _searching(words, uses, _GREP, False),
    "rg": lambda words, uses: _searching(words, uses, _RG, True),
    "find": _find,
    "sed": _sed,
    "awk": _awk,
    "gawk": _awk,
    "mawk": _awk,
    "jq": _jq,
    "test": _test,
    "[": _test,
    "sort": _sort,
    "diff": _diff,
    "date": _date,
    "ps": _ps,
    "printf": _printf,
    "command": _command,
    "cd": _cd,
    "tar": _tar,
    "unzip": _unzip,
    "xargs": _xargs,
    "pip": _pip,
    "pip3": _pip,
}


def study(words: Sequence[Word]) -> Study:
    """What these words do. Never raises."""
    if not words or not words[0].known or words[0].glob is not None:
        return Study(False, "the command's name is not literal")
    name = words[0].text
    uses: list[Use] = []
    if name == "git":
        return study_git(words)
    if _versions(words, uses):
        return Study(True, uses=tuple(uses), known=True)
    try:
        special = _SPECIAL.get(name)
        if special is not None:
            special(words, uses)
        else:
            row = _specs().get(name)
            if row is None:
                raise UnfitError(f"{name[:60]} is not known to only read")
            operands, _ = read_options(words, row, uses, ordered=name in _OPTIONS_FIRST)
            assign(operands, row.operands, uses)
    except UnfitError as unfit:
        return _other(words, str(unfit))
    return Study(True, uses=tuple(uses), known=True)


def _other(words: Sequence[Word], why: str) -> Study:
    """A command that is more than reading, or not understood."""
    name = basename(words[0].text)
    hazard = _hazard(words)
    if name == "sed":
        in_place = any(re.match(r"-[nErsuz]*i|--in-place", w.text) for w in words[1:])
        if in_place:
            scripts = [w.text for w in words[1:] if not w.text.startswith("-")]
            fault = sed_fault(scripts[0]) if scripts else "no script"
            odd = any(w.text.startswith(("-e", "-f", "--file", "--expression")) for w in words[1:])
            return Study(
                False,
                "it edits files in place",
                tuple(_sed_in_place(words)),
                True,
                "its script" if fault or odd else None,
            )
        return Study(False, why, hazard=hazard or why)
    if name in ("awk", "gawk", "mawk", "jq"):
        return Study(False, why, hazard=why)
    if name == "sort":
        found = []
        for index, word in enumerate(words[1:], 1):
            if word.text in ("-o", "--output") and index + 1 < len(words):
                found.append(use("write", words[index + 1]))
            elif word.text.startswith("--o"):
                found.append(Use("write", word.text.partition("=")[2]))
            elif re.match(r"-[a-zA-Z]*o", word.text):
                found.append(
                    Use(
                        "write",
                        word.text.partition("o")[2] or (words[index + 1].text if index + 1 < len(words) else ""),
                    )
                )
        if found and hazard is None:
            return Study(False, "it writes a file", (*found, *(use("read", w) for w in _plain(words))), True)
    if name in ("uniq", "xxd"):
        plain = _plain(words)
        if len(plain) > 1:
            return Study(False, why, (use("read", plain[0]), *(use("write", w) for w in plain[1:])), True, hazard)
    if name == "tree":
        targets = [use("write", words[i + 1]) for i, w in enumerate(words[:-1]) if w.text == "-o"]
        return Study(False, why, tuple(targets), False, hazard)
    if name == "find":
        removing = any(word.text == "-delete" for word in words)
        starts = []
        for word in words[1:]:
            if word.text.startswith("-") or word.text in ("(", "!"):
                break
            starts.append(word)
        found = [use("remove" if removing else "list", word) for word in starts or [Word(".")]]
        found += [
            use("write", words[i + 1]) for i, w in enumerate(words[:-1]) if w.text.startswith(("-fprint", "-fls"))
        ]
        return Study(False, why, tuple(found), False, hazard)
    writes = _writes(words)
    if writes is not None:
        return Study(False, "it writes", tuple(writes), True, hazard)
    return Study(False, why, hazard=hazard)
