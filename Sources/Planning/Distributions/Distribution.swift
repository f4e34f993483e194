package import Model

/// What the planner knows of a distribution of the Debian family; each has a file of its own.
package struct Distribution: Sendable {
    package struct Release: Sendable {
        /// The suite's code name.
        package var codename: String
        /// Other names that a definition may use: the number.
        package var aliases: [String]
        package var suites: [Suite]
    }

    package struct Suite: Hashable, Sendable {
        /// The id of the archive that has it.
        package var archive: String
        package var name: String
    }

    package struct Archive: Sendable {
        /// `main` or `security`.
        package var id: String
        /// What images get as their source, and the default for building.
        package var publicURI: String
        /// The Label of its Release files, by which the host's own configuration of it is known.
        package var label: String
        /// The last part of its URI, where the host has no Release file to tell.
        package var pathSuffix: String
    }

    /// As definitions write it.
    package var name: String
    package var title: String
    /// The Origin of its Release files.
    package var origin: String
    package var releases: [Release]
    package var archives: [Archive]
    package var components: [String]
    package var keyring: String
    package var keyringPackage: String
    /// The kernel for virtual machines.
    package var kernelPackage: String
    /// What every bootable image of it needs beside the kernel and the boot loader.
    package var essentialPackages: [String]

    package static let all = [debian, ubuntu]

    package static func named(_ name: String) -> Distribution? { all.first { $0.name == name } }

    package func release(_ name: String) -> Release? {
        releases.first { $0.codename == name || $0.aliases.contains(name) }
    }

    package func archive(_ id: String) -> Archive? { archives.first { $0.id == id } }

    /// The packages of a definition's tree, sorted: what it names, and what its disk, boot loader and locale need.
    package func packages(for definition: ImageDefinition) -> [String] {
        var packages = Set(definition.packages).union(essentialPackages)
        if !definition.packages.contains(where: { $0.hasPrefix("linux-image") || $0 == kernelPackage }) {
            packages.insert(kernelPackage)
        }
        packages.insert("grub2-common")
        if definition.disk.firmware != .uefi { packages.insert("grub-pc-bin") }
        if definition.disk.firmware != .bios { packages.formUnion(["grub-efi-amd64-bin", "dosfstools"]) }
        if !definition.locale.hasPrefix("C") && definition.locale != "POSIX" { packages.insert("locales") }
        if definition.timezone != "Etc/UTC" { packages.insert("tzdata") }
        if definition.users.contains(where: { !$0.sudo.isEmpty }) { packages.insert("sudo") }
        return packages.sorted()
    }

    /// The sources that an image has unless its definition says otherwise.
    func publicSources(release: Release, components: [String]) -> [AptSource] {
        archives.compactMap { archive in
            let suites = release.suites.filter { $0.archive == archive.id }.map(\.name)
            guard !suites.isEmpty else { return nil }
            return AptSource(
                name: archive.id == "main" ? name : "\(name)-\(archive.id)", uris: [archive.publicURI],
                suites: suites, components: components, signedBy: keyring)
        }
    }
}
