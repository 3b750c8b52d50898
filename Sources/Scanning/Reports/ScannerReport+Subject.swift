extension ScannerReport {
    /// Makes sure that the report is about the image and platform that were to be scanned.
    func require(_ subject: ScanSubject) throws(ScanFailure) {
        guard imageID == subject.imageID else { throw Self.wrongImage("the report is about \(imageID)") }
        guard Platform.matches(platform, expected: subject.platform) else {
            throw Self.wrongImage("the image is for \(platform ?? "no platform"), not \(subject.platform)")
        }
    }

    private static func wrongImage(_ detail: String) -> ScanFailure {
        ScanFailure(
            .wrongImage, message: "The scanner looked at another image than the one to scan.",
            remedy: "Push the image again, then submit it again.", detail: detail)
    }
}
