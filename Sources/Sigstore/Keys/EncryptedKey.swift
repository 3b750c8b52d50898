import CSodium
import JSON
import SwiftASN1

/// Private keys in files under a password, as cosign has them in `cosign.key`.
///
/// A PEM document whose body is JSON: `{"kdf":{"name":"scrypt","params":{"N":…,"r":8,"p":1},"salt":32 bytes},"cipher":{"name":"nacl/secretbox",`
/// `"nonce":24 bytes},"ciphertext":…}`, bytes as base64. In the box is PKCS#8 in DER, under XSalsa20-Poly1305 with the key
/// scrypt(password, salt, N, r, p) of 32 bytes.
///
/// Source: go-securesystemslib, encrypted/encrypted.go; cosign, pkg/cosign/keys.go; the kinds of cost are those that encrypted.go takes.
public enum EncryptedKey {
    /// Why a file was not opened or written.
    public enum Refusal: Error, Sendable, Hashable {
        /// The file has more than ``EncryptedKey/bytesMax`` bytes.
        case tooLarge
        /// It is not one PEM document.
        case notPEM
        /// It is a PEM document, but not of a key under a password; with the first 64 characters of its type.
        case unknownType(String)
        /// What is in it is no JSON, or has not what it should have at a place, a JSON pointer (RFC 6901); empty for the whole.
        case malformed(at: String)
        /// The key is derived or the box is sealed in a way that is not taken: a cost of the sender's choice would let him take all memory.
        case unsupportedParameters
        /// The password is another, or the ciphertext was changed: one cannot be told from the other.
        case wrongPassword
        /// The password is right, but what it opens is no key that is known.
        case unusableKey(PublicKey.Unusable)
        /// Not enough memory, or libsodium does not start.
        case unavailable
    }

    /// The largest file, in bytes. Chosen: a hundred times what cosign writes.
    public static let bytesMax = 64 << 10

    private static let writtenType = "ENCRYPTED SIGSTORE PRIVATE KEY"
    private static let types: Set = [writtenType, "ENCRYPTED COSIGN PRIVATE KEY"]

    /// scrypt's cost N: 2^15 was written at first, 2^16 is now, 2^17 is OWASP's. Each step takes `128 · N · r` bytes: 32, 64 and 128 MiB.
    private static let roundsTaken: Set = [1 << 15, 1 << 16, 1 << 17]
    private static let roundsWritten = 1 << 16
    private static let blockSize = 8
    private static let parallelism = 1
    /// Source: encrypted.go, `saltSize`.
    private static let saltBytes = 32

    /// Opens a file.
    ///
    /// Blocks for about 0.3 s and takes up to 128 MiB meanwhile. Nothing is derived before all else was found right.
    ///
    /// - Parameters:
    ///   - pem: the text of the file, lines ended by LF or CR LF.
    ///   - password: its bytes, in UTF-8 as a rule; may be empty.
    public static func open(_ pem: String, password: [UInt8]) throws(Refusal) -> SigningKey {
        let box = try Box(pem: pem)
        var secret = try secret(password: password, salt: box.salt, rounds: box.rounds)
        // Safety: the call writes zeros over exactly the bytes of the array.
        defer { sodium_memzero(&secret, secret.count) }
        var plain = [UInt8](repeating: 0, count: box.ciphertext.count - Int(crypto_secretbox_MACBYTES))
        defer { sodium_memzero(&plain, plain.count) }
        // Safety: `Box` has a nonce of crypto_secretbox_NONCEBYTES and no ciphertext shorter than its tag, `secret` has crypto_secretbox_KEYBYTES;
        // the call reads the whole ciphertext and writes what is left of it without the tag, as long as `plain`.
        guard crypto_secretbox_open_easy(&plain, box.ciphertext, UInt64(box.ciphertext.count), box.nonce, secret) == 0 else {
            throw .wrongPassword
        }
        do {
            return try SigningKey(pkcs8: plain)
        } catch {
            throw .unusableKey(error)
        }
    }

    /// Writes a key as a file, as cosign does: N = 65536, lines of 64 columns ended by LF.
    ///
    /// Blocks for about 0.3 s and takes 64 MiB meanwhile.
    ///
    /// - Parameters:
    ///   - password: its bytes; an empty one protects nothing.
    ///   - random: for salt and nonce; must not be guessable or repeat, as `SystemRandomNumberGenerator`.
    /// - Throws: ``Refusal/unavailable``.
    public static func seal(
        _ key: SigningKey, password: [UInt8], using random: inout some RandomNumberGenerator
    ) throws(Refusal) -> String {
        let salt = bytes(saltBytes, of: &random)
        let nonce = bytes(Int(crypto_secretbox_NONCEBYTES), of: &random)
        var secret = try secret(password: password, salt: salt, rounds: roundsWritten)
        // Safety: the call writes zeros over exactly the bytes of the array.
        defer { sodium_memzero(&secret, secret.count) }
        var plain = key.pkcs8
        defer { sodium_memzero(&plain, plain.count) }
        var ciphertext = [UInt8](repeating: 0, count: plain.count + Int(crypto_secretbox_MACBYTES))
        // Safety: `nonce` and `secret` have the bytes that the call reads; it reads all of `plain` and writes as many and the tag, which is
        // what `ciphertext` has room for.
        guard crypto_secretbox_easy(&ciphertext, plain, UInt64(plain.count), nonce, secret) == 0 else { throw .unavailable }
        let body: JSONObject = [
            "kdf": [
                "name": "scrypt",
                "params": ["N": .int(roundsWritten), "r": .int(blockSize), "p": .int(parallelism)],
                "salt": .string(Base64.text(salt)),
            ],
            "cipher": ["name": "nacl/secretbox", "nonce": .string(Base64.text(nonce))],
            "ciphertext": .string(Base64.text(ciphertext)),
        ]
        return PEM(label: writtenType, bytes: body.bytes).text
    }

    private static func bytes(_ count: Int, of random: inout some RandomNumberGenerator) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<count { bytes.append(random.next()) }
        return bytes
    }

    private static func secret(password: [UInt8], salt: [UInt8], rounds: Int) throws(Refusal) -> [UInt8] {
        guard sodium_init() >= 0 else { throw .unavailable }
        var secret = [UInt8](repeating: 0, count: Int(crypto_secretbox_KEYBYTES))
        // Safety: each pointer is an array's, which lives for the call, and goes with its own count; an array's pointer is not null when it is empty.
        let result = crypto_pwhash_scryptsalsa208sha256_ll(
            password, password.count, salt, salt.count, UInt64(rounds), UInt32(blockSize), UInt32(parallelism), &secret, secret.count)
        guard result == 0 else { throw .unavailable }
        return secret
    }

    /// What a file says, with all its sizes checked.
    private struct Box {
        let rounds: Int
        let salt: [UInt8]
        let nonce: [UInt8]
        /// The tag of 16 bytes and what it vouches for.
        let ciphertext: [UInt8]

        init(pem: String) throws(Refusal) {
            guard pem.utf8.count <= EncryptedKey.bytesMax else { throw .tooLarge }
            // The library's errors are lost: they say nothing that whoever holds the file could act on.
            guard let documents = try? PEM.all(in: pem), let document = documents.first, documents.count == 1 else { throw .notPEM }
            guard EncryptedKey.types.contains(document.label) else { throw .unknownType(String(document.label.prefix(64))) }
            // Chosen: the document has three levels and eleven values; some more leave room for members that are not known.
            let limits = JSONValue.Limits(bytesMax: EncryptedKey.bytesMax, depthMax: 8, valuesMax: 64)
            guard let body = try? JSONValue(parsing: document.bytes, limits: limits) else { throw .malformed(at: "") }
            let parameters = body["kdf"]?["params"]
            guard body["kdf"]?["name"]?.string == "scrypt", body["cipher"]?["name"]?.string == "nacl/secretbox",
                let rounds = parameters?["N"]?.int, EncryptedKey.roundsTaken.contains(rounds),
                parameters?["r"]?.int == EncryptedKey.blockSize, parameters?["p"]?.int == EncryptedKey.parallelism
            else { throw .unsupportedParameters }
            guard let salt = body["kdf"]?["salt"]?.string.flatMap(Base64.bytes), salt.count == EncryptedKey.saltBytes else {
                throw .malformed(at: "/kdf/salt")
            }
            guard let nonce = body["cipher"]?["nonce"]?.string.flatMap(Base64.bytes), nonce.count == Int(crypto_secretbox_NONCEBYTES) else {
                throw .malformed(at: "/cipher/nonce")
            }
            guard let ciphertext = body["ciphertext"]?.string.flatMap(Base64.bytes), ciphertext.count >= Int(crypto_secretbox_MACBYTES) else {
                throw .malformed(at: "/ciphertext")
            }
            self.rounds = rounds
            self.salt = salt
            self.nonce = nonce
            self.ciphertext = ciphertext
        }
    }
}
