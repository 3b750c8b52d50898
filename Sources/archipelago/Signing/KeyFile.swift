import Foundation
import Sigstore

/// Private keys in files, encrypted as cosign does it.
enum KeyFile {
    /// The environment variable that holds a key's password. Source: cosign.
    static let passwordVariable = "COSIGN_PASSWORD"

    /// The key in a file.
    static func open(_ path: String) throws -> SigningKey {
        guard let text = String(validating: try InputFile.bytes(path), as: UTF8.self) else {
            throw CommandFailure(.usage, "'\(path)' is no key: it is not text.")
        }
        guard text.contains("-----BEGIN ENCRYPTED ") else {
            do { return try SigningKey(pem: text) } catch { throw CommandFailure(.usage, "'\(path)' cannot be used: \(error.message).") }
        }
        let password = try password("Password of \(path): ") { try Prompt.secret($0, remedy: $1) }
        do throws(EncryptedKey.Refusal) {
            return try EncryptedKey.open(text, password: password)
        } catch {
            throw CommandFailure(.failed, "'\(path)' cannot be opened: \(words(error))")
        }
    }

    /// The password of a new key.
    static func newPassword() throws -> [UInt8] {
        try password("Password for the new key: ") { try Prompt.newPassword($0, remedy: $1) }
    }

    private static func password(_ question: String, _ ask: (String, String) throws -> String) throws -> [UInt8] {
        if let password = ProcessInfo.processInfo.environment[passwordVariable] { return Array(password.utf8) }
        return Array(try ask(question, "set \(passwordVariable)").utf8)
    }

    private static func words(_ refusal: EncryptedKey.Refusal) -> String {
        switch refusal {
        case .wrongPassword: "the password is wrong, or the file is damaged."
        case .notPEM: "it is no PEM document."
        case .unknownType(let type): "it is a '\(Terminal.printable(type))' and no private key of cosign."
        case .malformed(let place): "its content is malformed at \"\(place)\"."
        case .unsupportedParameters: "it is encrypted in a way that is not known here."
        case .unusableKey(let reason): "the key in it cannot be used: \(reason.message)."
        case .tooLarge: "it is too large for a key."
        case .unavailable: "the encryption is not available on this machine."
        }
    }
}
