import Foundation

/// Reads and writes the JSON documents of images.
enum JSONDocument {
    /// Decodes one document.
    ///
    /// - Parameters:
    ///   - type: what it should be.
    ///   - bytes: the whole document, UTF-8; its size was checked before.
    ///   - place: what the document is, for the message.
    /// - Throws: `malformed_document`, or the error of a value inside (`invalid_digest`).
    static func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8], place: String) throws(OCIError) -> Value {
        // JSON is UTF-8 without a mark (RFC 8259, section 8.1); the decoder would also take UTF-16, which other readers do not.
        guard !bytes.contains(0), !bytes.starts(with: [0xef, 0xbb, 0xbf]), String(validating: bytes, as: UTF8.self) != nil else {
            throw OCIError(.malformedDocument, "The \(place) is not UTF-8 text.")
        }
        do {
            let value = try JSONDecoder().decode(type, from: Data(bytes))
            guard !JSONKeys.areAmbiguous(in: bytes) else {
                throw OCIError(.malformedDocument, "it has a field twice, so that readers would differ; build the image again.")
            }
            return value
        } catch let error as OCIError {
            throw OCIError(error.code, "The \(place) is malformed: \(error.message)", cause: error.cause)
        } catch {
            throw OCIError(
                .malformedDocument, "The \(place) is not the JSON it should be; rebuild or push the image again.",
                cause: OCIError.printable(String(describing: error), lengthMax: 400))
        }
    }

    /// Encodes with sorted keys, so that equal values give equal bytes.
    ///
    /// - Throws: `malformed_document` when a value cannot be written as JSON.
    static func encode(_ value: some Encodable) throws(OCIError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(value))
        } catch {
            throw OCIError(.malformedDocument, "A document could not be written as JSON.", cause: String(describing: error))
        }
    }
}
