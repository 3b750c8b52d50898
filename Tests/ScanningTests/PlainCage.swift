import Foundation
import Scanning

/// Runs a scanner as a plain process of this machine, with a fresh environment and an empty working folder: enough for scripts that
/// stand in for a scanner, and for the real Trivy over the fixtures. What a cage must hold is tested where the real one is.
struct PlainCage: ScannerCage {
    let folder: TemporaryFolder

    func run(_ program: ScannerProgram) async -> ScannerEnd {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: runBlocking(program)) }
        }
    }

    private func runBlocking(_ program: ScannerProgram) -> ScannerEnd {
        let files = FileManager.default
        let run = folder.path("run-\(UUID().uuidString)")
        do {
            for name in ["empty", "home"] { try files.createDirectory(atPath: "\(run)/\(name)", withIntermediateDirectories: true) }
            if let image = program.image { try files.createSymbolicLink(atPath: run + "/image", withDestinationPath: image) }
            for name in ["output", "error"] { _ = files.createFile(atPath: "\(run)/\(name)", contents: nil) }
            // Relative, because Trivy takes what follows a `:` or `@` in an input path for a tag or a digest.
            let places = ScannerProgram.Places(image: "../image", databases: program.databases ?? "/nothing", home: run + "/home")
            let process = Process()
            process.executableURL = URL(filePath: program.executable)
            process.arguments = program.arguments(places)
            process.environment = program.environment(places).merging(["HOME": places.home, "TMPDIR": places.home, "LC_ALL": "C.UTF-8"]) {
                own, _ in own
            }
            process.currentDirectoryURL = URL(filePath: run + "/empty")
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = FileHandle(forWritingAtPath: run + "/output")
            process.standardError = FileHandle(forWritingAtPath: run + "/error")
            do { try process.run() } catch { return .notStarted("\(error)") }
            process.waitUntilExit()
            let output = [UInt8](try Data(contentsOf: URL(filePath: run + "/output")))
            let error = String(decoding: try Data(contentsOf: URL(filePath: run + "/error")).suffix(65_536), as: UTF8.self)
            guard output.count <= program.outputBytesMax else { return .outputTooLarge }
            return process.terminationReason == .exit
                ? .exited(code: process.terminationStatus, output: output, error: error) : .signalled(process.terminationStatus, error: error)
        } catch {
            return .lost("\(error)")
        }
    }
}

/// A cage that starts nothing and answers what the test says.
struct ScriptedCage: ScannerCage {
    let answer: @Sendable (ScannerProgram) -> ScannerEnd

    func run(_ program: ScannerProgram) async -> ScannerEnd { answer(program) }
}
