import Domain
import Foundation
import Glibc
import Testing

@testable import Sandbox

@Suite struct DeviceDescriptionTests {
    /// As `nvidia-ctk cdi generate` makes it, cut short.
    private static let nvidia = """
        {"cdiVersion": "0.5.0", "kind": "nvidia.com/gpu",
         "devices": [{"name": "0", "containerEdits": {"deviceNodes": [{"path": "/dev/null", "major": 195, "minor": 0, "type": "c", "fileMode": 438}]}},
                     {"name": "all", "containerEdits": {"deviceNodes": [{"path": "/dev/zero"}]}}],
         "containerEdits": {
            "env": ["NVIDIA_VISIBLE_DEVICES=void"],
            "deviceNodes": [{"path": "/dev/nvidiactl", "hostPath": "/dev/full", "permissions": "r"}],
            "hooks": [{"hookName": "createContainer", "path": "/usr/bin/nvidia-cdi-hook", "args": ["nvidia-cdi-hook", "update-ldcache"]}],
            "mounts": [{"hostPath": "/usr/lib/libcuda.so.1", "containerPath": "/usr/lib/libcuda.so.1", "options": ["ro", "bind"]}]}}
        """

    private static func description(_ text: String = nvidia) throws -> DeviceDescription {
        try JSONDecoder().decode(DeviceDescription.self, from: Data(text.utf8))
    }

    @Test func whatADeviceNeedsIsAddedToTheContainer() throws {
        var specification = try RuntimeSpecificationTests.specification(level: .official)
        let edits = try #require(Self.description().edits(for: "0"))
        try specification.add(edits)
        #expect(
            specification.mounts.contains(
                .init(destination: "/dev/nvidiactl", type: "bind", source: "/dev/full", options: ["bind", "nosuid", "noexec"])))
        // Everything is forbidden first.
        #expect(specification.linux.resources.devices.first == .init(allow: false, access: "rwm"))
        #expect(
            Array(specification.linux.resources.devices.dropFirst()) == [
                .init(allow: true, access: "r", type: "c", major: 1, minor: 7), .init(allow: true, access: "rw", type: "c", major: 195, minor: 0),
            ])
        #expect(specification.mounts.last?.options == ["rbind", "ro", "nosuid", "nodev"])
        #expect(specification.process.env.contains("NVIDIA_VISIBLE_DEVICES=void"))
        #expect(specification.hooks?["createContainer"]?.first?.args == ["nvidia-cdi-hook", "update-ldcache"])
    }

    @Test func numbersThatAreLeftOutAreTheHosts() throws {
        var specification = try RuntimeSpecificationTests.specification(level: .official)
        try specification.add(#require(Self.description().edits(for: "all")))
        #expect(specification.linux.resources.devices.last == .init(allow: true, access: "rw", type: "c", major: 1, minor: 5))
    }

    @Test func anotherNameIsNone() throws { #expect(try Self.description().edits(for: "1") == nil) }

    @Test(arguments: [("/dev/full", "/nowhere"), ("/dev/full", "/etc/passwd"), ("createContainer", "poststop")])
    func whatCannotBeGivenIsRefused(what: String, other: String) throws {
        var specification = try RuntimeSpecificationTests.specification(level: .official)
        let edits = try #require(Self.description(Self.nvidia.replacing(what, with: other)).edits(for: "0"))
        #expect(#expect(throws: SandboxError.self) { try specification.add(edits) }?.code == .levelNotEnforced)
    }
}

extension LiveSandbox {
    /// No machine of this project has a GPU; a device that every kernel has, under another name, stands in for one.
    @Suite(.enabled(if: CageNetwork.programs.allSatisfy { ShortCommand.find($0.0) != nil }, "needs pasta"))
    struct DeviceTests {
        @Test func aDeviceIsThereForWhoMayHaveItAndForNobodyElse() async throws {
            let text = #"{"kind":"test/gpu","devices":[{"name":"0","containerEdits":{"deviceNodes":[{"path":"/dev/gpu0","hostPath":"/dev/zero"}]}}]}"#
            let edits = try JSONDecoder().decode(DeviceDescription.self, from: Data(text.utf8)).edits(for: "0")
            for (gpu, level, sees) in [(edits, TrustLevel.official, true), (edits, .verified, false), (nil, .official, false)] {
                let host = try LiveHost(gpu: gpu)
                let (end, output) = try await host.run(host.job("reaches", command: ["/cargo", "/dev/gpu0", "/dev/zero"], level: level))
                #expect(end.cause == .exited(code: 0))
                #expect(output == "/dev/gpu0: \(sees ? "4095" : "0") bytes\n/dev/zero: 4095 bytes\n", "\(level)")
                await host.sandbox.shutdown()
            }
        }

        @Test func withoutItsDeviceNoCargoStarts() async throws {
            let text = #"{"kind":"test/gpu","devices":[{"name":"0","containerEdits":{"deviceNodes":[{"path":"/dev/nowhere"}]}}]}"#
            let host = try LiveHost(gpu: JSONDecoder().decode(DeviceDescription.self, from: Data(text.utf8)).edits(for: "0"))
            let error = await #expect(throws: SandboxError.self) { _ = try await host.run(host.job("echo", level: .official)) }
            #expect(error?.code == .levelNotEnforced && error?.fault == .island)
            try host.expectNothingLeft()
            await host.sandbox.shutdown()
        }
    }
}
