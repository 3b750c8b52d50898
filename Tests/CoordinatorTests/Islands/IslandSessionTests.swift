import Domain
import IslandLink
import JSON
import Testing

@testable import Coordinator

@Suite(.timeLimit(.minutes(5))) struct IslandSessionTests {
    private static let attempt = AttemptID(job: "j", number: 1)

    private static func session() -> IslandSession { IslandSession(number: 1, island: "i") }

    private static let assignment = CoordinatorMessage.assign(
        .init(attempt: attempt, slug: "s", runtime: .container, image: "i", digest: "d", level: .basic, timeoutMilliseconds: 1, input: [:]))

    private static func input(_ bytes: Int) -> String { String(repeating: "a", count: bytes) }

    /// What waits in a session that has ended.
    private static func waiting(_ session: IslandSession) async -> [IslandSession.Outgoing] {
        await session.outbound.reduce(into: []) { $0.append($1) }
    }

    @Test func anIslandThatReadsTooFewMessagesIsCutOff() async {
        let session = Self.session()
        for _ in 0..<4097 { session.send(.cancel(Self.attempt)) }
        #expect(await Self.waiting(session).count == 4096)
    }

    @Test func anIslandThatReadsTooFewBytesIsCutOff() async {
        let session = Self.session()
        for _ in 0..<20 { session.send(.revoked([Self.input(1 << 20)])) }
        let waiting = await Self.waiting(session)
        // Without what the rest of a message takes, sixteen would fit.
        #expect(waiting.count == 15)
        #expect(waiting.reduce(0) { $0 + $1.bytes } == session.bytesWaiting)
        #expect(session.bytesWaiting <= IslandSession.bytesMax)
    }

    @Test func whatIsTakenMakesRoom() async {
        let session = Self.session()
        var messages = session.outbound.makeAsyncIterator()
        for number in 1...100 {
            session.send(.revoked([Self.input(1 << 20), "\(number)"]))
            guard let next = await messages.next() else {
                Issue.record("cut off at \(number)")
                return
            }
            session.hasTaken(next)
            #expect(next.message == .revoked([Self.input(1 << 20), "\(number)"]))
        }
        #expect(session.bytesWaiting == 0)
    }

    /// What a session keeps of many large inputs is little, and they end no connection.
    @Test func inputsThatAreTooMuchToWaitAreReadWhenTheirTurnComes() async {
        let session = Self.session()
        for _ in 0..<1000 { session.send(Self.assignment, input: Self.input(300_000)) }
        session.send(Self.assignment, input: "{}")
        #expect(session.bytesWaiting < 1 << 22)
        session.replace()
        let waiting = await Self.waiting(session)
        #expect(waiting.count == 1001)
        #expect(waiting.filter { $0.input != nil }.count == 3)
    }

    @Test(arguments: [(-1, true), (0, true), (1, false)]) func anInputWaitsUpToTheLimit(beyond: Int, waits: Bool) async {
        let session = Self.session()
        session.send(Self.assignment, input: Self.input(IslandSession.inputBytesMax + beyond))
        session.replace()
        #expect(await Self.waiting(session).map { $0.input != nil } == [waits])
    }

    @Test func signersCountToo() {
        let session = Self.session()
        session.send(Self.assignment)
        let plain = session.bytesWaiting
        session.send(
            .assign(
                .init(
                    attempt: Self.attempt, slug: "s", runtime: .container, image: "i", digest: "d", level: .verified, timeoutMilliseconds: 1,
                    input: [:], signers: [.key(Self.input(500)), .identity(Self.input(20), issuer: Self.input(30))])))
        #expect(session.bytesWaiting == 2 * plain + 550)
    }
}
