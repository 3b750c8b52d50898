import ArgumentParser
import Foundation
import JSON
import OCI

/// `archipelago cargo push`.
struct CargoPush: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push", abstract: "Pack a program, a folder or a model and push it; no Docker needed.",
        discussion: """
            SOURCES is one folder (it becomes the root of the image), or one or more files (each goes to /bin), or one OCI layout
            folder, OCI tar or docker-save tar, which is pushed as it is. One file *.wasm, *.onnx or *.mlmodel, or one folder
            *.mlpackage, becomes an artifact of that kind in place of an image. The last argument is the reference to push to:

              archipelago cargo push text-stats 127.0.0.1:5000/archipelago/text-stats:v1.0.0

            Credentials: ARCHIPELAGO_REGISTRY (a host, such as ghcr.io), ARCHIPELAGO_REGISTRY_USERNAME, ARCHIPELAGO_REGISTRY_PASSWORD.
            """)

    @Argument(help: "The files or the folder, then the reference.") var arguments: [String]
    @Option(help: "The program to start, a path in the image (default: the first file).") var entrypoint: String?
    @Option(name: .customLong("arg"), help: "An argument for the program. May be repeated.") var commandArguments: [String] = []
    @Option(name: .customLong("env"), help: "NAME=VALUE for the program. May be repeated.") var environment: [String] = []
    @Option(help: "The image's platform.") var platform: String?
    @OptionGroup var output: OutputOptions

    func run() async throws {
        guard arguments.count >= 2, let last = arguments.last else {
            throw CommandFailure(.usage, "Name at least one file or folder, and the reference to push to.")
        }
        let reference = try Self.reference(last)
        let sources = Array(arguments.dropLast())
        for source in sources where !FileManager.default.fileExists(atPath: source) {
            throw CommandFailure(.notFound, "There is no '\(source)'.")
        }
        try await Workshop.use { workshop in
            let content = try await content(from: sources, workshop)
            if !output.json { Terminal.progress("Pushing \(reference) …") }
            let pushed = try await workshop.push(content, to: reference)
            Terminal.progress("")
            output.show(
                ["reference": .string(reference.description), "digest": .string(content.digest.description)],
                ["Pushed \(reference)", "Digest \(pushed.digest?.description ?? content.digest.description)"])
        }
    }

    private static func reference(_ text: String) throws -> ImageReference {
        let reference: ImageReference
        do {
            reference = try ImageReference(parsing: text)
        } catch {
            throw CommandFailure(.usage, "'\(text)' is not a reference to push to: \(error.message)")
        }
        guard reference.tag != nil, reference.digest == nil else {
            throw CommandFailure(.usage, "The reference needs a tag, such as \(reference.name):v1.0.0.")
        }
        return reference
    }

    private func content(from sources: [String], _ workshop: Workshop) async throws -> StoredContent {
        if sources.count == 1 {
            if Workshop.isImage(sources[0]) { return try await workshop.importContent(sources[0]) }
            if let packing = try ArtifactPacking(sources[0]) { return .artifact(try await workshop.build(packing)) }
        }
        return .image(try await workshop.build(try recipe(sources)))
    }

    private func recipe(_ sources: [String]) throws -> ImageBuilder.Recipe {
        var isFolder: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: sources[0], isDirectory: &isFolder)
        let target = try platform.map(Workshop.platform) ?? Workshop.hostPlatform
        let content: ImageBuilder.Content
        var program = entrypoint
        if isFolder.boolValue {
            guard sources.count == 1 else { throw CommandFailure(.usage, "Give one folder, or files, not both.") }
            guard program != nil else {
                throw CommandFailure(.usage, "A folder needs --entrypoint: the path in the image of the program to start.")
            }
            content = .folder(sources[0])
        } else {
            let files = sources.map { ImageBuilder.File(source: $0, destination: "/bin/\(URL(fileURLWithPath: $0).lastPathComponent)") }
            program = program ?? files[0].destination
            content = .files(files)
        }
        for variable in environment where !variable.contains("=") { throw CommandFailure(.usage, "--env takes NAME=VALUE, not '\(variable)'.") }
        let process = ImageConfiguration.Process(entrypoint: [program ?? ""] + commandArguments, env: environment)
        return ImageBuilder.Recipe(content: content, platform: target, process: process)
    }
}
