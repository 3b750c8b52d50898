import Glibc
import SandboxKernel

/// Runs short commands of the container runtime. Every call blocks for as long as the command runs.
struct RuntimeCommand: Sendable {
    let configuration: RuncConfiguration

    /// Makes a container that waits before its first program.
    ///
    /// - Parameters:
    ///   - stage: where the runtime finds the root folder, if it cannot walk to it.
    ///   - descriptors: the container's standard input, output and error.
    ///   - inherited: becomes descriptor 3 of the container.
    /// - Returns: the host's number of the container's first process.
    func create(_ id: ContainerID, bundle: String, stage: RootStage?, descriptors: [Descriptor], inherited: Descriptor) throws -> pid_t {
        let idFile = "\(bundle)/process-id"
        let log = "\(bundle)/log"
        let status = try run(
            ["--log", log, "create", "--preserve-fds", "1", "--pid-file", idFile, "--bundle", bundle, id.text],
            stage: stage, descriptors: descriptors + [inherited])
        guard status == 0 else {
            // A log that cannot be read says as much as an empty one.
            let text = (try? SmallFiles.read(log)) ?? ""
            throw SandboxError(.runtime, "The container could not be made.", cause: "wait status \(status): \(text.suffix(2000))")
        }
        guard let process = pid_t(try SmallFiles.read(idFile).filter { !$0.isWhitespace }) else {
            throw SandboxError(.runtime, "The runtime did not tell the container's process.")
        }
        return process
    }

    /// Removes a container and kills what is in it. One that does not exist is removed already.
    func delete(_ id: String) throws {
        let (status, text) = try capture(["delete", "--force", id])
        guard status == 0 else { throw SandboxError(.cleanUp, "The container could not be removed.", cause: "\(id): \(text)") }
    }

    /// The runtime's answer to `--version`.
    func version() throws -> String {
        let (status, text) = try capture(["--version"])
        guard status == 0 else { throw SandboxError(.runtime, "The container runtime does not start.", cause: text) }
        return text
    }

    /// Runs a command and collects up to 16 KiB of what it says.
    private func capture(_ arguments: [String]) throws -> (status: CInt, text: String) {
        let nothing = try Descriptor.open("/dev/null", O_RDWR)
        let pipe = try DescriptorPair.pipe()
        try pipe.first.setNonblocking()
        let status = try run(arguments, descriptors: [nothing, pipe.second, pipe.second])
        let text = try pipe.first.read(atMost: 16384) ?? []
        return (status, String(decoding: text, as: UTF8.self))
    }

    private func run(_ arguments: [String], stage: RootStage? = nil, descriptors: [Descriptor]) throws -> CInt {
        let runtime = [configuration.runcPath, "--root", configuration.runtimeFolder] + arguments
        let command = stage?.command(running: runtime) ?? runtime
        let process = try ChildProcess(
            path: command[0], arguments: Array(command.dropFirst()),
            environment: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"], descriptors: descriptors)
        if let status = try process.wait(atMost: configuration.commandTimeout) { return status }
        process.kill()
        _ = try process.reap()
        throw SandboxError(.runtime, "The container runtime did not answer.", cause: arguments.joined(separator: " "))
    }
}
