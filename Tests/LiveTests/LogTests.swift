import Foundation
import JSON
import NIOHTTP1
import Testing

extension Live {
    /// The transparency log over HTTP, as clients of Rekor and readers of tiles use it.
    @Suite struct LogTests {
        /// What the public log has of a signature by a key: proposed again, it must come out byte for byte.
        private static func proposal() throws -> [UInt8] {
            let path = Machine.checkout + "/Tests/Fixtures/sigstore/bundles/managed-key-happy-path/bundle.sigstore.json"
            let bundle = try JSONValue(parsing: try Data(contentsOf: URL(fileURLWithPath: path)))
            let body = bundle["verificationMaterial"]?["tlogEntries"]?[0]?["canonicalizedBody"]?.string
            return Array(try body.flatMap { Data(base64Encoded: $0) }.orThrow("the entry of the bundle"))
        }

        private static func call(_ network: DevNetwork, _ method: HTTPMethod, _ path: String, _ body: [UInt8]? = nil) async throws -> Answer {
            let headers = body == nil ? [] : [("Content-Type", "application/json")]
            return try await network.api(nil).peer.exchange(.init(method: method, path: "/rekor" + path, headers: headers, body: body))
        }

        @Test func anEntryIsTakenProvenFoundAndReplayed() async throws {
            try await DevNetwork.withOwn("log") { network in
                let entries = "/api/v1/log/entries"
                let body = try Self.proposal()
                let empty = try await Self.call(network, .GET, "/checkpoint")
                #expect(empty.text.contains("\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n"), "\(empty)")
                let taken = try await Self.call(network, .POST, entries, body)
                #expect(taken.status == 201, "\(taken)")
                let (uuid, entry) = try #require(taken.json.object?.members.first.map { ($0.name, $0.value) })
                #expect(uuid.count == 80 && taken.headers.first(name: "Location") == "/rekor\(entries)/\(uuid)")
                #expect(entry["body"]?.string.flatMap { Data(base64Encoded: $0) }.map(Array.init) == body)
                #expect(entry["logIndex"]?.int == 0)
                let again = try await Self.call(network, .POST, entries, body)
                #expect(again.status == 409 && again.json["code"]?.int == 409, "\(again)")
                #expect(again.json["message"]?.string == "an equivalent entry already exists in the transparency log with UUID \(uuid)")
                #expect(again.headers.first(name: "Location") == "/rekor\(entries)/\(uuid)")
                for path in ["\(entries)/\(uuid)", "\(entries)/\(uuid.suffix(64))", "\(entries)?logIndex=0"] {
                    #expect(try await Self.call(network, .GET, path).json == taken.json, "\(path)")
                }
                // Without the path of the log's address, as clients written in Go ask.
                let atRoot = try await network.api(nil).send(.POST, "/log/entries", body: body)
                #expect(atRoot.status == 409 && atRoot.headers.first(name: "Location") == "\(entries)/\(uuid)", "\(atRoot)")
                try await Self.search(network, uuid, taken.json)
                try await Self.tree(network, entry)
                try await Self.replay(network)
                try await Self.withhold(network)
            }
        }

        private static func search(_ network: DevNetwork, _ uuid: String, _ whole: JSONValue) async throws {
            let query = JSONValue.object(["entryUUIDs": [.string(uuid)]]).bytes
            #expect(try await call(network, .POST, "/api/v1/log/entries/retrieve", query).json == .array([whole]))
            // a.txt of the conformance suite.
            let digest = #"{"hash":"sha256:a0cfc71271d6e278e57cd332ff957c3f7043fdda354c4cbb190a30d56efa01bf"}"#
            #expect(try await call(network, .POST, "/api/v1/index/retrieve", Array(digest.utf8)).json == [.string(uuid)])
        }

        private static func tree(_ network: DevNetwork, _ entry: JSONValue) async throws {
            let state = try await call(network, .GET, "/api/v1/log").json
            #expect(state["treeSize"]?.int == 1)
            #expect(state["rootHash"] == entry["verification"]?["inclusionProof"]?["rootHash"])
            #expect(state["signedTreeHead"]?.string == (try await call(network, .GET, "/checkpoint").text))
            #expect(try await call(network, .GET, "/api/v1/log/proof?firstSize=1&lastSize=1").json["hashes"] == [])
            #expect(try await call(network, .GET, "/api/v1/log/publicKey").text.hasPrefix("-----BEGIN PUBLIC KEY-----\n"))
            let tile = try await call(network, .GET, "/tile/0/000.p/1")
            #expect(tile.body.map { String(format: "%02x", $0) }.joined() == state["rootHash"]?.string, "a tree of one leaf is its hash")
            #expect(tile.headers.first(name: "Content-Type") == "application/octet-stream")
            let bundle = try await call(network, .GET, "/tile/entries/000.p/1").body
            #expect(bundle.count == 2 + Int(bundle[0]) << 8 + Int(bundle[1]))
            for path in ["/tile/0/000", "/tile/0/000.p/2", "/tile/0/000.p/0", "/tile/x", "/tile/1/000.p/1", "/api/v1/log/entries/abc"] {
                let missing = try await call(network, .GET, path)
                #expect(missing.status == 404 && missing.json["code"]?.int == 404 && missing.json["message"] != nil, "\(path): \(missing)")
            }
        }

        private static func replay(_ network: DevNetwork) async throws {
            let found = try await network.cli("log", "verify", "--json")
            #expect(found.exit == 0, "\(found)")
            #expect(try found.json()["entries"]?.int == 1)
            let folder = try Machine.makeFolder("log-kept")
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let file = folder + "/checkpoint.txt"
            let kept = try found.json()["checkpoint"]?.string ?? ""
            try Data(kept.utf8).write(to: URL(fileURLWithPath: file))
            let same = try await network.cli("log", "verify", "--since", file, "--json")
            #expect(same.exit == 0, "\(same)")
            // What --json printed, what people copy, and what is no checkpoint.
            try Data(found.stdout.utf8).write(to: URL(fileURLWithPath: file))
            #expect(try await network.cli("log", "verify", "--since", file).exit == 0)
            let words = try await network.cli("log", "verify")
            let copied = try (words.stdout.range(of: "Keep this checkpoint:\n")).map { words.stdout[$0.upperBound...] }.orThrow(
                "a checkpoint in \(words)")
            try Data(copied.utf8).write(to: URL(fileURLWithPath: file))
            #expect(try await network.cli("log", "verify", "--since", file).exit == 0, "\(copied)")
            try Data("nothing".utf8).write(to: URL(fileURLWithPath: file))
            #expect(try await network.cli("log", "verify", "--since", file).exit == 2)
            try Data(kept.replacing("\n1\n", with: "\n2\n").utf8).write(to: URL(fileURLWithPath: file))
            let forged = try await network.cli("log", "verify", "--since", file)
            #expect(forged.exit == 1 && forged.stderr.contains("signed by no log"), "\(forged)")
        }

        /// A log that keeps something back is not intact, and what it says of itself then is nothing to keep.
        private static func withhold(_ network: DevNetwork) async throws {
            let move = { (by: Int) async throws in
                let statement =
                    "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.execute('UPDATE log_tiles SET level = level + \(by)'); db.commit()"
                let result = try await ChildProcess.run("python3", ["-c", statement, network.folder + "/coordinator/coordinator.sqlite"])
                guard result.exit == 0 else { throw Unexpected("\(result)") }
            }
            try await move(50)
            let broken = try await network.cli("log", "verify", "--json")
            #expect(try broken.exit == 1 && broken.json()["checkpoint"] == .null, "\(broken)")
            let words = try await network.cli("log", "verify")
            #expect(words.exit == 1 && words.stdout.contains("Keep the checkpoint that you have."), "\(words)")
            try await move(-50)
            #expect(try await network.cli("log", "verify").exit == 0)
        }

        /// Proposals of distinct signatures, one on each line.
        private static let proposals = """
            import base64, hashlib, json, sys
            from cryptography.hazmat.primitives import hashes, serialization
            from cryptography.hazmat.primitives.asymmetric import ec, utils
            key = ec.generate_private_key(ec.SECP256R1())
            public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            text = lambda data: base64.b64encode(data).decode()
            for number in range(int(sys.argv[1])):
                digest = hashlib.sha256(str(number).encode()).digest()
                signature = key.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
                print(json.dumps({"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": {
                    "data": {"hash": {"algorithm": "sha256", "value": digest.hex()}},
                    "signature": {"content": text(signature), "publicKey": {"content": text(public)}}}}))
            """

        @Test func aKilledCoordinatorHasEveryEntryThatItAcknowledged() async throws {
            let made = try await ChildProcess.run(
                "python3", ["-c", Self.proposals, "600"], environment: ["PYTHONPATH": Machine.checkout + "/.tools/python"])
            let proposals = made.stdout.split(separator: "\n").map { Array($0.utf8) }
            try #require(proposals.count == 600, "\(made)")
            let folder = try Machine.makeFolder("log-killed")
            let first = try await DevNetwork.start(folder: folder)
            var acknowledged: [String] = []
            await withTaskGroup(of: String?.self) { group in
                let writers = 8
                var next = proposals.makeIterator()
                func add() {
                    guard let proposal = next.next() else { return }
                    group.addTask {
                        // Whoever gets no answer any more has no acknowledgement.
                        let answer = try? await Self.call(first, .POST, "/api/v1/log/entries", proposal)
                        return answer?.status == 201 ? answer?.json.object?.members.first?.name : nil
                    }
                }
                for _ in 0..<writers { add() }
                for await uuid in group {
                    if let uuid { acknowledged.append(uuid) }
                    if acknowledged.count == 200 { first.process.signal(SIGKILL) }
                    if acknowledged.count < 200 { add() }
                }
            }
            #expect(acknowledged.count >= 200)
            #expect(try await first.process.end().exit == -SIGKILL)
            try await pollUntil("the registry has ended", within: .seconds(10)) {
                Leftovers.processes(of: folder).filter { $0.contains("docker-registry") }.isEmpty
            }
            let second = try await DevNetwork.start(folder: folder)
            for uuid in acknowledged {
                #expect(try await Self.call(second, .GET, "/api/v1/log/entries/\(uuid)").status == 200, "\(uuid) is lost")
            }
            let found = try await second.cli("log", "verify", "--json")
            #expect(found.exit == 0, "\(found)")
            #expect(try (found.json()["entries"]?.int ?? 0) >= acknowledged.count)
            // What was taken without an answer is known when it is proposed again.
            let again = try await Self.call(second, .POST, "/api/v1/log/entries", proposals[0])
            #expect(again.status == 409, "\(again)")
            try await second.stop()
        }

        @Test func oneEntryProposedTwiceAtOnceIsTakenOnce() async throws {
            let made = try await ChildProcess.run(
                "python3", ["-c", Self.proposals, "1"], environment: ["PYTHONPATH": Machine.checkout + "/.tools/python"])
            let proposal = Array(made.stdout.utf8)
            let network = try await SharedNetwork.network
            let answers = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 { group.addTask { try await Int(Self.call(network, .POST, "/api/v1/log/entries", proposal).status) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.sorted() == [201] + Array(repeating: 409, count: 7))
        }

        @Test(arguments: [
            ("{}", 400), ("[]", 400), ("nothing", 400), (#"{"kind":"rekord","apiVersion":"0.0.1","spec":{}}"#, 400),
            (#"{"kind":"hashedrekord","apiVersion":"0.0.1","spec":{}}"#, 400), (String(repeating: " ", count: 1 << 20) + "{}", 413),
        ]) func whatIsNoEntryIsRefusedAsRekorDoes(body: String, status: Int) async throws {
            let network = try await SharedNetwork.network
            let answer = try await Self.call(network, .POST, "/api/v1/log/entries", Array(body.utf8))
            #expect(answer.status == status && answer.json["code"]?.int == status, "\(answer)")
            #expect(answer.json["message"]?.string?.isEmpty == false)
        }
    }
}
