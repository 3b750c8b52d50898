import JSON
import NIOHTTP1
import Testing

extension Live {
    /// Who may do what.
    @Suite struct AccessTests {
        private static let calls: [(HTTPMethod, String)] = [
            (.POST, "/workloads"), (.GET, "/submissions"), (.GET, "/submissions/1"), (.PATCH, "/submissions/1"), (.DELETE, "/submissions/1"),
            (.POST, "/submissions/1/transitions"), (.GET, "/submissions/1/scans"), (.GET, "/submissions/1/events"), (.GET, "/review/queue"),
            (.POST, "/review/submissions/1/approve"), (.POST, "/review/submissions/1/reject"), (.GET, "/workloads"), (.GET, "/workloads/x"),
            (.POST, "/jobs"), (.GET, "/jobs"), (.GET, "/jobs/x"), (.DELETE, "/jobs/x"), (.GET, "/jobs/x/output"), (.GET, "/jobs/x/stream"),
            (.GET, "/jobs/x/ws"), (.POST, "/islands"), (.GET, "/islands"), (.GET, "/islands/x"), (.POST, "/islands/x/drain"),
            (.GET, "/islands/link"),
        ]

        /// A body that is right, so that nothing but the key can be what is wrong.
        private func body(_ path: String, _ network: DevNetwork) -> JSONValue {
            switch path {
            case "/workloads": .object(network.fields(slug: "no-access", image: "\(network.registry)/a:v1.0.0"))
            case "/submissions/1/transitions": ["to": "pending_review"]
            case "/review/submissions/1/approve": ["trust_level": 0, "checklist": fullChecklist]
            case "/review/submissions/1/reject": ["reason": "r", "rule": "policy"]
            case "/jobs": ["workload": "x", "input": [:]]
            case "/islands": ["name": "x"]
            default: [:]
            }
        }

        @Test(arguments: calls) func withoutAKeyEverythingIs401(method: HTTPMethod, path: String) async throws {
            let network = try await SharedNetwork.network
            let content = [.POST, .PATCH].contains(method) ? body(path, network) : nil
            for key in [nil, "ak_0000000000000000000000000000000000000000"] {
                let answer = try await API(peer: network.peer, key: key).call(method, path, content)
                #expect(answer.status == 401, "\(answer)")
                #expect(answer.isProper)
                #expect(answer.headers.first(name: "WWW-Authenticate") == "Bearer")
            }
        }

        /// Scopes: the reviewer may read and review, the others read and write.
        @Test(arguments: [
            ("reviewer", HTTPMethod.POST, "/workloads"), ("reviewer", .POST, "/jobs"), ("reviewer", .POST, "/islands"),
            ("reviewer", .DELETE, "/jobs/x"), ("publisher", .GET, "/review/queue"), ("publisher", .POST, "/review/submissions/1/approve"),
            ("publisher", .POST, "/review/submissions/1/reject"), ("consumer", .GET, "/review/queue"),
        ])
        func aKeyWithoutTheScopeIs403(person: String, method: HTTPMethod, path: String) async throws {
            let network = try await SharedNetwork.network
            let answer = try await network.api(person).call(method, path, method == .POST ? body(path, network) : nil)
            #expect(answer.status == 403, "\(answer)")
            #expect(answer.errorCode == "missing_scope")
            #expect(answer.isProper)
        }

        @Test(arguments: ["Basic YTpi", "Bearer", "Bearer ", "Token x", "Bearer it_0000000000000000000000000000000000000000"])
        func aStrangeAuthorizationIs401(header: String) async throws {
            let network = try await SharedNetwork.network
            let answer = try await API(peer: network.peer, key: nil).send(.GET, "/jobs", body: nil, headers: [("Authorization", header)])
            #expect([400, 401].contains(answer.status), "\(answer)")
        }

        @Test func healthNeedsNoKey() async throws {
            let network = try await SharedNetwork.network
            #expect(try await network.api(nil).call(.GET, "/health").data["status"]?.string == "ok")
            #expect(try await network.peer.exchange(.init(path: "/health")).data["status"]?.string == "ok")
        }

        @Test func aJobIsItsConsumersAlone() async throws {
            let network = try await SharedNetwork.network
            let slug = try await Catalog.shared.textStats(network)
            let job = try await network.consumer.submitJob(slug, input: ["text": "mine"])
            _ = try await network.consumer.finishedJob(job)
            for path in ["/jobs/\(job)", "/jobs/\(job)/output", "/jobs/\(job)/stream", "/jobs/\(job)/ws"] {
                #expect(try await network.publisher.call(.GET, path).status == 404, "\(path)")
            }
            #expect(try await network.publisher.call(.DELETE, "/jobs/\(job)").status == 404)
            #expect(try await network.admin.call(.GET, "/jobs/\(job)").status == 200)
        }
    }
}
