"""Steps that keep running, end what is not theirs, or take privileges from the kernel."""

import contextlib
import os
import platform
import signal
import subprocess

import pytest

from tests.hostile.conftest import Host, RunAttack
from tests.hostile.snapshot import survivors
from uvmre.run.sandbox import bubblewrap

BLOCKED = ("stopped by EPERM", "stopped by ENOSYS")
X86 = platform.machine() == "x86_64"
NUMBERS = {
    # name: x86_64, aarch64
    "kcmp": (312, 272),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "perf_event_open": (298, 241),
    "io_uring_setup": (425, 425),
    "clone3": (435, 435),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "mount_setattr": (442, 442),
    "pidfd_getfd": (438, 438),
    "memfd_secret": (447, 447),
    "fanotify_init": (300, 262),
    "kexec_load": (246, 104),
    "init_module": (175, 105),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "acct": (163, 89),
    "settimeofday": (170, 170),
    "open_by_handle_at": (304, 265),
    "quotactl": (179, 60),
}


def test_system_calls_of_the_kernel_itself_are_blocked(attack: RunAttack) -> None:
    # Without the filter, the kernel would call the arguments invalid (EINVAL, EFAULT, EBADF), or accept them.
    numbers = {name: both[0 if X86 else 1] for name, both in NUMBERS.items()}
    found = attack(f"""
        for name, number in {numbers!r}.items():
            if libc.syscall(number, 0, 0, 0, 0, 0, 0) >= 0:
                return name
            print(name, errno.errorcode[ctypes.get_errno()])
    """)
    *lines, last = found.printed.splitlines()
    assert last == "stopped"
    assert [line.split()[0] for line in lines] == list(NUMBERS)
    assert {line.split()[1] for line in lines} == {"EPERM", "ENOSYS"}
    assert found.outcome == "different"


CALLS = {
    "to trace a process": "libc.ptrace(16, os.getppid(), 0, 0)",
    "to be traced": "libc.ptrace(0, 0, 0, 0)",
    "to read another's memory": "libc.process_vm_readv(os.getppid(), 0, 0, 0, 0, 0)",
    "to mount": "libc.mount(b'x', b'/tmp', b'tmpfs', 0, None)",
    "to mount again": "libc.mount(None, b'/', None, 32, None)",
    "to unmount": "libc.umount2(b'/proc', 2)",
    "to change the root": "libc.chroot(b'/tmp')",
    "to pivot the root": "libc.syscall({pivot_root}, b'/', b'/')",
    "to make namespaces": "libc.unshare(0x10000000)",
    "to make a network": "libc.unshare(0x40000000)",
    "to make a user namespace in a new process": "libc.syscall({clone}, 0x10000000 | 17, 0, 0, 0, 0)",
    "to enter a namespace": "libc.setns(os.open('/proc/self/ns/net', os.O_RDONLY), 0)",
    "to name the machine": "libc.sethostname(b'x', 1)",
    "to make anonymous files": "libc.memfd_create(b'x', 0)",
    "to make shared memory": "libc.shmget(0, 4096, 0o1600)",
    "to set the clock": "libc.clock_settime(0, struct.pack('ll', 0, 0))",
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_calls_for_more_privileges_are_blocked(attack: RunAttack, call: str) -> None:
    call = call.format(pivot_root=155 if X86 else 41, clone=56 if X86 else 220)
    found = attack(f"result = check({call})\nreturn result >= 0")
    assert found.printed in BLOCKED


def test_the_filter_has_no_other_entrance(attack: RunAttack) -> None:
    if not X86:
        pytest.skip("the other calling conventions are those of x86_64")
    found = attack("""
        code = b"\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3"  # getpid of 32-bit x86
        memory = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        memory.write(code)
        call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(memory)))
        if (child := os.fork()) == 0:
            os._exit(0 if call() > 0 else 1)
        if os.waitpid(child, 0)[1] != signal.SIGSYS:
            return "32-bit calls"
        if (child := os.fork()) == 0:
            os._exit(0 if libc.syscall(0x40000000 | 39) > 0 else 1)  # getpid of x32
        return os.waitpid(child, 0)[1] == 0
    """)
    assert found.printed == "stopped"


def test_a_step_has_no_privileges(attack: RunAttack) -> None:
    found = attack("""
        for line in text("/proc/self/status").splitlines():
            name, _, value = line.partition(":")
            if name in ("CapInh", "CapPrm", "CapEff", "CapAmb", "NoNewPrivs", "Seccomp"):
                print(name, int(value, 16))
        libc.prctl(38, 0, 0, 0, 0)
        if libc.prctl(39, 0, 0, 0, 0) != 1:
            return "no_new_privs was unset"
        for capability in range(41):
            if libc.prctl(47, 2, capability, 0, 0) == 0:  # PR_CAP_AMBIENT_RAISE
                return capability
    """)
    lines = found.printed.splitlines()
    assert lines[:-1] == ["CapInh 0", "CapPrm 0", "CapEff 0", "CapAmb 0", "NoNewPrivs 1", "Seccomp 2"]
    assert lines[-1] == "stopped"


# Root's steps have another user than the first process. An ordinary user's have the same, in the same sandbox with no
# privileges either; it holds nothing of the caller.
OF_THE_FIRST = (
    (
        "environ",
        "mem",
        "maps",
        "auxv",
        "stack",
        "syscall",
        "io",
        "fd",
        "fdinfo/0",
        "root/etc/passwd",
        "cwd/mre.toml",
        "exe",
    )
    if bubblewrap.is_root()
    else ("environ", "mem", "cwd/mre.toml")
)


def test_other_processes_are_neither_there_nor_readable(attack: RunAttack, host: Host) -> None:
    found = attack(f"""
        mine = {{1, os.getpid(), os.getppid()}}
        for name in os.listdir("/proc"):
            if name.isdigit() and int(name) not in mine:
                return name, text("/proc/" + name + "/cmdline")
        for name in {OF_THE_FIRST!r}:
            try:
                path = "/proc/1/" + name
                content = os.listdir(path) if os.path.isdir(path) else pathlib.Path(path).open("rb").read(100)
            except OSError:
                continue
            if content:
                return name, content
    """)
    assert found.printed == "stopped"


def test_the_environment_has_nothing_of_the_caller(attack: RunAttack, host: Host) -> None:
    found = attack("""
        names = set(os.environ)
        for path in glob.glob("/proc/[0-9]*/environ"):
            try:
                names |= {line.partition("=")[0] for line in text(path).split("\\0") if line}
            except OSError:
                pass
        print(*sorted(names))
    """)
    names = found.printed.splitlines()[0].split()
    assert names == [
        *(
            "ALL_PROXY",
            "CURL_CA_BUNDLE",
            "GIT_SSL_CAINFO",
            "HOME",
            "HTTPS_PROXY",
            "HTTP_PROXY",
            "LANG",
            "NO_PROXY",
            "PATH",
            "PWD",
        ),
        *("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "TMPDIR", "http_proxy", "https_proxy"),
    ]


SURVIVORS = {
    "a background process": "sleep 300 & exit 7",
    "nohup": "nohup sleep 300 >/dev/null 2>&1 & exit 7",
    "a session of its own": "setsid sleep 300 & sleep 0.1; exit 7",
    "a daemon": "python daemon.py; exit 7",
    "a daemon that holds the output": "setsid sh -c 'while :; do echo still here; sleep 0.05; done' & exit 7",
    "ignored signals": "trap '' TERM INT HUP QUIT; (trap '' TERM; sleep 300) & exit 7",
    "a stopped process": "sleep 300 & kill -STOP $!; exit 7",
    "a stopped shell": "(sleep 0.2; kill -9 -1) & kill -STOP $$",
    "kill all": "kill -9 -1; exit 7",
    "kill the first process": "kill -9 1; kill -TERM 1; kill -INT 1; exit 7",
    "a chain of forks": "python chain.py & exit 7",
}
DAEMON = """
import os, signal, sys, time
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
if os.fork():
    sys.exit()
os.setsid()
if os.fork():
    sys.exit()
os.chdir("/")
os.closerange(0, 3)
while True:
    time.sleep(1)
"""
CHAIN = """
import os, time
while True:
    if os.fork():
        os._exit(0)
    os.setsid()
    time.sleep(0.001)
"""


@pytest.mark.parametrize("command", SURVIVORS.values(), ids=SURVIVORS.keys())
def test_no_process_outlives_its_step(attack: RunAttack, command: str) -> None:
    # attack() checks that no process is left in the namespaces of the steps.
    found = attack(f"$ {command}", "$ ps -e -o pid= | wc -l; exit 7", files={"daemon.py": DAEMON, "chain.py": CHAIN})
    assert found.outcome == "different"
    assert len(found.namespaces) == 2
    assert found.namespaces[0] != found.namespaces[1] or int(found.printed) <= 4
    assert found.seconds < 30


def test_a_process_that_did_outlive_its_step_would_be_found() -> None:
    system = [
        "--ro-bind",
        "/usr",
        "/usr",
        "--symlink",
        "usr/bin",
        "/bin",
        "--symlink",
        "usr/lib",
        "/lib",
        "--proc",
        "/proc",
    ]
    links = ["--ro-bind-try", "/lib64", "/lib64", "--unshare-user", "--unshare-pid"]
    sandbox = [bubblewrap.find_program(), *system, *links, "/bin/sh", "-c", "readlink /proc/self/ns/pid; exec sleep 60"]
    orphan = ["sh", "-c", '"$@" & exec sleep 0.5', "sh", *sandbox]
    with subprocess.Popen(orphan, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout
        namespace = process.stdout.readline().strip()
        assert survivors(namespace) == []  # its owner still runs
        process.wait()
        found = survivors(namespace)
        for pid in found:
            with contextlib.suppress(ProcessLookupError):  # the second one ends with the first
                os.kill(pid, signal.SIGKILL)
    assert len(found) == 2


def test_a_step_that_ignores_signals_ends_at_its_time_limit(attack: RunAttack) -> None:
    found = attack(
        """
        for number in range(1, 65):
            try:
                signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError):
                pass
        while True:
            time.sleep(1)
        """,
        timeout=2,
    )
    assert found.outcome == "broken"
    assert found.reason == "`attack 0` exceeds its time limit (2 s)"
    assert found.steps[0]["timed_out"]
    assert found.seconds < 15


def test_a_stopped_step_ends_at_its_time_limit(attack: RunAttack) -> None:
    found = attack("$ kill -STOP $$", timeout=2)
    assert found.reason == "`attack 0` exceeds its time limit (2 s)"


def test_a_terminal_of_the_caller_gets_no_input(attack: RunAttack) -> None:
    found = attack("""
        import fcntl
        TIOCSTI, TIOCLINUX = 0x5412, 0x541C
        for path in ("/dev/tty", "/proc/self/fd/0", "/proc/self/fd/1", "/proc/self/fd/2", "/dev/console", "/dev/tty0"):
            for request in (TIOCSTI, TIOCLINUX):
                try:
                    fcntl.ioctl(os.open(path, os.O_RDWR | os.O_NONBLOCK), request, b"x")
                    return path
                except OSError:
                    pass
    """)
    assert found.printed == "stopped"


def test_the_scheduler_keeps_room_for_the_machine(attack: RunAttack) -> None:
    found = attack("""
        for way in (lambda: os.nice(-5), lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))):
            try:
                way()
                return way
            except OSError:
                pass
        import resource
        for name in ("RLIMIT_NPROC", "RLIMIT_NOFILE", "RLIMIT_FSIZE", "RLIMIT_CPU"):
            number = getattr(resource, name)
            soft, hard = resource.getrlimit(number)
            if hard == resource.RLIM_INFINITY:
                return name
            try:
                resource.setrlimit(number, (hard + 1, hard + 1))
                return name
            except (OSError, ValueError):
                pass
    """)
    assert found.printed == "stopped"
