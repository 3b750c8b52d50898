import Passwords
import Testing

@Suite struct PasswordHasherTests {
    @Test func aHashMatchesItsPasswordAndNoOther() async throws {
        let hasher = try PasswordHasher(cost: .least)
        let hash = try await hasher.hash("correct horse battery")
        #expect(hash.hasPrefix("$argon2id$v=19$m=8,t=1,p=1$"))
        #expect(try await hasher.matches("correct horse battery", hash: hash))
        for wrong in ["", "correct horse batterY", "correct horse battery ", "correct horse", "correct horse battery\0"] {
            #expect(try await !hasher.matches(wrong, hash: hash), "\(wrong)")
        }
    }

    @Test func theSamePasswordHasEveryTimeAnotherHash() async throws {
        let hasher = try PasswordHasher(cost: .least)
        #expect(try await hasher.hash("p") != hasher.hash("p"))
    }

    /// Made with Python's argon2-cffi 25.1: Argon2id, salt `somesaltsomesalt`, 1 pass over 8 KiB, 32 bytes.
    @Test func aHashOfAnotherProgramIsChecked() async throws {
        let hash = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$UWwb1uZSrS4wGCw5y4DdH5uigEXusM2K4v/mkfrFcn0"
        let hasher = try PasswordHasher(cost: .least)
        #expect(try await hasher.matches("Grüße, Welt", hash: hash))
        #expect(try await !hasher.matches("Gruesse, Welt", hash: hash))
    }

    @Test(arguments: ["", "not a hash", "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$UWwb", "$2b$12$abc"])
    func whatIsNoHashMatchesNothing(text: String) async throws {
        #expect(try await !PasswordHasher(cost: .least).matches("x", hash: text))
    }

    @Test func aHashOfAnotherCostIsOutdated() async throws {
        let cheap = try PasswordHasher(cost: .least)
        let hash = try await cheap.hash("p")
        #expect(!cheap.isOutdated(hash: hash))
        #expect(try PasswordHasher(cost: .interactive).isOutdated(hash: hash))
    }

    @Test(arguments: [(1023, true), (1024, true), (1025, false)])
    func aPasswordHasAtMost1024Bytes(length: Int, isTaken: Bool) async throws {
        let hasher = try PasswordHasher(cost: .least)
        let password = String(repeating: "x", count: length)
        if isTaken {
            _ = try await hasher.hash(password)
        } else {
            await #expect(throws: PasswordError.tooLong) { try await hasher.hash(password) }
        }
    }

    @Test func tooManyAtOnceAreRefusedAndNoneIsLost() async throws {
        let hasher = try PasswordHasher(cost: .interactive)
        let results = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<(PasswordHasher.waitingMax + 40) {
                group.addTask {
                    do {
                        _ = try await hasher.matches("p", hash: "$argon2id$v=19$m=8,t=1,p=1$")
                        return true
                    } catch PasswordError.busy {
                        return false
                    } catch {
                        Issue.record("\(error)")
                        return false
                    }
                }
            }
            return await group.reduce(into: [Bool]()) { $0.append($1) }
        }
        #expect(results.count == PasswordHasher.waitingMax + 40)
        #expect(results.contains(true))
    }
}
