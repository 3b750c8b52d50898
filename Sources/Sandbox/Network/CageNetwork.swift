import FoundationEssentials
import Glibc
import SandboxKernel

/// What an Island's owner decides on the network of Cargos.
public struct CageNetworkConfiguration: Sendable, Hashable {
    /// Ranges of private or own addresses that Cargos may reach all the same.
    public var allowed: [AddressRange]
    /// Where Cargos ask for names; they must be able to reach them. Chosen: two public services that keep no names of askers for long.
    public var nameServers: [String]

    /// A decision; the public internet alone without one.
    public init(allowed: [AddressRange] = [], nameServers: [String] = ["9.9.9.9", "1.1.1.1"]) {
        self.allowed = allowed
        self.nameServers = nameServers
    }
}

/// The way out of one cage that has one: `pasta`, which speaks for the cage in sockets of its own, so that nothing of the host's network is changed.
///
/// Source: pasta(1) of passt. It opens no port to the inside, and shows nothing of the host's loopback.
struct CageNetwork {
    /// Runs as long as the cage.
    private let process: ChildProcess

    /// Where the process's number is kept for a restart, in the job's bundle.
    static let processFile = "network-process"

    /// The programs that it needs, with Debian's packages of them.
    static let programs = [("pasta", "passt"), ("iptables-restore", "iptables"), ("ip6tables-restore", "iptables"), ("nsenter", "util-linux")]

    /// Gives a container that waits before its first program a way out, within the rules. Blocks.
    ///
    /// - Parameters:
    ///   - container: the host's number of its first process.
    ///   - bundle: the job's folder.
    static func connect(_ container: pid_t, bundle: String, configuration: CageNetworkConfiguration, atMost time: Duration) throws -> CageNetwork {
        let namespace = "/proc/\(container)/ns/net"
        // Where a runtime gave the container none of its own, the rules would become the host's.
        guard try isOwn(namespace) else {
            throw SandboxError(.levelNotEnforced, "The runtime gave the cage no network namespace of its own.")
        }
        let rules = EgressRules(allowed: configuration.allowed, ofHost: try AddressRange.ofHost())
        // The rules first: there is no moment with a way out and without them.
        for (program, text) in [("iptables-restore", rules.version4), ("ip6tables-restore", rules.version6)] {
            let file = "\(bundle)/\(program)"
            try SmallFiles.write(Array(text.utf8), to: file, create: true)
            let command = [try path("nsenter"), "--net=\(namespace)", try path(program)]
            try run(command, Descriptor.open(file, O_RDONLY), atMost: time)
        }
        let file = "\(bundle)/\(processFile)"
        let pasta = [
            try path("pasta"), "--quiet", "--ipv4-only", "--config-net", "--no-map-gw", "--no-dhcp", "--no-dhcpv6", "--no-ra", "--no-ndp",
            "--tcp-ports", "none", "--udp-ports", "none", "--tcp-ns", "none", "--udp-ns", "none", "--netns-only", "--no-netns-quit",
            // It must enter a namespace that belongs to another user's container; it gives up its rights itself after that.
            "--runas", "0", "--pid", file, "--netns", "/proc/self/fd/3",
        ]
        // It gives up the right to look into other processes before it opens the namespace, so it gets that open. It says that it is ready by
        // going into the background, where it is this process's child.
        try run(pasta, Descriptor.open("/dev/null", O_RDONLY), more: [Descriptor.open(namespace, O_RDONLY)], atMost: time)
        guard let id = pid_t(try SmallFiles.read(file).filter { !$0.isWhitespace }) else {
            throw SandboxError(.runtime, "The cage's network did not start.", cause: "no process number")
        }
        return CageNetwork(process: try ChildProcess(adopting: id))
    }

    /// Whether a network namespace is another than this process's.
    private static func isOwn(_ namespace: String) throws -> Bool {
        let files = FileManager.default
        return try files.destinationOfSymbolicLink(atPath: namespace) != files.destinationOfSymbolicLink(atPath: "/proc/self/ns/net")
    }

    /// Ends it, and waits until it is gone.
    func end(atMost time: Duration) throws {
        process.kill()
        guard try process.wait(atMost: time) != nil else { throw SandboxError(.cleanUp, "The cage's network did not end.") }
    }

    /// Ends what an Island that died left running for a bundle. Its number may be another's by now: only the process that was started for this
    /// bundle is meant.
    static func endLeftover(of bundle: String) {
        guard let text = try? SmallFiles.read("\(bundle)/\(processFile)"), let id = pid_t(text.filter { !$0.isWhitespace }), id > 1,
            let arguments = try? SmallFiles.read("/proc/\(id)/cmdline"), arguments.contains("\(bundle)/\(processFile)")
        else { return }
        // The only error is that it is gone.
        _ = kernel_kill(id, SIGKILL)
    }

    private static func path(_ program: String) throws -> String {
        guard let path = ShortCommand.find(program) else {
            throw SandboxError(.levelNotEnforced, "A program that a cage with a network needs is missing: \(program).")
        }
        return path
    }

    private static func run(_ command: [String], _ input: Descriptor, more: [Descriptor] = [], atMost time: Duration) throws {
        let pipe = try DescriptorPair.pipe()
        try pipe.first.setNonblocking()
        let status = try ShortCommand.run(command, descriptors: [input, pipe.second, pipe.second] + more, atMost: time)
        guard status == 0 else {
            let text = String(decoding: try pipe.first.read(atMost: 2000) ?? [], as: UTF8.self)
            throw SandboxError(.runtime, "The cage's network could not be made.", cause: "\(command[0]): wait status \(status): \(text)")
        }
    }
}

/// The file by which programs find name servers.
enum ResolverFile {
    /// Where it is in every image.
    static let path = "/etc/resolv.conf"

    static func text(_ servers: [String]) -> String { servers.map { "nameserver \($0)\n" }.joined() }

    /// Whether an image has a file there that can be covered. Nothing can be made in a root that is read-only, and a link could lead anywhere.
    static func canBeCovered(in root: String) -> Bool {
        var facts = stat()
        // Safety: the record lives for the length of the calls. Links are not followed.
        guard lstat(root + "/etc", &facts) == 0, facts.st_mode & S_IFMT == S_IFDIR, lstat(root + path, &facts) == 0 else { return false }
        return facts.st_mode & S_IFMT == S_IFREG
    }
}
