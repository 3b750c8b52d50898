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
        var text = Hexadecimal.digits(bytes)
        // From the end, so that the places before stay as they are.
        for place in [20, 16, 12, 8] { text.insert(UInt8(ascii: "-"), at: place) }
        return String(decoding: text, as: UTF8.self)
    }

    /// A new secret of 160 random bits in hexadecimal after a prefix, for example `ak_…`.
    public func newSecret(prefix: String) -> String { prefix + Hexadecimal.text(randomBytes(20)) }
}

/// Bytes as lower-case hexadecimal digits.
public enum Hexadecimal {
    /// The digits as a text.
    public static func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: digits(bytes), as: UTF8.self) }

    /// The digits in ASCII.
    static func digits(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        let digit = { (value: UInt8) in value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10 }
        var digits: [UInt8] = []
        digits.reserveCapacity(2 * bytes.underestimatedCount)
        for byte in bytes {
            digits.append(digit(byte >> 4))
            digits.append(digit(byte & 0x0F))
        }
        return digits
    }
}
