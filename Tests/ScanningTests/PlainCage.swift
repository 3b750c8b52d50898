import Foundation
import Scanning
import Subprocess
import SystemPackage

/// Runs a scanner as a plain process of this machine, with a fresh environment and an empty working folder: enough for scripts that
/// stand in for a scanner, and for the real Trivy over the fixtures. What a cage must hold is tested where the real one is.
struct PlainCage: ScannerCage {
    let folder: TemporaryFolder

    func run(_ program: ScannerProgram) async -> ScannerEnd {
        let files = FileManager.default
        let run = folder.path("run-\(UUID().uuidString)")
        do {
            for name in ["empty", "home"] { try files.createDirectory(atPath: "\(run)/\(name)", withIntermediateDirectories: true) }
            if let image = program.image { try files.createSymbolicLink(atPath: run + "/image", withDestinationPath: image) }
            // Relative, because Trivy takes what follows a `:` or `@` in an input path for a tag or a digest.
            let places = ScannerProgram.Places(image: "../image", databases: program.databases ?? "/nothing", home: run + "/home")
            let environment = program.environment(places).merging(["HOME": places.home, "TMPDIR": places.home, "LC_ALL": "C.UTF-8"]) { own, _ in own }
            // Not Foundation's Process: it crashes when other threads open files while it starts a program.
            let status: TerminationStatus
            do {
                status = try await Subprocess.run(
                    .path(FilePath(program.executable)), arguments: Arguments(program.arguments(places)),
                    environment: .custom(
                        Dictionary(
                            uniqueKeysWithValues: environment.compactMap { name, value in Environment.Key(rawValue: name).map { ($0, value) } })),
                    workingDirectory: FilePath(run + "/empty"), input: .none,
                    output: .fileDescriptor(Self.file(run + "/output"), closeAfterSpawningProcess: true),
                    error: .fileDescriptor(Self.file(run + "/error"), closeAfterSpawningProcess: true)
                ).terminationStatus
            } catch {
                return .notStarted("\(error)")
            }
            let output = [UInt8](try Data(contentsOf: URL(filePath: run + "/output")))
            let error = String(decoding: try Data(contentsOf: URL(filePath: run + "/error")).suffix(65_536), as: UTF8.self)
            guard output.count <= program.outputBytesMax else { return .outputTooLarge }
            switch status {
            case .exited(let code): return .exited(code: code, output: output, error: error)
            case .signaled(let signal): return .signalled(signal, error: error)
            }
        } catch {
            return .lost("\(error)")
        }
    }

    private static func file(_ path: String) throws -> FileDescriptor {
        try FileDescriptor.open(FilePath(path), .writeOnly, options: [.create, .truncate, .closeOnExec], permissions: .ownerReadWrite)
    }
}

/// A cage that starts nothing and answers what the test says.
struct ScriptedCage: ScannerCage {
    let answer: @Sendable (ScannerProgram) -> ScannerEnd

    func run(_ program: ScannerProgram) async -> ScannerEnd { answer(program) }
}
