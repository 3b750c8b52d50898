import Coordinator
import Domain
import Foundation
import OCI
import Scanning

/// Which scanners there are, which must have run, and where their databases lie.
struct ScanningConfiguration {
    /// The scanners that must have run for a verdict.
    var required: [ScannerName]
    /// Each scanner's program; a scanner without one cannot run.
    var programs: [ScannerName: String]
    /// The folder of Trivy's databases.
    var trivyCache: String
    /// The folder of Grype's databases.
    var grypeDatabase: String
    /// Who writes the bills of materials.
    var billing = BillingTool.trivy
    /// The age of a database from which the operator is warned, in days.
    var databaseWarningDays = 5
    /// The age of a database from which nothing is scanned with it, in days.
    var databaseDaysMax = 14
    /// The longest time of one scanner for one image. Chosen: ten times what the largest image tried took Trivy.
    var timeout = Duration.seconds(300)
    /// Scans at once; how many scanners run for them is bounded by the cage.
    var scansMax = 4

    /// The scanners, by the names of their programs.
    enum ScannerName: String, CaseIterable {
        case trivy, grype

        /// For people.
        var name: String { rawValue.prefix(1).uppercased() + rawValue.dropFirst() }

        /// How to get it.
        var remedy: String {
            switch self {
            case .trivy: "Install it: https://trivy.dev/docs/latest/getting-started/installation/ or run scripts/setup.sh."
            case .grype: "Install it: https://oss.anchore.com/docs/installation/grype/"
            }
        }
    }

    /// Programs that write bills of materials.
    enum BillingTool: String, CaseIterable {
        case trivy, syft
    }

    /// A laptop's network: Trivy, and Grype where it is installed; a scanner that is installed must have run. Databases may be a
    /// year old, because people try things out with what they have; each scan says how old they are.
    static func laptop(_ environment: [String: String]) -> ScanningConfiguration {
        let grype = Programs.find("grype")
        var configuration = production(environment)
        configuration.required = grype == nil ? [.trivy] : [.trivy, .grype]
        configuration.databaseDaysMax = 365
        return configuration
    }

    /// A network for others: both scanners, databases of the last two weeks.
    static func production(_ environment: [String: String]) -> ScanningConfiguration {
        var programs: [ScannerName: String] = [:]
        for name in ScannerName.allCases { programs[name] = Programs.find(name.rawValue) }
        return ScanningConfiguration(
            required: ScannerName.allCases, programs: programs, trivyCache: Programs.trivyCache(environment),
            grypeDatabase: Programs.grypeDatabase(environment))
    }

    /// Scanners that this network does without.
    var missing: [ScannerName] { ScannerName.allCases.filter { !required.contains($0) } }

    /// What must hold of a scan.
    var policy: ScanPolicy {
        let day = 86_400
        return ScanPolicy(
            databaseAge: DatabaseAgePolicy(
                warnsAfter: .seconds(databaseWarningDays * day), refusesAfter: .seconds(databaseDaysMax * day)),
            missingScanners: missing.map(\.rawValue))
    }

    /// The judge that these scanners make.
    ///
    /// - Parameters:
    ///   - store: where what is judged lies.
    ///   - layouts: the path of a folder for layouts, which is emptied.
    ///   - bills: whether bills of materials are wanted.
    func makeJudge(
        store: ContentStore, layouts: String, bills: Bool, cage: any ScannerCage, now: @escaping @Sendable () -> Timestamp
    ) throws -> ContentJudge {
        let trivy = TrivyScanner(
            configuration: TrivyConfiguration(
                executable: programs[.trivy] ?? "", cacheFolder: trivyCache, timeout: timeout,
                versionTimeout: min(timeout, .seconds(30))), cage: cage)
        let scanners = required.map { name -> any VulnerabilityScanner in
            switch name {
            case .trivy: trivy
            case .grype:
                GrypeScanner(
                    configuration: GrypeConfiguration(
                        executable: programs[.grype] ?? "",
                        databaseFolder: FileManager.default.fileExists(atPath: grypeDatabase) ? grypeDatabase : nil, timeout: timeout), cage: cage)
            }
        }
        let generator: any SBOMGenerator =
            switch billing {
            case .trivy: trivy
            case .syft: SyftGenerator(executable: Programs.find("syft") ?? "", cage: cage)
            }
        let images = ImageJudge(
            layouts: try StoreLayouts(store: store, folder: layouts), scanners: scanners, billing: bills ? generator : nil, policy: policy, now: now)
        return ContentJudge(images: images, artifacts: ArtifactJudge(store: store, now: now))
    }
}
