"""The words that are public: they identify no person, company or project, so they may stay in an MRE.

Everything that is not here, and no name of a package of PyPI that the MRE mentions, is replaced.
"""

import builtins
import keyword
import re
import sys

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
aarch abandoning abbreviated abbreviation abi able abnormally abort about above absent absolute accelerator accept
acceptance access accessible accesstoken according account accumulated accurate acknowledgement acknowledgment acquire
acquiring across act action activate activation active actual adapt add addition additional additionalproperties
address adherence adhering adjacent adjust admin advance advancing affect after again against age agent ago ahead alert
algorithm alias align alive all allocate allocation allow along alongside alpha alphabet alpine already also alt
alternate alternative always amazonaws ambiguity ambiguous amd an analysis ancestor anchor and android annotate
annotation announcement another answer any anything anyway api apk app apparent appear append apple applicable
application applied applies appreciated appropriate apt arbitrary arch architecture archive are arg arguably argument
arithmetic arm armv around arrays arriving artifact artifactory as ascii ask assembly assert assertion assessing asset
assign assignment associated associates assume assuming assurance astral async at atomic attach attack attempt
attestation attr attribute attribution audience audit auditwheel auth authenticate authentication author authoritative
authority authorization authorized auto automatic automatically availability available avg avoid aware away awk aws
azure back backend background backport backwards bad balanced bar bare base bash basic batch baz be bearer because
become been before beforehand begin beginning behavior behaviour behind being best beta between beyond big bigger bin
binary bindings bit bitbucket black blake blob block body bom bookworm boot borrowed borrowing both bound boundaries
boundary brace bracket branch break brew broad broken browser bucket buffer bug buggy build buildah buildkit built
bullseye bump bundle bus buster busybox but by bypass byte bytecode bz bzr ca cache calculate call can canceled
canceling cancelled candidate cannot canonical capabilities capacity capture capturing care cargo carry case cast cat
catch caught cause causing caution cbc cd cdylib center centos central centralized cert certificate certification cffi
cfg chain chance change changelog changing channel char character check checkout child chmod choice chose chosen chown
chunks ci cibw cipher claim class classification classifier clause clean cleanup clear cli click client clock clone
close closest closing cloud cls cmake cmdclass codeartifact codes collect collection collectors colon color columns com
combination combined combining come comm comma command comment commit common compare comparing comparison compat
compatibility compatible compilation compile compiler compiling complete completing completion complex compliant
component composite compressed compression compute concise conclude conda condition conf config configuration configure
confirm confirmation conflict conftest confused confusion connect connection connectivity consequence consider consist
consistency consistent console constitutes constrain constraint construct consume consuming contain content context
continue continuing continuous contributing contributors control convenient convergence conversely conversion convert
copied copies copying core correct correspond corrupt corruption could couldn count coupling coverage covered covering
cp cpu cpython crash crate crc create creating creation credentials criteria cross crt ctype cu cuda curl current
custom customize cut cutoff cvs cycle cyclic cyclonedx cython dangling darwin dash data database date david days de
deal debian debug decision declaration declare declaring decode decoding dedicated dedupe def default define definitely
definition degraded delete deleting demo dense depend dependencies dependency dependent deployment deprecated deps
depth derivation derivatives derive describe describing description designs desired destination destroyed destruction
detached detail detect detection determine dev devcontainers develop development device devops devpi dictionary did
didn diff different digest digit digital dir direct direction directive directories directory disable disallow discard
discouraged discover discovery discussion disk dispatch display dist distinct distribute distribution distributors
distroless divide dll dnf dns do doc docker dockerfile dockerignore dockerize document documentation does doesn doing
domain don done dot dotted double down downgrade download drive driver drop dropped dry du due duplicate duration
during dylib dynamic dynamically each eager eagle earlier early east easy echo ecosystem edge editable editor effect
effort egg eight either element elif else embedded emit empty emscripten enable enabling enclosed encoded encoding
encountered encountering encrypted encryption end endpoint enforce enforcing engine enough ensure enter entire entries
entropy entry entrypoint env environment eof epoch eq equal equality equivalence equivalent err erroneous error escape
escaping especially establishing etc even event eventually ever every everything exact example exceed except exception
excess excessive exclude excluding exclusion exclusive exec executable execute executing execution exhausted exhausting
exist existence existent exit expand expected expecting expects experimental expiration expire explicit export expose
expressed expression ext extend extension external extra extract extraneous extremely fail failure fall fallback false
fancy far fast fatal fault fd feature fedora feed fetch few fewest ffi field figure file fill filter final finalized
find fine finish finite first fit five fix flag flat flex flit float flow flush fn focal folder follow font foo footer
for forbidden force forcefully forget forgetting fork form format formatted formatting forward found four fraction
fractional fragments frame framework framing free freeze fresh friendly from frontend frozen fs ftp fu full fully
function functionality further future gap gateway gather gb gcc gcp gcs general generate generating generation
generator generic get getter ghcr gib gil git github gitignore gitlab give given glibc global globs gmt gnu go going
gone google got gpu graalpy graph grep group guaranteed guard gui gz had half hand handle handler handling handshake
happened hard hardlink hardware has hash hatch hatchling have having he head healthcheck hear heavy height hello help
hence here heron hex hg hidden hide high highest hijack hint historically history hit hoc home homepage hook host
hostname hour however https huge hugging human id ideally identical identification identified identifier identify
identity idle ids if ignore ignoring image implement implementation implicitly implies import important imposed
impossible in inappropriate include including inclusion incoming incompatible incomplete inconsistency inconsistent
incorrect increase increasing independent index indicate indicating indicator indices individual inexact infallible
infer inferred infinite info information informational inherit ini init initial initialize initiate initiating injected
inline inner inplace input insecure insert inside inspecting install installation instance instant instead instruction
integer integral integration integrity intended intentional interactive interface intermediary intermediate internal
interpret interrupt interval into introduces introduction invalid invariant inverse invert invoke invoking ios ir
irrelevant irrespective is isn isolated isolation isort issue issuer it item its itself jammy java jfrog join js
jupyter just jython kb keep kernel key keyring keywords kill kind know known label lack lambda lang language large
larger largest last later latest latin launch layer layout lazy lc ld le least left legacy len length less let letter
level lfs lib libc libraries library licence license licensing lifetime like limit limitation line linear link lint
linux list listener listening literal live ll load local localhost locate location locator lock lockfile log logged
logic login logout long longest look lookup loongarch loop low lowest ls mac mach machine macos macosx macros made
magically main maintain major make makefile making malware manage manager mandatory manifest manual many manylinux map
mapped mapping mark market mask master match materials matrix matter maturin max maximum may maybe mb mcr md me mean
meant mechanism media medium meet member memory merge merging meson message messaging meta metadata method microsoft
mid might mime min minimal minimize minimizing minimum minor minute mirror mismatch missed missing mistake mkdir mkdocs
mnt mod mode model modern modification modified modify module month more most motion mount move moving mre ms msg msvc
much multi multiple multiplication multiplying musl musllinux must mutually mv my mypy name namespace naming narrowing
native near nearest necessary need needles negative negotiated neither nested net network never new next nexus nightly
nine ninja no noble node non none nonexistent noninteractive nor normal normalization normalize not note notebook
nothing notice notify notset now nox null number numeric numpy nvcr nvidia oauth object observe observing obsoletes
obtaining occur occurred occurrences odd of off offline offset often ok old oldest omit omitted on onbuild once one
only op open operating operation opposed opt optimal optimize option optional or order org origin original osv other
otherwise our out outdated output outside outstanding over overflow overlap overlapping overlay override overriding own
package packaging packet padded padding page pager pair panic panicked parallel parameter parent parentdir parentheses
parity parse part partial particularly pass password past patch path pathspec pattern payload pc pci pdm peer pem
pending pep per percent perform performance perhaps period permission permit permitted persist persistence person pgo
pin pinned pinning pip pipe pkg placed plain plan platforms platinclude platlib plausible please pluggy plugin plus
podman poetry point policy poll pool pop populated port portions pos posargs position positive possibility possible
possibly post potential powerpc pp ppc pre preceded precedence preceding precise precision prefer preference preferred
preferring prefetch prefix prepare preparing prepend prerelease prerequisite presence present preserve preserving
presumed prevent preview previous primarily primary print printf prior prioritize priority private probe problem proc
proceed process produce producer production program programming progress project prompt propagation proper properties
property proposals props protection proto protocol provide provider proxies proxy prune pruning pth public publication
publish pull purelib push put py pybind pyc pyd pyi pylock pyo pyodide pypi pyproject pypy pytest python
pythondontwritebytecode pythonhashseed pythonhome pythonpath pythonunbuffered pytorch pyx queries query quiet quit
quite quote quoting qux raise ran range rate rather rationale raw rc reached reaches read readme ready really realm
reason rebuild receive recent reclaiming recognise recognize recommend record recreate recreating redirect reduce
reducing redundant ref reference refining reflect refrain refresh refuse refusing regarded regardless regex region
register registry regular reinstall reinstallation reject related relative release releasing relevant reliable
relocatable relocation relying remain remainder remote removal remove removing rename rendered rendering repair repeat
repetition replace replacement replacing repo report repository represent representation reproduced reproducible
request require requirement reserved reset resolution resolve resolver resolving resources respect responded response
restart restoration restore restrict restriction result resumed retain retention retrieve return reuse rev reverse
revised revision rewrite rhel right riscv rlib rm rocky rocm root round route rs rst ruff rule run runner running
runtime rust rustc rustup rx safe same sample satisfied satisfies satisfy save saver sbin sbom scan scenarios schema
scheme scikit scm scratch script sdist search second secondary secret secs section security sed see seek seems seen
segment selected selecting selection selects self semantics send sensitive sent sentinel separate separating sequence
serial server service session set setting setup setuptools seven sh sha shall shallow share sharing she shell short
shortcut shortest should show shown shrink shut shutdown shutting side sign signature silent simple simplified simply
simulator simultaneously since single situation six size skip skipped skipping slash slice slim small smallest so socks
soft software solution solved solving some something sometimes sonatype sort source space spam span sparse spawn spec
special specific specifically specification specified specifier specifies specify speed sphinx spinners spits split
splitting square src srv ssh stability stable stack stage stale standalone standard start startup state statement
static staticlib status std step sticking still stop stopping stopsignal storage store str strategy stray stream strict
strings strip stripping structure stuck style su subdirectory subject submodule subscriber subsequent subset subtract
succeeded succeeds success successful such sudo sufficient suffix suggest suite summary supplemental supplied support
suppress sure surrounding svn swapped swig switch symbol symbolic symlink symptom sync synchronization synchronized
syntax synthesized system tab table tabular tag tagged tail take taken taking tar target task tcp tee tells temp
template temporarily temporary ten term terminal terminate terminating termination terminator test text tgz than that
the their them themselves then there therefore these they things third those though thread three through thus tickets
timed timely timeout timer times timezone tls tmp tmpfs to tokens toml tomli too tool toolchain top torch total touch
tox tput tr tracing tracked tracks trailing trait transfer transform transition translate transport treat tree tried
trigger trimming trip trixie trove true trust try twine two txt type tz ubi ubuntu ulimit un unable unacceptable
unauthorized unavailable unchanged unclear undef undefined under underlying unexpected unicode uniffi uninstall unique
unit universal unix unknown unless unlike unlimited unlock unmatched unnamed unnecessary unpack unreachable
unregistered unreliable unsafe unsatisfiable unset unsigned unspecified unstable until unused unwind up update updating
upgrade upgrading upload upper upstream uri url usable usage use useful user username using usr usually utc utf util
utilities utility uv uvx val valid validate validating validation validity value var variable variant vary vcs ve
vendor verbatim verbose verification verified verify version versioningit very via view virtual visible visualstudio vm
volume vulnerabilities vulnerability wait wake warn was wasm wasn way wc we weak web week weekday well went were wget
what wheel wheelhouse when where whether which while white whl who whole why width wildcard will win window with within
without won word work workdir workspace world would wouldn wrap write writer writing written wrong www xargs xdg xpu xz
yaml year yet yield you your yum zero zig zip zone zsh zst
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
NUMBERED = re.compile(r"\d*([A-Za-z]*)\d*(?:[a-z]|le)?")
"""A word with a number before or after it, as in `py311`, `3rc1`, `cp313t`."""
HEX = re.compile(r"[0-9a-f]{2}|(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,12}|[0-9a-f]{32,}")
"""A part of a hash: a folder of PyPI's files, a short commit, a whole one."""


def is_public_word(word: str) -> bool:
    """Tell whether a word of letters and digits identifies no one."""
    lower = word.lower()
    if _is_known(lower) or HEX.fullmatch(word) or word in PUBLIC:
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
