/// How much a Cargo may write.
public struct TranscriptLimits: Sendable, Hashable {
    /// Deepest nesting of arrays and objects in a frame; the frame itself is 1.
    /// Chosen: far deeper than frames are, far shallower than a stack.
    public static let frameDepthMax = 64

    /// Longest line without its end, in bytes, at least 1.
    public let frameBytesMax: Int
    /// All output, line ends and blank lines included, in bytes, at least 1.
    public let transcriptBytesMax: Int

    /// The limits of a trust level; both at least 1.
    public init(frameBytesMax: Int, transcriptBytesMax: Int) {
        precondition(frameBytesMax > 0 && transcriptBytesMax > 0, "limits are at least 1")
        self.frameBytesMax = frameBytesMax
        self.transcriptBytesMax = transcriptBytesMax
    }
}
