/// One scanner's program in its cage: what its ends mean, the same for every scanner.
struct ScannerTool: Sendable {
    /// The scanner's name for people: `Trivy`.
    let name: String
    let cage: any ScannerCage
    /// How to get the program.
    let installRemedy: String
    /// What an exit code other than 0 and the standard error with it mean; `nil` for success.
    let failure: @Sendable (_ exitCode: Int32, _ standardError: String) -> ScanFailure?

    /// Runs a program and returns its standard output, which still has to be judged.
    func output(of program: ScannerProgram) async throws(ScanFailure) -> [UInt8] {
        switch await cage.run(program) {
        case .exited(let code, let output, let error):
            if let failure = failure(code, error) { throw failure }
            return output
        case .signalled(let signal, let error):
            throw ScanFailure(
                .unknownFailure, message: "\(name) was ended by signal \(signal).", remedy: "Check \(name) itself, then scan again.",
                retryable: true, detail: error)
        case .forbiddenCall(let call):
            throw ScanFailure(
                .unknownFailure, message: "\(name) did what no scanner needs to do, and was ended.",
                remedy: "Make sure that the program is the real \(name). \(installRemedy)", detail: call.map { "system call \($0)" })
        case .outOfMemory:
            throw ScanFailure(
                .scannerOutOfMemory, message: "\(name) needed more memory than it may have.",
                remedy: "Allow scans more memory, or make the image smaller; then scan again.", retryable: true)
        case .timedOut: throw .scanTimedOut
        case .cancelled: throw .scanCancelled
        case .outputTooLarge: throw .unreadable("it printed more than \(program.outputBytesMax) bytes")
        case .notStarted(let detail):
            throw ScanFailure(
                .scannerUnusable, message: "\(name) cannot be started on this machine.", remedy: installRemedy, detail: detail)
        case .noCage(let problem, let remedy):
            throw ScanFailure(
                .cageUnavailable, message: "Scanners run only in a cage, and this machine has none: \(problem)", remedy: remedy)
        case .lost(let detail):
            throw ScanFailure(
                .unknownFailure, message: "The scan was lost.", remedy: "Scan again.", retryable: true, detail: detail)
        }
    }

    /// Makes sure that there is a program at a path.
    func requireProgram(at path: String) throws(ScanFailure) {
        guard ScannerLookup.isProgram(path) else {
            throw ScanFailure(
                .scannerMissing, message: "\(name) was not found. No image can pass review without it.", remedy: installRemedy)
        }
    }
}
