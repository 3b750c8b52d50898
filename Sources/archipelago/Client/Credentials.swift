import Foundation
import Yams

/// What `account sign-in` leaves behind: where the coordinator is, and this machine's API key.
struct Credentials: Equatable {
    /// The coordinator's address.
    let url: String
    /// The API key: a secret.
    let key: String
    /// The key's id, by which it is revoked.
    let keyID: String
    /// The e-mail address of who signed in.
    let account: String
}

/// The file with the credentials of this machine's user, readable by that user only.
///
/// YAML with exactly the keys `url`, `api_key`, `api_key_id` and `account`, each a text.
struct CredentialFile {
    let path: String

    /// Chosen: four short texts; whatever is longer is another file.
    private static let bytesMax = 64 << 10

    /// The file of an environment: `$XDG_CONFIG_HOME/archipelago/credentials.yaml`, else below `$HOME/.config`.
    ///
    /// A relative `XDG_CONFIG_HOME` is passed over. Source: XDG Base Directory Specification 0.8, "Environment variables".
    ///
    /// - Returns: `nil` when the environment names no home.
    init?(_ environment: [String: String]) {
        if let folder = environment["XDG_CONFIG_HOME"], folder.hasPrefix("/") {
            path = folder + "/archipelago/credentials.yaml"
        } else if let home = environment["HOME"], home.hasPrefix("/") {
            path = home + "/.config/archipelago/credentials.yaml"
        } else {
            return nil
        }
    }

    /// The file of this process's environment.
    ///
    /// - Throws: ``CommandFailure`` `usage` when the environment names no home.
    static func ours() throws -> CredentialFile {
        guard let file = CredentialFile(ProcessInfo.processInfo.environment) else {
            throw CommandFailure(.usage, "There is no place for the credentials: set HOME, or XDG_CONFIG_HOME, to a folder of yours.")
        }
        return file
    }

    /// The credentials; `nil` when there is no file.
    ///
    /// - Throws: ``CommandFailure`` `refused` when others may read the file, `failed` when it cannot be read, `usage` when it
    ///   holds something else.
    func load() throws -> Credentials? {
        let (descriptor, reason) = (open(path, O_RDONLY | O_CLOEXEC), errno)
        guard descriptor >= 0 else {
            if reason == ENOENT || reason == ENOTDIR { return nil }
            throw CommandFailure(.failed, "\(path) cannot be read (\(String(cString: strerror(reason)))); check who owns it.")
        }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var status = stat()
        // Safety: `status` lives on this stack, and the call is over when it returns.
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw CommandFailure(.failed, "\(path) is no file; remove it and sign in again.")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw CommandFailure(
                .refused, "\(path) holds an API key and others may read it. Run 'chmod 600 \(path)'; if somebody may have read it, revoke the key.")
        }
        let data = try file.read(upToCount: Self.bytesMax + 1) ?? Data()
        guard data.count <= Self.bytesMax, let text = String(data: data, encoding: .utf8) else { throw unreadable("it is no short text") }
        return try parse(text)
    }

    private func unreadable(_ why: String) -> CommandFailure {
        CommandFailure(.usage, "\(path) cannot be understood: \(why). Remove it and run 'archipelago account sign-in'.")
    }

    private func parse(_ text: String) throws -> Credentials {
        let node: Node?
        // The parser's words would quote the file, and the file holds a secret.
        do { node = try compose(yaml: text) } catch { throw unreadable("it is not YAML") }
        guard let mapping = node?.mapping else { throw unreadable("it does not hold keys and values") }
        var texts: [String: String] = [:]
        for (key, value) in mapping { texts[key.string ?? ""] = value.scalar?.string }
        guard texts.count == 4, mapping.count == 4, let url = texts["url"], let key = texts["api_key"], let keyID = texts["api_key_id"],
            let account = texts["account"]
        else { throw unreadable("it must hold url, api_key, api_key_id and account") }
        return Credentials(url: url, key: key, keyID: keyID, account: account)
    }

    /// The file's text for credentials; every text in quotes, so that none is read as something else.
    static func text(_ credentials: Credentials) throws -> String {
        let pairs = [
            ("url", credentials.url), ("api_key", credentials.key), ("api_key_id", credentials.keyID), ("account", credentials.account),
        ]
        let node = Node(pairs.map { (Node($0.0), Node($0.1, Tag(.str), .doubleQuoted)) })
        return "# Written by 'archipelago account sign-in'. Holds a secret: an API key.\n" + (try serialize(node: node, allowUnicode: true))
    }

    /// Writes the file so that it is whole or absent, readable by its owner only.
    func save(_ credentials: Credentials) throws {
        let text = try Self.text(credentials)
        let url = URL(fileURLWithPath: path)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let beside = path + ".\(getpid()).new"
        unlink(beside)
        let (descriptor, reason) = (open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600), errno)
        guard descriptor >= 0 else { throw CommandFailure(.failed, "\(beside) cannot be written (\(String(cString: strerror(reason)))).") }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            try file.write(contentsOf: Data(text.utf8))
            try file.synchronize()
            guard rename(beside, path) == 0 else { throw CommandFailure(.failed, "\(path) cannot be written.") }
        } catch {
            unlink(beside)
            throw error
        }
    }

    /// Removes the file; nothing happens when there is none.
    func remove() throws {
        let (result, reason) = (unlink(path), errno)
        guard result == 0 || reason == ENOENT else {
            throw CommandFailure(.failed, "\(path) cannot be removed (\(String(cString: strerror(reason)))); remove it by hand.")
        }
    }
}
