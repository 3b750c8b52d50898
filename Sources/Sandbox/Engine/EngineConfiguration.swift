/// Where an ``EngineSandbox`` finds its container engine and keeps its state.
public struct EngineConfiguration: Sendable, Hashable {
    /// The engine's socket, an absolute path of at most 107 bytes.
    public var socketPath: String
    /// The static program `archipelago-cage-entry`, an absolute path. It goes into every image that is made of a root folder.
    public var cageEntryPath: String
    /// A folder of this sandbox alone, absolute path; made if it is missing. Holds the name under which this sandbox's containers
    /// and images are known to the engine, and the files that Podman wants instead of text; never a job's input or output.
    public var stateFolder: String
    /// The value of `HostConfig.UsernsMode`, such as `auto` for Podman, which needs a range of ids for its user `containers` in
    /// `/etc/subuid`. `nil` leaves it to the engine: Docker maps ids for all of its containers or none (`userns-remap`).
    public var userNamespace: String?
    /// The number in a root folder of the image's user 0, as in `RuncConfiguration.idOffset`.
    public var idOffset: Int
    /// Most images that are kept in the engine between jobs, at least 1.
    public var imagesMax: Int
    /// Most bytes of root folders in the kept images together. A single larger one still runs and is the only one then.
    public var imageBytesMax: Int
    /// Longest time that one request to the engine may take.
    public var requestTimeout: Duration
    /// Longest time that the engine may take to make an image of a root folder.
    public var importTimeout: Duration
    /// Longest time that a killed container may take to be gone.
    public var killTimeout: Duration

    /// - Parameters:
    ///   - socketPath: Source: where Docker has it; Podman's is `/run/podman/podman.sock`.
    ///   - idOffset: Chosen: the same as of `RuncConfiguration`, since one store unpacks for both.
    ///   - imagesMax: Chosen: more than the Cargos that an Island runs in turn, few enough to list at once.
    ///   - imageBytesMax: Chosen: 32 GiB, about 100 images of a language with its libraries.
    ///   - requestTimeout: Chosen: 100 times the usual 300 ms; only a stuck engine takes that long.
    ///   - importTimeout: Chosen: 10 GiB at 20 MiB/s.
    ///   - killTimeout: Chosen: Docker waits up to 10 s by itself before it says that a container does not die.
    public init(
        socketPath: String = "/var/run/docker.sock", cageEntryPath: String, stateFolder: String, userNamespace: String? = nil,
        idOffset: Int = 100_000, imagesMax: Int = 32, imageBytesMax: Int = 32 << 30, requestTimeout: Duration = .seconds(30),
        importTimeout: Duration = .seconds(512), killTimeout: Duration = .seconds(20)
    ) {
        precondition(imagesMax > 0 && imageBytesMax > 0, "a job needs an image")
        self.socketPath = socketPath
        self.cageEntryPath = cageEntryPath
        self.stateFolder = stateFolder
        self.userNamespace = userNamespace
        self.idOffset = idOffset
        self.imagesMax = imagesMax
        self.imageBytesMax = imageBytesMax
        self.requestTimeout = requestTimeout
        self.importTimeout = importTimeout
        self.killTimeout = killTimeout
    }
}
