import Crypto

/// A text with signatures of whoever vouches for it, as transparency logs sign their state.
///
/// Source: C2SP signed-note. Read on bytes: to Swift's `Character` a carriage return and a line feed are one.
public struct SignedNote: Sendable, Hashable {
    /// What is signed, with its last line end.
    public let text: [UInt8]
    /// The signatures in the order written, of known and unknown signers.
    public let signatures: [Signature]

    /// A signature line.
    public struct Signature: Sendable, Hashable {
        /// The signer's name.
        public let name: String
        /// Tells keys of one name apart; four bytes.
        public let keyID: [UInt8]
        /// The signature.
        public let bytes: [UInt8]
    }

    /// Why a note cannot be read.
    public struct Malformed: Error, Sendable, Hashable {
        /// In words.
        public let message: String
    }

    /// Chosen: a log has some tens of witnesses.
    private static let signaturesMax = 100
    private static let lineStart = Array("\u{2014} ".utf8)

    /// Reads a note.
    public init(parsing note: [UInt8]) throws(Malformed) {
        let lineEnd = UInt8(ascii: "\n")
        guard note.last == lineEnd else { throw Malformed(message: "the last line has no end") }
        // Texts may have blank lines of their own: the last one parts them from the signatures.
        guard let blank = note.indices.dropFirst().last(where: { note[$0] == lineEnd && note[$0 - 1] == lineEnd }) else {
            throw Malformed(message: "there is no blank line before the signatures")
        }
        text = Array(note[..<blank])
        let lines = note[(blank + 1)...].dropLast().split(separator: lineEnd, omittingEmptySubsequences: false)
        guard lines.count <= Self.signaturesMax, note.count > blank + 1 else { throw Malformed(message: "it has no signatures, or too many") }
        var signatures: [Signature] = []
        for line in lines { signatures.append(try Self.signature(line)) }
        self.signatures = signatures
    }

    /// Signs a text.
    ///
    /// - Parameters:
    ///   - text: with its last line end.
    ///   - name: the signer's.
    ///   - keyID: by which the name's keys are told apart; ``keyIDBytes`` bytes.
    public init(signing text: [UInt8], name: String, keyID: [UInt8], key: SigningKey) throws {
        precondition(keyID.count == Self.keyIDBytes && text.last == UInt8(ascii: "\n"), "a note ends its lines, and key ids have four bytes")
        self.text = text
        signatures = [Signature(name: name, keyID: keyID, bytes: try key.sign(text))]
    }

    /// The note as it is sent.
    public var bytes: [UInt8] {
        signatures.reduce(text + [UInt8(ascii: "\n")]) { $0 + Self.lineStart + Array("\($1.name) \(Base64.text($1.keyID + $1.bytes))\n".utf8) }
    }

    private static func signature(_ line: ArraySlice<UInt8>) throws(Malformed) -> Signature {
        guard line.starts(with: lineStart) else { throw Malformed(message: "a signature line does not begin with a dash and a space") }
        let words = line.dropFirst(lineStart.count).split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard words.count == 2, !words[0].isEmpty, !words[0].contains(UInt8(ascii: "+")), let name = String(validating: words[0], as: UTF8.self),
            let text = String(validating: words[1], as: UTF8.self), let bytes = Base64.bytes(text), bytes.count > keyIDBytes
        else { throw Malformed(message: "a signature line has no name, key id and signature") }
        return Signature(name: name, keyID: Array(bytes.prefix(keyIDBytes)), bytes: Array(bytes.dropFirst(keyIDBytes)))
    }

    /// Bytes that tell keys of one name apart.
    public static let keyIDBytes = 4
}

/// What a transparency log says of itself: so many entries, and the hash over them.
///
/// Source: C2SP tlog-checkpoint.
public struct Checkpoint: Sendable, Hashable {
    /// The note that it was read from.
    public let note: SignedNote
    /// Which log it is.
    public let origin: String
    /// Entries of the tree.
    public let size: Int
    /// The tree's hash.
    public let root: [UInt8]

    /// Reads a checkpoint; further lines of its text are of no concern.
    public init(parsing bytes: [UInt8]) throws(SignedNote.Malformed) {
        note = try SignedNote(parsing: bytes)
        let lines = note.text.dropLast(note.text.last == UInt8(ascii: "\n") ? 1 : 0)
            .split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { String(validating: $0, as: UTF8.self) }
        guard lines.count >= 3, let origin = lines[0], !origin.isEmpty else { throw .init(message: "it has not the lines of a checkpoint") }
        guard let digits = lines[1], !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            digits == "0" || !digits.hasPrefix("0"), let size = Int(digits)
        else { throw .init(message: "the size is no number") }
        guard let root = lines[2].flatMap(Base64.bytes), root.count == MerkleTree.hashBytes else { throw .init(message: "the root is no hash") }
        self.origin = origin
        self.size = size
        self.root = root
    }
}
