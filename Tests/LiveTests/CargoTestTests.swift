import Foundation
import JSON
import Testing

extension Live {
    /// What a publisher learns before submitting: at which level a Cargo lives, and how it takes bad input.
    @Suite struct CargoTestTests {
        /// An image with this machine's shell, its libraries, and a script as its program; made without a network.
        private static func shellImage(_ script: String, _ name: String, _ network: DevNetwork) async throws -> String {
            let root = try Machine.makeFolder("shell")
            try script.write(toFile: root + "/cargo.sh", atomically: true, encoding: .utf8)
            let copy = """
                cd "$1" && mkdir -p bin && for program in /bin/sh /bin/cat /bin/sleep; do
                    cp -L "$program" bin/
                    for library in $(ldd "$program" | grep -o '/[^ ]*'); do mkdir -p ".$(dirname "$library")" && cp -L "$library" ".$library"; done
                done
                """
            let made = try await ChildProcess.run("/bin/sh", ["-ec", copy, "copy", root])
            guard made.exit == 0 else { throw Unexpected("an image: \(made)") }
            let reference = "\(network.registry)/live/\(name):v1.0.0"
            let pushed = try await network.cli("cargo", "push", root, reference, "--entrypoint", "/bin/sh", "--arg", "/cargo.sh")
            guard pushed.exit == 0 else { throw Unexpected("a pushed image: \(pushed)") }
            return reference
        }

        private static let careful = """
            input=$(cat)
            case "$input" in
                '{'*'}') echo '{"type":"token","content":"read"}'; echo '{"type":"done"}' ;;
                *) echo '{"type":"error","message":"The input is no JSON object."}'; exit 1 ;;
            esac
            """

        @Test func aShellScriptLivesAtLevel1AndNotAtLevel0() async throws {
            let network = try await SharedNetwork.network
            let image = try await Self.shellImage(Self.careful, "careful", network)
            let result = try await network.cli("cargo", "test", image, "--all-levels", "--bad-inputs", "--json", "--input", "{}")
            #expect(result.exit == 0, "\(result)")
            let levels = try result.json()["levels"]?.array ?? []
            #expect(levels.compactMap { $0["trust_level"]?.int } == [0, 1, 2, 3])
            #expect(levels.compactMap { $0["passes"]?.bool } == [false, true, true, true], "\(result)")
            #expect(levels[0]["violations"]?[0]?["code"]?.string == "forbidden_syscall" || levels[0]["exit"]?.string != "exit 0", "\(result)")
            #expect((levels[1]["output_bytes"]?.int ?? 0) > 40)
            #expect(levels[1]["first_frame_ms"]?.int != nil)
            let inputs = try result.json()["bad_inputs"]?.array ?? []
            #expect(inputs.compactMap { $0["input"]?.string } == ["empty", "malformed", "another type", "cut off", "huge"])
            #expect(inputs.allSatisfy { $0["taken_well"]?.bool == true }, "\(result)")
            let calls = try result.json()["system_calls"]?.array ?? []
            #expect(
                calls.contains { $0["minimal"]?.string == "kills" && $0["default"]?.string == "allowed" && ($0["count"]?.int ?? 0) > 0 }, "\(result)")
            #expect(calls.allSatisfy { $0["default"]?.string != "kills" }, "\(result)")
            let people = try await network.cli("cargo", "test", image, "--all-levels", "--input", "{}")
            #expect(people.stdout.contains("It would live at level 1."))
            #expect(people.stdout.contains("  level 0: ended by ") && people.stdout.contains("  levels 1 and 2: "), "\(people)")
        }

        @Test func oneThatWaitsOrCrashesOnBadInputIsToldSo() async throws {
            let network = try await SharedNetwork.network
            let careless = "read line; [ \"$line\" = '{}' ] && echo '{\"type\":\"done\"}' && exit 0\nsleep 100"
            let image = try await Self.shellImage(careless, "careless", network)
            let result = try await network.cli(
                "cargo", "test", image, "--level", "1", "--bad-inputs", "--timeout-seconds", "1", "--json", "--input", "{}")
            let inputs = try result.json()["bad_inputs"]?.array ?? []
            #expect(inputs.count == 5)
            #expect(inputs.allSatisfy { $0["taken_well"]?.bool == false && $0["verdict"]?.string?.contains("time was up") == true }, "\(result)")
        }

        @Test func aJobRunsAtLevel1FromSubmitToDone() async throws {
            try await DevNetwork.withOwn("level-1") { network in
                let image = try await Self.shellImage(Self.careful, "level-1", network)
                let id = try await network.submit(slug: "level-1", image: image)
                _ = try await network.scan(of: id)
                #expect(try await network.approve(id, level: 1).status == 200)
                let published = try await network.cli("cargo", "publish", "\(id)", as: "publisher")
                #expect(published.exit == 0, "\(published)")
                let ran = try await network.cli("run", "level-1", "--input", "{}", "--json", as: "consumer")
                #expect(ran.exit == 0, "\(ran)")
                #expect(ran.stdout.contains("\"content\":\"read\""))
            }
        }
    }
}
