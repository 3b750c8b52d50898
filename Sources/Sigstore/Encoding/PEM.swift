/// A document of RFC 7468 in a text.
///
/// Lines may be of any length, since not everybody who writes into a transparency log keeps to 64 characters; what stands around the
/// documents is passed over, as the RFC allows.
public struct PEM: Sendable, Hashable {
    /// What it is, for example `CERTIFICATE`.
    public let label: String
    /// The bytes in it.
    public let bytes: [UInt8]

    /// A text that is no document.
    public struct Malformed: Error, Sendable, Hashable {}

    /// Chosen: chains of certificates have a few.
    private static let documentsMax = 64

    /// All documents of a text, at least one.
    public static func all(in text: String) throws(Malformed) -> [PEM] {
        var documents: [PEM] = []
        var open: (label: Substring.UTF8View, body: [UInt8])?
        for line in text.utf8.split(whereSeparator: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
            let line = trimmed(line)
            if let label = label(line, "-----BEGIN ") {
                guard open == nil, documents.count < documentsMax else { throw Malformed() }
                open = (label, [])
            } else if let label = label(line, "-----END ") {
                guard let (begun, body) = open, begun.elementsEqual(label), let bytes = Base64.bytes(body), !bytes.isEmpty else { throw Malformed() }
                documents.append(PEM(label: String(Substring(label)), bytes: bytes))
                open = nil
            } else {
                open?.body += line
            }
        }
        guard open == nil, !documents.isEmpty else { throw Malformed() }
        return documents
    }

    /// The only document of a text.
    ///
    /// - Parameter labels: what it may be.
    public static func only(in text: String, labels: Set<String>) throws(Malformed) -> PEM {
        let documents = try all(in: text)
        guard let document = documents.first, documents.count == 1, labels.contains(document.label) else { throw Malformed() }
        return document
    }

    /// The document as text, in lines of 64 characters, the last ended too.
    public var text: String {
        var lines = "-----BEGIN \(label)-----\n"
        var rest = Base64.text(bytes)[...]
        while !rest.isEmpty {
            lines += rest.prefix(64) + "\n"
            rest = rest.dropFirst(64)
        }
        return lines + "-----END \(label)-----\n"
    }

    private static func label(_ line: Substring.UTF8View, _ start: String) -> Substring.UTF8View? {
        let end = "-----".utf8
        guard line.starts(with: start.utf8), line.suffix(end.count).elementsEqual(end), line.count > start.utf8.count + end.count else { return nil }
        return line.dropFirst(start.utf8.count).dropLast(end.count)
    }

    private static func trimmed(_ line: Substring.UTF8View) -> Substring.UTF8View {
        let isBlank = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        var rest = line.drop(while: isBlank)
        while let last = rest.last, isBlank(last) { rest = rest.dropLast() }
        return rest
    }
}
