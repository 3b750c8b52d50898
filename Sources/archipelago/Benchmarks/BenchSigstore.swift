import ArgumentParser
import Foundation
import Island
import IslandLink
import JSON
import OCI
import SignedImages
import Sigstore
import Subprocess

/// `archipelago bench sigstore`.
struct BenchSigstore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sigstore", abstract: "Verify signatures, on one core and on all, beside sigstore-python in its own process.",
        discussion: """
            Each verification reads the bundle and verifies it whole against a trusted root that was prepared once. sigstore-python does the same
            in a loop of its own, without the start of Python; where it is not installed ('make setup' puts it into .tools/python), only our
            numbers are shown. The admission is what an Island asks before each execution once it has verified an image.
            """)

    @Option(help: ArgumentHelp("The folder with cases.json.", valueName: "folder")) var fixtures = "Tests/Fixtures/sigstore"
    @Option(help: "How often each is verified.") var rounds = 500
    @Option(help: "The Python to measure beside.") var python = "python3"
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard rounds > 0 else { throw ValidationError("--rounds must be at least 1.") }
        try InputFile.requireExists(fixtures + "/cases.json")
    }

    /// A bundle of version 0.3 over an artifact, one over a document, and one with a log of version 2 and a time stamp.
    private static let names = ["happy-path-v0.3", "happy-path-intoto-in-dsse-v3", "gen-v2-keyless"]

    func run() async throws {
        let cases = try JSONValue(parsing: try InputFile.bytes(fixtures + "/cases.json"))["cases"]?.array ?? []
        var rows: [JSONObject] = []
        for name in Self.names {
            guard let one = cases.first(where: { $0["name"]?.string == name }) else {
                throw CommandFailure(.usage, "\(fixtures)/cases.json has no case \(name).")
            }
            let bundle = try BenchedBundle(one, fixtures)
            let single = try bundle.measure(rounds)
            let all = try await onAllCores(bundle)
            rows.append([
                "bundle": .string(name), "median_ms": .number(JSONNumber(single[50])), "p99_ms": .number(JSONNumber(single[99])),
                "per_second_per_core": .number(JSONNumber(1000 / single[50])), "per_second_all_cores": .number(JSONNumber(all)),
                "sigstore_python_median_ms": try await pythonMedian(name).map { .number(JSONNumber($0)) } ?? .null,
            ])
        }
        let admission = try await measureAdmission(cases)
        let words = { (value: JSONValue?, digits: Int) in value?.double.map { String(format: "%.\(digits)f", $0) } ?? "not installed" }
        output.show(
            ["bundles": .array(rows.map(JSONValue.object)), "cached_admission_us": .number(JSONNumber(admission))],
            rows.map { row in
                "\(row["bundle"]?.string ?? "")  median \(words(row["median_ms"], 2)) ms, p99 \(words(row["p99_ms"], 2)) ms; "
                    + "\(words(row["per_second_per_core"], 0))/s a core, \(words(row["per_second_all_cores"], 0))/s on all; "
                    + "sigstore-python \(words(row["sigstore_python_median_ms"], 2)) ms"
            } + ["cached admission  \(String(format: "%.2f", admission)) µs"])
    }

    /// Verifications a second with a task for each core.
    private func onAllCores(_ bundle: BenchedBundle) async throws -> Double {
        let cores = max(1, ProcessInfo.processInfo.activeProcessorCount)
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<cores { group.addTask { _ = try bundle.measure(rounds) } }
            try await group.waitForAll()
        }
        return Double(cores * rounds) / ((ContinuousClock.now - start) / .seconds(1))
    }

    /// What sigstore-python needs; `nil` where it cannot be started.
    private func pythonMedian(_ name: String) async throws -> Double? {
        let path = [FileManager.default.currentDirectoryPath + "/.tools/python", ProcessInfo.processInfo.environment["PYTHONPATH"] ?? ""]
            .filter { !$0.isEmpty }.joined(separator: ":")
        let result = try? await Subprocess.run(
            .name(python), arguments: ["-c", Self.script, fixtures, name, "\(rounds)"], environment: .inherit.updating(["PYTHONPATH": path]),
            output: .string(limit: 1 << 16), error: .discarded)
        guard let result, result.terminationStatus.isSuccess else { return nil }
        return Double(result.standardOutput.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    private static let script = """
        import json, sys, time, statistics
        from sigstore.models import Bundle, TrustedRoot
        from sigstore.verify import Verifier, policy
        folder, name, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
        case = next(c for c in json.load(open(f"{folder}/cases.json"))["cases"] if c["name"] == name)
        raw, artifact = open(f"{folder}/{case['bundle']}", "rb").read(), open(f"{folder}/{case['artifact']}", "rb").read()
        verifier = Verifier(trusted_root=TrustedRoot.from_file(f"{folder}/{case['trusted_root']}"))
        who = policy.Identity(identity=case["identity"], issuer=case["issuer"])
        times = []
        for _ in range(rounds + 20):
            start = time.perf_counter()
            bundle = Bundle.from_json(raw)
            if bundle._inner.dsse_envelope is not None: verifier.verify_dsse(bundle, who)
            else: verifier.verify_artifact(artifact, bundle, who)
            times.append(time.perf_counter() - start)
        print(statistics.median(times[20:]) * 1000)
        """

    /// Microseconds of an admission that is known already.
    private func measureAdmission(_ cases: [JSONValue]) async throws -> Double {
        guard let one = cases.first(where: { $0["name"]?.string == "gen-bundle-keyed" }), let key = one["key"]?.string else {
            throw CommandFailure(.usage, "\(fixtures)/cases.json has no case gen-bundle-keyed.")
        }
        let folder = NSTemporaryDirectory() + "archipelago-bench-" + UUID().uuidString
        // What stays is only a temporary folder.
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let layout = try ImageLayoutFolder(path: "\(fixtures)/\(one["layout"]?.string ?? "")")
        let admission = try SignatureAdmission(
            root: try TrustedRoot(file: "\(fixtures)/\(one["trusted_root"]?.string ?? "")"), folder: folder, now: { .now }
        ) { _ in layout }
        let signers = [CoordinatorMessage.Signer.key(String(decoding: try InputFile.bytes("\(fixtures)/\(key)"), as: UTF8.self))]
        let digest = try Digest(one["image_digest"]?.string ?? "")
        let reference = try ImageReference(parsing: "registry.example/team/app:v1")
        try await admission.admit(reference, digest: digest, signers: signers)
        let count = 100 * rounds
        let start = ContinuousClock.now
        for _ in 0..<count { try await admission.admit(reference, digest: digest, signers: signers) }
        return (ContinuousClock.now - start) / .microseconds(1) / Double(count)
    }
}

/// A case that is verified again and again.
private struct BenchedBundle: Sendable {
    private let bytes: [UInt8]
    private let artifact: Artifact
    private let policy: VerificationPolicy
    private let verifier: Verifier

    init(_ one: JSONValue, _ folder: String) throws {
        func path(_ name: String) -> String { folder + "/" + (one[name]?.string ?? "") }
        bytes = try InputFile.bytes(path("bundle"))
        artifact = .bytes(try InputFile.bytes(path("artifact")))
        policy = VerificationPolicy(signer: .identity(one["identity"]?.string ?? "", issuer: one["issuer"]?.string))
        verifier = try Verifier(try TrustedRoot(file: path("trusted_root")))
    }

    /// Milliseconds of each round, after some that warm up.
    func measure(_ rounds: Int) throws -> Percentiles {
        var times: [Double] = []
        for round in 0..<(rounds + 20) {
            let start = ContinuousClock.now
            _ = try verifier.verify(try Sigstore.Bundle(parsing: bytes), of: artifact, policy, now: .now)
            if round >= 20 { times.append((ContinuousClock.now - start) / .milliseconds(1)) }
        }
        return Percentiles(times)
    }
}
