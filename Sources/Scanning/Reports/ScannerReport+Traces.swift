extension ScannerReport {
    /// Makes sure that the scanner saw what the image itself says of its packages: a report that did not is no report.
    ///
    /// An image may say anything of itself. What is checked is that all of it was looked at, and as what it is.
    ///
    /// - Parameters:
    ///   - traces: what the image says.
    ///   - platform: the image's, for messages.
    /// - Throws: `blind_report`.
    public func require(sees traces: PackageTraces, platform: String) throws(ScanFailure) {
        if let hidden = traces.hidden {
            throw Self.blind(
                "\(scanner) cannot see the packages of \(platform): the image's list of them is reached through a link, \(hidden).",
                "Build the image so that the list lies where its package manager puts it, and submit it again.")
        }
        if let seen = systemPackageCount, seen < traces.systemPackages {
            throw Self.blind(
                "\(scanner) found \(seen) packages of the operating system in \(platform), but the image's own list has "
                    + "\(traces.systemPackages); without an os-release that it knows, a scanner leaves them out.", suspicious)
        }
        for (manager, list) in traces.managers.sorted(by: { $0.value < $1.value }) {
            guard let system = operatingSystem else {
                throw Self.blind("\(scanner) found no operating system in \(platform), but the image has its packages, \(list).", suspicious)
            }
            guard PackageManager(family: system.family) == manager else {
                let name = ScannerText.oneLine("\(system.family) \(system.name)")
                throw Self.blind(
                    "\(scanner) takes \(platform) for \(name), but the image has packages of another kind of system, \(list).",
                    "Build the image with its own system's release files, and without the list of another package manager; then submit it again.")
            }
            // A database of rpm is not counted here, but one without a package there is none.
            guard manager != .rpm || systemPackageCount != 0 else {
                throw Self.blind(
                    "\(scanner) found no package of the operating system in \(platform), but the image has a list of them, \(list).", suspicious)
            }
        }
        if packageCount == 0, let list = traces.list {
            throw Self.blind("\(scanner) found no package in \(platform), but the image has a list of them, \(list).", suspicious)
        }
    }

    private var suspicious: String {
        "A publisher rebuilds the image with the release files of its system; an administrator makes sure that the program is the real "
            + "\(scanner). Then scan again."
    }

    private static func blind(_ message: String, _ remedy: String) -> ScanFailure {
        ScanFailure(.blindReport, message: message, remedy: remedy, retryable: true)
    }
}
