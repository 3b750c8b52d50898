/// One image for one platform, as it lies on this machine and as it is known to the rest of the product.
///
/// The scanners do not check digests. Whoever makes a subject has hashed every blob against its descriptor and every
/// unpacked layer against its diff id before.
public struct ScanSubject: Sendable, Hashable {
    /// The absolute path of an OCI image layout folder whose `index.json` names exactly one image manifest.
    public let layoutFolder: String
    /// The digest of the image's configuration, `sha256:` and 64 lower-case hexadecimal digits.
    ///
    /// A report about any other image is refused.
    public let imageID: String
    /// The image's platform in the words of the OCI image specification: `os/architecture` or `os/architecture/variant`.
    public let platform: String

    /// A subject; nothing is read or checked here.
    public init(layoutFolder: String, imageID: String, platform: String) {
        self.layoutFolder = layoutFolder
        self.imageID = imageID
        self.platform = platform
    }
}
