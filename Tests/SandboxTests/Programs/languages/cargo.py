"""A Cargo that uses what Python programs use: files, threads, processes, sockets of its own, databases, timers, signals."""
import asyncio, ctypes, decimal, glob, gzip, hashlib, json, mmap, multiprocessing, os, queue, random, select, shutil, signal, socket
import sqlite3, struct, subprocess, sys, tempfile, threading, time, uuid

request = json.load(sys.stdin)


def say(frame):
    print(json.dumps(frame), flush=True)


def files():
    folder = tempfile.mkdtemp()
    path = os.path.join(folder, "a")
    with open(path, "w+") as file:
        file.write("text")
        file.flush()
        os.fsync(file.fileno())
        os.fdatasync(file.fileno())
        file.truncate(2)
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        os.pwrite(file.fileno(), b"x", 1)
        os.pread(file.fileno(), 1, 0)
        os.posix_fallocate(file.fileno(), 0, 8192)
        os.fchmod(file.fileno(), 0o600)
        with mmap.mmap(file.fileno(), 8192) as memory:
            memory[0] = 65
            memory.flush()
    os.chmod(path, 0o644)
    os.utime(path)
    os.rename(path, path + "b")
    os.link(path + "b", path)
    os.symlink(path, path + "l")
    os.readlink(path + "l")
    os.stat(path), os.lstat(path + "l"), os.statvfs(folder), os.access(path, os.R_OK)
    os.mkdir(path + "d"), os.rmdir(path + "d"), os.listdir(folder), list(os.scandir(folder)), glob.glob(folder + "/*")
    shutil.copy(path, path + "c")
    with gzip.open(path + "z", "w") as file:
        file.write(b"x" * 100000)
    old = os.getcwd()
    os.chdir(folder)
    handle = os.open(".", os.O_RDONLY)
    os.fchdir(handle)
    os.close(handle)
    os.chdir(old)
    os.umask(0o022)
    try:
        os.getxattr(path, "user.x")
    except OSError:
        pass
    shutil.rmtree(folder)


def database():
    with tempfile.TemporaryDirectory() as folder:
        with sqlite3.connect(folder + "/db") as connection:
            connection.execute("pragma journal_mode=wal")
            connection.execute("create table t (a)")
            connection.executemany("insert into t values (?)", [(number,) for number in range(1000)])
        connection.close()


def threads():
    numbers = queue.Queue()
    running = [threading.Thread(target=lambda: numbers.put(hashlib.sha256(b"x" * 1000000).hexdigest())) for _ in range(8)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    assert numbers.qsize() == 8


def square(number):
    return number * number


def processes():
    with multiprocessing.Pool(3) as pool:
        assert pool.map(square, range(10))[3] == 9
    assert subprocess.run([sys.executable, "-c", "print(1)"], capture_output=True, timeout=30).stdout == b"1\n"
    child = os.fork()
    if child == 0:
        os._exit(3)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
    os.getpid(), os.getppid(), os.getpgrp(), os.getuid(), os.geteuid(), os.getgid(), os.getegid(), os.getgroups(), os.cpu_count()
    os.sched_getaffinity(0), os.sched_yield(), os.uname(), os.times(), os.getloadavg


async def talk():
    async def answer(reader, writer):
        writer.write(await reader.readline())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"hello\n")
    assert await reader.readline() == b"hello\n"
    writer.close()
    server.close()
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "pass")
    await process.wait()


def sockets():
    asyncio.run(talk())
    one, other = socket.socketpair()
    one.sendall(b"x")
    assert other.recv(1) == b"x"
    one.shutdown(socket.SHUT_WR)
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("127.0.0.1", 0))
    datagrams.sendto(b"x", datagrams.getsockname())
    assert datagrams.recvfrom(10)[0] == b"x"
    datagrams.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    datagrams.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)
    path = tempfile.mktemp()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    client = socket.socket(socket.AF_UNIX)
    client.connect(path)
    accepted, _ = listener.accept()
    socket.send_fds(client, [b"x"], [0])
    socket.recv_fds(accepted, 1, 1)
    accepted.getpeername()
    select.select([], [client], [], 0)
    watcher = select.epoll()
    watcher.register(client, select.EPOLLIN)
    watcher.poll(0)
    poll = select.poll()
    poll.register(client)
    poll.poll(0)


def signals():
    seen = []
    signal.signal(signal.SIGALRM, lambda *_: seen.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.01) if hasattr(signal, "setitimer") and request.get("itimer") else None
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    os.kill(os.getpid(), signal.SIGUSR1)
    assert signal.sigtimedwait([signal.SIGUSR1], 1).si_signo == signal.SIGUSR1
    signal.pthread_kill(threading.get_ident(), 0)


def clocks():
    time.sleep(0.001), time.time(), time.monotonic(), time.process_time(), time.clock_getres(time.CLOCK_MONOTONIC)
    os.urandom(8), uuid.uuid4(), random.random(), decimal.Decimal(2).sqrt()
    memory = os.memfd_create("x")
    os.write(memory, b"x")
    os.ftruncate(memory, 4096)
    ctypes.CDLL(None).getpid()


for step in [files, database, threads, processes, sockets, signals, clocks]:
    step()
    say({"type": "status", "message": step.__name__})
say({"type": "token", "content": str(request.get("text", ""))})
say({"type": "done"})
