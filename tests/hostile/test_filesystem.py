"""Steps that read, change, or leave behind files outside their own folders."""

from pathlib import Path

import pytest

from tests.hostile.conftest import CANARY, Host, RunAttack

ABSENT = "stopped by ENOENT"
READ_ONLY = "stopped by EROFS"
DENIED = ("stopped by EACCES", "stopped by EPERM", READ_ONLY, ABSENT)

SECRETS = {
    "the user's private key": "{secret}",
    "the other MRE's secrets": "{other}/mre.env",
    "the gateway's private key": "{cache}/uvmre/gateway/authority.pem",
    "the stored outcomes": "{cache}/uvmre/outcomes.sqlite",
    "the checkout of uvmre": "{project}/pyproject.toml",
    "the shadow file": "/etc/shadow",
    "the home of root": "/root/.bashrc",
    "the disk": "/dev/vda",
    "the root of the first process": "/proc/1/root{secret}",
}
REST = (
    *(
        "/etc/ssl/private",
        "/etc/sudoers",
        "/etc/hostname",
        "/etc/machine-id",
        "/etc/resolv.conf",
        "/var",
        "/run",
        "/srv",
        "/opt",
        "/boot",
    ),
    *(
        "/sys",
        "/proc/kcore",
        "/proc/kmsg",
        "/dev/mem",
        "/dev/kmsg",
        "/dev/fuse",
        "/dev/kvm",
        "/dev/net/tun",
        "/dev/vsock",
        "/dev/mqueue",
    ),
    *("/proc/1/root/home/root", "/proc/1/cwd/mre.toml", "/../../../root/.ssh"),
)


@pytest.mark.parametrize("path", SECRETS.values(), ids=SECRETS.keys())
def test_no_secret_of_the_host_can_be_read(attack: RunAttack, host: Host, path: str) -> None:
    other, project = host.folder / "other_mre", Path(__file__).parents[2]
    path = path.format(secret=host.secret, other=other, cache=host.cache, project=project)
    found = attack(f"return text({path!r})")
    assert found.outcome == "different"
    assert found.printed in DENIED


def test_the_same_attack_gets_out_without_a_sandbox(attack: RunAttack, host: Host) -> None:
    assert attack(f"return text({str(host.secret)!r})", backend="local").outcome == "shows"
    assert attack("return 'UNREMARKABLE' in text(f'/proc/{os.getppid()}/environ')", backend="local").outcome == "shows"


def test_the_rest_of_the_host_is_not_there(attack: RunAttack) -> None:
    found = attack(f"""
        for path in {REST!r}:
            try:
                found = os.listdir(path) if os.path.isdir(path) else os.open(path, os.O_RDONLY)
            except OSError:
                continue
            return path, found
    """)
    assert found.printed == "stopped"


def test_no_file_anywhere_has_a_secret_of_the_user(attack: RunAttack) -> None:
    found = attack("""
        names = {"id_rsa", ".netrc", ".git-credentials", "credentials", "mre.env", "outcomes.sqlite", "docker.sock"}
        for folder, folders, files in os.walk("/"):
            folders[:] = [] if folder in ("/usr", "/proc") else folders
            if names & set(files):
                return folder, files
    """)
    assert found.printed == "stopped"


WRITES = {
    "uv": "pathlib.Path(shutil.which('uv')).resolve()",
    "the link to uv": "pathlib.Path(shutil.which('uv'))",
    "the interpreter": "pathlib.Path(sys.executable).resolve()",
    "the standard library": "pathlib.Path(os.__file__)",
    "the certificate": "pathlib.Path(os.environ['SSL_CERT_FILE'])",
    "the system's programs": "pathlib.Path('/usr/bin/env')",
    "the users": "pathlib.Path('/etc/passwd')",
    "the resolver": "pathlib.Path('/etc/nsswitch.conf')",
    "the root": "pathlib.Path('/new')",
    "the devices": "pathlib.Path('/dev/new')",
    "the kernel's dumps": "pathlib.Path('/proc/sys/kernel/core_pattern')",
    "the kernel's memory": "pathlib.Path('/proc/sys/vm/overcommit_memory')",
    "the machine's name": "pathlib.Path('/proc/sys/kernel/hostname')",
}


@pytest.mark.parametrize("path", WRITES.values(), ids=WRITES.keys())
def test_nothing_but_the_runs_own_folders_can_be_written(attack: RunAttack, path: str) -> None:
    # Its content, its replacement, its permissions and its removal are four ways to the same end.
    found = attack(f"""
        path, stopped = {path}, []
        ways = (
            lambda: path.open("ab").write(b"#x"),
            lambda: path.with_name("x").write_bytes(b"") or path.with_name("x").rename(path),
            lambda: path.chmod(0o777),
            lambda: path.unlink(),
        )
        for way in ways:
            try:
                way()
            except OSError as error:
                stopped.append(errno.errorcode[error.errno])
        print(*stopped)
        return len(stopped) < len(ways)
    """)
    *codes, _ = found.printed.split()
    assert len(codes) == 4
    assert set(codes) <= {"EROFS", "EACCES", "EPERM", "ENOENT", "EBUSY"}


def test_the_devices_keep_their_permissions(attack: RunAttack) -> None:
    found = attack("""
        stopped = 0
        for name in ("null", "zero", "full", "random", "urandom", "tty"):
            for way in (lambda: os.chmod(f"/dev/{name}", 0), lambda: os.chown(f"/dev/{name}", os.getuid(), -1)):
                try:
                    way()
                except OSError:
                    stopped += 1
        return stopped != 12
    """)
    assert found.printed == "stopped"


def test_an_mre_cannot_rewrite_itself_for_later(attack: RunAttack, host: Host, tmp_path: Path) -> None:
    found = attack(
        "$ echo 'title = 1' > mre.toml; echo new > notes.txt; rm -rf .git; exit 7",
        "$ cat notes.txt; exit 42",
        files={"notes.txt": "old"},
    )
    (folder,) = (path for path in tmp_path.iterdir() if (path / "mre.toml").exists())
    assert (folder / "notes.txt").read_text() == "old"
    assert 'title = "attack"' in (folder / "mre.toml").read_text()
    assert found.printed.strip() == "new"
    assert found.outcome == "different"


def test_a_step_that_takes_away_its_folders_takes_no_others(attack: RunAttack, host: Host) -> None:
    found = attack(
        """
        for path in (os.getcwd(), os.environ["HOME"], os.environ["TMPDIR"], "/tmp"):
            shutil.rmtree(path, ignore_errors=True)
            for way in (os.rmdir, lambda path: os.rename(path, path + "x"), lambda path: os.symlink("/", path)):
                try:
                    way(path)
                except OSError:
                    continue
        """,
        "$ touch here; exit 7",
    )
    assert found.steps[0]["stdout"].endswith("stopped\n")
    assert found.outcome == "broken"
    assert "`attack 1` cannot be run" in found.data["reason"]


LEAKS = {
    "a link to a secret": "os.symlink({secret!r}, 'leak')",
    "a link to a folder with a secret": "os.symlink(os.path.dirname({secret!r}), 'folder')",
    "a relative link": "os.symlink('../' * 20 + {secret!r}, 'leak')",
    "a link to the host's shadow file": "os.symlink('/etc/shadow', 'leak')",
    "a link to the caller": "os.symlink('/proc/self/environ', 'leak')",
    "a FIFO": "os.mkfifo('leak')",
    "a socket": "socket.socket(socket.AF_UNIX).bind('leak')",
    "a folder": "os.mkdir('leak')",
    "a loop of links": "os.symlink('leak', 'leak')",
    "a file without permissions": "os.close(os.open('leak', os.O_CREAT, 0))",
    "nothing": "None",
}


@pytest.mark.parametrize("body", LEAKS.values(), ids=LEAKS.keys())
def test_a_file_of_the_symptom_is_never_one_of_the_host(attack: RunAttack, host: Host, body: str) -> None:
    leaked = "folder/id_rsa" if "folder'" in body else "leak"
    symptom = {"exit": 7, "output": ["stopped"], "file": [{"path": leaked, "contains": CANARY}]}
    found = attack(f"os.chmod('.', 0o755)\n{body.format(secret=str(host.secret))}", symptom=symptom)
    assert found.outcome == "different"
    assert [(file["path"], file["content"] or None) for file in found.base["files"]] == [(leaked, None)]


def test_a_device_cannot_be_made(attack: RunAttack) -> None:
    for kind, number in (("S_IFCHR", "(1, 1)"), ("S_IFBLK", "(254, 0)")):
        found = attack(f"import stat\nos.mknod('leak', stat.{kind} | 0o666, os.makedev(*{number}))\nreturn 'leak'")
        assert found.printed == "stopped by EPERM"


def test_hard_links_do_not_reach_other_mounts(attack: RunAttack) -> None:
    found = attack("""
        for path in ("/usr/bin/env", os.path.realpath(shutil.which("uv")), os.environ["SSL_CERT_FILE"], "/etc/passwd"):
            try:
                os.link(path, "linked")
            except OSError as error:
                if error.errno in (errno.EXDEV, errno.EPERM, errno.EROFS):
                    continue
            return path
    """)
    assert found.printed == "stopped"


def test_set_user_id_gives_nothing(attack: RunAttack) -> None:
    found = attack("""
        before = os.getresuid()
        shutil.copy("/usr/bin/env", "root")
        os.chmod("root", 0o6755)
        own = subprocess.run(["./root", sys.executable, "-c", "import os; print(os.getresuid())"], capture_output=True, text=True)
        users = set()
        for program in ("su", "sudo", "mount", "newgrp", "passwd", "fusermount3"):
            if path := shutil.which(program):
                done = subprocess.run([path, "--version"], capture_output=True, stdin=subprocess.DEVNULL)
        ways = (lambda: os.setuid(0), lambda: os.setgid(0), lambda: os.setgroups([0]), lambda: os.chown("root", 0, 0))
        got = []
        for way in ways:
            try:
                way()
                got.append(way)
            except OSError:
                pass
        identity = os.getresuid() + os.getresgid()
        return own.stdout.strip() != str(before) or (got and set(identity) != set(before) | {before[0]})
    """)
    assert found.printed == "stopped"


CLUTTER = {
    "folders 5,000 levels deep": """
        for _ in range(5000):
            os.mkdir("d")
            os.chdir("d")
    """,
    "names of 255 bytes": """
        for character in "ab*?\\n\\x01\\x7f":
            pathlib.Path(character * 255).write_bytes(b"x")
        os.close(os.open(b"\\xff" * 255, os.O_CREAT))
        pathlib.Path("-rf").mkdir()
        pathlib.Path("-rf", "--no-preserve-root").touch()
    """,
    "folders without permissions": """
        os.makedirs("a/b/c/d")
        for folder in ("a/b/c", "a/b", "a"):
            pathlib.Path(folder, "file").write_bytes(b"x")
            os.chmod(folder, 0)
        os.chmod(".", 0)
        os.chmod(os.environ["HOME"], 0)
        os.chmod("/tmp", 0)
    """,
    "special files": """
        os.mkfifo("fifo")
        socket.socket(socket.AF_UNIX).bind("socket")
        os.symlink("/", "root")
        os.symlink("loop", "loop")
        os.symlink("/proc/self/root", "again")
        os.symlink("/dev/zero", "endless")
    """,
    "read-only files": """
        os.makedirs("a/b")
        pathlib.Path("a/b/c").touch(0o400)
        os.chmod("a/b", 0o555)
        os.chmod("a", 0o555)
    """,
}


@pytest.mark.parametrize("body", CLUTTER.values(), ids=CLUTTER.keys())
@pytest.mark.few(3)
def test_whatever_a_step_leaves_is_removed(attack: RunAttack, body: str) -> None:
    found = attack(body, "$ exit 7")  # attack() checks that the folder of temporary files is empty
    assert found.steps[0]["stdout"].endswith("stopped\n"), found.printed
    assert found.outcome != "shows"
