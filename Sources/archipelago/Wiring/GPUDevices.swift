import Foundation
import Sandbox
import Yams

/// Descriptions of this machine's devices, as `nvidia-ctk cdi generate` writes them.
enum GPUDevices {
    /// Source: the Container Device Interface specification, "CDI JSON File location"; the later wins.
    private static let folders = ["/etc/cdi", "/var/run/cdi"]

    /// What a container needs for a device.
    ///
    /// - Parameter name: such as `nvidia.com/gpu=0`.
    static func edits(for name: String, in folders: [String] = folders) throws -> ContainerEdits {
        let parts = name.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }) else {
            throw CommandFailure(.usage, "'\(name)' is no device; it must look like nvidia.com/gpu=0.")
        }
        for folder in folders.reversed() {
            // A folder that is not there describes nothing.
            let files = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter {
                $0.hasSuffix(".json") || $0.hasSuffix(".yaml")
            }
            for file in files.sorted() {
                let description = try read("\(folder)/\(file)")
                if description.kind == parts[0], let edits = description.edits(for: parts[1]) { return edits }
            }
        }
        throw CommandFailure(
            .notFound,
            "No description in \(folders.joined(separator: " or ")) has \(name).\n"
                + "Make one: nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml")
    }

    private static func read(_ path: String) throws -> DeviceDescription {
        do {
            // JSON is YAML too.
            return try YAMLDecoder().decode(DeviceDescription.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            throw CommandFailure(.failed, "\(path) is no description of devices: \(error)")
        }
    }
}
