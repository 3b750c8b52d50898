import Foundation
import JSON
import NIOHTTP1
import TestSupport
import Testing

extension Live {
    /// The API against its own description, and against bodies that mean harm.
    @Suite struct DescriptionTests {
        /// Every check over the cases that the description itself names (each bound, each missing member, each wrong type); and over random
        /// cases every check but whether the description allows exactly what the server takes: a schema inside a submission is judged by its
        /// meta-schema, which a description cannot say in place.
        @Test(arguments: [
            ["--phases", "examples,coverage"],
            ["--phases", "fuzzing", "-n", "10", "--exclude-checks", "positive_data_acceptance,negative_data_rejection"],
        ])
        func theServerIsAsItDescribesItself(how: [String]) async throws {
            try await DevNetwork.withOwn("description") { network in
                let description = try await network.api(nil).call(.GET, "/openapi.json")
                #expect(description.status == 200)
                let file = try Machine.makeFolder("openapi") + "/openapi.json"
                try Data(description.body).write(to: URL(fileURLWithPath: file))
                let key = try network.keys["admin"].orThrow("a key")
                // One worker: the parser of CPython 3.11 counts its depth for all threads together, and now and then says SystemError (gh-106905).
                let arguments = [
                    "-m", "schemathesis.cli", "--config-file", Machine.checkout + "/Tests/API/schemathesis.toml", "run", file, "--url",
                    network.url + "/api/v1", "-H", "Authorization: Bearer \(key)", "--checks", "all", "--seed", "1", "-w", "1",
                    "--continue-on-failure", "--no-color",
                ]
                let result = try await ChildProcess.run(
                    "python3", arguments + how, environment: ["PYTHONPATH": Machine.checkout + "/.tools/python"], within: .seconds(170))
                #expect(result.exit == 0, "\(result.stdout.suffix(12_000)) \(result.stderr.suffix(1000))")
                #expect(result.stdout.contains("generated"), "it has tried something")
            }
        }

        @Test func theDescriptionInTheDocumentsIsTheServers() async throws {
            let network = try await SharedNetwork.network
            let served = try await network.api(nil).call(.GET, "/openapi.json").json
            let written = try JSONValue(parsing: try Data(contentsOf: URL(fileURLWithPath: Machine.checkout + "/docs/openapi.json")))
            // The documents are long: only whether they differ is shown.
            let isTheSame = served == written
            #expect(isTheSame, "write it anew: archipelago openapi > docs/openapi.json")
        }

        /// Wrong types, huge numbers, deep nesting, invalid UTF-8, megabytes: a refusal, never a 500.
        @Test(arguments: [1, 2, 3, 4] as [UInt64]) func noBodyIsAnInternalError(seed: UInt64) async throws {
            let network = try await SharedNetwork.network
            var random = SplitMix64(state: seed)
            let doors: [(HTTPMethod, String, String)] = [
                (.POST, "/workloads", "publisher"), (.POST, "/jobs", "consumer"), (.POST, "/api-keys", "consumer"), (.POST, "/accounts", "consumer"),
                (.POST, "/sessions", "consumer"), (.POST, "/webhooks", "consumer"), (.PATCH, "/account", "consumer"), (.POST, "/islands", "consumer"),
                (.POST, "/account/identity/domain", "consumer"), (.POST, "/review/submissions/1/approve", "reviewer"),
                (.POST, "/admin/accounts/x/roles", "admin"), (.POST, "/submissions/1/transitions", "publisher"),
            ]
            for _ in 0..<60 {
                let (method, path, person) = try #require(doors.randomElement(using: &random))
                let body = HostileBody.random(&random)
                let answer = try await network.api(person).send(method, path, body: body)
                #expect(answer.status < 500, "seed \(seed): \(method) \(path) \(String(decoding: body.prefix(200), as: UTF8.self)): \(answer)")
            }
        }
    }
}

/// Bodies that nobody sends by mistake.
private enum HostileBody {
    private static let names = [
        "name", "slug", "description", "runtime_type", "container_image", "input_schema", "output_schema", "price_per_job", "tags", "workload",
        "input", "priority", "email", "password", "url", "events", "scopes", "checklist", "trust_level", "to", "domain", "roles", "expires_in_days",
    ]

    static func random(_ random: inout SplitMix64) -> [UInt8] {
        switch Int.random(in: 0..<10, using: &random) {
        case 0: (0..<Int.random(in: 0...300, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        case 1: Array(String(repeating: "[", count: 100_000).utf8)
        case 2: Array((String(repeating: #"{"input":"#, count: 5000) + "1" + String(repeating: "}", count: 5000)).utf8)
        case 3: Array(#"{"name":"\#(String(repeating: "x", count: 2 << 20))"}"#.utf8)
        case 4: [UInt8](repeating: 0x20, count: 10 << 20)
        case 5: Array(#"{"name":""#.utf8) + [0xC3, 0x28, 0xFF, 0xFE] + Array(#""}"#.utf8)
        case 6: Array(#"{"price_per_job":1e999999999,"priority":-99999999999999999999999,"expires_in_days":1.5}"#.utf8)
        case 7: Array(#"{"input_schema":{"pattern":"(a+)+$","$ref":"\#("#")"},"name":"\u0000"}"#.utf8)
        default: JSONValue.object(object(&random, depth: 3)).bytes
        }
    }

    private static func object(_ random: inout SplitMix64, depth: Int) -> JSONObject {
        var object = JSONObject()
        for _ in 0..<Int.random(in: 0...12, using: &random) {
            if let name = names.randomElement(using: &random) { object[name] = value(&random, depth: depth) }
        }
        return object
    }

    private static func value(_ random: inout SplitMix64, depth: Int) -> JSONValue {
        switch Int.random(in: 0..<(depth == 0 ? 6 : 8), using: &random) {
        case 0: .null
        case 1: .bool(Bool.random(using: &random))
        case 2: .int(Int.random(in: Int.min...Int.max, using: &random))
        case 3:
            .string(
                ["", "\u{0}", "\u{202E}", "../../etc/passwd", "'; DROP TABLE accounts; --", "http://169.254.169.254/", "#"].randomElement(
                    using: &random) ?? "")
        case 4: .number(JSONNumber(Double.random(in: -1e300...1e300, using: &random)))
        case 5: .string(String(repeating: "é\u{301}", count: Int.random(in: 0...500, using: &random)))
        case 6: .array((0..<Int.random(in: 0...20, using: &random)).map { _ in value(&random, depth: depth - 1) })
        default: .object(object(&random, depth: depth - 1))
        }
    }
}
