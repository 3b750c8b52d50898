public import Domain
import JSON
public import OCI
public import Scanning

/// Lets every scanner judge every platform's image, and lists its packages.
///
/// The image lies in a content store, where every byte was checked; each platform's manifest stands in a layout of its own, so that
/// no image hides behind another.
public struct ImageJudge: Sendable {
    private let layouts: any ImageLayouts
    private let scanners: [any VulnerabilityScanner]
    private let billing: (any SBOMGenerator)?
    private let policy: ScanPolicy
    private let now: @Sendable () -> Timestamp

    /// A judge.
    ///
    /// - Parameters:
    ///   - scanners: every one must have run for a judgement.
    ///   - billing: writes the bills of materials; `nil` where nobody wants them.
    public init(
        layouts: any ImageLayouts, scanners: [any VulnerabilityScanner], billing: (any SBOMGenerator)?, policy: ScanPolicy,
        now: @escaping @Sendable () -> Timestamp
    ) {
        self.layouts = layouts
        self.scanners = scanners
        self.billing = billing
        self.policy = policy
        self.now = now
    }

    /// Judges an image.
    ///
    /// - Throws: ``NotScannable`` for an index of nothing; ``ScanFailure`` for "could not scan", whichever part it is that could not be done; what the layouts threw.
    public func judge(_ image: StoredImage) async throws -> Judgement {
        guard !image.images.isEmpty else {
            throw NotScannable(code: "no_image", "The digest holds no platform's image.", remedy: "Push a container image.")
        }
        var parts: [Part] = []
        for platform in image.images { parts.append(try await judge(platform)) }
        let reports = parts.flatMap(\.reports)
        return Judgement(
            findings: FindingMerge.merged(reports.flatMap(\.report.findings)),
            reports: reports.map { Self.describe($0.report, $0.platform, ageDays: $0.ageDays) }, platforms: image.images.map(\.platform.description),
            documents: parts.flatMap(\.documents),
            operatorWarnings: Self.warnings(reports.map { ($0.report, $0.ageDays) }, policy), remarks: parts.flatMap(\.remarks),
            missingScanners: policy.missingScanners)
    }

    private struct Part: Sendable {
        var reports: [(report: ScannerReport, platform: String, ageDays: Int)] = []
        var documents: [Judgement.Document] = []
        var remarks: [String] = []
    }

    private enum Piece: Sendable {
        case traces(PackageTraces)
        case report(ScannerReport)
        case bill(SBOMDocument)
    }

    private func judge(_ image: PlatformImage) async throws -> Part {
        let folder = try await layouts.makeLayout(of: image)
        let result: Result<Part, any Error>
        do {
            result = .success(try await judge(image, in: folder))
        } catch {
            result = .failure(error)
        }
        await layouts.removeLayout(folder)
        return try result.get()
    }

    /// The scanners and the lists at once: each is a process of its own that waits more than it computes.
    private func judge(_ image: PlatformImage, in folder: String) async throws -> Part {
        // The configuration's platform, which the image id covers; an index may say another.
        let subject = ScanSubject(
            layoutFolder: folder, imageID: image.configDigest.description, platform: image.configuration.platform.description)
        let pieces = try await withThrowingTaskGroup(of: (Int, Piece).self) { group in
            group.addTask { (-1, .traces(try await layouts.packageTraces(in: image))) }
            for (index, scanner) in scanners.enumerated() {
                group.addTask { (index, .report(try await scanner.scan(subject))) }
            }
            for (index, format) in SBOMFormat.allCases.enumerated() {
                guard let billing else { break }
                group.addTask { (scanners.count + index, .bill(try await billing.makeSBOM(of: subject, format: format))) }
            }
            var pieces: [(Int, Piece)] = []
            for try await piece in group { pieces.append(piece) }
            return pieces.sorted { $0.0 < $1.0 }.map(\.1)
        }
        var part = Part()
        var traces = PackageTraces()
        let platform = image.platform.description
        for piece in pieces {
            switch piece {
            case .traces(let found): traces = found
            case .report(let report):
                try report.require(sees: traces, platform: platform)
                part.reports.append((report, platform, try checkedAge(of: report)))
                part.documents.append(.init(kind: .report, source: report.scanner, platform: platform, bytes: report.raw))
            case .bill(let bill):
                let kind: DocumentKind =
                    switch bill.format {
                    case .cyclonedx: .cyclonedx
                    case .spdx: .spdx
                    }
                part.documents.append(.init(kind: kind, source: bill.generator, platform: platform, bytes: bill.bytes))
            }
        }
        part.remarks = Self.remarks(on: image, part.reports.map(\.report))
        return part
    }

    /// What a clean verdict does not say by itself.
    private static func remarks(on image: PlatformImage, _ reports: [ScannerReport]) -> [String] {
        var remarks: [String] = []
        if image.platform.os != image.configuration.platform.os || image.platform.architecture != image.configuration.platform.architecture {
            remarks.append("The index says that an image is for \(image.platform), and the image that it is for \(image.configuration.platform).")
        }
        let counts = reports.compactMap(\.packageCount)
        if !counts.isEmpty, counts.allSatisfy({ $0 == 0 }) {
            let system = reports.compactMap(\.operatingSystem).first.map { ", though it is \($0.family) \($0.name)" } ?? ""
            remarks.append(
                "No package was found in \(image.platform)\(system): what no package list declares, such as a single program, is not known to scanners."
            )
        }
        return remarks
    }

    /// The age of a report's database in whole days; a database that is too old is a failure.
    private func checkedAge(of report: ScannerReport) throws -> Int {
        let remedy = scanners.first { $0.name == report.scanner }?.databaseRemedy ?? ""
        guard let built = report.databaseUpdatedSeconds else {
            throw ScanFailure(.unreadableReport, message: "The scanner does not say how old its database is.", remedy: remedy)
        }
        let age = Duration.seconds(now().milliseconds / 1000 - built)
        let days = Int(age.components.seconds) / Self.daySeconds
        guard policy.databaseAge.judge(age: age) != .stale else {
            throw ScanFailure(
                .databaseStale, message: "The vulnerability database of \(report.scanner) is \(days) days old; nothing is scanned with it.",
                remedy: remedy)
        }
        return days
    }

    private static let daySeconds = 86_400

    private static func warnings(_ reports: [(ScannerReport, ageDays: Int)], _ policy: ScanPolicy) -> [String] {
        var ages: [String: Int] = [:]
        for (report, days) in reports { ages[report.scanner] = days }
        let future = reports.filter { $0.ageDays < -1 }.map {
            "The vulnerability database of \($0.0.scanner) is \(-$0.ageDays) days from the future; check the clock."
        }
        return Set(future).sorted()
            + ages.sorted { $0.key < $1.key }.filter { policy.databaseAge.judge(age: .seconds($0.value * daySeconds)) == .aging }.map {
                "The vulnerability database of \($0.key) is \($0.value) days old."
            }
    }

    private static func describe(_ report: ScannerReport, _ platform: String, ageDays: Int) -> JSONValue {
        let system: JSONValue =
            report.operatingSystem.map {
                ["family": .string($0.family), "name": .string($0.name), "end_of_life": $0.isEndOfLife.map(JSONValue.bool) ?? .null]
            } ?? .null
        return [
            "scanner": .string(report.scanner), "version": .string(report.scannerVersion), "platform": .string(platform),
            "database_updated_at": .string(report.databaseUpdatedAt), "database_age_days": .int(ageDays), "image_id": .string(report.imageID),
            "os": system, "packages": .optional(report.packageCount), "findings": .int(report.findings.count),
        ]
    }
}

/// Folders in which one platform's image stands by itself, for scanners to read.
public protocol ImageLayouts: Sendable {
    /// Writes an OCI layout with exactly this manifest and returns its folder.
    func makeLayout(of image: PlatformImage) async throws -> String
    /// What an image itself says of the packages in it.
    func packageTraces(in image: PlatformImage) async throws -> PackageTraces
    /// Removes a folder made before; a failure leaves files that the next start removes.
    func removeLayout(_ folder: String) async
}
