import ArgumentParser
import JSON

/// `archipelago cargo revoke`.
struct CargoRevoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Let nobody run your versions of an image any more, and end what runs.",
        discussion: """
            For ever, at every level, also for versions that are handed in later: hand in another image. Jobs that run or wait end with
            'digest_revoked'. 'archipelago cargo revoked' lists what is revoked.

              archipelago cargo revoke sha256:… --reason 'the build machine was taken over'
            """)
    @OptionGroup var revocation: DigestRevocationOptions

    func run() async throws { try await revocation.post("/account/revoked-digests") }
}

/// `archipelago cargo revoked`.
struct CargoRevoked: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoked", abstract: "List images of yours that nobody may run any more, newest first.")
    @OptionGroup var list: RevokedDigestsOptions

    func run() async throws { try await list.show("/account/revoked-digests") }
}

/// `archipelago admin revoke`.
struct AdminRevoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Let nobody run an image any more, whoever published it, and end what runs.",
        discussion: "As 'archipelago cargo revoke', for every publisher's versions, also those of an image that nobody has handed in yet.")
    @OptionGroup var revocation: DigestRevocationOptions

    func run() async throws { try await revocation.post("/admin/revoked-digests") }
}

/// `archipelago admin revoked`.
struct AdminRevoked: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "revoked", abstract: "List images that nobody may run any more, newest first.")
    @OptionGroup var list: RevokedDigestsOptions

    func run() async throws { try await list.show("/admin/revoked-digests") }
}

/// An image to revoke, and why.
struct DigestRevocationOptions: ParsableArguments {
    @Argument(help: "The image's digest: sha256: and 64 hexadecimal digits.") var digest: String
    @Option(help: "Why, in words for all who used it.") var reason: String
    @OptionGroup var coordinator: CoordinatorOptions
    @OptionGroup var output: OutputOptions

    func post(_ path: String) async throws {
        let revoked = try await coordinator.client().data(.post, path, ["digest": .string(digest), "reason": .string(reason)])
        let whose = revoked["for_all"]?.bool == true ? "" : "your versions of "
        output.show(revoked, ["Nobody may run \(whose)\(revoked["digest"].words) any more."])
    }
}

/// A list of revoked images.
struct RevokedDigestsOptions: ParsableArguments {
    @OptionGroup var page: PageOptions
    @OptionGroup var coordinator: CoordinatorOptions
    @OptionGroup var output: OutputOptions

    func show(_ path: String) async throws {
        var query = Query()
        query.add(page)
        let answer = try await coordinator.client().call(.get, path + query.text)
        output.show(list: answer, empty: "No image is revoked.") { rows in
            Table(
                [.left("DIGEST"), .left("VERSIONS OF"), .left("SINCE"), .clipped("REASON")],
                rows.map { row in
                    [
                        row["digest"].words, row["for_all"]?.bool == true ? "everybody" : "the publisher", Moment.words(row["revoked_at"]),
                        row["reason"].words,
                    ]
                })
        }
    }
}
