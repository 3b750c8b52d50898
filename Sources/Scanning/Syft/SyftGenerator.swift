internal import Foundation

/// Lists an image's packages with Syft.
public struct SyftGenerator: SBOMGenerator {
    /// `syft`.
    public let name = "syft"

    private let executable: String
    private let timeout: Duration
    private let documentBytesMax: Int
    private let tool: ScannerTool
    private let queue = BlockingQueue(label: "scanning.syft")

    /// Where Syft's makers say how to get it.
    private static let install = "Install Syft: https://oss.anchore.com/docs/installation/syft/"

    /// A generator; nothing is started before the first list.
    ///
    /// - Parameters:
    ///   - executable: the absolute path of the program.
    ///   - timeout: Chosen: an image with a layer of 1.4 GB took 153 s on two busy cores.
    ///   - documentBytesMax: the largest document, in bytes. Chosen: as for reports.
    public init(executable: String, timeout: Duration = .seconds(600), documentBytesMax: Int = 64 * 1024 * 1024, cage: any ScannerCage) {
        self.executable = executable
        self.timeout = timeout
        self.documentBytesMax = documentBytesMax
        tool = ScannerTool(name: "Syft", cage: cage, installRemedy: Self.install) { code, error in
            guard code != 0 else { return nil }
            return ScanFailure(
                .unknownFailure, message: "Syft ended with code \(code).", remedy: "See the log for Syft's own words, then scan again.",
                retryable: true, detail: String(error.suffix(ScannerText.lineCharactersMax)))
        }
    }

    public func makeSBOM(of subject: ScanSubject, format: SBOMFormat) async throws(ScanFailure) -> SBOMDocument {
        let (tool, executable, name) = (tool, executable, name)
        try await queue.run { () throws(ScanFailure) in
            try tool.requireProgram(at: executable)
            try SubjectLayout.check(subject)
        }
        let output =
            switch format {
            case .cyclonedx: "cyclonedx-json"
            case .spdx: "spdx-json"
            }
        let printed = try await tool.output(
            of: ScannerProgram(
                executable: executable, image: subject.layoutFolder, databases: nil, timeout: timeout, outputBytesMax: documentBytesMax
            ) { _ in
                ["SYFT_CHECK_FOR_APP_UPDATE": "false"]
            } arguments: { places in
                ["scan", "-q", "oci-dir:\(places.image)", "-o", output]
            })
        return try await queue.run { () throws(ScanFailure) in try SBOMDocument(printed, format: format, generator: name) }
    }
}
