import Foundation
import JSON
import TestSupport
import Testing

@testable import Sigstore

/// Keys made with OpenSSL 3.0.19 (`openssl ecparam -genkey`, `genpkey`, `pkey -pubout`), and its signatures of `archipelago` (`openssl dgst -sign`).
enum KeysMadeElsewhere {
    struct Pair: Sendable, CustomTestStringConvertible {
        let name: String
        let key: String
        let publicKey: String
        let signature: String

        var testDescription: String { name }
    }

    static let message = Array("archipelago".utf8)

    static let sec1 = """
        -----BEGIN EC PARAMETERS-----
        BggqhkjOPQMBBw==
        -----END EC PARAMETERS-----
        -----BEGIN EC PRIVATE KEY-----
        MHcCAQEEIIvaC2OKesmGav+JBIkVKlAagl7AMzAav5jsCNnbBf9ioAoGCCqGSM49
        AwEHoUQDQgAE3z0D7dnQauFI75zYLLU/uIGoWo5nLrKy2njo6SfQw3vHOwy/CjZr
        +dAWa00UzaewvmMAFDPsP3k1J8zq5i7IUA==
        -----END EC PRIVATE KEY-----
        """

    static let p256 = Pair(
        name: "P-256",
        key: """
            -----BEGIN PRIVATE KEY-----
            MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgi9oLY4p6yYZq/4kE
            iRUqUBqCXsAzMBq/mOwI2dsF/2KhRANCAATfPQPt2dBq4UjvnNgstT+4gahajmcu
            srLaeOjpJ9DDe8c7DL8KNmv50BZrTRTNp7C+YwAUM+w/eTUnzOrmLshQ
            -----END PRIVATE KEY-----
            """,
        publicKey: """
            -----BEGIN PUBLIC KEY-----
            MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE3z0D7dnQauFI75zYLLU/uIGoWo5n
            LrKy2njo6SfQw3vHOwy/CjZr+dAWa00UzaewvmMAFDPsP3k1J8zq5i7IUA==
            -----END PUBLIC KEY-----
            """,
        signature: "MEQCIBb3UfJ7uJsTeHaLZdklvM0C2pqsfscsLvdaZiukOp+nAiBI7LIR/JoIbetQOqlW9tawWGvdpLysucHR+PySXjj2Qg==")

    static let p384 = Pair(
        name: "P-384",
        key: """
            -----BEGIN PRIVATE KEY-----
            MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDArqC67dYG66/Sq06k1
            GbVLxY0oG+OJ3UFULv6a8acxVIX7Ft+20OpiEOkl2XUkICChZANiAATFV2GLBK87
            kU9tFu/x7min2RyvQM0Zoo3qI/OgcdarkvjdtbanuWII2HUx9bRlJqqdqj9kkMBE
            AUu7MNAmpv1gu5ohN5sbhUbj+yA+3Pz/lVceU1KMf9ZHGcN5mzFGp/k=
            -----END PRIVATE KEY-----
            """,
        publicKey: """
            -----BEGIN PUBLIC KEY-----
            MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAExVdhiwSvO5FPbRbv8e5op9kcr0DNGaKN
            6iPzoHHWq5L43bW2p7liCNh1MfW0ZSaqnao/ZJDARAFLuzDQJqb9YLuaITebG4VG
            4/sgPtz8/5VXHlNSjH/WRxnDeZsxRqf5
            -----END PUBLIC KEY-----
            """,
        signature: "MGQCMGQrMSFejMiDRoPYlyI1WVEsvNI2s1vVsV+9HoEcUCkNCzLkP+9779MmXiWKxXd0TwIwfnnaB9HhNNWCX9wr3EMTf/deCqdFQbk9V68xX2GUnGk9o/0BTMFVCCFn"
            + "lYZJycn7")

    static let p521 = Pair(
        name: "P-521",
        key: """
            -----BEGIN PRIVATE KEY-----
            MIHuAgEAMBAGByqGSM49AgEGBSuBBAAjBIHWMIHTAgEBBEIB4dMVTkwiuUYD4Fag
            UejTinWs0n5tGOic9G5agxXvuurVvylTh94mBoGPRtGQDfBfK1lTj5NtsUMY0zce
            s0cNZXOhgYkDgYYABAEBFA7gv4x6eBaLtZsxCjkgSjZwAqk04uIh1S2xieGLUbN0
            uiaqbhgPEkFU/PppZN48mHv/HlGBOl00cETi1GuxeAB+3AwnjVeFT5Ct7NsFN25x
            CENFMop4GlPpCNiJ0i2HpG1VaQ3Laxp6z8y16qFixyNpz0Iw5tojD421U6DMKamU
            DQ==
            -----END PRIVATE KEY-----
            """,
        publicKey: """
            -----BEGIN PUBLIC KEY-----
            MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQBARQO4L+MengWi7WbMQo5IEo2cAKp
            NOLiIdUtsYnhi1GzdLomqm4YDxJBVPz6aWTePJh7/x5RgTpdNHBE4tRrsXgAftwM
            J41XhU+QrezbBTducQhDRTKKeBpT6QjYidIth6RtVWkNy2saes/MteqhYscjac9C
            MObaIw+NtVOgzCmplA0=
            -----END PUBLIC KEY-----
            """,
        signature: "MIGIAkIBLafG+i2HISTwRbUr4Rs+97g3mqjpQ9FvowrGBD5Nt2OMt2RHnsqVpc39CXkeYoCRy0OJyanLmVI9azQqy5LMo8ICQgGHXKgPVeeTLKt6yv84+7Y26J8FpEFi"
            + "90q+6u3O/PNKonMC9r7I0bjDu/SBLEF3tWbXGl10ZpXZiUAdVE5OKP9LRg==")

    static let ed25519 = Pair(
        name: "Ed25519",
        key: """
            -----BEGIN PRIVATE KEY-----
            MC4CAQAwBQYDK2VwBCIEIM4Fr7jwrrkVX8EThFtojTAmxKh0WIoeT3n9CVbbUZxv
            -----END PRIVATE KEY-----
            """,
        publicKey: """
            -----BEGIN PUBLIC KEY-----
            MCowBQYDK2VwAyEAf7sI7KYWYH8mqMqvAuomBO63CZN1piYz9KcOyoM3s1c=
            -----END PUBLIC KEY-----
            """,
        signature: "SMWmOtx+ryAujwVoCdOxajaFc+H/iLEXdQFJ+yPbAA8GSj1iL11Qtv9ZRx0G/gieCr3jY8AiLeT9ko2CJ9i/Ag==")

    static let pairs = [p256, p384, p521, ed25519]

    /// On the curve of Bitcoin, whose keys are as long as those of P-256.
    static let secp256k1 = """
        -----BEGIN PRIVATE KEY-----
        MIGEAgEAMBAGByqGSM49AgEGBSuBBAAKBG0wawIBAQQgsEPXb6vHoSY60zzzaz/J
        Wl1CDSLJzC2URE7GXacHx0+hRANCAARJf5kEBtBAPLxUlHGGKkQ5q3JGCiEESeLt
        wOfUOGO748G5segGwr3VM4VIjYQIqyK4Kj8XQDTo2aOuNiL3PKIr
        -----END PRIVATE KEY-----
        """

    static let secp256k1SEC1 = """
        -----BEGIN EC PRIVATE KEY-----
        MHQCAQEEILBD12+rx6EmOtM882s/yVpdQg0iycwtlEROxl2nB8dPoAcGBSuBBAAK
        oUQDQgAESX+ZBAbQQDy8VJRxhipEOatyRgohBEni7cDn1Dhju+PBubHoBsK91TOF
        SI2ECKsiuCo/F0A06NmjrjYi9zyiKw==
        -----END EC PRIVATE KEY-----
        """

    /// Boxes made with Python's `hashlib.scrypt` and XSalsa20 written out, from ``p256`` with an empty password, ``ed25519`` with N = 2^17
    /// and the password `pässwörd`, and the text `not a key` with the password `123`.
    static let emptyPassword = """
        -----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----
        eyJrZGYiOnsibmFtZSI6InNjcnlwdCIsInBhcmFtcyI6eyJOIjo2NTUzNiwiciI6
        OCwicCI6MX0sInNhbHQiOiJMaHo2Z3JBMXdteTd2YTVqTE9vSEJSVHJpM2MvWVdx
        dXIyYU9Md3ZvOFEwPSJ9LCJjaXBoZXIiOnsibmFtZSI6Im5hY2wvc2VjcmV0Ym94
        Iiwibm9uY2UiOiJlQ0JiclQ0bkNwQno2RmVURDE1UG5yZDNLa1lmUEFPUiJ9LCJj
        aXBoZXJ0ZXh0IjoiZmxZemp6R0F5OTJ4TGE2cm5VcmJYOFpKdEFYRlFkc2ErWCsv
        dmhmeXcvdUFzdnJPUTFwb1d4R2FXNlZKT2dTNjRVaUdLRkdhK1pVbnMyT090YW0y
        ektrYmVaeEFEaU50VlB0S1M3VkNESVM5YWpKVi91Smo1WjVvVmdPdzAvM1ova3dp
        Q2FjUTlQQ0ZvRWdUU2w2M2NjT0ZmVnZGMHh0Qi90YnFhU0grUmV5UjZDc3dFdFlM
        YjYxcEZ3YkNGYXV0V0ZaSXFkYXpLSk1heUE9PSJ9
        -----END ENCRYPTED SIGSTORE PRIVATE KEY-----
        """

    static let costly = """
        -----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----
        eyJrZGYiOnsibmFtZSI6InNjcnlwdCIsInBhcmFtcyI6eyJOIjoxMzEwNzIsInIi
        OjgsInAiOjF9LCJzYWx0IjoiSHNNc281dENmYm54NjJtaXhEOXFyYkJWMW1VMEFY
        ZUVpd0RDUlZRbEd3az0ifSwiY2lwaGVyIjp7Im5hbWUiOiJuYWNsL3NlY3JldGJv
        eCIsIm5vbmNlIjoiWDN4bCs4aldhNWxOQWFMS1BNckt4VTVHRURndEcxc0cifSwi
        Y2lwaGVydGV4dCI6ImFRK0NwVmVROTVXcUh4K1RMdTIyaHh3RFJjd28zQTE3MFBW
        ay9xbS9mdUVtdjh6TnJqSGZsQis4czNNZXdRWmwvVDNFQVBEQjNJQ3F1dUN2NEl2
        K0N3PT0ifQ==
        -----END ENCRYPTED COSIGN PRIVATE KEY-----
        """

    static let noKey = """
        -----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----
        eyJrZGYiOnsibmFtZSI6InNjcnlwdCIsInBhcmFtcyI6eyJOIjozMjc2OCwiciI6
        OCwicCI6MX0sInNhbHQiOiIyU21LRU5Hd2MxZzMzRXZZWGF4a0d3ODg3eWVrZmwx
        VHBVOHZQMXN2ei9vPSJ9LCJjaXBoZXIiOnsibmFtZSI6Im5hY2wvc2VjcmV0Ym94
        Iiwibm9uY2UiOiJsZXNTUURST1pBdG44WmVKWmh6T0ZZUmxnRTBFNWw1WiJ9LCJj
        aXBoZXJ0ZXh0Ijoienp5MnBDNFhGRFRQUU83c25pSVhBVFNmeTBqYWxpbGcxdz09
        In0=
        -----END ENCRYPTED SIGSTORE PRIVATE KEY-----
        """
}

@Suite struct SigningKeyTests {
    @Test(arguments: KeysMadeElsewhere.pairs)
    func aKeyOfOpenSSLIsReadAndWritten(pair: KeysMadeElsewhere.Pair) throws {
        let key = try SigningKey(pem: pair.key)
        #expect(key.publicKey.pem == pair.publicKey + "\n")
        let lines = pair.key.split(separator: "\n").dropFirst().dropLast()
        #expect(Base64.text(key.pkcs8) == lines.joined())
    }

    @Test(arguments: KeysMadeElsewhere.pairs)
    func aSignatureHoldsForItsBytesAndKeyOnly(pair: KeysMadeElsewhere.Pair) throws {
        let key = try SigningKey(pem: pair.key)
        let verifier = try PublicKey(pem: pair.publicKey)
        let signature = try key.sign(KeysMadeElsewhere.message)
        #expect(verifier.isSignature(signature, over: KeysMadeElsewhere.message, hash: verifier.usualHash))
        #expect(verifier.isSignature(try #require(Base64.bytes(pair.signature)), over: KeysMadeElsewhere.message, hash: verifier.usualHash))
        #expect(!verifier.isSignature(signature, over: KeysMadeElsewhere.message + [0], hash: verifier.usualHash))
        #expect(!verifier.isSignature(signature, over: [], hash: verifier.usualHash))
        #expect(!SigningKey.generate().publicKey.isSignature(signature, over: KeysMadeElsewhere.message, hash: .sha256))
        for index in signature.indices {
            var changed = signature
            changed[index] ^= 1
            #expect(!verifier.isSignature(changed, over: KeysMadeElsewhere.message, hash: verifier.usualHash), "byte \(index)")
        }
    }

    /// RFC 8032 §7.1, TEST 2.
    @Test func ed25519SignsAsTheStandardDoes() throws {
        let seed = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"
        let key = try SigningKey(pkcs8: #require(Hexadecimal.bytes("302e020100300506032b657004220420" + seed)))
        #expect(Hexadecimal.text(key.publicKey.spki.suffix(32)) == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
        let wanted =
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        #expect(Hexadecimal.text(try key.sign([0x72])) == wanted)
    }

    @Test func ed25519phVerifiesAsTheStandardDoes() throws {
        let key = try SignedThingTests.key()
        let signature = try #require(Hexadecimal.bytes(SignedThingTests.prehashed))
        let message = SignedThingTests.message
        #expect(key.isPrehashedSignature(signature, over: message))
        #expect(!key.isPrehashedSignature(signature, over: message + [0]) && !key.isPrehashedSignature(signature, over: []))
        // It is another scheme than Ed25519, over the bytes and over their digest.
        #expect(!key.isSignature(signature, over: message, hash: .sha512))
        #expect(!key.isSignature(signature, over: PublicKey.HashAlgorithm.sha512.hash(message), hash: .sha512))
        #expect(!key.isPrehashedSignature(signature + [0], over: message) && !key.isPrehashedSignature([], over: message))
        for index in signature.indices {
            var changed = signature
            changed[index] ^= 1
            #expect(!key.isPrehashedSignature(changed, over: message), "byte \(index)")
        }
        #expect(try !PublicKey(pem: KeysMadeElsewhere.ed25519.publicKey).isPrehashedSignature(signature, over: message))
        #expect(try !PublicKey(pem: KeysMadeElsewhere.p256.publicKey).isPrehashedSignature(signature, over: message))
    }

    @Test func aKeyInSEC1IsTheSameAsInPKCS8() throws {
        #expect(try SigningKey(pem: KeysMadeElsewhere.sec1).pkcs8 == SigningKey(pem: KeysMadeElsewhere.p256.key).pkcs8)
    }

    @Test(arguments: ["ecdsa", "ed25519"])
    func theKeysOfSigstoreInRustAreRead(name: String) throws {
        let key = try SigningKey(pem: Fixture.text("vectors/keys/\(name)_private.key"))
        #expect(key.publicKey.isSignature(try key.sign([1, 2]), over: [1, 2], hash: key.publicKey.usualHash))
        #expect(try SigningKey(pkcs8: key.pkcs8).publicKey.spki == key.publicKey.spki)
    }

    @Test func aPublicKeyThatIsNotItsOwnIsRefused() throws {
        var der = try derBytes(Fixture.text("vectors/keys/ed25519_private.key"))
        _ = try SigningKey(pkcs8: der)
        der[der.count - 1] ^= 1
        #expect(throws: PublicKey.Unusable.self) { try SigningKey(pkcs8: der) }
    }

    @Test func theVersionMustFitWhatIsThere() throws {
        var second = try derBytes(Fixture.text("vectors/keys/ed25519_private.key"))
        var first = try derBytes(KeysMadeElsewhere.ed25519.key)
        (second[4], first[4]) = (0, 1)
        for der in [first, second] { #expect(throws: PublicKey.Unusable.self) { try SigningKey(pkcs8: der) } }
    }

    @Test(arguments: [
        "", "cosign.key", KeysMadeElsewhere.secp256k1, KeysMadeElsewhere.secp256k1SEC1, KeysMadeElsewhere.p256.publicKey,
        KeysMadeElsewhere.p256.key + "\n" + KeysMadeElsewhere.ed25519.key,
        KeysMadeElsewhere.p256.key.replacingOccurrences(of: "PRIVATE KEY", with: "EC PRIVATE KEY"),
        KeysMadeElsewhere.p256.key.replacingOccurrences(of: "END PRIVATE", with: "END EC PRIVATE"),
        KeysMadeElsewhere.p256.key.replacingOccurrences(of: "MIGHAgEA", with: "MIGHAgEB"),
    ])
    func whatIsNoSuchKeyIsRefused(text: String) {
        #expect(throws: PublicKey.Unusable.self) { try SigningKey(pem: text) }
    }

    @Test func aLongerTextThanTheLongestIsRefused() throws {
        let text = KeysMadeElsewhere.p256.key + "\n"
        let padding = SigningKey.bytesMax - text.utf8.count
        _ = try SigningKey(pem: text + String(repeating: "\n", count: padding))
        #expect(throws: PublicKey.Unusable.self) { try SigningKey(pem: text + String(repeating: "\n", count: padding + 1)) }
    }

    @Test func aKeyOfZeroIsRefused() throws {
        var der = try derBytes(KeysMadeElsewhere.p256.key)
        for index in 36..<68 { der[index] = 0 }
        #expect(throws: PublicKey.Unusable.self) { try SigningKey(pkcs8: der) }
    }

    @Test(arguments: KeysMadeElsewhere.pairs)
    func changedAndCutKeysNeverStopTheProcess(pair: KeysMadeElsewhere.Pair) throws {
        let der = try derBytes(pair.key)
        for count in 0..<der.count { #expect(throws: PublicKey.Unusable.self) { try SigningKey(pkcs8: Array(der.prefix(count))) } }
        var random = SplitMix64(state: 1)
        for index in der.indices {
            var changed = der
            changed[index] = random.next()
            if let key = try? SigningKey(pkcs8: changed) { _ = try key.sign([1]) }
            if let key = try? SigningKey(sec1: changed) { _ = try key.sign([1]) }
        }
    }

    @Test func aKeyDoesNotPrint() throws {
        let key = try SigningKey(pem: KeysMadeElsewhere.ed25519.key)
        var dumped = ""
        dump(key, to: &dumped)
        #expect("\(key)" == "***" && String(reflecting: key) == "***" && dumped.contains("***") && dumped.count < 20)
    }
}

@Suite struct EncryptedKeyTests {
    private static let password = Array("123".utf8)
    private static let rust = "vectors/keys/ed25519_encrypted_private.key"

    /// What is in the files was read with Python's `hashlib.scrypt` and XSalsa20 written out. They are other keys than the plain ones beside them.
    @Test(arguments: [
        (
            "ecdsa",
            "308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420"
                + "95b7a1a4ae85c74b0458d48da486ee28c476a6322baccef0e6989023ccecff67a14403420004"
                + "237b31bbea7f185ac9c9f826496af8a8ccf06e777fa510128521bab4772b9610"
                + "52a1108089560ea1047be75e14cfa7eddad4259e824b1e61dc16aab2d3f11124"
        ), ("ed25519", "302e020100300506032b6570042204202a75e28cefdcdab973dcbb343df4038cca2f76b94b80eea622bf0ed9162298b6"),
    ])
    func theFilesOfSigstoreInRustOpen(name: String, pkcs8: String) throws {
        let key = try EncryptedKey.open(Fixture.text("vectors/keys/\(name)_encrypted_private.key"), password: Self.password)
        #expect(Hexadecimal.text(key.pkcs8) == pkcs8)
    }

    @Test func anEmptyPasswordAndTheHighestCostOpen() throws {
        #expect(try EncryptedKey.open(KeysMadeElsewhere.emptyPassword, password: []).publicKey.pem == KeysMadeElsewhere.p256.publicKey + "\n")
        #expect(
            try EncryptedKey.open(KeysMadeElsewhere.costly, password: Array("pässwörd".utf8)).publicKey.pem == KeysMadeElsewhere.ed25519.publicKey
                + "\n")
    }

    @Test func anotherPasswordDoesNotOpen() throws {
        let text = try Fixture.text(Self.rust)
        for wrong in ["", "12", "1234", "124"] {
            #expect(throws: EncryptedKey.Refusal.wrongPassword) { try EncryptedKey.open(text, password: Array(wrong.utf8)) }
        }
    }

    @Test(arguments: ["", "123"])
    func whatWeWriteOpens(password: String) throws {
        var random = SplitMix64(state: 7)
        for pair in [KeysMadeElsewhere.p256, KeysMadeElsewhere.ed25519] {
            let key = try SigningKey(pem: pair.key)
            let text = try EncryptedKey.seal(key, password: Array(password.utf8), using: &random)
            #expect(
                text.hasPrefix("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n")
                    && text.hasSuffix("\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n"))
            #expect(text.utf8.split(separator: UInt8(ascii: "\n")).dropFirst().dropLast(2).allSatisfy { $0.count == 64 })
            #expect(try EncryptedKey.open(text, password: Array(password.utf8)).pkcs8 == key.pkcs8)
            #expect(throws: EncryptedKey.Refusal.wrongPassword) { try EncryptedKey.open(text, password: Array("x".utf8)) }
        }
    }

    @Test func theBodyIsWrittenAsCosignDoes() throws {
        var random = SplitMix64(state: 7)
        let key = SigningKey.generate()
        let first = try EncryptedKey.seal(key, password: [], using: &random)
        let body = String(decoding: try derBytes(first), as: UTF8.self)
        #expect(body.hasPrefix(#"{"kdf":{"name":"scrypt","params":{"N":65536,"r":8,"p":1},"salt":""#))
        let value = try JSONValue(parsing: body)
        #expect(value.object?.members.map(\.name) == ["kdf", "cipher", "ciphertext"])
        #expect(value["cipher"]?.object?.members.map(\.name) == ["name", "nonce"] && value["cipher"]?["name"] == "nacl/secretbox")
        let second = try JSONValue(parsing: derBytes(EncryptedKey.seal(key, password: [], using: &random)))
        #expect(value["kdf"]?["salt"] != second["kdf"]?["salt"] && value["cipher"]?["nonce"] != second["cipher"]?["nonce"])
    }

    @Test(arguments: [
        (#""N":32768"#, #""N":1073741824"#), (#""N":32768"#, #""N":16384"#), (#""N":32768"#, #""N":262144"#), (#""N":32768"#, #""N":32769"#),
        (#""N":32768"#, #""N":0"#), (#""N":32768"#, #""N":-32768"#), (#""N":32768"#, #""N":1e99"#), (#""N":32768"#, #""N":"32768""#),
        (#""N":32768,"#, ""), (#""r":8"#, #""r":1"#), (#""r":8"#, #""r":9"#), (#""p":1"#, #""p":4"#), (#""p":1"#, #""p":0"#),
        (#""name":"scrypt""#, #""name":"pbkdf2""#), ("nacl/secretbox", "none"), (#""kdf":{"#, #""kdf2":{"#),
    ])
    func otherParametersAreRefused(old: String, new: String) throws {
        let text = try changed(old, new)
        #expect(throws: EncryptedKey.Refusal.unsupportedParameters) { try EncryptedKey.open(text, password: Self.password) }
    }

    @Test(arguments: [
        ("/kdf/salt", #""salt":"uzQy"#, #""salt":""#), ("/kdf/salt", #""salt":"uzQy"#, #""salt":"AAAAuzQy"#),
        ("/kdf/salt", #""salt":"uzQy"#, #""salt":"uz!y"#), ("/kdf/salt", #""salt""#, #""pepper""#),
        ("/cipher/nonce", #""nonce":"JyBC"#, #""nonce":""#), ("/cipher/nonce", #""nonce":"JyBC"#, #""nonce":"AAAAJyBC"#),
        ("/ciphertext", #""ciphertext":""#, #""ciphertext":"="#), ("/ciphertext", #""ciphertext""#, #""text""#),
        ("", #""kdf""#, #""ciphertext":1,"kdf""#), ("", #"{"kdf""#, #"{"x":[[[[[[[[[[]]]]]]]]]],"kdf""#), ("", #"{"kdf""#, #"["kdf""#),
    ])
    func whatIsMalformedIsNamed(place: String, old: String, new: String) throws {
        let text = try changed(old, new)
        #expect(throws: EncryptedKey.Refusal.malformed(at: place)) { try EncryptedKey.open(text, password: Self.password) }
    }

    /// The ciphertext of the file has 99 bytes: the tag of 16 and 83 of PKCS#8.
    @Test(arguments: [0, 1, 15, 16, 17, 98])
    func aCutCiphertextIsRefused(count: Int) throws {
        let ciphertext = try JSONValue(parsing: derBytes(Fixture.text(Self.rust)))["ciphertext"]?.string ?? ""
        let bytes = try #require(Base64.bytes(ciphertext))
        #expect(bytes.count == 99)
        let text = try changed(ciphertext, Base64.text(Array(bytes.prefix(count))))
        let wanted: EncryptedKey.Refusal = count < 16 ? .malformed(at: "/ciphertext") : .wrongPassword
        #expect(throws: wanted) { try EncryptedKey.open(text, password: Self.password) }
    }

    @Test func whatIsNoFileOfAKeyIsRefused() throws {
        let text = try Fixture.text(Self.rust)
        for damaged in [
            "", "123", text.replacingOccurrences(of: "-----END", with: "----END"), text.replacingOccurrences(of: "In0=", with: "In0"),
            text.replacingOccurrences(of: "END ENCRYPTED SIGSTORE", with: "END ENCRYPTED COSIGN"), text + text,
        ] {
            #expect(throws: EncryptedKey.Refusal.notPEM) { try EncryptedKey.open(damaged, password: Self.password) }
        }
        #expect(throws: EncryptedKey.Refusal.unknownType("PRIVATE KEY")) {
            try EncryptedKey.open(KeysMadeElsewhere.p256.key, password: Self.password)
        }
        let padding = EncryptedKey.bytesMax - text.utf8.count
        _ = try EncryptedKey.open(text + String(repeating: "\n", count: padding), password: Self.password)
        #expect(throws: EncryptedKey.Refusal.tooLarge) {
            try EncryptedKey.open(text + String(repeating: "\n", count: padding + 1), password: Self.password)
        }
    }

    @Test func whatIsInTheBoxMustBeAKey() {
        #expect(throws: EncryptedKey.Refusal.unusableKey(PublicKey.Unusable(message: "it is no private key in PKCS#8"))) {
            try EncryptedKey.open(KeysMadeElsewhere.noKey, password: Self.password)
        }
    }

    /// The file of the tests with a text in its JSON replaced.
    private func changed(_ old: String, _ new: String) throws -> String {
        let body = String(decoding: try derBytes(Fixture.text(Self.rust)), as: UTF8.self)
        #expect(body.contains(old))
        var base64 = Substring(Base64.text(Array(body.replacingOccurrences(of: old, with: new).utf8)))
        var lines: [Substring] = []
        while !base64.isEmpty {
            lines.append(base64.prefix(64))
            base64 = base64.dropFirst(64)
        }
        return "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n\(lines.joined(separator: "\n"))\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n"
    }
}

/// What is in a PEM document.
private func derBytes(_ pem: String) throws -> [UInt8] {
    let lines = pem.split { $0.isNewline }.filter { !$0.hasPrefix("-") }
    return try #require(Base64.bytes(lines.joined()))
}
