/// Takes apart the one stream into which an engine puts a container's output and error. A pure state machine.
///
/// Shape: frames of 8 bytes (stream 1 or 2, three zeros, big-endian length of 32 bits) and as many bytes as the length says.
/// Source: Docker Engine API 1.41, "ContainerAttach", stream format. A frame of any length is handed on as it comes, so nothing
/// is kept but the 8 bytes.
struct AttachedStreams {
    /// What came with one read, in order within each stream.
    struct Piece: Hashable {
        var output: [UInt8] = []
        var error: [UInt8] = []
    }

    /// A stream number that is none, or a frame without its zeros: the connection does not speak this format.
    struct Malformed: Error {}

    private var header: [UInt8] = []
    private var remaining = 0

    /// Whether a frame is only half there.
    var isInsideFrame: Bool { remaining > 0 || !(header.isEmpty || header.count == 8) }

    mutating func take(_ bytes: some Collection<UInt8>) throws -> Piece {
        var piece = Piece()
        var rest = ArraySlice(Array(bytes))
        while !rest.isEmpty {
            if remaining == 0 {
                if header.count == 8 { header = [] }
                let part = rest.prefix(8 - header.count)
                header += part
                rest = rest.dropFirst(part.count)
                guard header.count == 8 else { break }
                guard header[0] == 1 || header[0] == 2, header[1...3].allSatisfy({ $0 == 0 }) else { throw Malformed() }
                remaining = header[4...].reduce(0) { $0 << 8 | Int($1) }
            } else {
                let part = rest.prefix(remaining)
                if header[0] == 1 { piece.output += part } else { piece.error += part }
                remaining -= part.count
                rest = rest.dropFirst(part.count)
            }
        }
        return piece
    }
}
