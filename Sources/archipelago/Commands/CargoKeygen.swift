import ArgumentParser
import Foundation
import JSON
import Sigstore

/// `archipelago cargo keygen`.
struct CargoKeygen: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keygen", abstract: "Make a key pair to sign with, in cosign's format.",
        discussion: """
            Writes PREFIX.key, encrypted with a password (asked for, or in COSIGN_PASSWORD), and PREFIX.pub. Existing files are not overwritten.
            cosign can use both files.
            """)

    @Option(help: ArgumentHelp("The names of the files without their endings.", valueName: "prefix")) var outputKeyPrefix = "cosign"
    @OptionGroup var output: OutputOptions

    func run() throws {
        let (secret, open) = (outputKeyPrefix + ".key", outputKeyPrefix + ".pub")
        for path in [secret, open] where FileManager.default.fileExists(atPath: path) {
            throw CommandFailure(.usage, "'\(path)' exists already and is not overwritten; name other files with --output-key-prefix.")
        }
        let password = try KeyFile.newPassword()
        let key = SigningKey.generate()
        var random = SystemRandomNumberGenerator()
        let sealed: String
        do throws(EncryptedKey.Refusal) { sealed = try EncryptedKey.seal(key, password: password, using: &random) } catch {
            throw CommandFailure(.failed, "The key cannot be encrypted on this machine.")
        }
        try Self.write(sealed, to: secret, mode: 0o600)
        try Self.write(key.publicKey.pem, to: open, mode: 0o644)
        output.show(
            ["private_key": .string(secret), "public_key": .string(open), "hint": .string(Sigstore.Bundle.hint(key.publicKey))],
            ["Wrote \(secret), to keep secret, and \(open), to give away."])
    }

    /// Makes a file that was not there.
    private static func write(_ text: String, to path: String, mode: mode_t) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw CommandFailure(.failed, "'\(path)' cannot be written: \(String(cString: strerror(errno)))") }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try file.write(contentsOf: Data(text.utf8))
        try file.synchronize()
        try file.close()
    }
}
