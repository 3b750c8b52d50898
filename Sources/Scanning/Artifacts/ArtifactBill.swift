internal import Foundation

/// A bill of materials of an artifact: its files, and what the files say they were made with.
public struct ArtifactBill: Sendable, Hashable {
    /// One file.
    public struct File: Sendable, Hashable {
        /// Its name in the artifact.
        public let name: String
        /// SHA-256 of its bytes, 64 hexadecimal digits.
        public let sha256: String
        /// How many bytes it has, at least 0.
        public let bytes: Int

        /// A file.
        public init(name: String, sha256: String, bytes: Int) {
            self.name = name
            self.sha256 = sha256
            self.bytes = bytes
        }
    }

    private let name: String
    private let report: ArtifactReport
    private let files: [File]
    private let created: String

    /// A bill.
    ///
    /// - Parameters:
    ///   - name: the artifact's digest, `sha256:` and 64 hexadecimal digits.
    ///   - created: the moment it is written, RFC 3339 in whole seconds.
    public init(name: String, report: ArtifactReport, files: [File], created: String) {
        self.name = name
        self.report = report
        self.files = files
        self.created = created
    }

    /// The bill in CycloneDX 1.6, JSON. Source: ECMA-424.
    public func cycloneDX() -> SBOMDocument {
        let files = files.enumerated().map { number, file -> [String: Any] in
            [
                "type": report.kind == .wasm ? "application" : "machine-learning-model", "bom-ref": "file-\(number)", "name": file.name,
                "hashes": [["alg": "SHA-256", "content": file.sha256]],
            ]
        }
        let makers = report.components.enumerated().map { number, component -> [String: Any] in
            var entry: [String: Any] = ["type": "library", "bom-ref": "component-\(number)", "name": component.name]
            if !component.version.isEmpty { entry["version"] = component.version }
            return entry
        }
        return document(
            .cyclonedx,
            [
                "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
                "metadata": [
                    "timestamp": created, "component": ["type": "application", "bom-ref": "artifact", "name": name],
                    "tools": ["components": [["type": "application", "name": "archipelago"]]],
                ] as [String: Any],
                "components": files + makers,
            ])
    }

    /// The bill in SPDX 2.3, JSON. A file is described as a package, because SPDX wants SHA-1 of files. Source: SPDX specification 2.3.
    public func spdx() -> SBOMDocument {
        let root: [String: Any] = [
            "SPDXID": "SPDXRef-Artifact", "name": name, "downloadLocation": "NOASSERTION", "filesAnalyzed": false,
            "primaryPackagePurpose": "APPLICATION",
        ]
        let files = files.enumerated().map { number, file -> [String: Any] in
            [
                "SPDXID": "SPDXRef-File-\(number)", "name": file.name, "downloadLocation": "NOASSERTION", "filesAnalyzed": false,
                "primaryPackagePurpose": "FILE", "checksums": [["algorithm": "SHA256", "checksumValue": file.sha256]],
            ]
        }
        let makers = report.components.enumerated().map { number, component -> [String: Any] in
            var entry: [String: Any] = [
                "SPDXID": "SPDXRef-Component-\(number)", "name": component.name, "downloadLocation": "NOASSERTION", "filesAnalyzed": false,
            ]
            if !component.version.isEmpty { entry["versionInfo"] = component.version }
            return entry
        }
        let described: [[String: Any]] = [
            ["spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-Artifact"]
        ]
        let contained = (files + makers).map { part -> [String: Any] in
            [
                "spdxElementId": "SPDXRef-Artifact", "relationshipType": part["primaryPackagePurpose"] == nil ? "DEPENDS_ON" : "CONTAINS",
                "relatedSpdxElement": part["SPDXID"] ?? "NONE",
            ]
        }
        return document(
            .spdx,
            [
                "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": name,
                "documentNamespace": "urn:archipelago:sbom:\(name):\(created)",
                "creationInfo": ["created": created, "creators": ["Tool: archipelago"]] as [String: Any],
                "packages": [root] + files + makers, "relationships": described + contained,
            ])
    }

    private func document(_ format: SBOMFormat, _ object: [String: Any]) -> SBOMDocument {
        do {
            let data = try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
            return SBOMDocument(format: format, generator: ArtifactScanner.scannerName, bytes: Array(data))
        } catch {
            preconditionFailure("texts and numbers are always JSON: \(error)")
        }
    }
}
