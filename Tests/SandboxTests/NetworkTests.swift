import Domain
import Foundation
import Glibc
import Testing

@testable import Sandbox

@Suite struct EgressRulesTests {
    @Test(arguments: ["10.0.0.0/8", "192.0.2.1", "0.0.0.0/0", "255.255.255.255/32"]) func rangesAreRead(text: String) {
        #expect(AddressRange(text).map { $0.description } == text.replacing("/32", with: ""))
    }

    @Test(arguments: [
        "", "10", "10.0.0", "10.0.0.0.0", "10.0.0.256", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/08", "a.b.c.d",
        " 10.0.0.0",
        "10.0.0.0/8/8", "::1", "10.0.0.0;x", "+1.0.0.0", "0010.0.0.0",
    ])
    func otherTextsAreNone(text: String) { #expect(AddressRange(text) == nil) }

    @Test func everySpecialRangeIsOne() {
        for (range, purpose) in EgressRules.special { #expect(AddressRange(range)?.description == range && !purpose.isEmpty) }
    }

    /// What the owner allows stands before what is rejected, and what nobody named is dropped.
    @Test func theRulesStandInOrder() throws {
        let allowed = try #require(AddressRange("10.1.0.0/16"))
        let own = try #require(AddressRange("8.8.8.8"))
        let lines = EgressRules(allowed: [allowed], ofHost: [own]).version4.split(separator: "\n").map(String.init)
        let index = { (line: String) in lines.firstIndex { $0.hasPrefix(line) } ?? .max }
        #expect(index("-A OUTPUT -d 10.1.0.0/16 -j ACCEPT") < index("-A OUTPUT -d 10.0.0.0/8 -j REJECT"))
        #expect(index("-A OUTPUT -d 8.8.8.8 -j REJECT") < index("-A OUTPUT -j ACCEPT"))
        #expect(lines.contains(":INPUT DROP [0:0]") && lines.contains(":OUTPUT DROP [0:0]") && lines.last == "COMMIT")
        #expect(!EgressRules(allowed: [allowed], ofHost: []).version6.contains("OUTPUT -d"))
    }
}

extension LiveSandbox {
    /// A Cargo of level 3 on the network, with a piece of internet of our own: another network namespace behind this host.
    @Suite(.enabled(if: CageNetwork.programs.allSatisfy { ShortCommand.find($0.0) != nil }, "needs pasta and iptables"))
    struct NetworkTests {
        /// A host on the internet and one on a private network, which answer each caller with a word.
        private final class Neighbours {
            private let name = "archipelago-test-\(getpid())"
            private var servers: [Process] = []
            /// Addresses of this host on the two networks.
            let publicOwn = "9.9.9.1", privateOwn = "10.213.0.1"
            let publicPeer = "9.9.9.2", privatePeer = "10.213.0.2"

            init() throws {
                // What is half there is removed with this.
                try build()
            }

            deinit { remove() }

            private func build() throws {
                try Self.run("ip", ["netns", "add", name])
                for (device, own, peer) in [("arct0", publicOwn, publicPeer), ("arct1", privateOwn, privatePeer)] {
                    try Self.run("ip", ["link", "add", device, "type", "veth", "peer", "name", "eth-\(device)", "netns", name])
                    try Self.run("ip", ["addr", "add", own + "/24", "dev", device])
                    try Self.run("ip", ["link", "set", device, "up"])
                    try Self.run("ip", ["-n", name, "addr", "add", peer + "/24", "dev", "eth-\(device)"])
                    try Self.run("ip", ["-n", name, "link", "set", "eth-\(device)", "up"])
                }
                try serve("internet", ["ip", "netns", "exec", name])
                try serve("host", [])
                // The networks are there once somebody has been reached over each.
                for peer in [publicPeer, privatePeer] {
                    try Self.run("timeout", ["10", "bash", "-c", "read -r x < /dev/tcp/\(peer)/7777 || [ \"$x\" ]"])
                }
            }

            private func serve(_ word: String, _ prefix: [String]) throws {
                let program = """
                    import signal, socket
                    signal.pthread_sigmask(signal.SIG_SETMASK, [])
                    signal.alarm(120)
                    server = socket.create_server(('', 7777))
                    print('ready', flush=True)
                    while True:
                        caller, _ = server.accept()
                        caller.send(b'\(word)')
                        caller.close()
                    """
                let (server, ready) = (Process(), Pipe())
                server.executableURL = URL(fileURLWithPath: "/usr/bin/env")
                // One process, so that ending it ends all; and whatever becomes of the tests, it ends itself.
                server.arguments = prefix + ["/usr/bin/python3", "-c", program]
                server.standardOutput = ready
                try server.run()
                servers.append(server)
                try #require(try ready.fileHandleForReading.read(upToCount: 5)?.isEmpty == false)
            }

            private func remove() {
                for server in servers {
                    // The tests block the gentler signals, and a child inherits that.
                    kill(server.processIdentifier, SIGKILL)
                    server.waitUntilExit()
                }
                // What cannot be removed is named after this process, and stands in nobody's way.
                for words in [["link", "del", "arct0"], ["link", "del", "arct1"], ["netns", "del", name]] { try? Self.run("ip", words) }
            }

            private static func run(_ program: String, _ arguments: [String]) throws {
                let path = try #require(ShortCommand.find(program))
                let (status, text) = try ShortCommand.capture([path] + arguments, atMost: .seconds(10))
                try #require(status == 0, "\(program) \(arguments): \(text)")
            }
        }

        private static func lines(_ host: LiveHost, _ words: [String]) async throws -> [String] {
            let root = try host.image("reaches")
            mkdir(root + "/etc", 0o755)
            _ = FileManager.default.createFile(atPath: root + "/etc/resolv.conf", contents: Data("nameserver 6.6.6.6\n".utf8))
            let (end, output) = try await host.run(host.job("reaches", command: ["/cargo"] + words, level: .official))
            #expect(end.cause == .exited(code: 0), "\(end)")
            return output.split(separator: "\n").map(String.init)
        }

        @Test func theInternetIsThereAndNothingElse() async throws {
            let neighbours = try Neighbours()
            try await LiveHost.with { (host) async throws -> Void in
                let hidden = [neighbours.publicOwn, neighbours.privateOwn, neighbours.privatePeer, "127.0.0.1", "169.254.169.254", "192.168.0.1"]
                let lines = try await Self.lines(host, ["\(neighbours.publicPeer):7777", "/etc/resolv.conf"] + hidden.map { "\($0):7777" })
                #expect(lines.first == "\(neighbours.publicPeer) connected internet")
                #expect(lines.dropFirst().first == "/etc/resolv.conf: nameserver 9.9.9.9 nameserver 1.1.1.1 ")
                #expect(lines.count == 2 + hidden.count)
                for line in lines.dropFirst(2) { #expect(line.contains(" refused "), "\(line)") }
            }
            withExtendedLifetime(neighbours) {}
        }

        @Test func theOwnerCanAllowAPrivateNetwork() async throws {
            let neighbours = try Neighbours()
            let host = try LiveHost(network: .init(allowed: [#require(AddressRange("10.213.0.2"))], nameServers: ["10.213.0.2"]))
            let lines = try await Self.lines(host, ["10.213.0.2:7777", "10.213.0.1:7777", "10.0.0.1:7777", "/etc/resolv.conf"])
            #expect(lines.first == "10.213.0.2 connected internet")
            #expect(lines.dropFirst().prefix(2).allSatisfy { $0.contains(" refused ") }, "\(lines)")
            #expect(lines.last == "/etc/resolv.conf: nameserver 10.213.0.2 ")
            await host.sandbox.shutdown()
            withExtendedLifetime(neighbours) {}
        }

        @Test func nobodyCallsIn() async throws {
            try await LiveHost.with { (host) async throws -> Void in
                let own = try AddressRange.ofHost().map(\.description)
                let job = try host.job("reaches", command: ["/cargo", "--listen", "7778"], level: .official)
                let tried = Task {
                    // From when it listens on: on every address that this host has.
                    for address in own {
                        _ = try ShortCommand.capture(
                            ["/usr/bin/env", "timeout", "0.1", "bash", "-c", "echo x > /dev/tcp/\(address)/7778"], atMost: .seconds(5))
                    }
                }
                let (end, output) = try await host.run(job)
                try await tried.value
                #expect(end.cause == .exited(code: 0))
                #expect(output == "listening\nnobody\n")
            }
        }

        /// Everything but a network stays shut at level 3.
        @Test func noOtherWayOutIsOpen() async throws {
            try await LiveHost.with { (host) async throws -> Void in
                let job = try host.job("escapes", command: ["/cargo", "--all", "\(getpid())", "1", "/etc/shadow"], level: .official)
                let (end, output) = try await host.run(job)
                #expect(end.cause == .exited(code: 0))
                let lines = output.split(separator: "\n")
                #expect(lines.count > 80)
                for line in lines where !line.contains(" refused ") && !line.hasSuffix(" killed 31") {
                    #expect(line.hasPrefix("network-devices "), "\(line)")
                }
            }
        }

        /// A process that an Island left behind is ended by its next start, and no other that has its number by then.
        @Test(arguments: [true, false]) func whatAKilledIslandLeftIsEnded(isOurs: Bool) throws {
            let folder = try TemporaryFolder()
            let left = Process()
            left.executableURL = URL(fileURLWithPath: "/usr/bin/tail")
            left.arguments = ["-f", "/dev/null"]
            if isOurs {
                left.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
                left.arguments = ["-c", "import signal; signal.pause()", "\(folder.path)/\(CageNetwork.processFile)"]
            }
            try left.run()
            try folder.write("/" + CageNetwork.processFile, "\(left.processIdentifier)\n")
            CageNetwork.endLeftover(of: folder.path)
            if !isOurs {
                #expect(left.isRunning)
                kill(left.processIdentifier, SIGKILL)
            }
            left.waitUntilExit()
            #expect(left.terminationReason == .uncaughtSignal)
        }

        @Test func nothingOfTheNetworkStays() async throws {
            try await LiveHost.with { (host) async throws -> Void in
                struct Seen: Error {}
                await #expect(throws: Seen.self) {
                    _ = try await host.sandbox.run(host.job("ignores-time", level: .official)) { _ in throw Seen() }
                }
                try host.expectNothingLeft()
                let running = try ShortCommand.capture(["/usr/bin/env", "pgrep", "--full", host.folder.path], atMost: .seconds(5)).text
                #expect(running.isEmpty, "\(running)")
            }
        }
    }
}
