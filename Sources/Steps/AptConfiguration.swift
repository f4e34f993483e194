import Model

/// A configuration in which apt sees nothing of the host's: neither its settings nor its state, sources and keys.
enum AptConfiguration {
    /// `state`, `lists` and `status` are places in the containment; the sources are in /mnt/sources.list. apt makes the
    /// folder of the lists only if it is below that of the state.
    static func text(
        _ architecture: Architecture, state: String, lists: String, status: String, further: String
    ) -> String {
        """
        Dir::State "\(state)";
        Dir::State::Lists "\(lists)";
        Dir::State::status "\(status)";
        Dir::Cache "/mnt/tmp";
        Dir::Cache::pkgcache "";
        Dir::Cache::srcpkgcache "";
        Dir::Log "/mnt/tmp";
        Dir::Etc "/mnt";
        Dir::Etc::main "none";
        Dir::Etc::parts "none.d";
        Dir::Etc::sourcelist "sources.list";
        Dir::Etc::sourceparts "none.d";
        Dir::Etc::preferences "none";
        Dir::Etc::preferencesparts "none.d";
        Dir::Etc::trusted "none";
        Dir::Etc::trustedparts "none.d";
        APT::Architecture "\(architecture.rawValue)";
        APT::Architectures { "\(architecture.rawValue)"; };
        APT::Sandbox::User "root";
        Acquire::Languages "none";
        \(further)
        """
    }
}
