/// One entry of a tar, as read: nothing in it is trusted.
struct TarEntry: Hashable, Sendable {
    /// What an entry is.
    enum Kind: Hashable, Sendable {
        case file
        case folder
        case symbolicLink
        case hardLink
        case characterDevice
        case blockDevice
        case fifo
    }

    /// What the entry is.
    var kind: Kind
    /// Path, bytes as in the archive, never empty and without NUL.
    var path: [UInt8]
    /// Target of a link, bytes as in the archive; empty for other kinds.
    var linkTarget: [UInt8]
    /// Bytes of content; 0 for everything but files.
    var size: Int64
    /// Permission bits with setuid, setgid and sticky, `0...0o7777`.
    var mode: UInt32
    /// Owner's number, at least 0.
    var userID: Int64
    /// Group's number, at least 0.
    var groupID: Int64
    /// Time of the last change in seconds since 1970, may be negative.
    var modifiedSeconds: Int64
    /// Offset of the content in the uncompressed archive, in bytes.
    var contentOffset: Int64
}

/// Bounds of tar headers.
struct TarLimits: Hashable, Sendable {
    /// Longest path or link target, in bytes. Source: Linux `PATH_MAX`, 4096 with its end.
    var pathBytesMax = 4095
    /// Most bytes of one extended header. Chosen: as libarchive and Go, 1 MiB.
    var extendedHeaderBytesMax = 1 << 20
    /// Most extended headers in front of one entry, a count. Chosen: real writers use at most 3.
    var extendedHeadersMax = 8
    /// Most entries, a count.
    var entriesMax = 1_000_000
}
