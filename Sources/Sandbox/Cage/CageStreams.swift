/// The pipes of a container, and the socket to its entry where the runtime hands one on.
struct CageStreams {
    /// The ends that stay here; none of them blocks. An object, so that each has one owner and `nil` really closes it.
    final class OwnEnds {
        var input: Descriptor?
        var output: Descriptor?
        var error: Descriptor?
        var report: Descriptor?

        init(input: Descriptor, output: Descriptor, error: Descriptor, report: Descriptor?) {
            self.input = input
            self.output = output
            self.error = error
            self.report = report
        }
    }

    /// The ends that the container gets; closed here as soon as it has them.
    struct CageEnds {
        let input: Descriptor
        let output: Descriptor
        let error: Descriptor
        let report: Descriptor?
    }

    let own: OwnEnds
    let cage: CageEnds

    /// - Parameter filter: the strict filter's bytes; they wait in the socket until the entry reads them. Without them there is no socket.
    init(filter: [UInt8]?) throws {
        let (input, output, error) = (try DescriptorPair.pipe(), try DescriptorPair.pipe(), try DescriptorPair.pipe())
        let socket = try filter.map(Self.socket(holding:))
        for descriptor in [input.second, output.first, error.first] { try descriptor.setNonblocking() }
        own = OwnEnds(input: input.second, output: output.first, error: error.first, report: socket?.first)
        cage = CageEnds(input: input.first, output: output.second, error: error.second, report: socket?.second)
    }

    private static func socket(holding filter: [UInt8]) throws -> DescriptorPair {
        let socket = try DescriptorPair.sockets()
        try socket.first.setNonblocking()
        guard try socket.first.write(filter[...]) == filter.count else {
            throw SandboxError(.cageEntry, "The filter does not fit the socket to the container.")
        }
        try socket.first.endWriting()
        return socket
    }
}
