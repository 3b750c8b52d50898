import Foundation
import JSON
import Sigstore
import Storage
import TestSupport
import Testing

@testable import Coordinator

@Suite(.timeLimit(.minutes(5))) struct TransparencyLogTests {
    private let key = SigningKey.generate()
    private let maker = SigningKey.generate()

    private func log(_ world: World, key: SigningKey? = nil) async throws -> TransparencyLog {
        let log = TransparencyLog(
            database: world.database, signer: try LogSigner(name: TransparencyLog.name, key: key ?? self.key), surroundings: world.surroundings)
        try await log.begin()
        return log
    }

    /// A signature of an artifact, as cosign and sigstore-python propose it.
    private func proposal(_ number: Int) throws -> JSONObject {
        let artifact = Array("artifact \(number)".utf8)
        let digest = PublicKey.HashAlgorithm.sha256.hash(artifact)
        let pem = "-----BEGIN PUBLIC KEY-----\n\(Data(maker.publicKey.spki).base64EncodedString())\n-----END PUBLIC KEY-----\n"
        return [
            "apiVersion": "0.0.1", "kind": "hashedrekord",
            "spec": [
                "data": ["hash": ["algorithm": "sha256", "value": .string(Coordinator.Hexadecimal.text(digest))]],
                "signature": [
                    "content": .string(Data(try maker.sign(artifact)).base64EncodedString()),
                    "publicKey": ["content": .string(Data(pem.utf8).base64EncodedString())],
                ],
            ],
        ]
    }

    private func fill(_ log: TransparencyLog, _ numbers: Range<Int>) async throws {
        let proposals = try numbers.map(proposal)
        // All at once, so that many share a commit.
        try await withThrowingTaskGroup(of: Int.self) { group in
            for proposal in proposals { group.addTask { try await log.append(proposal).index } }
            var indexes: Set<Int> = []
            for try await index in group { indexes.insert(index) }
            #expect(indexes == Set(numbers), "each has a place of its own, without gaps")
        }
    }

    /// What a client checks of an answer.
    private func verify(_ entry: LoggedEntry, _ log: TransparencyLog) throws {
        let checkpoint = try Checkpoint(parsing: Array(entry.proof.checkpoint.utf8))
        try log.signer.verify(checkpoint)
        #expect(checkpoint.size == entry.proof.treeSize && checkpoint.root == entry.proof.root)
        try MerkleTree.verifyInclusion(
            leafHash: MerkleTree.leafHash(entry.body), index: entry.index, size: entry.proof.treeSize, proof: entry.proof.hashes,
            root: entry.proof.root)
        #expect(log.signer.isPromise(entry.promise, body: entry.body, index: entry.index, integratedTime: entry.integratedTime))
    }

    @Test func everyAnswerProvesItself() async throws {
        let world = try await World()
        let log = try await log(world)
        for number in 0..<5 {
            let entry = try await log.append(proposal(number))
            try verify(entry, log)
            #expect(entry.index == number && entry.proof.treeSize == number + 1 && entry.integratedTime == World.start / 1000)
        }
        for number in 0..<5 {
            let entry = try await log.entry(index: number)
            try verify(entry, log)
            #expect(entry.proof.treeSize == 5)
            #expect(try await log.entry(uuid: entry.uuid) == entry)
            #expect(try await log.entry(uuid: String(entry.uuid.suffix(64)).uppercased()) == entry)
        }
        #expect(await refusal { try await log.entry(index: 5) } == "not_found")
        #expect(await refusal { try await log.entry(index: -1) } == "not_found")
        for uuid in ["", "abc", String(repeating: "0", count: 64), String(repeating: "0", count: 80), String(repeating: "g", count: 64)] {
            #expect(await refusal { try await log.entry(uuid: uuid) } == "not_found")
        }
        let found = try await log.verify()
        #expect(found.faults == [] && found.entries == 5 && found.checkpoints == 6)
    }

    @Test func theSameEntryAgainIsAConflictThatNamesIt() async throws {
        let world = try await World()
        let log = try await log(world)
        let proposal = try proposal(1)
        let entry = try await log.append(proposal)
        let error = await #expect(throws: ServiceError.self) { try await log.append(proposal) }
        #expect(error?.kind == .conflict && error?.context["uuid"]?.string == entry.uuid)
        #expect(error?.message == "an equivalent entry already exists in the transparency log with UUID \(entry.uuid)")
        #expect(try await log.state().size == 1)
    }

    @Test func whatIsNotSignedIsNotTaken() async throws {
        let world = try await World()
        let log = try await log(world)
        var proposal = try proposal(1)
        proposal["spec"] = try self.proposal(2)["spec"].flatMap { spec in
            guard var object = spec.object, let other = try self.proposal(1)["spec"]?["data"] else { return nil }
            object["data"] = other
            return .object(object)
        }
        #expect(await refusal { try await log.append(proposal) } == "entry_signature_invalid")
        #expect(await refusal { try await log.append([:]) } == "entry_malformed")
        #expect(try await log.state().size == 0)
    }

    /// Entry, tiles and checkpoint are one transaction: one that does not end leaves none of them.
    @Test func aTransactionThatFailsLeavesTheLogAsItWas() async throws {
        let world = try await World()
        let log = try await log(world)
        try await fill(log, 0..<255)
        let before = try await log.state()
        let (proposed, signer) = (try ProposedEntry(proposal(255)), log.signer)
        let code = await refusal {
            try await world.database.write { writer in
                _ = try writer.append(proposed, at: World.start / 1000, signer)
                throw ServiceError.notFound("way on")
            }
        }
        #expect(code == "not_found")
        #expect(try await log.state() == before)
        #expect(try await log.verify().faults == [])
        try await fill(log, 255..<257)
        #expect(try await log.verify(since: before.checkpoint).faults == [])
    }

    @Test func manyAtOnceKeepTheTreeWhole() async throws {
        let world = try await World()
        let log = try await log(world)
        try await fill(log, 0..<300)
        let found = try await log.verify()
        #expect(found.faults == [] && found.entries == 300 && found.checkpoints == 301)
        let state = try await log.state()
        for first in [1, 2, 255, 256, 257, 300] {
            let row = try #require(try await world.database.read { try $0.logCheckpoint(size: first) })
            let earlier = try Checkpoint(parsing: Array(row.note.utf8))
            let proof = try await log.consistency(firstSize: first, lastSize: 300)
            try MerkleTree.verifyConsistency(
                size: first, root: earlier.root, laterSize: 300, laterRoot: state.root, proof: proof.hashes)
            #expect(proof.root == state.root)
        }
        for (first, last) in [(0, 1), (2, 1), (1, 301)] {
            #expect(await refusal { try await log.consistency(firstSize: first, lastSize: last) } == "bad_sizes")
        }
        let whole = try await log.tile(LogTilePath(.hashes(level: 0), number: 0))
        #expect(whole.count == 8192)
        #expect(try await log.tile(LogTilePath(.hashes(level: 0), number: 0, width: 3)) == Array(whole.prefix(96)))
        #expect(try await log.tile(LogTilePath(.hashes(level: 1), number: 0, width: 1)).count == 32)
        let entries = LogEntryBundle.entries(try await log.tile(LogTilePath(.entries, number: 1, width: 44)))
        #expect(entries?.map(MerkleTree.leafHash) == LogTile.hashes(try await log.tile(LogTilePath(.hashes(level: 0), number: 1, width: 44))))
        for path in [
            LogTilePath(.hashes(level: 0), number: 1), LogTilePath(.hashes(level: 0), number: 1, width: 45), LogTilePath(.entries, number: 1),
            LogTilePath(.entries, number: 1, width: 45), LogTilePath(.hashes(level: 2), number: 0, width: 1),
        ] {
            #expect(await refusal { try await log.tile(path) } == "not_found")
        }
    }

    @Test func entriesAreRetrievedTogetherAndSearched() async throws {
        let world = try await World()
        let log = try await log(world)
        try await fill(log, 0..<3)
        let third = try await log.append(proposal(3))
        let query = try TransparencyLog.Query([
            "entryUUIDs": [.string(third.uuid), "unknown"], "logIndexes": [3, 99], "entries": [.object(try proposal(3))],
        ])
        // ECDSA: the same artifact signed anew is another entry, and it is not there.
        #expect(try await log.retrieve(query).map(\.index) == [3, 3])
        #expect(throws: ServiceError.self) { try TransparencyLog.Query([:]) }
        #expect(throws: ServiceError.self) { try TransparencyLog.Query(["logIndexes": .array((0...10).map { .int($0) })]) }
        #expect(throws: ServiceError.self) { try TransparencyLog.Query(["logIndexes": ["1"]]) }
        let digest = Coordinator.Hexadecimal.text(PublicKey.HashAlgorithm.sha256.hash(Array("artifact 3".utf8)))
        #expect(try await log.search(digest: "sha256:\(digest)") == [third.uuid])
        #expect(try await log.search(digest: digest.uppercased()) == [third.uuid])
        #expect(try await log.search(digest: "sha512:\(digest)") == [])
        #expect(try await log.search(digest: "\0") == [])
    }

    /// A clock that goes back does not make an entry older than the one before it.
    @Test func timesDoNotGoBack() async throws {
        let world = try await World()
        let log = try await log(world)
        _ = try await log.append(proposal(0))
        let earlier = Surroundings(
            now: { Timestamp(milliseconds: World.start - 60_000) }, randomBytes: world.surroundings.randomBytes, clock: world.clock)
        let behind = TransparencyLog(database: world.database, signer: log.signer, surroundings: earlier)
        #expect(try await behind.append(proposal(1)).integratedTime == World.start / 1000)
    }

    @Test func anotherKeyIsNotTakenForALogThatBegan() async throws {
        let world = try await World()
        _ = try await log(world)
        #expect(await refusal { try await log(world, key: .generate()) } == "log_key_mismatch")
        _ = try await log(world)
    }

    @Test func theTrustedRootIsSigstores() async throws {
        let world = try await World()
        let log = try await log(world)
        let root = try TrustedRoot(parsing: try await log.trustedRoot(baseURL: "http://localhost:8080/rekor").bytes)
        let trusted = try #require(root.logs.first)
        #expect(root.logs.count == 1 && trusted.id == log.signer.id)
        #expect(trusted.validity.start == Sigstore.Moment(seconds: World.start / 1000))
        try trusted.verify(Checkpoint(parsing: Array(try await log.state().checkpoint.utf8)))
    }

    // MARK: Replaying

    /// Whatever somebody with the database's file changes, the replay finds.
    @Test(arguments: [
        "UPDATE log_entries SET body = x'7b7d' WHERE number = 3", "UPDATE log_entries SET leaf_hash = 'x' WHERE number = 3",
        "UPDATE log_entries SET integrated_at = integrated_at + 1 WHERE number = 3", "UPDATE log_entries SET promise = x'00' WHERE number = 3",
        "UPDATE log_entries SET promise = (SELECT promise FROM log_entries WHERE number = 2) WHERE number = 3",
        "UPDATE log_entries SET number = 99 WHERE number = 6",
        "UPDATE log_tiles SET hashes = x'00' WHERE level = 0", "DELETE FROM log_tiles",
        "INSERT INTO log_tiles (level, number, hashes) VALUES (1, 0, x'00')",
        "UPDATE log_checkpoints SET note = replace(note, 'archipelago', 'archipelagos') WHERE size = 3",
        "UPDATE log_checkpoints SET note = (SELECT note FROM log_checkpoints WHERE size = 2) WHERE size = 3",
        "UPDATE log_checkpoints SET note = '' WHERE size = 0", "DELETE FROM log_checkpoints WHERE size = 3",
        "DELETE FROM log_checkpoints WHERE size = 7", "DELETE FROM log_checkpoints WHERE size = 0",
        "INSERT INTO log_checkpoints (size, note, at) VALUES (8, 'x', 1)",
    ])
    func aChangeIsFound(statement: String) async throws {
        let world = try await World()
        let log = try await log(world)
        try await fill(log, 0..<7)
        #expect(try await log.verify().faults == [])
        try await world.database.write { writer in
            // The index by digest would hold the entry where it is.
            _ = try writer.execute("DELETE FROM log_digests", [])
            _ = try writer.execute(statement, [])
        }
        #expect(try await log.verify().faults != [])
    }

    /// Each byte of a body, a tile and a note.
    @Test func aFlippedBitIsFound() async throws {
        let world = try await World()
        let log = try await log(world)
        try await fill(log, 0..<3)
        let (body, tile, note) = try await world.database.read { reader in
            (
                try #require(try reader.logEntry(number: 1)).body, try #require(try reader.logTile(level: 0, number: 0)),
                try #require(try reader.logCheckpoint(size: 2)).note
            )
        }
        func finds(_ statement: String, _ bytes: [UInt8], asText: Bool = false) async throws {
            for index in stride(from: 0, to: bytes.count, by: 11) {
                var changed = bytes
                changed[index] ^= 1
                for (value, isIntact) in [(changed, false), (bytes, true)] {
                    let argument = asText ? SQLValue.text(String(decoding: value, as: UTF8.self)) : .blob(value)
                    try await world.database.write { _ = try $0.execute(statement, [argument]) }
                    #expect(try await log.verify().faults.isEmpty == isIntact, "byte \(index): \(statement)")
                }
            }
        }
        try await finds("UPDATE log_entries SET body = ? WHERE number = 1", body)
        try await finds("UPDATE log_tiles SET hashes = ? WHERE level = 0", tile)
        try await finds("UPDATE log_checkpoints SET note = ? WHERE size = 2", Array(note.utf8), asText: true)
    }

    @Test func aCheckpointThatWasKeptTellsOfCutsAndChanges() async throws {
        let world = try await World()
        let log = try await log(world)
        let empty = try await log.state().checkpoint
        try await fill(log, 0..<4)
        let kept = try await log.state().checkpoint
        try await fill(log, 4..<9)
        for since in [empty, kept] { #expect(try await log.verify(since: since).faults == []) }
        let stranger = try LogSigner(name: TransparencyLog.name, key: .generate())
        let foreign = String(decoding: try stranger.checkpoint(size: 4, root: MerkleTree.emptyRoot), as: UTF8.self)
        #expect(try await log.verify(since: foreign).faults.count == 1)
        let changed = String(decoding: try log.signer.checkpoint(size: 4, root: MerkleTree.leafHash([])), as: UTF8.self)
        #expect(try await log.verify(since: changed).faults.first?.contains("changed") == true)
        #expect(await refusal { try await log.verify(since: "nothing") } == "bad_checkpoint")
        // The log as it might be brought back from an old backup.
        let newest = try await log.state().checkpoint
        let other = try await World()
        let older = try await self.log(other)
        try await fill(older, 0..<4)
        let found = try await older.verify(since: newest)
        #expect(found.faults.count == 1 && found.faults.first?.contains("cut") == true)
    }
}
