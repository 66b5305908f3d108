import ClusterLayout

extension ClusterPaths {
    /// Whether a profile can be called so.
    static func isProfile(_ name: String) -> Bool {
        let letters = name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }
        // `images` is the directory of all profiles' images.
        return letters && (1...32).contains(name.utf8.count) && !name.hasPrefix("-") && !name.hasSuffix("-")
            && name != "images"
    }

    /// The paths of a profile for the present user.
    ///
    /// - Throws: `SupervisorError.usage` for a name that cannot be one, `.file` where its directories are another user's.
    public init(profile: String) throws(SupervisorError) {
        guard Self.isProfile(profile) else {
            throw .usage(
                "--profile \"\(profile)\": a profile's name has 1 to 32 lower-case letters, digits and inner dashes, and "
                    + "is not images")
        }
        self.init(ofProfile: profile)
        // Commands trust what these say: which processes to end, for example.
        for directory in [state, runtime] { try Files.checkOwner(ofDirectory: directory) }
    }
}
