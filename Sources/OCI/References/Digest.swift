import Crypto

/// A content digest: `sha256:` and 64, or `sha512:` and 128 lower-case hexadecimal digits.
///
/// A value that exists is well formed. Source: OCI image specification 1.1, descriptor.md, "Digests".
public struct Digest: Hashable, Sendable, CustomStringConvertible, Codable {
    /// The hash functions that are accepted.
    public enum Algorithm: String, Sendable, Hashable, CaseIterable {
        case sha256
        case sha512

        /// Number of hexadecimal digits of a digest, a count.
        public var hexLength: Int {
            switch self {
            case .sha256: 64
            case .sha512: 128
            }
        }
    }

    /// The hash function.
    public let algorithm: Algorithm
    /// The hash, `algorithm.hexLength` characters of `0-9a-f`.
    public let hex: String

    /// Parses `algorithm:hex`.
    ///
    /// - Parameter text: the whole digest, without white space.
    /// - Throws: `invalid_digest` for another algorithm, another length, upper-case or other characters.
    public init(_ text: String) throws(OCIError) {
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")),
            let algorithm = Algorithm(rawValue: String(text[..<colon]))
        else {
            throw OCIError(
                .invalidDigest,
                "\"\(OCIError.printable(text))\" is no digest; write sha256: and 64 hexadecimal digits.")
        }
        let hex = String(text[text.utf8.index(after: colon)...])
        guard hex.utf8.count == algorithm.hexLength, hex.utf8.allSatisfy(Digest.isLowerHex) else {
            throw OCIError(
                .invalidDigest,
                "\"\(OCIError.printable(text))\" is no digest; \(algorithm.rawValue): is followed by exactly "
                    + "\(algorithm.hexLength) of the characters 0-9 and a-f.")
        }
        self.algorithm = algorithm
        self.hex = hex
    }

    init(algorithm: Algorithm, hash: some Sequence<UInt8>) {
        self.algorithm = algorithm
        self.hex = Digest.hexText(of: hash)
    }

    /// Hashes bytes in memory.
    ///
    /// Known value: the empty array gives `sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855`.
    ///
    /// - Parameter bytes: any bytes.
    /// - Returns: their SHA-256 digest.
    public static func sha256(of bytes: some Sequence<UInt8>) -> Digest {
        var hasher = DigestHasher()
        hasher.update(Array(bytes))
        return hasher.finalize()
    }

    /// `algorithm:hex`.
    public var description: String { "\(algorithm.rawValue):\(hex)" }

    /// Decodes from a JSON string.
    ///
    /// - Throws: `OCIError` `invalid_digest`, or `DecodingError` when it is no string.
    public init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(String.self))
    }

    /// Encodes as a JSON string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    private static func isLowerHex(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }

    private static func hexText(of bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}

/// Hashes bytes as they come, in pieces of any size.
public struct DigestHasher: Sendable {
    // One of the two is set. Optionals and not an enum, so that `update` changes the state in place without copying it.
    private var sha256: SHA256?
    private var sha512: SHA512?

    /// Starts an empty hash.
    ///
    /// - Parameter algorithm: the hash function.
    public init(algorithm: Digest.Algorithm = .sha256) {
        switch algorithm {
        case .sha256: sha256 = SHA256()
        case .sha512: sha512 = SHA512()
        }
    }

    /// Adds bytes.
    ///
    /// - Parameter bytes: the next piece, of any size; only read during the call.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        sha256?.update(bufferPointer: bytes)
        sha512?.update(bufferPointer: bytes)
    }

    /// Adds bytes.
    ///
    /// - Parameter bytes: the next piece, of any size.
    public mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// Returns the digest of everything added so far; more may be added afterwards.
    public func finalize() -> Digest {
        if let sha512 { return Digest(algorithm: .sha512, hash: sha512.finalize()) }
        return Digest(algorithm: .sha256, hash: (sha256 ?? SHA256()).finalize())
    }
}
