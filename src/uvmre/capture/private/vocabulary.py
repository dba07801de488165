"""The words that are public: they identify no person, company or project, so they may stay in an MRE.

Everything that is not here, and no name of a package of PyPI that the MRE mentions, is replaced.
"""

import builtins
import keyword
import re
import sys
from functools import lru_cache

from uvmre.core.network.registries import PROFILES
from uvmre.core.secrets.values import PUBLIC


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PACKAGES = _words(
    """
build-editable cmeel-boost flit-core hatch-fancy-pypi-readme hatch-requirements-txt hatch-vcs importlib-metadata
importlib-resources meson-python pdm-backend pdm-pep517 poetry-core poetry-dynamic-versioning pytest-cov
scikit-build scikit-build-core setuptools-git-versioning setuptools-rust setuptools-scm typing-extensions uv-build
uv-dynamic-versioning
"""
)
"""Build backends, their plugins and other packages that every project may name, beside those of one word."""
USERS = _words("aws git oauth2accesstoken gitlab-ci-token __token__ x-access-token x-token-auth vsssessiontoken")
"""User names that a service demands, and so identify no one."""
WORDS = _words(
    """
aarch abandoning abbreviated abbreviation abi able abnormally abort about above absent absolute abspath abstract
accelerator accept acceptance access accessible accesstoken according account accumulated accurate acknowledgement
acknowledgment acquire acquiring across act action activate activation active actual adapt add addition additional
additionalproperties address adherence adhering adjacent adjust admin advance advancing affect after again against age
agent ago ahead alert algorithm alias align alive allocate allocation allow along alongside alpha alphabet alphanumeric
alpine already also alt alternate alternative always amazonaws ambient ambiguity ambiguous amd an analysis ancestor
anchor android annotate annotation announcement another answer anything anyway anywhere api apk app apparent appear
append apple applicable application applied applies applying appreciated appropriate apt arbitrary arch architecture
archive are arg arguably argument argv arithmetic arm armv around arrays arriving artifact artifactory ask assembly
assertion asserts assessing asset assign assignment associated associates assume assuming assurance astral at atomic
attach attack attempt attestation attr attribute attribution audience audit auditwheel auth authenticate authentication
author authoritative authority authorization authorized auto automatic automatically availability available avg avoid
aware away awk aws azure back backend background backport backwards bad balanced bar bare based basename bash basic
batch baz bdist be bearer because become been before beforehand begin beginning behavior behaviour behind being below
benchmark best beta between beyond big bigger binaries binary bind bindings bit bitbucket black blank blob block body
bogus bold bom bookworm boolean boot bootstrap borrowed borrowing both bottom bound boundaries boundary brace bracket
branch breaking brew broad broken browser bucket buffer bug buggy buildah buildapi builder building buildkit builds
built bullseye bump bundle bus buster busybox but by bypass byte bytecode bzr ca cache calculate call callback can
canceled canceling cancelled candidate cannot canonical canonicalize canonicalizing cant capabilities capacity
capitalize capture capturing care cargo carry case cast cat catch caught cause causing caution cbc cc cd cdn cdylib
center centos central centralized cert certain certificate certification cffi cfg chain chance change changelog
changing channel char character check checkout child children chmod choice chose chosen chown chunks ci cibw cipher
claim clang classes classification classifier clause clean cleanup clear cli click client clock clone close closest
closing cloud cls cmake cmdclass cmp codeartifact codes collect collection collectors colon color column com
combination combine combining come comm comma command comment commit common compare comparing comparison compatibility
compatible compilation compiled compiler compiling complains complete completing completion compliant component
composite compressed compute concise conclude cond conda condition conf config configuration configure confirm
confirmation conflict conftest confused confusion connect connection connectivity consequence consider consist
consistency consistent console constant constitutes constrain constraint construct constructor consume consuming
contain containers content context continuing continuous contributing contributors control convenient convention
convergence conversely conversion convert copied copies copyfile copying copytree core correct correspond corrupt
corruption could couldn count coupling coverage coveragerc covered covering cp cpp cpu cpython crash crate crc create
creating creation credentials criteria cross crt ctype cu cuda curl current custom customize cut cutoff cvs cxx cycle
cyclic cyclonedx cygwin cython dangling darwin dash database date david days de deal debian debugging decision
declaration declare declaring decode decoding decorator dedicated dedupe default define definitely definition degraded
delete deleting demo denied dense depend dependencies dependency dependent deploy deployment deprecate deps depth
derivation derivatives derive describe describing description descriptor deserialize designs desired destination
destroyed destruction detached detail detect detection determine dev devcontainers develop development device devops
devpi dictionary did didn diff difference different digest digit digital direct direction directive directories
directory dirname dirs dirty disable disallow discard discontinued discouraged discover discovery discussion disk
dispatch display dist distance distinct distinfo distribute distribution distributors distroless divide dll dnf dns do
docker dockerfile dockerignore dockerize docs docstring document documentation does doesn doing domain don done dot
dotted double down downgrade download downstream drive driver drop dropped dry du due dumps duplicate duration during
dylib dynamic dynamically each eager eagle earlier early east easy echo ecosystem edge edit editables editor effect
effort egg egginfo eight either element elf embedded emit empty emscripten enable enabling enclosed encode encoding
encountered encountering encrypted encryption end endpoint endswith enforce enforcing engine enough ensure enter entire
entity entries entropy entry entrypoint env environ environment eof epoch eq equal equality equivalence equivalent err
erroneous error escape escaping especially establishing etc evaluate even event eventually ever every everything exact
example exceed exceptions excess excessive exclude excluding exclusion exclusive exe executable execute executing
execution exhausted exhausting exist existence existent exited exiting exits expand expanduser expected expecting
expects experimental expiration expire explicit exponent export expose expr expressed expression ext extend extension
externally extra extract extraneous extremely fact fail failure fake fall fallback fancy far fast fatal fault favor fd
feature fedora feed fetch few fewest ffi field figure file filename fill filtered filtering filters final finalize find
finditer fine finish finite first fit five fix fixture flag flat flex flit floating flow flush fn focal folder follow
font foo footer forbidden force forcefully forget forgetting fork form formats formatted formatter formatting forward
found four fraction fractional fragment frame framework framing free freeze fresh friendly frontend fs ftp fu full
fullmatch fully func function functionality further gap gateway gather gb gcc gcp gcs general generate generating
generation generator generic get getcwd getenv getitem getter getting ghcr gib gid gil git github gitignore gitlab give
given glibc globs gmt gnu go going gone google got gpu graalpy grammar graph greater grep group groupdict guaranteed
guard gui gz had half hand handle handler handling handshake hang happened hard hardlink hardware has hashes hasn hatch
hatchling have having he head headers healthcheck hear heavy height held hello helper hence here heron heuristics hg
hidden hide high highest hijack hint historically history hit hoc home homebrew homepage hook host hostname hour how
however https hub huge hugging human hybrid idea ideally identical identification identified identifier identify
identity idle idna ids ignore ignoring image impl implement implementation implicitly implies importable important
imported importing imports imposed impossible inappropriate include including inclusion incoming incompatible
incomplete inconsistency inconsistent incorrect increase increasing indent independent index indicate indicating
indicator indices individual inexact infallible infer inferred infinite infinity info information informational inherit
ini init initial initialize initiate initiating inject inline inner inplace inputs insecure insert inside inspecting
install installation instance instant instead instruction integer integral integration integrity intended intentional
interactive interface intermediary intermediate internal interpret interpreters interrupt interval into introduces
introduction invalid invariant inverse invert invoke invoking ios iphoneos iphonesimulator ir irrelevant irrespective
isabs isdir isfile isn isolate isolation isort issue issuer it item iterdir its itself jammy java jfrog jinja job join
js jupyter just jython kb keep kernel key keyring keywords kib kill kind know known kwargs label lack lang language
large larger largest last later latest latin latter launch layer layout lazy lc ld le leaf least leave left legacy
length less let letter level lexer lfs libc libraries library libs licence licensed licenses licensing lifetime like
limit limitation line linear link lint linux linuxbrew listdir listed listener listening listing lists literal live ll
ln load localhost locally locate location locator lock lockfile log logged logger logic login logout long longest look
lookup loongarch loop low lowest ls lstrip mac mach machine macos macosx macros made magically main maintain
maintainers major make makedirs makefile making malformed malware manage manager mandatory manifest manual many
manylinux mapped mapping maps mark markdown markers market mask masonry master match materials matrix matter maturin
maximum may maybe mb mcr me mean meant mechanism media medium meet member memory merge merging meson mesonpy message
messaging meta metadata method mib micro microsoft mid might mime minimal minimize minimizing minimum minor minute
mirror mismatch missed missing mistake mixin mkdir mkdocs mkdtemp mnt mod mode model modern modification modified
modify module moment month more most motion mount move moving mre ms msg msvc much multi multiline multiple
multiplication multiplying musl musllinux must mutually mv my mypy named names namespace naming nan narrowing native
near nearest necessary need needles negative negotiated neither nested net network never new newline nexus nightly nine
ninja no noble node nodename non nonexistent noninteractive nor normal normalization normalize note notebook nothing
notice notify notset now nox null number numeric numpy nvcr nvidia oauth obj objects observe observing obsolete obtain
occur occurred occurrences odd of off offline offset often ok old oldest omit omitted on onbuild once one only op
opened opening operand operating operation opposed opt optimal optimize option optional order org origin original
orphan osv other otherwise our out outdated output outside outstanding over overflow overlap overlapping overlay
overridden override overriding own packaged packages packaging packet padded padding page pager pair panic panicked
parallel param parameter parent parentdir parentheses parity parser parsing part partial particularly passed passing
password past patch paths pathspec pattern payload pc pci pdm peer pem pending pep per percent perform performance
perhaps period permission permit permitted persist persistence person pgo pil pin pinned pinning pip pipe pipefail
pipeline pkg place placeholder plain plan platforms platinclude platlib plausible please pluggy plugin plus podman
poetry point policy poll pool pop popen populate port portions pos posargs position positive possibility possible
possibly post potential powerpc pp ppc pre preceded precedence preceding precise precision prefer preference preferred
preferring prefetch prefix prepare preparing prepend preprod prerelease prerequisite presence present preserve
preserving presumed pretty prevent preview previous primarily primary printed printf printing prints prior prioritize
priority private privilege probably probe problem proc proceed process prod produce producer production program
programming progress project prompt propagation proper properties proposals props protection proto protocol provide
provider proxies proxy prune pruning pth public publication publish pull pure purelib push put pybind pyc pyd
pyemscripten pyi pylock pyo pyodide pypi pyproject pypy pytest python pythondontwritebytecode pythonhashseed pythonhome
pythonpath pythonunbuffered pytorch pyx queried queries query quick quiet quite quote quoting qux raised ran ranges
rate rather rationale raw rc reach read readme ready really realm realpath reason rebuild receive recent reclaiming
recognise recognize recommend record recreate recreating recursive redirect reduce reducing redundant ref reference
refining reflect reflink refrain refresh refuse refusing regarded regardless regex region register registry regular
reinstall reinstallation reject related relative release releasing relevant reliable relocatable relocation relying
remain remainder remote removal remove removing rename render repair repeat repetition replace replacement replacing
repo report reporters repository represent representation reproduce reproducible req request require requirement rerun
reserved reset resolution resolve resolver resolving resources respect responded response restart restoration restore
restrict restriction restrictive result resumed retain retention retries retrieve returned returning returns reuse rev
reverse revised revision revspec rewrite rglob rhel right riscv rlib rm rmtree rocky rocm rollback root rounded rounds
route rpm rs rst rstrip ruff rule run runner running runtime rust rustc rustup rw rx safe same samefile sample sandbox
satisfied satisfies satisfy save saver says sbin sbom scalar scan scanner scenarios schema scheme scikit scm scope
scratch script sdist sdk search second secondary secret secs section security sed see seeds seek seems seen segment
selected selecting selection selector selects self semantics semver send sensitive sent sentinel separate separating
sequence serial serialize server service servname session setdefault sets setter setting setup setuptools seven sh
shall shallow share sharing she shell short shortcut shortest should show shown shrink shut shutdown shutting side sign
signature silent simple simplified simply simulator simultaneously since single sipbuild situation six size skip
skipped skipping slash sleep slices slim small smallest so socks soft software solution solved solving some someone
something sometimes sonatype sort source space spam span sparse spawn special specific specifically specification
specified specifier specifies specify specs speed sphinx spinners spits split splitext splitlines splitting square src
srv ssh stability stable stack stage staging stale standalone standard start startswith startup state statement static
staticlib status std stderr stdin stdout step sticking still stop stopping stopsignal storage store strategy stray
stream strict strings strip stripping structure stub stuck style su sub subclass subdirectory subject submodule
subscriber subsequent subset subtract succeeded succeeds success successful such sudo sufficient suffix suggest
suitable suite summary supplemental supplied supported supports suppress sure surrounding svn swapped swig switch
symbol symbolic symlink symptom sync synchronization synchronized syntax synthesized system tab table tabular tag
tagged tail take taken taking tar target task tcp tee tells temp template temporarily temporary ten term terminal
terminate terminating termination terminator test text tgz than that the their them themselves then there therefore
these they thing third those though threaded threads three through thus tickets timed timely timeout timer times
timestamp timezone title tls tmp tmpdir tmpfs tokens toml tomli too tool toolchain top toplevel torch total touch tox
tput tr tracing tracked tracks trailing trait transfer transform transition translate transport treat tree tried
trigger trimming trip trixie trove trust trying twice twine two txt typed tz ubi ubuntu ui uid ulimit umask un unable
unacceptable unauthorized unavailable unchanged unclear undeclared undef undefined under underlying undo unexpected
unicode uniffi uninstall unique unit universal unix unknown unless unlike unlimited unlock unmanaged unmatched unnamed
unnecessary unpack unpinned unreachable unregistered unreliable unsafe unsatisfiable unset unsigned unspecified
unstable unsupported until unusable unused unwind unzip up update updating upgrade upgrading upload upper upstream uri
url urlopen usable usage use useful user username using usr usually utc utf util utilities utility uv uvx val valid
validate validating validation validator validity value var variable variant vary vcs ve vendor verbatim verbose
verification verified verify version versioningit very via view virtual virtualenv visible visit visualstudio vm volume
vulnerabilities vulnerability wait wake walk warn was wasm wasn way wc we weak web week weekday well went were weren
wget what wheel wheelhouse when where whether which white whitespace whl who whole whose why wide width wildcard will
win window within without won word work workdir workers workspace worktree world would wouldn wrap wrapper write writer
writing written wrong www xargs xdg xpu xz yaml yanked year yes yet yielded you your yum zero zig zone zsh zst
"""
)
"""Words of the options, settings and messages of uv, pip, the build backends, Docker and a shell; names of folders,
files, extras and groups that every project may have; names of wheel tags, platforms and public services; plain words
of English about programs. Most inflections are left out: see `ENDINGS`."""
ENDINGS = ("s", "es", "ed", "d", "ing", "er", "ly", "able")
PYTHON = frozenset(
    part.lower()
    for name in (*sys.stdlib_module_names, *keyword.kwlist, *dir(builtins), *PROFILES)
    for part in re.findall(r"[A-Za-z]{2,}", name)
)
"""The words of Python itself: its modules, keywords and built-in names, and of the registry profiles."""
PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
NUMBERED = re.compile(r"\d*([A-Za-z]*)\d*(?:[A-Za-z]|le)?")
"""A word with a number before or after it, as in `py311`, `3rc1`, `cp313t`."""


@lru_cache(1 << 14)
def is_public_word(word: str) -> bool:
    """Tell whether a word of letters and digits identifies no one."""
    lower = word.lower()
    if _is_known(lower) or word in PUBLIC | USERS:
        return True
    if (match := NUMBERED.fullmatch(word)) and (_is_known(match[1].lower()) or len(match[1]) < 2):
        return True
    parts = PARTS.findall(word)  # of CamelCase
    return (
        len(parts) > 1 and "".join(parts) == word and all(len(part) > 1 and _is_known(part.lower()) for part in parts)
    )


def _is_known(word: str) -> bool:
    if word in WORDS or word in PYTHON:
        return True
    stems = (word[: -len(end)] for end in ENDINGS if word.endswith(end))
    return any(len(stem) >= 3 and stem in WORDS for stem in stems)
