import Foundation
import Glibc
import Synchronization
import Testing

@testable import Sandbox

/// Small programs for the contract, each compiled once a run of the tests.
enum ContractPrograms {
    private static let built = Mutex<Set<String>>([])
    private static let folder = URL(fileURLWithPath: cageEntryPath).deletingLastPathComponent().path + "/sandbox-contract"

    /// Returns the path of the static program of this name.
    static func path(_ name: String) throws -> String {
        try built.withLock { built in
            let path = "\(folder)/\(name)"
            if built.insert(name).inserted {
                mkdir(folder, 0o755)
                try Data(#require(sources[name]).utf8).write(to: URL(fileURLWithPath: path + ".c"))
                let nothing = try Descriptor.open("/dev/null", O_RDWR)
                let standardError = Descriptor(taking: fcntl(2, F_DUPFD_CLOEXEC, 3))
                let compiler = try ChildProcess(
                    path: "/usr/bin/cc", arguments: ["-O2", "-static", "-o", path, path + ".c"], environment: ["PATH=/usr/bin:/bin"],
                    descriptors: [nothing, nothing, standardError])
                try #require(try compiler.reap() == 0, "cc \(name).c")
            }
            return path
        }
    }

    static let sources = [
        // Writes what it reads.
        "echo": """
        #include <unistd.h>
        int main(void) {
            static char block[100000];
            for (;;) {
                long count = read(0, block, sizeof block);
                if (count <= 0) return (int)-count;
                for (long done = 0; done < count;) {
                    long written = write(1, block + done, count - done);
                    if (written < 0) return 2;
                    done += written;
                }
            }
        }
        """,
        // Writes numbered lines, with words to standard error in between.
        "counts": """
        #include <stdio.h>
        int main(void) {
            for (int line = 0; line < 100000; line++) {
                printf("line %d\\n", line);
                if (line % 1000 == 0) fprintf(stderr, "error %d\\n", line);
            }
            return 0;
        }
        """,
        // Loses a child to the memory limit and says that all is well.
        "loses-child": """
        #include <stdlib.h>
        #include <string.h>
        #include <sys/wait.h>
        #include <unistd.h>
        int main(void) {
            if (fork() == 0)
                for (;;) {
                    char *block = malloc(1 << 24);
                    if (block) memset(block, 1, 1 << 24);
                }
            wait(NULL);
            return 0;
        }
        """,
        // Leaves a child behind that holds all streams and never ends.
        "leaves-child": """
        #include <stdio.h>
        #include <unistd.h>
        int main(void) {
            if (fork() == 0) {
                setsid();
                for (;;) pause();
            }
            puts("done");
            return 7;
        }
        """,
        // Tries things and says a line for each: a name and an errno, 0 for what worked.
        "tries": """
        #define _GNU_SOURCE
        #include <errno.h>
        #include <fcntl.h>
        #include <stdio.h>
        #include <string.h>
        #include <sys/socket.h>
        #include <netinet/in.h>
        #include <sys/stat.h>
        #include <unistd.h>
        static void say(const char *name, long result) { printf("%s %d\\n", name, result < 0 ? errno : 0); }
        static void make(const char *path) { say(path, open(path, O_CREAT | O_WRONLY, 0600)); }
        int main(void) {
            struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(80)};
            address.sin_addr.s_addr = htonl(0xC0000201);
            int end = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
            say("connect", connect(end, (struct sockaddr *)&address, sizeof address));
            say("vsock", socket(40, SOCK_STREAM, 0));
            say("packet", socket(AF_PACKET, SOCK_RAW, 0));
            make("/new"); make("/run/new"); make("/var/tmp/new"); make("/dev/new"); make("/tmp/new"); make("/dev/shm/new");
            say("user-0", setuid(0));
            chmod("/tmp/new", 0755);
            execl("/tmp/new", "new", NULL);
            say("execute", -1);
            char block[65536] = {0};
            long written = 0, count;
            int files[4];
            for (int file = 0; file < 4; file++) {
                char path[] = "/tmp/fill-0";
                path[10] += file;
                files[file] = open(path, O_CREAT | O_WRONLY, 0600);
                for (int piece = 0; piece < 400; piece++)
                    if ((count = write(files[file], block, sizeof block)) > 0) written += count;
            }
            printf("tmp %ld\\n", written);
            return 0;
        }
        """,
        // Reads everything about the first process that it may, and writes what looks like the cage entry's own words.
        "spies": """
        #include <errno.h>
        #include <fcntl.h>
        #include <stdio.h>
        #include <string.h>
        #include <unistd.h>
        int main(void) {
            const char *files[] = {"/proc/1/cmdline", "/proc/1/environ", "/proc/1/mem", "/proc/1/maps", "/proc/1/fd/0", "/proc/self/environ",
                                   "/etc/hosts", "/etc/hostname"};
            for (int file = 0; file < 8; file++) {
                static char text[65536];
                int end = open(files[file], O_RDONLY);
                long count = end < 0 ? -1 : read(end, text, sizeof text);
                printf("== %s %d\\n", files[file], count < 0 ? errno : 0);
                for (long at = 0; at < count; at++) putchar(text[at] ? text[at] : '\\n');
            }
            struct { char nonce[32]; char stage; char unused[7]; long value[4]; } record = {.stage = 'E'};
            memset(record.nonce, '0', 32);
            write(2, &record, sizeof record);
            return 9;
        }
        """,
        // Catches nothing and ends itself by a signal that its input names.
        "raises": """
        #include <signal.h>
        #include <stdio.h>
        int main(void) {
            int number = 0;
            if (scanf("%d", &number) == 1) raise(number);
            return 0;
        }
        """,
    ]
}
