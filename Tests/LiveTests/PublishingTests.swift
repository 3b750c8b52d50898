import Foundation
import JSON
import NIOHTTP1
import Testing

extension Live {
    /// What publishers and reviewers do, from the brief's `curl` to the registry.
    @Suite struct PublishingTests {
        @Test func theCurlOfTheBriefGives201() async throws {
            let network = try await SharedNetwork.network
            // Word for word from "Submit for review", but for the host, the key and the image's registry.
            let body = """
                {
                    "name": "My Text Processor",
                    "slug": "my-text-processor",
                    "description": "Processes text input and returns structured output",
                    "runtime_type": "container",
                    "container_image": "\(network.registry)/archipelag-io/my-text-processor:v1.0.0",
                    "input_schema": {"type": "object", "properties": {"text": {"type": "string"}}},
                    "output_schema": {"type": "object", "properties": {"result": {"type": "string"}}},
                    "price_per_job": 1,
                    "required_cpu_cores": 1,
                    "required_ram_mb": 256
                  }
                """
            let result = try await ChildProcess.run(
                "curl",
                [
                    "-sS", "-w", "\n%{http_code}", "-X", "POST", "\(network.url)/api/v1/workloads", "-H",
                    "Authorization: Bearer \(network.keys["publisher"] ?? "")", "-H", "Content-Type: application/json", "-d", body,
                ])
            let lines = result.stdout.split(separator: "\n")
            #expect(result.exit == 0)
            #expect(lines.last == "201", "\(result)")
            let draft = try JSONValue(parsing: String(try #require(lines.first)))["data"]
            #expect(draft?["state"]?.string == "draft")
            #expect(draft?["slug"]?.string == "my-text-processor")
            #expect(draft?["version"]?.string == "v1.0.0")
            #expect(draft?["revenue_share"]?.int == 70)
            #expect(draft?["required_vram_mb"]?.int == 0)
            try await network.discard(try #require(draft?["id"]?.int))
        }

        @Test func everyMissingFieldIsNamedAtOnce() async throws {
            let answer = try await SharedNetwork.network.publisher.call(.POST, "/workloads", [:])
            #expect(answer.status == 422)
            let wanted = [
                "/container_image", "/description", "/input_schema", "/name", "/output_schema", "/price_per_job", "/runtime_type", "/slug",
            ]
            #expect(answer.pointers == wanted, "\(answer)")
        }

        @Test func everyWrongFieldIsNamedAtOnce() async throws {
            let answer = try await SharedNetwork.network.publisher.call(
                .POST, "/workloads",
                [
                    "name": 7, "slug": "No Slug", "description": [], "runtime_type": "exe", "container_image": "evil.example/a:latest",
                    "input_schema": "text", "output_schema": [], "price_per_job": -1, "required_ram_mb": "much", "required_cpu_cores": 0,
                    "required_vram_mb": -1, "revenue_share": 101, "tags": "one", "image_digest": "sha256:12", "surprise": true,
                ])
            #expect(answer.status == 422)
            let wanted: Set = [
                "/name", "/slug", "/description", "/runtime_type", "/container_image", "/input_schema", "/output_schema", "/price_per_job",
                "/required_ram_mb", "/required_cpu_cores", "/required_vram_mb", "/revenue_share", "/tags", "/image_digest", "/surprise",
            ]
            #expect(Set(answer.pointers) == wanted, "\(answer)")
            #expect(answer.isProper)
        }

        @Test(arguments: ["ab", "a", "-", "UPPER", "with_underscore", "ümlaut", "a b", String(repeating: "a", count: 64), ""])
        func aSlugOutsideItsAlphabetOrLengthIsRefused(slug: String) async throws {
            let network = try await SharedNetwork.network
            let answer = try await network.publisher.call(
                .POST, "/workloads", .object(network.fields(slug: slug, image: "\(network.registry)/a:v1.0.0")))
            #expect(answer.status == 422)
            #expect(answer.pointers.contains("/slug"), "\(answer)")
        }

        @Test(arguments: ["abc", String(repeating: "a", count: 63)])
        func theShortestAndTheLongestSlugAreTaken(slug: String) async throws {
            let network = try await SharedNetwork.network
            let id = try await network.draft(slug: slug, image: "\(network.registry)/a:v1.0.0")
            try await network.discard(id)
        }

        @Test(arguments: ["a:latest", "a:1", "a", "a@sha256:" + String(repeating: "0", count: 64), "a:v1.0", "a:v01.0.0", "A:v1.0.0", ""])
        func anImageWithoutASemanticVersionIsRefused(image: String) async throws {
            let network = try await SharedNetwork.network
            let answer = try await network.publisher.call(
                .POST, "/workloads", .object(network.fields(slug: "wrong-image", image: image.isEmpty ? "" : "\(network.registry)/\(image)")))
            #expect(answer.status == 422)
            #expect(answer.pointers.contains("/container_image"), "\(answer)")
        }

        /// The registry's neighbours: what begins like an approved one must not pass as one.
        @Test(arguments: [
            "evil.example/a:v1.0.0", "ghcr.io/archipelag-io-evil/a:v1.0.0", "ghcr.io/someone/a:v1.0.0", "docker.io/archipelago/a:v1.0.0",
            "ghcr.io.evil.example/archipelag-io/a:v1.0.0", "127.0.0.1:1/live/a:v1.0.0",
        ])
        func anImageOutsideTheApprovedRegistriesIsRefused(image: String) async throws {
            let network = try await SharedNetwork.network
            let answer = try await network.publisher.call(.POST, "/workloads", .object(network.fields(slug: "elsewhere", image: image)))
            #expect(answer.status == 422)
            #expect(answer.pointers == ["/container_image"])
            #expect(answer.text.contains("approved registry"), "\(answer)")
        }

        @Test func anUnknownTagIsAnErrorOfItsOwn() async throws {
            let network = try await SharedNetwork.network
            let id = try await network.draft(slug: "not-pushed", image: "\(network.registry)/live/not-pushed:v1.0.0")
            let answer = try await network.publisher.call(.POST, "/submissions/\(id)/transitions", ["to": "pending_review"])
            #expect(answer.status == 422)
            #expect(answer.errorCode == "image_not_found")
            #expect(answer.pointers == ["/container_image"])
            #expect(try await network.publisher.data(.GET, "/submissions/\(id)")["state"]?.string == "draft")
            try await network.discard(id)
        }

        @Test func aRegistryThatIsDownIsAnErrorOfItsOwn() async throws {
            // A coordinator alone, that approves a loopback registry where nothing listens.
            let folder = try Machine.makeFolder("no-registry")
            let registry = "127.0.0.1:9"
            let process = try ChildProcess(
                try Machine.executable(), ["serve", "--json", "--port", "0", "--data-dir", folder, "--approve-registry", registry], guarded: true)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let line = try await pollUntil("the coordinator listens", within: .seconds(60)) { () -> String? in
                guard process.isRunning else { throw Unexpected("a running coordinator: \(process.stderr)") }
                return process.stdout.contains("\n") ? process.stdout : nil
            }
            let ready = try JSONValue(parsing: line.trimmingCharacters(in: .newlines))
            let port = try #require(ready["url"]?.string.flatMap(URL.init(string:))?.port)
            let api = API(peer: HTTPPeer(host: "127.0.0.1", port: port), key: ready["admin_key"]?.string)
            let draft = try await api.data(
                .POST, "/workloads",
                [
                    "name": "n", "slug": "down", "description": "d", "runtime_type": "container", "container_image": .string("\(registry)/a:v1.0.0"),
                    "input_schema": [:], "output_schema": [:], "price_per_job": 1,
                ])
            let id = try #require(draft["id"]?.int)
            let answer = try await api.call(.POST, "/submissions/\(id)/transitions", ["to": "pending_review"])
            #expect(answer.status == 503, "\(answer)")
            #expect(answer.errorCode == "registry_unavailable")
            #expect(answer.headers.first(name: "Retry-After") != nil)
            #expect(try await api.data(.GET, "/submissions/\(id)")["state"]?.string == "draft")
            process.signal(SIGTERM)
            #expect(try await process.end(within: .seconds(10)).exit == 0)
        }

        @Test func aCargoGoesTheWholeWay() async throws {
            let network = try await SharedNetwork.network
            let image = try await network.push(try await Programs.path("text-stats/text-stats"), "whole-way:v1.2.3")
            // The administrator's account has a place free.
            let owner = network.admin
            let id = try await network.submit(slug: "whole-way", image: image, by: owner)
            let pending = try await owner.data(.GET, "/submissions/\(id)")
            #expect(pending["state"]?.string == "pending_review")
            #expect(pending["image_digest"]?.string?.hasPrefix("sha256:") == true)
            let edit = try await owner.call(.PATCH, "/submissions/\(id)", ["name": "Other"])
            #expect(edit.status == 409)
            let early = try await owner.call(.POST, "/submissions/\(id)/transitions", ["to": "published"])
            #expect(early.status == 409)
            let scan = try await network.scan(of: id)
            #expect(scan["state"]?.string == "finished")
            #expect(scan["verdict"]?.string == "clean")
            #expect(scan["reports"]?[0]?["scanner"]?.string == "trivy")
            let queue = try await network.reviewer.data(.GET, "/review/queue?limit=100").array ?? []
            #expect(queue.contains { $0["id"]?.int == id && $0["scan"]?["verdict"]?.string == "clean" })

            let own = try await network.approve(id, by: owner)
            #expect(own.status == 403)
            #expect(own.errorCode == "own_submission")
            let incomplete = try await network.reviewer.call(
                .POST, "/review/submissions/\(id)/approve", ["trust_level": 2, "checklist": ["scan": true, "policy": false]])
            #expect(incomplete.status == 422)
            #expect(
                incomplete.pointers == ["/checklist/metadata", "/checklist/policy", "/checklist/resources", "/checklist/schemas", "/trust_level"])
            let approval = try await network.approve(id, level: 0)
            #expect(approval.status == 200, "\(approval)")
            #expect(approval.data["state"]?.string == "approved")
            #expect(approval.data["trust_level"]?.int == 0)
            #expect(try await network.approve(id).status == 409)
            let unpublished = try await network.consumer.call(.GET, "/workloads/whole-way")
            #expect(unpublished.status == 404)
            let published = try await owner.data(.POST, "/submissions/\(id)/transitions", ["to": "published"])
            #expect(published["state"]?.string == "published")
            let cargo = try await network.consumer.data(.GET, "/workloads/whole-way")
            #expect(cargo["version"]?.string == "v1.2.3")
            #expect(cargo["tier"]?.string == "community")
            #expect(cargo["trust_level"]?.int == 0)
            #expect(cargo["verified"]?.bool == false)
            #expect(cargo["image_digest"]?.string == pending["image_digest"]?.string)
            let found = try await network.consumer.data(.GET, "/workloads?query=whole-way").array ?? []
            #expect(found.map { $0["slug"]?.string } == ["whole-way"])
            let events = try await owner.data(.GET, "/submissions/\(id)/events").array ?? []
            #expect(events.compactMap { $0["to"]?.string } == ["draft", "pending_review", "approved", "published"])

            // A tag that moved meanwhile changes nothing: everything speaks of the digest. And a version must rise.
            let again = try await network.draft(slug: "whole-way", image: image, by: owner)
            let same = try await owner.call(.POST, "/submissions/\(again)/transitions", ["to": "pending_review"])
            #expect(same.status == 422)
            #expect(same.pointers == ["/version"])
            try await network.discard(again, by: owner)
            let stranger = try await network.publisher.call(.POST, "/workloads", .object(network.fields(slug: "whole-way", image: image)))
            #expect(stranger.status == 409)
            #expect(stranger.errorCode == "slug_taken")
        }

        @Test func aRejectionCarriesItsReasonAndRule() async throws {
            let network = try await SharedNetwork.network
            let image = try await network.push(try await Programs.path("text-stats/text-stats"), "rejected:v1.0.0")
            let id = try await network.submit(slug: "rejected", image: image, by: network.consumer)
            let empty = try await network.reviewer.call(.POST, "/review/submissions/\(id)/reject", ["reason": " "])
            #expect(empty.status == 422)
            #expect(empty.pointers == ["/reason", "/rule"])
            let rejected = try await network.reviewer.data(
                .POST, "/review/submissions/\(id)/reject", ["reason": "The description says too little.", "rule": "metadata"])
            #expect(rejected["state"]?.string == "rejected")
            let seen = try await network.consumer.data(.GET, "/submissions/\(id)")
            #expect(seen["rejection_reason"]?.string == "The description says too little.")
            #expect(seen["rejection_rule"]?.string == "metadata")
            #expect(try await network.approve(id).status == 409)
            #expect(try await network.consumer.call(.POST, "/submissions/\(id)/transitions", ["to": "published"]).status == 409)
        }

        @Test func aDraftCanBeChangedAndDeletedByItsPublisherAlone() async throws {
            let network = try await SharedNetwork.network
            let id = try await network.draft(slug: "draft-only", image: "\(network.registry)/live/a:v1.0.0")
            let changed = try await network.publisher.data(.PATCH, "/submissions/\(id)", ["name": "Better", "price_per_token": 2])
            #expect(changed["name"]?.string == "Better")
            #expect(changed["price_per_token"]?.int == 2)
            #expect(changed["price_per_job"]?.int == 1)
            #expect(try await network.publisher.call(.PATCH, "/submissions/\(id)", ["slug": "another"]).status == 422)
            #expect(try await network.publisher.call(.GET, "/submissions/\(id)/scans").errorCode == "not_scanned")
            #expect(try await network.consumer.call(.GET, "/submissions/\(id)").status == 404)
            #expect(try await network.consumer.call(.DELETE, "/submissions/\(id)").status == 404)
            #expect(try await network.admin.call(.PATCH, "/submissions/\(id)", ["name": "Mine"]).status == 403)
            #expect(try await network.publisher.call(.DELETE, "/submissions/\(id)").status == 200)
            #expect(try await network.publisher.call(.GET, "/submissions/\(id)").status == 404)
        }

        @Test func aCommunityPublisherHasThreeActiveCargosEvenInARace() async throws {
            let network = try await SharedNetwork.network
            let owner = network.consumer
            let image = try await network.push(try await Programs.path("text-stats/text-stats"), "many:v1.0.0")
            var ids: [Int] = []
            for number in 1...6 { ids.append(try await network.draft(slug: "many-\(number)", image: image, by: owner)) }
            let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
                for id in ids { group.addTask { try await owner.call(.POST, "/submissions/\(id)/transitions", ["to": "pending_review"]) } }
                return try await group.reduce(into: [Answer]()) { $0.append($1) }
            }
            #expect(answers.filter { $0.status == 200 }.count == 3, "\(answers)")
            #expect(answers.filter { $0.status == 409 && $0.errorCode == "active_cargo_limit" }.count == 3)
            for id in ids { try await network.discard(id, by: owner) }
            #expect(try await owner.data(.GET, "/submissions?state=pending_review").array?.isEmpty == true)
        }

        @Test func aSuppliedDigestMustBeWhatTheTagPointsTo() async throws {
            let network = try await SharedNetwork.network
            let image = try await network.push(try await Programs.path("text-stats/text-stats"), "pinned:v1.0.0")
            var fields = network.fields(slug: "pinned", image: image)
            fields["image_digest"] = .string("sha256:" + String(repeating: "0", count: 64))
            let id = try #require(try await network.consumer.data(.POST, "/workloads", .object(fields))["id"]?.int)
            let answer = try await network.consumer.call(.POST, "/submissions/\(id)/transitions", ["to": "pending_review"])
            #expect(answer.status == 422)
            #expect(answer.errorCode == "digest_mismatch")
            #expect(answer.pointers == ["/image_digest"])
            try await network.discard(id, by: network.consumer)
        }
    }
}
