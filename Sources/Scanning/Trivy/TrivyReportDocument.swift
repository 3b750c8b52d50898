/// The parts of Trivy's JSON report that are read. The names are Trivy's; whatever may be absent is optional.
struct TrivyReportDocument: Decodable {
    let SchemaVersion: Int
    let Trivy: Program
    let ArtifactType: String
    let Metadata: Image
    /// Absent when nothing was found to look at, as in an image of one static program.
    let Results: [Result]?

    struct Program: Decodable {
        let Version: String
    }

    struct Image: Decodable {
        let ImageID: String
        let OS: OperatingSystem?
        let ImageConfig: Configuration?
    }

    struct OperatingSystem: Decodable {
        let Family: String
        let Name: String?
        let EOSL: Bool?
    }

    struct Configuration: Decodable {
        let os: String?
        let architecture: String?
        let variant: String?
    }

    struct Result: Decodable {
        let Class: String?
        let Packages: [Package]?
        /// Absent when there are none.
        let Vulnerabilities: [Vulnerability]?
    }

    struct Package: Decodable {
        let Name: String?
    }

    struct Vulnerability: Decodable {
        let VulnerabilityID: String
        let PkgName: String
        let InstalledVersion: String?
        let FixedVersion: String?
        let Severity: String?
        let PkgIdentifier: Identifier?
    }

    struct Identifier: Decodable {
        let PURL: String?
    }
}
