"""Scripts that turn against the entry program, which runs under the same user in the same container."""

_OTHERS = """
import ctypes, json, os, signal, sys, time

libc = ctypes.CDLL(None, use_errno=True)
others = [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]
"""

REACH = f"""{_OTHERS}
got = []

def tried(what, call):
    try:
        call()
    except OSError:
        return
    got.append(what)

def asked(what, *arguments):
    if libc.syscall(*map(ctypes.c_long, arguments)) >= 0:
        got.append(what)

PTRACE, VM_READV, PIDFD_OPEN, PIDFD_GETFD = 101, 310, 434, 438
room = ctypes.create_string_buffer(8)
vector = (ctypes.c_void_p * 2)(ctypes.addressof(room), 8)
there = (ctypes.c_void_p * 2)(0x400000, 8)
for pid in others:
    for name in ("mem", "environ", "maps", "auxv", "syscall", "stack", "clear_refs", "oom_score_adj", "task/1/mem"):
        for how in ("rb", "r+b") if name != "oom_score_adj" else ("r+b",):  # everybody may read this one
            tried(f"{{pid}}/{{name}} {{how}}", lambda: open(f"/proc/{{pid}}/{{name}}", how).read(1))
    for folder in ("fd", "fdinfo", "map_files", f"task/{{pid}}/fd", "ns"):
        tried(f"{{pid}}/{{folder}}", lambda: [os.readlink(f"/proc/{{pid}}/{{folder}}/{{name}}")
                                              for name in os.listdir(f"/proc/{{pid}}/{{folder}}")])
    for number in range(64):
        for how in (os.O_RDONLY, os.O_WRONLY):
            tried(f"{{pid}}/fd/{{number}}", lambda: os.open(f"/proc/{{pid}}/fd/{{number}}", how | os.O_NONBLOCK))
    for link in ("cwd", "root", "exe"):
        tried(f"{{pid}}/{{link}}", lambda: os.stat(f"/proc/{{pid}}/{{link}}/."))
    asked(f"ptrace attach {{pid}}", PTRACE, 16, pid, 0, 0)
    asked(f"ptrace seize {{pid}}", PTRACE, 0x4206, pid, 0, 0)
    asked(f"read memory of {{pid}}", VM_READV, pid, ctypes.addressof(vector), 1, ctypes.addressof(there), 1, 0)
    pidfd = libc.syscall(PIDFD_OPEN, pid, 0)
    for number in range(8):
        asked(f"take {{number}} of {{pid}}", PIDFD_GETFD, pidfd, number, 0)
print(json.dumps(got))
"""
"""Prints what of other processes it could open, trace or read: a list."""

FORGE = f"""{_OTHERS}
forged = [b"\\x1eg-5\\n", b"\\x1egx\\n"]
forged += [b"\\x1eg" + b"9" * 400 + b"\\n", b"\\x1ebA\\n", b'\\x1ex{{"code": 0}}\\n', b"\\x1e\\n"]
done = "nothing could be forged"
for pid in others:
    for number in (1, 2):
        try:
            fd = os.open(f"/proc/{{pid}}/fd/{{number}}", os.O_WRONLY)
        except OSError:
            continue
        done = "forged"
        for record in forged:
            os.write(fd, record)
        for _ in range(100):
            os.write(fd, b"x" * 9999 + b"\\n")
print(done)
"""
"""Writes records, and ten times the cap, where the entry program writes its own."""

KILL = """
import os, signal, time

for number in range(1, 65):
    if number != signal.SIGTERM:
        try:
            os.kill(os.getppid(), number)
        except OSError:
            pass
time.sleep(0.5)
print("still here")
"""

LIE_ABOUT_THE_SENDER = """
import ctypes, os, time

class Info(ctypes.Structure):
    _fields_ = [("number", ctypes.c_int), ("errno", ctypes.c_int), ("code", ctypes.c_int), ("pad", ctypes.c_int),
                ("pid", ctypes.c_int), ("uid", ctypes.c_int), ("rest", ctypes.c_char * 104)]

info = Info(number=15, code=-1, pid=0, uid=0)
assert ctypes.CDLL(None).syscall(129, os.getppid(), 15, ctypes.byref(info)) == 0
time.sleep(60)
"""
"""`rt_sigqueueinfo` lets the sender say who it is."""

LEAVE_ORPHANS = """
import os, time

def fork():
    while True:
        try:
            return os.fork()
        except BlockingIOError:  # all places are taken until some have been reaped
            time.sleep(0.01)

for _ in range(200):
    if (child := fork()) == 0:
        if fork():
            os._exit(0)
        os._exit(0)
    os.waitpid(child, 0)

def zombies():
    found = 0
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                found += open(f"/proc/{name}/stat").read().rpartition(")")[2].split()[0] == "Z"
            except OSError:
                pass
    return found

until = time.monotonic() + 60
while zombies() and time.monotonic() < until:
    time.sleep(0.05)
print("all reaped" if not zombies() else "not reaped")
"""
"""Two hundred, within the limit of 64 processes."""

HUGE_MARKER = """
import json, os, resource

# What runs the script may write no file any more, and a result of this size does not fit into its last line.
resource.prlimit(os.getppid(), resource.RLIMIT_FSIZE, (0, 0))
with open(os.environ["FASTFLOW_RESULT_FILE"], "w") as file:
    json.dump({"x": "y" * 20_000}, file)
with open(os.path.dirname(os.environ["FASTFLOW_ROUTE_FILE"]) + "/exit.json", "wb") as file:
    file.truncate(700 << 20)
"""
"""Leaves 700 MB of holes in the place of the marker."""
