/// Where services get what is not in their hands: the time, new identifiers, new secrets, and waiting.
public struct Surroundings: Sendable {
    /// The time now.
    public let now: @Sendable () -> Timestamp
    /// Fresh random bytes, as many as asked for, fit for secrets.
    public let randomBytes: @Sendable (Int) -> [UInt8]
    /// The clock to wait by.
    public let clock: any Clock<Duration>

    /// Surroundings of a live process, or of a test.
    public init(now: @escaping @Sendable () -> Timestamp, randomBytes: @escaping @Sendable (Int) -> [UInt8], clock: any Clock<Duration>) {
        self.now = now
        self.randomBytes = randomBytes
        self.clock = clock
    }

    /// A new UUID of version 7: 48 bits of time, then 74 random bits, so that later ones sort after earlier ones.
    ///
    /// Source: RFC 9562 §5.7.
    public func newIdentifier() -> String {
        let time = UInt64(now().milliseconds)
        var bytes = (0..<6).map { UInt8(truncatingIfNeeded: time >> UInt64(40 - 8 * $0)) } + randomBytes(10)
        bytes[6] = 0x70 | (bytes[6] & 0x0F)
        bytes[8] = 0x80 | (bytes[8] & 0x3F)
        let hexadecimal = Hexadecimal.text(bytes)
        let ends = [0, 8, 12, 16, 20, 32]
        return zip(ends, ends.dropFirst()).map { String(hexadecimal.dropFirst($0).prefix($1 - $0)) }.joined(separator: "-")
    }

    /// A new secret of 160 random bits in hexadecimal after a prefix, for example `ak_…`.
    public func newSecret(prefix: String) -> String { prefix + Hexadecimal.text(randomBytes(20)) }
}

/// Bytes as lower-case hexadecimal digits.
enum Hexadecimal {
    static func text(_ bytes: some Sequence<UInt8>) -> String {
        bytes.reduce(into: "") { text, byte in
            let digits = String(byte, radix: 16)
            text += digits.count == 1 ? "0" + digits : digits
        }
    }
}
