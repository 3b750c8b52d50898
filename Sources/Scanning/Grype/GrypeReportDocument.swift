/// The parts of Grype's JSON report that are read, of its versions from 0.7 to 0.116. The names are Grype's; whatever may be absent
/// is optional.
struct GrypeReportDocument: Decodable {
    let matches: [Match]
    let source: Source?
    let distro: Distribution?
    let descriptor: Descriptor

    struct Match: Decodable {
        let vulnerability: Vulnerability
        let relatedVulnerabilities: [Related]?
        let artifact: Artifact
    }

    struct Vulnerability: Decodable {
        let id: String
        /// May be absent.
        let severity: String?
        let fix: Fix?
    }

    struct Fix: Decodable {
        let versions: [String]?
    }

    struct Related: Decodable {
        let id: String
    }

    struct Artifact: Decodable {
        let name: String
        let version: String?
        let purl: String?
    }

    struct Distribution: Decodable {
        let name: String?
        let version: String?
    }

    struct Descriptor: Decodable {
        let name: String
        let version: String?
        let db: Database?
    }

    /// Up to the database's model 5 the date stands here, since model 6 in `status`.
    struct Database: Decodable {
        let built: String?
        let status: Status?

        struct Status: Decodable {
            let built: String?
            let valid: Bool?
        }
    }

    struct Source: Decodable {
        let type: String
        /// An object for images, a string for folders and package lists.
        let target: Image?

        struct Image: Decodable {
            let imageID: String?
            let architecture: String?
            let os: String?
        }

        private enum Key: String, CodingKey {
            case type, target
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            type = try container.decode(String.self, forKey: .type)
            // The error may be lost: a target that is no object is not about an image, and is refused for that.
            target = try? container.decode(Image.self, forKey: .target)
        }
    }
}
