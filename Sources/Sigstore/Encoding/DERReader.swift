import SwiftASN1

/// The parts of a constructed value in DER, taken in their order.
struct DERReader {
    /// What is wrong with a value.
    struct Mistake: Error, Sendable, Hashable {
        let message: String
    }

    private let name: String
    private var parts: ASN1NodeCollection.Iterator
    private var ahead: ASN1Node?

    /// - Parameters:
    ///   - identifier: that the value must have.
    ///   - name: of the value, for mistakes.
    init(_ node: ASN1Node, as identifier: ASN1Identifier = .sequence, name: String) throws(Mistake) {
        guard node.identifier == identifier, case .constructed(let parts) = node.content else { throw Mistake(message: "\(name) has another form") }
        self.name = name
        self.parts = parts.makeIterator()
        ahead = self.parts.next()
    }

    /// Reads a SEQUENCE behind which there is nothing.
    init(parsing bytes: [UInt8], name: String) throws(Mistake) {
        guard let node = try? DER.parse(bytes) else { throw Mistake(message: "\(name) is no DER") }
        try self.init(node, name: name)
    }

    /// The next part, whatever it is.
    mutating func next() -> ASN1Node? {
        defer { ahead = parts.next() }
        return ahead
    }

    /// The next part when it has an identifier; otherwise it stays the next.
    mutating func next(_ identifier: ASN1Identifier) -> ASN1Node? {
        ahead?.identifier == identifier ? next() : nil
    }

    mutating func need(_ identifier: ASN1Identifier, _ part: String) throws(Mistake) -> ASN1Node {
        guard let node = next(identifier) else { throw Mistake(message: "\(name) lacks its \(part)") }
        return node
    }

    /// The bytes of a part that is primitive.
    mutating func needBytes(_ identifier: ASN1Identifier, _ part: String) throws(Mistake) -> [UInt8] {
        guard case .primitive(let bytes) = try need(identifier, part).content else { throw Mistake(message: "\(name) has a constructed \(part)") }
        return Array(bytes)
    }

    mutating func needIdentifier(_ part: String) throws(Mistake) -> ASN1ObjectIdentifier {
        guard let identifier = try? ASN1ObjectIdentifier(derEncoded: need(.objectIdentifier, part)) else {
            throw Mistake(message: "\(name) lacks its \(part)")
        }
        return identifier
    }

    /// The parts of a SEQUENCE.
    mutating func needReader(_ part: String) throws(Mistake) -> DERReader { try needReader(.sequence, part) }

    mutating func needReader(_ identifier: ASN1Identifier, _ part: String) throws(Mistake) -> DERReader {
        try DERReader(need(identifier, part), as: identifier, name: part)
    }

    /// Insists that nothing is left.
    func end() throws(Mistake) {
        guard ahead == nil else { throw Mistake(message: "\(name) has something that does not belong there") }
    }
}

extension ASN1Identifier {
    static func context(_ number: UInt) -> ASN1Identifier { ASN1Identifier(tagWithNumber: number, tagClass: .contextSpecific) }
}

/// AlgorithmIdentifier. Source: RFC 5280 §4.1.1.2.
struct DERAlgorithm: Sendable, Hashable {
    let identifier: ASN1ObjectIdentifier
    /// Whether there are parameters other than NULL.
    let hasParameters: Bool

    init(_ reader: DERReader) throws(DERReader.Mistake) {
        var reader = reader
        identifier = try reader.needIdentifier("an algorithm")
        if let parameters = reader.next() {
            hasParameters = parameters.encodedBytes != [0x05, 0x00]
        } else {
            hasParameters = false
        }
        try reader.end()
    }

    /// The hash that this is; `nil` for one that is not of SHA-2. Source: RFC 5754 §2.
    var hash: PublicKey.HashAlgorithm? {
        guard !hasParameters else { return nil }
        return switch identifier {
        case [2, 16, 840, 1, 101, 3, 4, 2, 1]: .sha256
        case [2, 16, 840, 1, 101, 3, 4, 2, 2]: .sha384
        case [2, 16, 840, 1, 101, 3, 4, 2, 3]: .sha512
        default: nil
        }
    }
}

extension Moment {
    /// Reads a GeneralizedTime in DER: in UTC, to the second at least, a fraction without trailing zeros (X.690 §11.7); `nil` for any other bytes.
    ///
    /// What is finer than a millisecond is cut off.
    init?(generalizedTime bytes: [UInt8]) {
        guard bytes.count >= 15, bytes.last == UInt8(ascii: "Z") else { return nil }
        func number(_ range: Range<Int>) -> Int? {
            guard bytes[range].allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            return bytes[range].reduce(0) { $0 * 10 + Int($1) - 0x30 }
        }
        guard let year = number(0..<4), let month = number(4..<6), let day = number(6..<8), let hour = number(8..<10), let minute = number(10..<12),
            let second = number(12..<14), let days = Self.days(year, month, day), hour < 24, minute < 60, second < 60
        else { return nil }
        var thousandths = 0
        if bytes.count > 15 {
            let digits = bytes[15..<bytes.count - 1]
            guard bytes[14] == UInt8(ascii: "."), let last = digits.last, last != 0x30, digits.allSatisfy({ (0x30...0x39).contains($0) })
            else { return nil }
            for place in 0..<3 { thousandths = thousandths * 10 + (place < digits.count ? Int(digits[15 + place]) - 0x30 : 0) }
        }
        self.init(milliseconds: (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + thousandths)
    }

    /// Reads a UTCTime in DER, whose years are those of 1950 to 2049 (RFC 5280 §4.1.2.5.1); `nil` for any other bytes.
    init?(utcTime bytes: [UInt8]) {
        guard bytes.count == 13, let decade = bytes.first else { return nil }
        self.init(generalizedTime: Array((decade < UInt8(ascii: "5") ? "20" : "19").utf8) + bytes)
    }
}
