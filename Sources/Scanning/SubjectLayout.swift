internal import Foundation
internal import SystemPackage

/// Checks that a layout folder holds exactly the image that a subject names. Blocks.
///
/// Trivy scans the first image of a layout and says nothing of the others, so a clean image before a vulnerable one would
/// pass. Digests are not computed here; the content store has done that.
enum SubjectLayout {
    /// The largest index or manifest read, in bytes.
    ///
    /// Source: OCI distribution specification 1.1, "Pushing Manifests": registries should take at least 4 MiB.
    static let documentBytesMax = 4 * 1024 * 1024

    static func check(_ subject: ScanSubject) throws(ScanFailure) {
        guard OCIDigest.isSHA256(subject.imageID) else {
            throw ScanFailure(
                .wrongImage, message: "The expected image digest is not a SHA-256 digest.",
                remedy: "Pull the image again: archipelago cargo scan IMAGE")
        }
        guard subject.layoutFolder.hasPrefix("/"), !subject.layoutFolder.contains("\0") else {
            throw damaged("the layout folder's path is not absolute")
        }
        let folder = FilePath(subject.layoutFolder)
        let index: Index = try decode(folder.appending("index.json"))
        guard index.manifests.count == 1, let descriptor = index.manifests.first else {
            throw ambiguous("index.json names \(index.manifests.count) manifests")
        }
        guard OCIDigest.isSHA256(descriptor.digest) else { throw damaged("the manifest's digest is malformed") }
        let blob = folder.appending("blobs").appending("sha256").appending(OCIDigest.hexadecimal(of: descriptor.digest))
        let manifest: Manifest = try decode(blob)
        guard manifest.manifests == nil, let config = manifest.config else {
            throw ambiguous("the only entry of index.json is an index itself")
        }
        guard config.digest == subject.imageID else {
            throw ScanFailure(
                .wrongImage, message: "The image folder holds another image than the one to scan.",
                remedy: "Pull the image again: archipelago cargo scan IMAGE", detail: "found \(config.digest)")
        }
    }

    private static func decode<Document: Decodable>(_ path: FilePath) throws(ScanFailure) -> Document {
        let bytes: [UInt8]
        do {
            bytes = try BoundedFile.read(path, bytesMax: documentBytesMax)
        } catch {
            throw damaged("\(path.lastComponent?.string ?? "layout"): \(error.text)")
        }
        do {
            return try JSONDecoder().decode(Document.self, from: Data(bytes))
        } catch {
            throw damaged("\(path.lastComponent?.string ?? "layout"): not the JSON document it should be")
        }
    }

    private static func damaged(_ detail: String) -> ScanFailure {
        ScanFailure(
            .imageDamaged, message: "The image is damaged or incomplete.", remedy: "Push the image again, then submit it again.",
            detail: detail)
    }

    private static func ambiguous(_ detail: String) -> ScanFailure {
        ScanFailure(
            .imageAmbiguous, message: "The image folder holds more or less than one image; each platform is scanned by itself.",
            remedy: "Make one layout folder per image manifest.", detail: detail)
    }

    private struct Index: Decodable {
        let manifests: [Descriptor]
    }

    private struct Manifest: Decodable {
        let config: Descriptor?
        /// Present in an index; its content does not matter.
        let manifests: [Descriptor]?
    }

    private struct Descriptor: Decodable {
        let digest: String
    }
}

/// Digests as the scanners write them.
enum OCIDigest {
    private static let prefix = "sha256:"

    /// Whether the text is `sha256:` and 64 lower-case hexadecimal digits.
    ///
    /// Source: OCI image specification 1.1, "Descriptors", registered algorithms.
    static func isSHA256(_ text: String) -> Bool {
        guard text.hasPrefix(prefix) else { return false }
        let digits = text.utf8.dropFirst(prefix.utf8.count)
        return digits.count == 64 && digits.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    static func hexadecimal(of digest: String) -> String { String(digest.dropFirst(prefix.count)) }
}
