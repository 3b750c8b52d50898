import JSON

/// Which services a signer asks: authorities, logs and clocks, each with the time in which it is asked.
///
/// Source: sigstore/protobuf-specs, `sigstore_trustroot.proto`, SigningConfig of version 0.2.
public struct SigningConfiguration: Sendable {
    /// A service.
    public struct Service: Sendable, Hashable {
        public let url: String
        public let majorVersion: Int
        let validity: Validity
        let `operator`: String

        /// A service that is asked at any time.
        public init(url: String, majorVersion: Int) {
            self.url = url
            self.majorVersion = majorVersion
            validity = Validity(start: Moment(milliseconds: 0))
            `operator` = ""
        }
    }

    /// How many of several services are asked.
    enum Selector: Sendable, Hashable {
        case any, all
        case exact(Int)
    }

    private let authorities: [Service]
    private let logs: [Service]
    private let logSelector: Selector
    private let clocks: [Service]
    private let clockSelector: Selector

    /// Why a document cannot be used.
    public struct Malformed: Error, Sendable, Hashable {
        /// Where, as a JSON pointer.
        public let pointer: String
        /// What is wrong.
        public let message: String
    }

    /// Chosen: the public instance names a handful.
    private static let servicesMax = 64

    /// A configuration of named services.
    public init(authorities: [Service] = [], logs: [Service], clocks: [Service] = []) {
        self.authorities = authorities
        self.logs = logs
        self.clocks = clocks
        (logSelector, clockSelector) = (.any, .any)
    }

    /// Reads a document.
    public init(parsing bytes: [UInt8]) throws(Malformed) {
        do throws(ProtobufReader.Mistake) {
            let reader = try ProtobufReader(parsing: bytes, limits: .init(bytesMax: 1 << 20, depthMax: 16))
            guard try reader.needString("mediaType") == "application/vnd.dev.sigstore.signingconfig.v0.2+json" else {
                throw reader.mistake("mediaType", "is no signing configuration of version 0.2")
            }
            authorities = try Self.services(reader, "caUrls")
            logs = try Self.services(reader, "rekorTlogUrls")
            logSelector = try Self.selector(reader, "rekorTlogConfig")
            clocks = try Self.services(reader, "tsaUrls")
            clockSelector = try Self.selector(reader, "tsaConfig")
        } catch {
            throw Malformed(pointer: error.pointer, message: error.message)
        }
    }

    private static func services(_ reader: ProtobufReader, _ name: String) throws(ProtobufReader.Mistake) -> [Service] {
        var services: [Service] = []
        for one in try reader.children(name, max: servicesMax) { services.append(try Service(one)) }
        return services
    }

    private static func selector(_ reader: ProtobufReader, _ name: String) throws(ProtobufReader.Mistake) -> Selector {
        guard let one = try reader.child(name) else { return .any }
        switch try one.string("selector") ?? "ANY" {
        case "ANY": return .any
        case "ALL": return .all
        case "EXACT":
            let count = try one.int("count")
            guard count > 0 else { throw one.mistake("count", "must be at least 1") }
            return .exact(count)
        default: throw one.mistake("selector", "must be ANY, ALL or EXACT")
        }
    }

    /// The authority to ask; `nil` for none.
    public func authority(at now: Moment) -> Service? { Self.usable(authorities, versions: [1, 2], now).first }

    /// The logs to ask; `nil` when there are not as many as wanted.
    public func logs(at now: Moment) -> [Service]? { Self.selected(Self.usable(logs, versions: [1, 2], now), logSelector) }

    /// The clocks to ask, maybe none; `nil` when there are not as many as wanted.
    public func clocks(at now: Moment) -> [Service]? {
        let usable = Self.usable(clocks, versions: [1], now)
        return clocks.isEmpty ? [] : Self.selected(usable, clockSelector)
    }

    /// Those of now, of each operator the newest of its highest version, and the highest versions first.
    private static func usable(_ services: [Service], versions: Set<Int>, _ now: Moment) -> [Service] {
        let known = services.filter { versions.contains($0.majorVersion) && $0.validity.contains(now) }
            .sorted { ($0.majorVersion, $0.validity.start) > ($1.majorVersion, $1.validity.start) }
        var operators: Set<String> = []
        return known.filter { $0.operator.isEmpty || operators.insert($0.operator).inserted }
    }

    private static func selected(_ services: [Service], _ selector: Selector) -> [Service]? {
        switch selector {
        case .any: services.isEmpty ? nil : Array(services.prefix(1))
        case .all: services.isEmpty ? nil : services
        case .exact(let count): services.count >= count ? Array(services.prefix(count)) : nil
        }
    }
}

extension SigningConfiguration.Service {
    fileprivate init(_ reader: ProtobufReader) throws(ProtobufReader.Mistake) {
        url = try reader.needString("url")
        majorVersion = try reader.int("majorApiVersion")
        guard let validity = try reader.validity("validFor"), let start = validity.start else {
            throw reader.mistake("validFor", "must have a start")
        }
        self.validity = Validity(start: start, end: validity.end)
        `operator` = try reader.string("operator") ?? ""
    }
}
