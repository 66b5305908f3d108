import ClusterLayout

extension ClusterPaths {
    /// The paths of a profile for the present user.
    ///
    /// - Throws: `SupervisorError.usage` for a name that cannot be one, `.file` where its directories are another user's.
    public init(profile: String) throws(SupervisorError) {
        let letters = profile.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }
        guard letters, (1...32).contains(profile.utf8.count), !profile.hasPrefix("-"), !profile.hasSuffix("-") else {
            throw .usage(
                "--profile \"\(profile)\": a profile's name has 1 to 32 lower-case letters, digits and inner dashes")
        }
        self.init(ofProfile: profile)
        // Commands trust what these say: which processes to end, for example.
        for directory in [state, runtime] { try Files.checkOwner(ofDirectory: directory) }
    }
}
