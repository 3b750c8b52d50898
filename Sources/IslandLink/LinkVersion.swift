/// The version of the messages between Island and coordinator.
public enum LinkVersion {
    /// Sent in `hello` and `welcome`; a side that does not know the other's version closes the link and says so.
    public static let current = 2
}

/// Bounds of the link, the same on both sides.
public enum LinkLimits {
    /// The longest message, in bytes: one frame of the highest level (32 MiB), its envelope, and room for a job's input.
    public static let messageBytesMax = 40 << 20
    /// Characters of a failure's message that are kept; a Cargo may write a megabyte, and lists repeat it.
    public static let failureMessageMax = 4096
    /// The largest number of a frame: far above what fits in any transcript, and small enough for every sum.
    public static let frameNumberMax = 1 << 40
    /// Images that `hello` names, at most.
    public static let imagesMax = 1024
    /// Who may have signed an image, at most; an account has fewer identities.
    static let signersMax = 64
    /// The longest digest: that of SHA-512 with its name.
    static let digestBytesMax = 135
    /// Frames in one message, at most.
    public static let framesMax = 512
    /// Bytes of frames in one message, unless a single frame is longer.
    public static let frameBytesTarget = 256 << 10
}

/// A message that does not follow the link's rules.
public struct LinkError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong, with its place; safe to show.
    public let description: String

    /// A broken rule.
    public init(_ description: String) { self.description = description }
}
