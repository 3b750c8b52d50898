import FoundationEssentials

/// One container engine and the steps that a job needs of it. Every call blocks.
struct Engine: Sendable {
    /// The engines that are told apart, since they want some things said differently.
    enum Kind: Sendable, Hashable {
        case docker, podman
    }

    let client: EngineClient
    let kind: Kind
    /// The version of the interface that is spoken, such as `1.41`.
    let version: String
    /// The engine's own name and version, for people.
    let name: String

    /// The oldest interface with all that is used, and the newest that was tried. Chosen: 1.41 is Podman's and Docker 20.10's;
    /// Docker 29 takes nothing older than 1.44.
    static let versionMin = [1, 41]
    static let versionMax = [1, 44]

    /// The label that every container and image of a sandbox carries.
    static let ownerLabel = "archipelago.owner"

    /// Looks what listens on the socket.
    ///
    /// - Throws: ``SandboxError`` `runtime` if nothing does, or nothing that can be used.
    init(client: EngineClient) throws {
        struct Component: Decodable {
            var Name: String
            var Version: String
        }
        struct Facts: Decodable {
            var Components: [Component]?
            var Version: String
            var ApiVersion: String
        }
        let facts = try Self.decode(Facts.self, try client.send(EngineClient.Request(method: "GET", target: "/version")), 200)
        let offered = facts.ApiVersion.split(separator: ".").map { Int($0) ?? 0 }
        guard offered.count == 2, !offered.lexicographicallyPrecedes(Self.versionMin) else {
            throw SandboxError(.runtime, "The container engine is too old.", cause: "API \(facts.ApiVersion), needed 1.41")
        }
        let spoken = offered.lexicographicallyPrecedes(Self.versionMax) ? offered : Self.versionMax
        let podman = facts.Components?.first { $0.Name == "Podman Engine" }
        self.client = client
        kind = podman == nil ? .docker : .podman
        version = spoken.map(String.init).joined(separator: ".")
        name = podman.map { "Podman \($0.Version)" } ?? "Docker \(facts.Version)"
    }

    // MARK: Containers

    /// The engine does not have the image any more: somebody removed it.
    struct ImageLost: Error {}

    /// - Throws: ``ImageLost``; ``SandboxError`` `runtime`.
    func create(_ container: ContainerRequest, name: String) throws -> String {
        struct Created: Decodable { var Id: String }
        let body = [UInt8](try JSONEncoder().encode(container))
        let answer = try send("POST", "/containers/create?name=\(name)", body: body)
        guard answer.status != 404 else { throw ImageLost() }
        let created = try Self.decode(Created.self, answer, 201)
        try Self.checkID(created.Id)
        return created.Id
    }

    func inspect(_ id: String) throws -> ContainerFacts {
        try Self.decode(ContainerFacts.self, try send("GET", "/containers/\(id)/json"), 200)
    }

    func attach(_ id: String) throws -> EngineConnection {
        try client.upgrade(
            EngineClient.Request(method: "POST", target: "/v\(version)/containers/\(id)/attach?stream=1&stdin=1&stdout=1&stderr=1"))
    }

    func start(_ id: String) throws {
        let answer = try send("POST", "/containers/\(id)/start")
        guard answer.status == 204 else { throw Self.failure(answer, "The container could not be started.") }
    }

    /// Sends SIGKILL to all of a container. One that does not run is killed already.
    func kill(_ id: String) throws {
        let answer = try send("POST", "/containers/\(id)/kill?signal=KILL")
        guard [204, 404, 409].contains(answer.status) || (answer.status == 500 && answer.message.contains("not running")) else {
            throw Self.failure(answer, "The container could not be killed.")
        }
    }

    /// Asks for the same without waiting for the answer, which comes on the connection.
    func beginKill(_ id: String) throws -> EngineConnection {
        try client.begin(EngineClient.Request(method: "POST", target: "/v\(version)/containers/\(id)/kill?signal=KILL"))
    }

    /// Removes a container with its volumes. One that is not there is removed already.
    ///
    /// - Returns: whether it is gone; if not, somebody else is at it.
    func remove(_ id: String) throws -> Bool {
        let answer = try send("DELETE", "/containers/\(id)?force=1&v=1")
        guard [200, 204, 404, 409].contains(answer.status) else { throw Self.failure(answer, "The container could not be removed.") }
        return answer.status != 409
    }

    /// The containers of an owner: id and name.
    func containers(of owner: String) throws -> [(id: String, name: String)] {
        struct Entry: Decodable {
            var Id: String
            var Names: [String]?
        }
        let target = "/containers/json?all=1&filters=\(Self.filter(owner))"
        return try Self.decode([Entry].self, try send("GET", target), 200).map { entry in
            try Self.checkID(entry.Id)
            // Docker writes a slash in front of a name, Podman does not.
            return (entry.Id, String(entry.Names?.first?.drop { $0 == "/" } ?? ""))
        }
    }

    // MARK: Images

    /// Makes an image of a tar archive, which has the label of its owner.
    ///
    /// - Parameter name: the image's name and tag; it is what the image is addressed by from here on.
    func importImage(_ name: String, owner: String, timeout: Duration, next: () throws -> [UInt8]?) throws {
        let change = EngineClient.encoded("LABEL \(Self.ownerLabel)=\(owner)")
        // Podman drops a `tag` beside `repo`, so the tag stands in the name, which both read.
        let target = "/v\(version)/images/create?fromSrc=-&repo=\(EngineClient.encoded(name))&changes=\(change)"
        let answer = try client.upload(
            EngineClient.Request(method: "POST", target: target, contentType: "application/x-tar"), timeout: timeout, next: next)
        guard answer.status == 200 else { throw Self.failure(answer, "The root folder could not be made an image.") }
        // Docker begins with 200 and may fail later, in words alone: what is not there was not made.
        guard try send("GET", "/images/\(name)/json").status == 200 else {
            throw Self.failure(answer, "The root folder could not be made an image.")
        }
    }

    func removeImage(_ name: String) throws {
        let answer = try send("DELETE", "/images/\(name)?force=1")
        guard [200, 404].contains(answer.status) else { throw Self.failure(answer, "An image could not be removed.") }
    }

    /// The names of an owner's images; the id of one that has no name.
    func images(of owner: String) throws -> [String] {
        struct Entry: Decodable {
            var Id: String
            var RepoTags: [String]?
        }
        let entries = try Self.decode([Entry].self, try send("GET", "/images/json?filters=\(Self.filter(owner))"), 200)
        return entries.flatMap { entry in
            let names = (entry.RepoTags ?? []).filter { !$0.contains("<none>") }
            return (names.isEmpty ? [entry.Id] : names).filter(Self.isImageName)
        }
    }

    /// Cores and kernel abilities of the machine that runs the containers.
    func machine() throws -> MachineFacts { try Self.decode(MachineFacts.self, try send("GET", "/info"), 200) }

    // MARK: Parts

    private func send(_ method: String, _ target: String, body: [UInt8] = []) throws -> EngineClient.Answer {
        try client.send(EngineClient.Request(method: method, target: "/v\(version)\(target)", body: body))
    }

    private static func filter(_ owner: String) -> String {
        EngineClient.encoded(#"{"label":["\#(ownerLabel)=\#(owner)"]}"#)
    }

    /// An id becomes a part of targets: nothing but hexadecimal digits may.
    private static func checkID(_ id: String) throws {
        guard (12...64).contains(id.utf8.count), id.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }) else {
            throw SandboxError(.runtime, "The container engine's answer cannot be read.", cause: "id \(id.prefix(80))")
        }
    }

    /// A name becomes a part of targets: nothing but what an image's name may have.
    private static func isImageName(_ name: String) -> Bool {
        let others = Set("._-/:@".utf8)
        return (1...512).contains(name.utf8.count)
            && name.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || others.contains($0) }
    }

    private static func failure(_ answer: EngineClient.Answer, _ message: String) -> SandboxError {
        SandboxError(.runtime, message, cause: answer.message)
    }

    private static func decode<Value: Decodable>(_ type: Value.Type, _ answer: EngineClient.Answer, _ status: Int) throws -> Value {
        guard answer.status == status else { throw failure(answer, "The container engine refused a step.") }
        do {
            return try JSONDecoder().decode(type, from: Data(answer.body))
        } catch {
            throw SandboxError(.runtime, "The container engine's answer cannot be read.", cause: "\(error)")
        }
    }
}
