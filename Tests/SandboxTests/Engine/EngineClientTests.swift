import Domain
import Testing

@testable import Sandbox

struct EngineClientTests {
    private static let ok = "HTTP/1.1 200 OK\r\n"

    private func failure(_ reply: FakeEngine.Reply) throws -> SandboxError? {
        let engine = try FakeEngine { _ in reply }
        return #expect(throws: SandboxError.self) { try engine.client.send(EngineClient.Request(method: "GET", target: "/version")) }
    }

    @Test(arguments: [
        FakeEngine.Reply.text(""), .text(ok), .text(ok + "Content-Length: 10\r\n\r\nhalf"),
        .text(ok + "Transfer-Encoding: chunked\r\n\r\nnonsense\r\n"), .text(ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhel"),
        .text("220 mail.example ESMTP\r\n"), .text(ok + "X: " + String(repeating: "x", count: 30000) + "\r\n\r\n"),
        .endless(ok + "\r\n", String(repeating: "x", count: 65536)), .endless(ok, "X: y\r\n"), .endless("", "HTTP/1.1 100 Continue\r\n\r\n"),
        .endless(ok + "Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"),
    ])
    func aBrokenAnswerIsAnError(reply: FakeEngine.Reply) throws {
        let error = try failure(reply)
        #expect(error?.code == .runtime)
        #expect(error?.fault == .island)
    }

    @Test(arguments: [FakeEngine.Reply.silence(""), .silence(ok), .silence(ok + "Content-Length: 5\r\n\r\nhel")])
    func anEngineThatFallsSilentIsGivenUp(reply: FakeEngine.Reply) throws {
        let start = ContinuousClock.now
        #expect(try failure(reply)?.message == "The container engine did not answer.")
        #expect(ContinuousClock.now - start < .seconds(10))
    }

    @Test func anEngineThatIsNotThereIsAnError() throws {
        let client = EngineClient(socketPath: "/nowhere/engine.sock", requestTimeout: .seconds(1))
        let error = #expect(throws: SandboxError.self) { try client.send(EngineClient.Request(method: "GET", target: "/version")) }
        #expect(error?.message == "The container engine cannot be reached.")
        let long = EngineClient(socketPath: "/" + String(repeating: "x", count: 200), requestTimeout: .seconds(1))
        #expect(throws: SandboxError.self) { try long.send(EngineClient.Request(method: "GET", target: "/version")) }
    }

    @Test func aRefusalIsToldInTheEnginesWords() throws {
        let engine = try FakeEngine { _ in .text("HTTP/1.1 500 No\r\nContent-Length: 21\r\n\r\n{\"message\":\"no room\"}\n") }
        let answer = try engine.client.send(EngineClient.Request(method: "GET", target: "/version"))
        #expect(answer.message == "500: no room")
        #expect(throws: SandboxError.self) { try Engine(client: engine.client) }
    }

    @Test func anUploadEndsWhenItIsRefused() throws {
        let engine = try FakeEngine { _ in .text("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n") }
        var pieces = 0
        let answer = try? engine.client.upload(EngineClient.Request(method: "POST", target: "/images/create"), timeout: .seconds(5)) {
            pieces += 1
            return pieces > 100_000 ? nil : [UInt8](repeating: 0, count: 65536)
        }
        #expect(answer == nil || answer?.status == 413)
        #expect(pieces < 100_000)
    }

    @Test(arguments: ["1.40", "1.24", "2", "x.y", ""])
    func anEngineThatIsTooOldIsRefused(version: String) throws {
        let body = #"{"Version":"1","ApiVersion":"\#(version)"}"#
        let engine = try FakeEngine { _ in .text("\(Self.ok)Content-Length: \(body.utf8.count)\r\n\r\n\(body)") }
        #expect(throws: SandboxError.self) { try Engine(client: engine.client) }
    }

    @Test(arguments: [("1.41", "1.41"), ("1.43", "1.43"), ("1.44", "1.44"), ("1.51", "1.44")])
    func theNewestCommonInterfaceIsSpoken(offered: String, spoken: String) throws {
        let body = #"{"Version":"1","ApiVersion":"\#(offered)","Components":[{"Name":"Podman Engine","Version":"9"}]}"#
        let fake = try FakeEngine { _ in .text("\(Self.ok)Content-Length: \(body.utf8.count)\r\n\r\n\(body)") }
        let engine = try Engine(client: fake.client)
        #expect(engine.version == spoken)
        #expect(engine.kind == .podman)
        #expect(engine.name == "Podman 9")
    }

    /// Answers to each step of a job as an engine would that knows nothing of limits.
    private static func answer(_ head: String) -> FakeEngine.Reply {
        func reply(_ body: String, _ status: Int = 200) -> FakeEngine.Reply {
            .text("HTTP/1.1 \(status) X\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        }
        if head.contains("/version") { return reply(#"{"Version":"1","ApiVersion":"1.41"}"#) }
        if head.contains("/info") { return reply(#"{"NCPU":2}"#) }
        if head.contains("/containers/create") { return reply(#"{"Id":"abcdefabcdefabcdef"}"#, 201) }
        if head.hasPrefix("DELETE") { return reply("") }
        if head.contains("/json") {
            return reply(#"{"State":{"Running":true,"Pid":1,"ExitCode":0},"Config":{},"HostConfig":{}}"#)
        }
        return reply("{}")
    }

    /// Whatever a made-up engine answers to the steps of a job, the job fails as the Island's fault, and no level is offered.
    @Test(arguments: [
        ("/containers/create", "HTTP/1.1 201 Created\r\nContent-Length: 18\r\n\r\n{\"Id\":\"../../etc\"}"),
        ("/containers/create", "HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\n{}"),
        ("/images/create", "HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\n{}"), ("/images/create", ok + "Content-Length: 2\r\n\r\n{}"),
        ("/containers/abcdef", ok + "Content-Length: 2\r\n\r\n{}"), ("/attach", ok + "Content-Length: 2\r\n\r\n{}"), ("none", ""),
    ])
    func anEngineThatTellsTalesRunsNothing(place: String, reply: String) async throws {
        let fake = try FakeEngine { head in
            let line = String(head.prefix { $0 != "\r\n" })
            return line.contains(place) ? .text(reply) : Self.answer(line)
        }
        let folder = try TemporaryFolder()
        let sandbox = try EngineSandbox(
            configuration: EngineConfiguration(
                socketPath: fake.socketPath, cageEntryPath: cageEntryPath, stateFolder: folder.path + "/state", requestTimeout: .seconds(1),
                killTimeout: .seconds(1)))
        let job = try CagedJob(id: ContainerID("job"), rootFolder: folder.path, command: ["/cargo"], level: .basic, input: [])
        let error = await #expect(throws: SandboxError.self) { _ = try await sandbox.run(job) { _ in } }
        #expect(error?.fault == .island, "\(error as Any)")
        #expect(await sandbox.enforceableLevels().allSatisfy { !$0.isEnforceable })
    }
}
