import Engine
import Glibc
import Model
import SystemPackage
import Tooling

/// Installs packages into an empty folder by mmdebstrap, in a namespace. The package lists are the fixed ones, checked
/// by apt against the keyring when they were fetched; packages are checked against the lists, also those of the cache.
struct BootstrapStep {
    let action: BootstrapAction
    let environment: StepEnvironment

    func run(in context: StepContext) async throws {
        let hooks = context.scratch.appending("hooks")
        let fresh = context.scratch.appending("new-packages")
        let cached = environment.packages.appending("\(action.distribution)-\(action.suite)")
        let lists = environment.releases.appending(ReleaseSnapshot.name(of: action.releases, action.components))
        var work = try ContainedWork(context, network: environment.offline ? .none : .host)
        for folder in [hooks, fresh, cached] where mkdir(folder.string, 0o755) != 0 && errno != EEXIST {
            throw FactoryError(.cannotCreate, "cannot make \(folder): \(Errno(rawValue: errno))")
        }
        try Containment.handOver(fresh)
        try writeHooks(hooks)
        let usable = try await PackageCache(folder: cached).usable(lists: lists)
        context.report.log("\(usable.count) packages are in the cache")
        try WholeFile.write(usable.map { $0 + "\n" }.joined(), hooks.appending("cached"))
        work.bind(hooks, "/mnt/hooks")
        work.bind(lists, "/mnt/lists")
        work.bind(cached, "/mnt/packages")
        work.bind(fresh, "/mnt/new-packages", writable: true)
        try MirrorLists.write(environment.mirrors, to: context.scratch.appending("mirrors"))
        work.bind(context.scratch.appending("mirrors"), "/mnt/apt")
        try await install(work, context)
        try keepPackages(from: fresh, in: cached)
    }

    private func install(_ work: ContainedWork, _ context: StepContext) async throws {
        let epoch = action.releases.map(\.date).max() ?? 0
        let progress = BootstrapProgress(context.report)
        let command = Command(
            "mmdebstrap",
            [
                "--mode=root", "--variant=minbase", "--format=tar",
                "--architectures=\(action.architecture.rawValue)",
                "--components=\(action.components.joined(separator: ","))",
                "--include=\(action.packages.joined(separator: ","))",
                "--aptopt=APT::Install-Recommends \"false\"",
                "--aptopt=Acquire::Languages \"none\"",
                "--aptopt=APT::Sandbox::User \"root\"",
                "--aptopt=Acquire::Retries \"3\"",
                "--dpkgopt=force-unsafe-io", "--dpkgopt=force-confdef",
                "--setup-hook=/mnt/hooks/setup", "--customize-hook=/mnt/hooks/customize",
                // Device nodes cannot be made in a user namespace, nor unpacked there.
                "--skip=update,essential/unlink,output/dev",
                action.suite, "/mnt/out/tree.tar", "/mnt/hooks/sources.list",
            ],
            environment: [
                "SOURCE_DATE_EPOCH": "\(epoch)", "DEBIAN_FRONTEND": "noninteractive", "TMPDIR": work.trees,
                "HOME": "/mnt/tmp", "INITRD": "No",
            ],
            containment: work.containment)
        let failure = AptFailure()
        do {
            try await environment.runner.runChecked(
                command, activity: "installing \(action.distribution) \(action.suite)",
                remedy: "see the log for the package that failed; check the package names and the network"
            ) { _, line in
                context.report.log(line)
                progress.see(line)
                failure.see(line)
            }
        } catch var error as FactoryError {
            if error.code == .failed, let found = failure.explanation(offline: environment.offline) {
                (error.message, error.remedy) = found
            }
            throw error
        }
    }

    private func writeHooks(_ folder: FilePath) throws {
        try WholeFile.write(Self.setup, folder.appending("setup"), mode: .init(rawValue: 0o755))
        try WholeFile.write(Self.customize, folder.appending("customize"), mode: .init(rawValue: 0o755))
        let lines = action.releases.map { release in
            "deb [arch=\(action.architecture.rawValue)] mirror+file:/mnt/apt/\(release.archive) "
                + "\(release.suite) \(action.components.joined(separator: " "))\n"
        }
        try WholeFile.write(lines.joined(), folder.appending("sources.list"))
    }

    /// Hands over the lists and the cached packages: both are copied, for dpkg sees only the tree.
    private static let setup = """
        #!/bin/sh
        set -eu
        lists=$1/var/lib/apt/lists
        archives=$1/var/cache/apt/archives
        mkdir -p "$lists/partial" "$lists/auxfiles" "$archives/partial" "$1/etc/initramfs-tools/conf.d"
        cp /mnt/lists/*_InRelease /mnt/lists/*_Packages "$lists/"
        : > "$lists/lock"
        while read -r name; do cp "/mnt/packages/$name" "$archives/"; done < /mnt/hooks/cached
        # An instance has no swap to resume from; looking for it would wait.
        echo RESUME=none > "$1/etc/initramfs-tools/conf.d/resume"

        """

    /// Takes out what was downloaded, and the names of what was used.
    private static let customize = """
        #!/bin/sh
        set -eu
        archives=$1/var/cache/apt/archives
        for package in "$archives"/*.deb; do
            [ -e "$package" ] || continue
            name=${package##*/}
            if [ ! -e "/mnt/packages/$name" ]; then cp "$package" /mnt/new-packages/; fi
        done
        rm -f "$archives"/*.deb
        # Host keys and byte code differ in every build, and the first must not leave it.
        rm -f "$1"/etc/ssh/ssh_host_*
        rm -rf "$1"/usr/share/python3/debpython/__pycache__
        # INITRD=No kept each package's hook from making one: once is enough.
        unset INITRD
        if [ -x "$1/usr/sbin/update-initramfs" ]; then chroot "$1" update-initramfs -c -k all; fi

        """

    /// Moves downloaded packages into the cache: each is whole, since apt checked it, and appears at once.
    private func keepPackages(from fresh: FilePath, in cache: FilePath) throws {
        guard let handle = opendir(fresh.string) else { return }
        defer { closedir(handle) }
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard name.hasSuffix(".deb") else { continue }
            let source = fresh.appending(name).string
            if geteuid() == 0 { _ = lchown(source, 0, 0) }
            _ = rename(source, cache.appending(name).string)
        }
    }
}

/// The mirror of each archive in a file of its own, for apt's mirror method: so the names of package lists, and the
/// sources that mmdebstrap sees, are the same whatever the mirror is.
enum MirrorLists {
    static func write(_ mirrors: [String: String], to folder: FilePath) throws {
        guard mkdir(folder.string, 0o755) == 0 || errno == EEXIST else {
            throw FactoryError(.cannotCreate, "cannot make \(folder): \(Errno(rawValue: errno))")
        }
        for (archive, uri) in mirrors {
            try WholeFile.write(uri + "\n", folder.appending(archive))
        }
    }
}
