import Glibc
import SandboxKernel

/// The kernel's log from one moment on, where a filter's kill leaves the number of the call.
struct KernelLog {
    private let file: Descriptor

    /// `nil` where the log cannot be read: the name of a forbidden call is a convenience.
    static func fromNow() -> KernelLog? {
        guard let file = try? Descriptor.open("/dev/kmsg", O_RDONLY | O_NONBLOCK), kernel_seek_to_end(file.number) == 0 else {
            return nil
        }
        return KernelLog(file: file)
    }

    /// Returns the name of the call that a filter killed a process for.
    ///
    /// The kernel writes the record a moment after the kill and writes at most 10 in 5 s: waits up to 100 ms and may find none.
    func forbiddenCall(of process: pid_t) -> String? {
        let deadline = ContinuousClock.now + .milliseconds(100)
        while true {
            // One read is one record. An error (such as EPIPE for records that were overwritten) ends the search or goes to the next.
            if let record = (try? file.read(atMost: 8192)) ?? nil, !record.isEmpty {
                if let call = Self.forbiddenCall(in: String(decoding: record, as: UTF8.self), process: process) { return call }
                continue
            }
            let remaining = ContinuousClock.now.duration(to: deadline)
            guard remaining > .zero else { return nil }
            var log = [pollfd(fd: file.number, events: Int16(POLLIN), revents: 0)]
            // Safety: the array holds the one entry that is announced, for the length of the call.
            guard kernel_poll(&log, 1, remaining.pollMilliseconds) > 0 else { return nil }
        }
    }

    /// Returns the call in an audit record of type 1326 (`AUDIT_SECCOMP`) about this process; names the number where the call is
    /// unknown, and the architecture where it is a foreign one.
    ///
    /// Names in the record that a Cargo chooses cannot imitate a field: the kernel writes any with a space or quote in hexadecimal.
    static func forbiddenCall(in record: String, process: pid_t) -> String? {
        let fields = record.split(whereSeparator: \.isWhitespace)
        guard fields.contains("type=1326"), fields.contains("pid=\(process)"), fields.contains("sig=31") else { return nil }
        func value(_ name: String) -> Substring? { fields.first { $0.hasPrefix(name) }?.dropFirst(name.count) }
        guard let number = value("syscall=").flatMap({ Int($0) }), let audit = value("arch=").flatMap({ UInt32($0, radix: 16) }) else {
            return nil
        }
        guard let architecture = Architecture.allCases.first(where: { $0.auditValue == audit }) else {
            return "call \(number) of architecture \(String(audit, radix: 16))"
        }
        return SystemCallNumbers.name(of: number, on: architecture) ?? "call \(number)"
    }
}
