import Glibc

/// Finds the cage entry's records in a container's standard error (`Sources/CageEntry/engine.h`). A pure state machine.
struct EntryRecords {
    /// One record.
    struct Record: Hashable {
        /// What it is about; `E` is the end of the Cargo.
        var stage: Character
        /// An errno, or behind `E` the wait status of the Cargo.
        var value: Int
        /// From the Cargo's start to its end.
        var wallTime: Duration
        /// Processor time of all processes that were waited for.
        var cpuTime: Duration
        /// The largest process, in bytes.
        var largestProcessBytes: Int
    }

    /// Source: `struct record`.
    static let nonceBytes = 32
    static let recordBytes = 72

    private let nonce: [UInt8]
    /// What may be the beginning of a record; shorter than one.
    private var held: [UInt8] = []

    /// - Parameter nonce: 32 characters that nobody but the entry knows.
    init(nonce: String) {
        precondition(nonce.utf8.count == Self.nonceBytes, "a nonce has 32 bytes")
        self.nonce = Array(nonce.utf8)
    }

    /// Takes the next bytes of standard error.
    ///
    /// - Returns: the records that are whole, and what is the Cargo's own.
    mutating func take(_ bytes: [UInt8]) -> (records: [Record], text: [UInt8]) {
        var records: [Record] = []
        var text: [UInt8] = []
        var rest = ArraySlice(held + bytes)
        held = []
        while let start = Self.firstIndex(of: nonce, in: rest) {
            text += rest[..<start]
            rest = rest[start...]
            guard rest.count >= Self.recordBytes else { break }
            records.append(Self.record(Array(rest.prefix(Self.recordBytes))))
            rest = rest.dropFirst(Self.recordBytes)
        }
        if rest.starts(with: nonce) {
            held = Array(rest)
        } else {
            // The longest end that may be the beginning of a nonce waits for more.
            let tail = rest.suffix(Self.nonceBytes - 1)
            let cut = tail.indices.first { nonce.starts(with: tail[$0...]) } ?? rest.endIndex
            text += rest[..<cut]
            held = Array(rest[cut...])
        }
        return (records, text)
    }

    /// What is held back once nothing more can come.
    mutating func end() -> [UInt8] {
        defer { held = [] }
        return held
    }

    private static func firstIndex(of nonce: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
        bytes.withUnsafeBytes { haystack -> Int? in
            nonce.withUnsafeBytes { needle -> Int? in
                guard let start = haystack.baseAddress, let wanted = needle.baseAddress else { return nil }
                var offset = 0
                while haystack.count - offset >= needle.count {
                    // Safety: both buffers live for the length of the calls, and no call reads behind the haystack's end.
                    guard let found = memchr(start + offset, CInt(needle[0]), haystack.count - offset - needle.count + 1) else { return nil }
                    offset = UnsafeRawPointer(found) - start
                    if memcmp(found, wanted, needle.count) == 0 { return bytes.startIndex + offset }
                    offset += 1
                }
                return nil
            }
        }
    }

    private static func record(_ bytes: [UInt8]) -> Record {
        func number(_ offset: Int) -> Int {
            let bits = bytes[offset..<offset + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
            return Int(truncatingIfNeeded: bits)
        }
        return Record(
            stage: Character(UnicodeScalar(bytes[nonceBytes])), value: number(40), wallTime: .microseconds(number(48)),
            cpuTime: .microseconds(number(56)), largestProcessBytes: max(number(64), 0) << 10)
    }
}
