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
    ///   - inherited: becomes descriptor 3 of the container, where the runtime hands it on.
    /// - Returns: the host's number of the container's first process.
    func create(_ id: ContainerID, bundle: String, stage: RootStage?, descriptors: [Descriptor], inherited: Descriptor?) throws -> pid_t {
        let idFile = "\(bundle)/process-id"
        let log = "\(bundle)/log"
        let preserve = inherited == nil ? [] : ["--preserve-fds", "1"]
        let create = command(["--log", log, "create"] + preserve + ["--pid-file", idFile, "--bundle", bundle, id.text])
        let status = try ShortCommand.run(
            stage?.command(running: create) ?? create, descriptors: descriptors + [inherited].compactMap { $0 }, atMost: configuration.commandTimeout)
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

    /// Lets a container go on to its first program.
    func start(_ id: ContainerID) throws {
        let (status, text) = try capture(["start", id.text])
        guard status == 0 else { throw SandboxError(.notStarted, "The container did not start.", cause: text) }
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

    private func command(_ arguments: [String]) -> [String] {
        [configuration.runtimePath] + configuration.runtime.arguments + ["--root", configuration.runtimeFolder] + arguments
    }

    private func capture(_ arguments: [String]) throws -> (status: CInt, text: String) {
        try ShortCommand.capture(command(arguments), atMost: configuration.commandTimeout)
    }
}
