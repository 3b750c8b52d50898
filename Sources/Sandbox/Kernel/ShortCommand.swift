import Glibc

/// A program of the host that does one thing and ends.
enum ShortCommand {
    /// Source: the folders that systems have for programs of their administrator.
    static let environment = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"]

    /// Runs a program to its end. Blocks.
    ///
    /// - Parameters:
    ///   - command: its absolute path and its arguments.
    ///   - descriptors: become 0, 1, 2 and so on.
    /// - Throws: ``SandboxError`` `runtime` if it does not end in time; then it is killed.
    /// - Returns: the wait status.
    static func run(_ command: [String], descriptors: [Descriptor], atMost time: Duration) throws -> CInt {
        let process = try ChildProcess(
            path: command[0], arguments: Array(command.dropFirst()), environment: environment, descriptors: descriptors)
        if let status = try process.wait(atMost: time) { return status }
        process.kill()
        _ = try process.reap()
        throw SandboxError(.runtime, "A program of the host did not end in time.", cause: command.joined(separator: " "))
    }

    /// Runs a program to its end and collects up to 16 KiB of what it says, on both streams.
    static func capture(_ command: [String], atMost time: Duration) throws -> (status: CInt, text: String) {
        let nothing = try Descriptor.open("/dev/null", O_RDWR)
        let pipe = try DescriptorPair.pipe()
        try pipe.first.setNonblocking()
        let status = try run(command, descriptors: [nothing, pipe.second, pipe.second], atMost: time)
        let text = try pipe.first.read(atMost: 16384) ?? []
        return (status, String(decoding: text, as: UTF8.self))
    }

    /// Where a program is, in the folders of the environment; `nil` if in none.
    static func find(_ name: String) -> String? {
        environment[0].dropFirst("PATH=".count).split(separator: ":").map { "\($0)/\(name)" }.first(where: SmallFiles.isExecutable)
    }
}
