/// A program of the host that reads a stranger's data: a scanner. It gets a cage as a Cargo does, with more room and without the
/// strictest filter.
public struct CagedTool: Sendable {
    /// What the tool may use.
    public struct Limits: Sendable, Hashable {
        /// Memory, files in `/tmp` included, in bytes.
        public var memoryBytes: Int
        /// CPU time per wall-clock time: 1 is one core.
        public var cpus: Int
        /// Processor time in each 100 ms, in microseconds, in place of ``cpus``; for trials, which need less than a core.
        var quotaMicroseconds: Int?
        /// Processes and threads alive at once.
        public var processes: Int
        /// Size of `/tmp`, in bytes.
        public var temporaryBytes: Int
        /// Size of `/dev/shm`, which lies in memory and counts against ``memoryBytes``, in bytes; 0 for none.
        public var sharedMemoryBytes: Int
        /// Open files of one process.
        public var descriptors: Int
        /// Wall-clock time from start to exit.
        public var timeout: Duration

        /// Limits, each above 0.
        public init(
            memoryBytes: Int, cpus: Int, processes: Int, temporaryBytes: Int, sharedMemoryBytes: Int = 0, descriptors: Int = 4096,
            timeout: Duration
        ) {
            precondition(min(memoryBytes, cpus, processes, temporaryBytes, descriptors) > 0 && timeout > .zero, "a tool needs room")
            precondition(sharedMemoryBytes >= 0, "there is no negative memory")
            self.sharedMemoryBytes = sharedMemoryBytes
            self.memoryBytes = memoryBytes
            self.cpus = cpus
            self.processes = processes
            self.temporaryBytes = temporaryBytes
            self.descriptors = descriptors
            self.timeout = timeout
        }
    }

    /// The container's name, unique among those that run.
    public let id: ContainerID
    /// Absolute path of the folder that becomes the tool's read-only root. Mount points are made in it where they are missing.
    public let rootFolder: String
    /// The program, an absolute path inside the cage, and its arguments.
    public let command: [String]
    /// The whole environment, each `NAME=VALUE`.
    public let environment: [String]
    /// What the tool sees of the host.
    public let mounts: [ReadOnlyMount]
    /// What it may use.
    public let limits: Limits

    /// A tool to run once.
    public init(
        id: ContainerID, rootFolder: String, command: [String], environment: [String], mounts: [ReadOnlyMount], limits: Limits
    ) {
        self.id = id
        self.rootFolder = rootFolder
        self.command = command
        self.environment = environment
        self.mounts = mounts
        self.limits = limits
    }
}
