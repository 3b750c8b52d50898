/// Runs a scanner's program so that the image it reads can harm nothing: no network, nothing of this machine to write to, memory,
/// time, processes and output bounded, not root, and an environment of its own.
///
/// The executable that wires the parts together fulfils it with the project's sandbox.
public protocol ScannerCage: Sendable {
    /// Runs a program to its end; whatever it started is gone by then. Cancelling the task ends it.
    func run(_ program: ScannerProgram) async -> ScannerEnd
}

/// One run of a scanner's program.
public struct ScannerProgram: Sendable {
    /// Where the program finds what it needs, as it sees the file system.
    public struct Places: Sendable, Hashable {
        /// The folder of the image's layout, read-only.
        public let image: String
        /// The folder of the databases, read-only.
        public let databases: String
        /// An empty folder that it may write to, its home.
        public let home: String

        /// Places, each an absolute path or one relative to the working folder.
        public init(image: String, databases: String, home: String) {
            self.image = image
            self.databases = databases
            self.home = home
        }
    }

    /// The program's absolute path on this machine.
    public let executable: String
    /// The folder of the image's layout on this machine; `nil` when it sees none.
    public let image: String?
    /// The folder of the databases on this machine; `nil` when it needs none.
    public let databases: String?
    /// Its arguments.
    public let arguments: @Sendable (Places) -> [String]
    /// Variables beside `HOME`, `TMPDIR` and `LC_ALL`, which the cage gives.
    public let environment: @Sendable (Places) -> [String: String]
    /// The longest time from the start to the end.
    public let timeout: Duration
    /// The most bytes of standard output; a program that prints more is killed.
    public let outputBytesMax: Int

    /// A run; nothing is checked or started here.
    public init(
        executable: String, image: String?, databases: String?, timeout: Duration, outputBytesMax: Int,
        environment: @escaping @Sendable (Places) -> [String: String] = { _ in [:] }, arguments: @escaping @Sendable (Places) -> [String]
    ) {
        self.executable = executable
        self.image = image
        self.databases = databases
        self.timeout = timeout
        self.outputBytesMax = outputBytesMax
        self.environment = environment
        self.arguments = arguments
    }
}

/// How a scanner's program ended.
public enum ScannerEnd: Sendable, Hashable {
    /// It ended itself; `code` is in `0...255`, `error` the end of what it wrote to standard error.
    case exited(code: Int32, output: [UInt8], error: String)
    /// A signal ended it.
    case signalled(Int32, error: String)
    /// It made a system call that no scanner needs, and was killed.
    case forbiddenCall(name: String?)
    /// It needed more memory than it may have, and was killed.
    case outOfMemory
    /// Its time was up, and it was killed.
    case timedOut
    /// The task was cancelled.
    case cancelled
    /// It printed too much, and was killed.
    case outputTooLarge
    /// It could not be started.
    case notStarted(String)
    /// There is no cage on this machine, so nothing was started; `remedy` mends it.
    case noCage(problem: String, remedy: String)
    /// The cage failed; the run says nothing.
    case lost(String)
}
