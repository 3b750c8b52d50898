/// The images that an engine has of root folders, made when they are first needed and kept for the next job.
actor ImageShelf {
    typealias Key = RootListing.Fingerprint

    /// An image that a job runs in.
    struct Loan: Sendable, Hashable {
        var key: Key
        var name: String
    }

    private struct Image {
        var name: String
        var bytes: Int
        /// Jobs that run in it.
        var users: Int
        /// Counts up with every use.
        var lastUse: Int
    }

    private let configuration: EngineConfiguration
    private let state: EngineState
    private let random: @Sendable () -> UInt64
    private var images: [Key: Image] = [:]
    /// Folders that are being made images of, and who waits for them.
    private var making: [Key: [CheckedContinuation<Void, Never>]] = [:]
    private var namesInMaking: Set<String> = []
    private var uses = 0
    /// Names of images that are no longer kept and that could not be removed yet.
    private var unwanted: Set<String> = []

    init(configuration: EngineConfiguration, state: EngineState, random: @escaping @Sendable () -> UInt64) {
        self.configuration = configuration
        self.state = state
        self.random = random
    }

    /// The names of all images that are kept or being made.
    var names: Set<String> { Set(images.values.map(\.name)).union(namesInMaking) }

    /// Returns the image of a root folder, making it if there is none. Each must be given back.
    func borrow(_ root: String, from engine: Engine) async throws -> Loan {
        let offset = configuration.idOffset
        let listing = try await BlockingThread.value { try RootListing(of: root, idOffset: offset) }
        let key = listing.fingerprint
        while true {
            if let name = use(key) { return Loan(key: key, name: name) }
            guard making[key] != nil else { break }
            await withCheckedContinuation { making[key, default: []].append($0) }
        }
        making[key] = []
        defer { making.removeValue(forKey: key)?.forEach { $0.resume() } }
        let name = state.imageName(random())
        try await make(listing, name: name, in: engine)
        // No suspension between the two: the name is known at every moment.
        images[key] = Image(name: name, bytes: listing.bytes, users: 1, lastUse: nextUse())
        await trim(in: engine)
        return Loan(key: key, name: name)
    }

    /// Ends the use of an image. It stays, within the bounds.
    func giveBack(_ loan: Loan, to engine: Engine) async {
        // One that was forgotten meanwhile may have been made anew, for others.
        if images[loan.key]?.name == loan.name { images[loan.key]?.users -= 1 }
        await trim(in: engine)
    }

    /// Forgets an image that the engine has lost; who uses it fails by itself.
    func forget(_ loan: Loan) {
        guard images[loan.key]?.name == loan.name else { return }
        images[loan.key] = nil
        unwanted.insert(loan.name)
    }

    /// Removes every image that no job runs in.
    func clear(in engine: Engine) async {
        for (key, image) in images where image.users == 0 {
            images[key] = nil
            unwanted.insert(image.name)
        }
        await removeUnwanted(in: engine)
    }

    private func use(_ key: Key) -> String? {
        guard var image = images[key] else { return nil }
        image.users += 1
        image.lastUse = nextUse()
        images[key] = image
        return image.name
    }

    private func nextUse() -> Int {
        uses += 1
        return uses
    }

    private func make(_ listing: RootListing, name: String, in engine: Engine) async throws {
        let (state, configuration) = (state, configuration)
        namesInMaking.insert(name)
        defer { namesInMaking.remove(name) }
        do {
            try await BlockingThread.value {
                var archive = try RootArchive(listing, cageEntryPath: configuration.cageEntryPath)
                try engine.importImage(name, owner: state.owner, timeout: configuration.importTimeout) { try archive.piece() }
            }
        } catch {
            // The engine may have made it all the same.
            unwanted.insert(name)
            throw error
        }
    }

    /// Lets go of the images that were not used for longest, until the bounds hold or all that are left are in use.
    private func trim(in engine: Engine) async {
        while images.count > configuration.imagesMax || images.values.reduce(0, { $0 + $1.bytes }) > configuration.imageBytesMax {
            guard let oldest = images.filter({ $0.value.users == 0 }).min(by: { $0.value.lastUse < $1.value.lastUse }) else { break }
            images[oldest.key] = nil
            unwanted.insert(oldest.value.name)
        }
        await removeUnwanted(in: engine)
    }

    private func removeUnwanted(in engine: Engine) async {
        for name in unwanted {
            // What cannot be removed is tried again at the next job, and found by its label at the next start.
            if (try? await BlockingThread.value { try engine.removeImage(name) }) != nil { unwanted.remove(name) }
        }
    }
}
