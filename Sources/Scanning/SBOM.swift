internal import Foundation

/// A format of a software bill of materials.
public enum SBOMFormat: String, Sendable, Hashable, CaseIterable {
    /// CycloneDX, JSON.
    case cyclonedx
    /// SPDX, JSON.
    case spdx

    /// The document's media type. Source: IANA's registry of media types.
    public var mediaType: String {
        switch self {
        case .cyclonedx: "application/vnd.cyclonedx+json"
        case .spdx: "application/spdx+json"
        }
    }
}

/// The packages of one image, as a document for others.
public struct SBOMDocument: Sendable, Hashable {
    /// The format.
    public let format: SBOMFormat
    /// Who wrote it: `trivy`, `syft`.
    public let generator: String
    /// The document: UTF-8, one JSON object.
    public let bytes: [UInt8]

    /// A document as it is; nothing is checked here.
    public init(format: SBOMFormat, generator: String, bytes: [UInt8]) {
        self.format = format
        self.generator = generator
        self.bytes = bytes
    }
}

/// A program that lists an image's packages.
public protocol SBOMGenerator: Sendable {
    /// The generator's name, lower case: `trivy`.
    var name: String { get }

    /// Lists the packages of one image.
    ///
    /// - Throws: ``ScanFailure``; a document that is not of the format is refused.
    func makeSBOM(of subject: ScanSubject, format: SBOMFormat) async throws(ScanFailure) -> SBOMDocument
}

extension SBOMDocument {
    /// Takes a generator's output, if it says that it is a document of the format.
    init(_ bytes: [UInt8], format: SBOMFormat, generator: String) throws(ScanFailure) {
        let head: Head
        do {
            head = try JSONDecoder().decode(Head.self, from: Data(bytes))
        } catch {
            throw .unreadable("no \(format.rawValue) document")
        }
        let isRight =
            switch format {
            case .cyclonedx: head.bomFormat == "CycloneDX" && head.specVersion != nil
            case .spdx: head.spdxVersion?.hasPrefix("SPDX-") == true
            }
        guard isRight else { throw .unreadable("no \(format.rawValue) document") }
        self.init(format: format, generator: generator, bytes: bytes)
    }

    /// The names are the formats' own.
    private struct Head: Decodable {
        let bomFormat: String?
        let specVersion: String?
        let spdxVersion: String?
    }
}
