import Foundation
import JSON
import Sigstore
import Synchronization

@testable import Coordinator
@testable import OCI

/// The data of Tests/Fixtures/sigstore; its README says where each part is from.
enum SigstoreFixture {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/sigstore")

    static func path(_ name: String) -> String { folder.appending(path: name).path }
    static func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: folder.appending(path: name))) }
    static func text(_ name: String) throws -> String { String(decoding: try bytes(name), as: UTF8.self) }
    static func root(_ name: String) throws -> TrustedRoot { try TrustedRoot(parsing: try bytes("trusted-roots/\(name).json")) }
}

/// A trusted root that a test decides.
final class FakeTrust: Sendable {
    struct Failure: Error {}

    private let root = Mutex<TrustedRoot?>(nil)

    /// Believes a root; `nil` lets it fail.
    func believe(_ root: TrustedRoot?) { self.root.withLock { $0 = root } }

    var network: NetworkTrust {
        NetworkTrust { [self] in
            guard let root = root.withLock({ $0 }) else { throw Failure() }
            return root
        }
    }
}
