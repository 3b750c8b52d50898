import JSON

/// A frame with its place in a job's transcript.
public struct TranscriptRecord: Sendable, Hashable {
    /// The Cargo's frame.
    public let frame: Frame
    /// The place in the transcript, from 1, without gaps.
    public let seq: Int
    /// The attempt that wrote it, from 1.
    public let attempt: Int

    /// A frame at its place; both numbers are at least 1.
    public init(frame: Frame, seq: Int, attempt: Int) {
        self.frame = frame
        self.seq = seq
        self.attempt = attempt
    }

    /// The record in UTF-8, one JSON object without `\n` and `\r`: the frame with `"seq":N,"attempt":M` appended.
    ///
    /// The frame's bytes stay as they are. Two exceptions, in which it is written anew with the same members and
    /// values, compactly: it has a top-level `seq` or `attempt` of its own (replaced, because names must be unique), or
    /// a carriage return between its members (which would end a line of a server-sent event).
    public var bytes: [UInt8] {
        let isPlain = frame.object["seq"] == nil && frame.object["attempt"] == nil && !frame.bytes.contains(UInt8(ascii: "\r"))
        guard isPlain, let end = frame.bytes.lastIndex(of: UInt8(ascii: "}")) else { return rewritten }
        var record: [UInt8] = []
        record.reserveCapacity(frame.bytes.count + 48)
        record.append(contentsOf: frame.bytes[..<end])
        record.append(contentsOf: ",\"seq\":\(seq),\"attempt\":\(attempt)}".utf8)
        return record
    }

    private var rewritten: [UInt8] {
        var object = frame.object
        object["seq"] = nil
        object["attempt"] = nil
        object["seq"] = .int(seq)
        object["attempt"] = .int(attempt)
        return object.bytes
    }
}
