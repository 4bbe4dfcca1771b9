#!/usr/bin/python3
"""PID 1 of a builder container: runs one job and speaks frames over stdin and stdout; the log goes to stderr.

The container has no network and no mount of the host. Everything that enters or leaves passes through here:

    frame = type (1 byte) | channel (4 bytes, big endian) | length (4 bytes, big endian) | payload

    in   J job (JSON)       S source tar, empty frame ends it    D bytes to a connection   H end of a connection
    out  A ready            E event (JSON)                       O new connection          D, H as above
         T output (channel: its index), empty frame ends it      R result (JSON), last

What runs in here is hostile. PID 1 cannot be killed from inside its own PID namespace and is made not dumpable, so it
can be neither ended nor traced; but nothing that it says is trusted on the other side, which judges bytes alone.
Only the standard library is used.
"""

import collections
import ctypes
import errno
import json
import os
import selectors
import signal
import socket
import struct
import sys

HEADER = struct.Struct(">cII")
CHUNK = 1 << 20
PROXY = ("127.0.0.1", 3142)
# Same map in every call: root is the caller, everything else comes from /etc/subuid, so that ownership reads alike.
IN_USERNS = ["unshare", "--user", "--map-auto", "--map-root-user", "--keep-caps", "--"]
SUMMARY_LIMIT = 4 << 20


def write_all(fd, data):
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(fd, view):]
        except InterruptedError:
            pass


def send(kind, channel=0, payload=b""):
    write_all(1, HEADER.pack(kind, channel, len(payload)))
    if payload:
        write_all(1, payload)


def send_json(kind, value):
    send(kind, 0, json.dumps(value).encode())


def first_number(*paths, key=None):
    """The number in the first of these cgroup files that can be read (version 2 and version 1 names), or None."""
    for path in paths:
        try:
            with open(path) as file:
                text = file.read()
        except OSError:
            continue
        if key is None:
            word = text.strip()
            if word.isdigit():
                return int(word)
        else:
            for line in text.splitlines():
                name, _, value = line.partition(" ")
                if name == key and value.strip().isdigit():
                    return int(value)
    return None


class Agent:
    def __init__(self):
        self.selector = selectors.DefaultSelector()
        self.buffer = bytearray()
        self.connections = {}
        self.next_connection = 1
        self.exits = {}
        self.job = None
        self.source_pipe = None
        self.source_done = False
        self.summary = bytearray()
        self.disk_full = False
        self.baseline_free = None
        self.pause = 0.25

    def run(self):
        libc = ctypes.CDLL(None)
        libc.prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE
        libc.fcntl(1, 1031, CHUNK)  # F_SETPIPE_SZ: fewer turns between us and the engine
        os.umask(0o022)
        wake_read, wake_write = os.pipe()
        for fd in (wake_read, wake_write):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.selector.register(wake_read, selectors.EVENT_READ, self.drain_wakeups)
        os.set_blocking(0, False)
        self.selector.register(0, selectors.EVENT_READ, self.read_frames)
        send(b"A")
        self.until(lambda: self.job is not None)
        # A client that went away is noticed by end of file on stdin, which ends PID 1 and with it the container.
        self.extract_source()
        result, summary = self.build()
        if result["exit"] == 0:
            self.collect(summary)
        send_json(b"R", result)

    # --- the loop -------------------------------------------------------------------------------------------------

    def until(self, done, tick=None):
        while not done():
            for key, mask in self.selector.select(self.pause):
                key.data(key.fileobj, mask)
            self.reap()
            if tick is not None:
                tick()

    def drain_wakeups(self, fd, _mask):
        try:
            os.read(fd, 4096)
        except BlockingIOError:
            pass

    def reap(self):
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self.exits[pid] = os.waitstatus_to_exitcode(status)

    def read_frames(self, fd, _mask):
        try:
            data = os.read(fd, CHUNK)
        except BlockingIOError:
            return
        if not data:
            os._exit(70)
        self.buffer += data
        start = 0
        while len(self.buffer) - start >= HEADER.size:
            kind, channel, length = HEADER.unpack_from(self.buffer, start)
            end = start + HEADER.size + length
            if len(self.buffer) < end:
                break
            payload = bytes(memoryview(self.buffer)[start + HEADER.size:end])
            start = end
            self.handle(kind, channel, payload)
        if start:
            del self.buffer[:start]

    def handle(self, kind, channel, payload):
        if kind == b"J":
            self.job = json.loads(payload)
            self.prepare()
        elif kind == b"S":
            if payload:
                self.feed_source(payload)
            else:
                self.close_source()
        elif kind == b"D":
            connection = self.connections.get(channel)
            if connection is not None:
                connection.push(payload)
        elif kind == b"H":
            connection = self.connections.get(channel)
            if connection is not None:
                connection.finish()

    # --- stages ---------------------------------------------------------------------------------------------------

    def prepare(self):
        for folder in ("src", "out", "workspace", "cache", "build", "home"):
            os.makedirs(f"/work/{folder}", exist_ok=True)
        os.makedirs("/work/sandbox", exist_ok=True)
        for file in self.job["sandboxTree"]:
            path = os.path.join("/work/sandbox", file["path"])
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as out:
                out.write(file["content"])
        read, write = os.pipe()
        self.source_pid = self.spawn(
            ["tar", "--extract", "--file=-", "--directory=/work/src", "--no-same-owner", "--delay-directory-restore"],
            stdin=read,
            stdout=2,
        )
        os.close(read)
        self.source_pipe = write

    def feed_source(self, payload):
        if self.source_pipe is None:
            return
        try:
            write_all(self.source_pipe, payload)
        except BrokenPipeError:
            self.close_source()

    def close_source(self):
        if self.source_pipe is not None:
            os.close(self.source_pipe)
            self.source_pipe = None

    def extract_source(self):
        self.until(lambda: self.source_pid in self.exits and self.source_pipe is None)
        code = self.exits[self.source_pid]
        send_json(b"E", {"kind": "source", "exit": code})
        if code != 0:
            send_json(b"R", {"exit": None, "full": self.is_full(), **self.usage()})
            os._exit(0)

    def build(self):
        self.baseline_free = self.free()
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(PROXY)
        listener.listen(64)
        listener.setblocking(False)
        self.selector.register(listener, selectors.EVENT_READ, self.accept)
        send_json(b"E", {"kind": "build"})
        null = os.open("/dev/null", os.O_RDWR)
        read, write = os.pipe()
        os.set_blocking(read, False)
        self.selector.register(read, selectors.EVENT_READ, self.read_summary)
        summary = self.spawn([*IN_USERNS, *self.job["summary"]], stdin=null, stdout=write)
        os.close(write)
        main = self.spawn([*IN_USERNS, *self.job["command"]], stdin=null, stdout=2)
        self.until(lambda: main in self.exits, tick=self.watch_disk)
        full = self.is_full()
        # Nothing may go on writing while the output is read. The owner of a user namespace may signal all in it.
        self.until(lambda: summary in self.exits or self.exits[main] != 0)
        self.kill_all()
        self.selector.unregister(listener)
        listener.close()
        for connection in list(self.connections.values()):
            connection.close()
        try:
            described = json.loads(bytes(self.summary))
        except ValueError:
            described = None
        return {"exit": self.exits[main], "full": full or self.disk_full, **self.usage()}, described

    def collect(self, summary):
        """Hands out what lies in the output folder: names first, then regular files as they are and folders as tar streams.

        No link is followed: a file is opened with O_NOFOLLOW, and nothing else runs any more that could swap it.
        """
        send_json(b"E", {"kind": "collect", "summary": summary})
        for index, entry in enumerate(sorted(os.scandir("/work/out"), key=lambda entry: entry.name)):
            if index >= 64:
                send_json(b"E", {"kind": "output-too-many"})
                return
            status = entry.stat(follow_symlinks=False)
            kind = "file" if entry.is_file(follow_symlinks=False) else "tree" if entry.is_dir(follow_symlinks=False) else "other"
            name = entry.name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            send_json(b"E", {"kind": "output", "index": index, "name": name, "type": kind, "size": status.st_size})
            if kind == "file":
                code = self.send_file(index, entry.path)
            elif kind == "tree":
                code = self.send_tree(index, entry.path)
            else:
                continue
            send(b"T", index)
            send_json(b"E", {"kind": "output-end", "index": index, "exit": code})

    def send_file(self, index, path):
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return 1
        self.send_file_from(fd, index, os.fstat(fd).st_size)
        return 0

    def send_tree(self, index, path):
        read, write = os.pipe()
        tar = self.spawn(
            [*IN_USERNS, "tar", "--create", "--format=pax", "--pax-option=delete=atime,delete=ctime", "--sort=name", "--numeric-owner",
             "--xattrs", "--xattrs-include=*", f"--directory={path}", "--file=-", "."],
            stdin=os.open("/dev/null", os.O_RDONLY),
            stdout=write,
        )
        os.close(write)
        self.send_from(read, index)
        self.until(lambda: tar in self.exits)
        return self.exits[tar]

    @staticmethod
    def send_from(fd, index):
        while True:
            data = os.read(fd, CHUNK)
            if not data:
                break
            send(b"T", index, data)
        os.close(fd)

    @staticmethod
    def send_file_from(fd, index, size):
        """Like send_from, without a copy through this process. Nothing else runs any more, so the size holds."""
        at = 0
        while at < size:
            length = min(CHUNK, size - at)
            write_all(1, HEADER.pack(b"T", index, length))
            end = at + length
            while at < end:
                at += os.sendfile(1, fd, at, end - at)
        os.close(fd)

    # --- processes ------------------------------------------------------------------------------------------------

    def spawn(self, argv, stdin, stdout):
        pid = os.fork()
        if pid:
            return pid
        try:
            os.setsid()
            os.dup2(stdin, 0)
            os.dup2(stdout, 1)
            os.closerange(3, 1024)
            for number in (signal.SIGCHLD, signal.SIGPIPE):
                signal.signal(number, signal.SIG_DFL)
            os.execvpe(argv[0], argv, self.job["environment"])
        except OSError as error:
            os.write(2, f"cannot start {argv[0]}: {os.strerror(error.errno)}\n".encode())
        os._exit(127)

    def kill_all(self):
        for _ in range(100):
            try:
                os.kill(-1, signal.SIGKILL)
            except ProcessLookupError:
                return
            except PermissionError:
                pass
            self.reap()
            others = [name for name in os.listdir("/proc") if name.isdigit() and name != "1" and self.alive(name)]
            if not others:
                return
            signal.sigtimedwait([signal.SIGUSR1], 0.02)

    @staticmethod
    def alive(pid):
        try:
            with open(f"/proc/{pid}/stat") as file:
                return file.read().rpartition(")")[2].split()[0] not in "ZX"
        except OSError:
            return False

    def read_summary(self, fd, _mask):
        try:
            data = os.read(fd, CHUNK)
        except BlockingIOError:
            return
        if not data or len(self.summary) > SUMMARY_LIMIT:
            self.selector.unregister(fd)
            os.close(fd)
            return
        self.summary += data

    # --- limits ---------------------------------------------------------------------------------------------------

    def free(self):
        stat = os.statvfs("/work")
        return stat.f_bavail * stat.f_frsize

    def is_full(self):
        stat = os.statvfs("/work")
        return stat.f_bavail * stat.f_frsize < (1 << 20) or stat.f_favail < 16

    def watch_disk(self):
        """On tmpfs the size option is the limit; a volume shares the host's disk, so its growth is watched."""
        if self.is_full():
            self.disk_full = True
        # A build that fails for want of room gives it back at once: close to the end it is looked at more often.
        stat = os.statvfs("/work")
        self.pause = 0.02 if stat.f_bavail * 8 < stat.f_blocks else 0.25
        limit = self.job["volumeBytes"]
        if limit is None or self.disk_full:
            return
        if self.baseline_free - self.free() > limit:
            self.disk_full = True
            self.kill_all()

    def usage(self):
        base = "/sys/fs/cgroup"
        cpu = first_number(f"{base}/cpu.stat", key="usage_usec")
        cpu_v1 = first_number(f"{base}/cpuacct/cpuacct.usage", f"{base}/cpu,cpuacct/cpuacct.usage")
        return {
            "cpuMs": cpu // 1000 if cpu is not None else (cpu_v1 or 0) // 1_000_000,
            "peakMemoryBytes": first_number(f"{base}/memory.peak", f"{base}/memory/memory.max_usage_in_bytes") or 0,
            "oomKills": first_number(f"{base}/memory.events", f"{base}/memory/memory.oom_control", key="oom_kill") or 0,
            "forksDenied": first_number(f"{base}/pids.events", f"{base}/pids/pids.events", key="max") or 0,
        }

    # --- connections of the recording proxy -----------------------------------------------------------------------

    def accept(self, listener, _mask):
        try:
            sock, _ = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        if len(self.connections) >= 256:
            sock.close()
            return
        channel = self.next_connection
        self.next_connection += 1
        self.connections[channel] = Connection(self, channel, sock)
        send(b"O", channel)


class Connection:
    def __init__(self, agent, channel, sock):
        self.agent, self.channel, self.sock = agent, channel, sock
        # Parts as they came: a file of many megabytes waits here, and moving it up after each send would cost its square.
        self.pending = collections.deque()
        self.ending = False
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        agent.selector.register(sock, selectors.EVENT_READ, self.ready)

    def ready(self, _sock, mask):
        if mask & selectors.EVENT_WRITE:
            self.flush()
        if mask & selectors.EVENT_READ and self.channel in self.agent.connections:
            try:
                data = self.sock.recv(65536)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if data:
                send(b"D", self.channel, data)
            else:
                send(b"H", self.channel)
                self.close()

    def push(self, payload):
        self.pending.append(memoryview(payload))
        self.flush()

    def finish(self):
        self.ending = True
        self.flush()

    def flush(self):
        try:
            while self.pending:
                part = self.pending[0]
                sent = self.sock.send(part)
                if sent < len(part):
                    self.pending[0] = part[sent:]
                else:
                    self.pending.popleft()
        except BlockingIOError:
            pass
        except OSError as error:
            if error.errno != errno.ENOTCONN:
                send(b"H", self.channel)
            self.close()
            return
        if self.ending and not self.pending:
            self.close()
            return
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.pending else 0)
        self.agent.selector.modify(self.sock, wanted, self.ready)

    def close(self):
        if self.agent.connections.pop(self.channel, None) is None:
            return
        self.agent.selector.unregister(self.sock)
        self.sock.close()


if __name__ == "__main__":
    try:
        Agent().run()
    except Exception as error:  # PID 1 must say why it ends; the other side takes the missing result as the fact.
        os.write(2, f"agent: {type(error).__name__} at line {sys.exc_info()[2].tb_lineno}\n".encode())
        os._exit(71)
    os._exit(0)
