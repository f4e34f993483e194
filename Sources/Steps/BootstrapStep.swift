import Engine
import Glibc
import Model
import SystemPackage
import Tooling

/// Installs the packages of a lock into an empty folder by mmdebstrap, in a namespace without network: they come from
/// the cache, where each was compared with its digest, as an archive that has nothing else.
struct BootstrapStep {
    let action: BootstrapAction
    let environment: StepEnvironment

    func run(in context: StepContext) async throws {
        let lock = try self.lock()
        let cache = PackageCache(folder: environment.packages)
        try await complete(cache, lock, context)
        GuestCache(store: environment.cache).remember(lock.packages, from: environment.mirrors)
        let archive = context.scratch.appending("archive")
        let hooks = context.scratch.appending("hooks")
        for folder in [archive, hooks] where mkdir(folder.string, 0o755) != 0 {
            throw FactoryError(.cannotCreate, "cannot make \(folder): \(Errno(rawValue: errno))")
        }
        try await PackageArchive(lock: lock, cache: cache, runner: environment.runner).write(to: archive)
        try writeHooks(hooks, lock)
        var work = try ContainedWork(context, network: .none)
        work.bind(hooks, "/mnt/hooks")
        work.bind(archive, PackageArchive.inside)
        work.bind(cache.folder, PackageArchive.inside + "/debs")
        try await install(work, lock, context)
        try check(context.output.appending("installed"), lock)
        try WholeFile.write(try Canonical.text(lock.packages), context.output.appending("packages.lock.json"))
    }

    private func lock() throws -> PackageLock {
        guard let lock = environment.lock, try Canonical.digest(lock) == action.lock else {
            throw FactoryError(.internal, "the bootstrap has no lock, or another one")
        }
        return lock
    }

    /// Fetches what the cache has not.
    private func complete(_ cache: PackageCache, _ lock: PackageLock, _ context: StepContext) async throws {
        let state = try await cache.check(lock.packages)
        for package in state.altered {
            context.report.log("the cached package \(package.name) \(package.version) differs from the lock")
        }
        let wanted = state.altered + state.missing
        guard !wanted.isEmpty else { return context.report.log("all \(lock.packages.count) packages are in the cache") }
        guard !environment.offline else {
            let first = wanted[0]
            let others = wanted.count > 1 ? ", nor are \(wanted.count - 1) others" : ""
            throw FactoryError(
                .unavailable,
                state.altered.isEmpty
                    ? "the package \(first.name) \(first.version) is not in the cache" + others
                    : "the cached package \(first.name) \(first.version) differs from the lock",
                remedy: "run it once without --offline")
        }
        do {
            try await PackageFetch(cache: cache, environment: environment).fetch(
                wanted, into: context.scratch.appending("new"), report: context.report)
        } catch var error as FactoryError {
            if let first = state.altered.first {
                error.message =
                    "the cached package \(first.name) \(first.version) differs from the lock, and: " + error.message
            }
            throw error
        }
    }

    /// What is in the tree is what the lock says, no more and no less.
    private func check(_ list: FilePath, _ lock: PackageLock) throws {
        let found = Set(try WholeFile.text(list).split(separator: "\n").map(String.init))
        let wanted = Set(lock.packages.map { "\($0.name) \($0.version) \($0.architecture)" })
        if let extra = found.subtracting(wanted).min() {
            throw FactoryError(.failed, "the tree has the package \(extra), which is not in the lock")
        }
        if let absent = wanted.subtracting(found).min() {
            throw FactoryError(.failed, "the package \(absent) of the lock was not installed")
        }
        _ = unlink(list.string)
    }

    private func install(_ work: ContainedWork, _ lock: PackageLock, _ context: StepContext) async throws {
        let progress = BootstrapProgress(context.report)
        let command = Command(
            "mmdebstrap",
            [
                "--mode=root", "--variant=minbase", "--format=tar",
                "--architectures=\(action.architecture.rawValue)",
                "--components=\(action.components.joined(separator: ","))",
                "--include=\(lock.packages.map(\.name).joined(separator: ","))",
                "--aptopt=APT::Install-Recommends \"false\"",
                "--aptopt=Acquire::Languages \"none\"",
                "--aptopt=APT::Sandbox::User \"root\"",
                "--dpkgopt=force-unsafe-io", "--dpkgopt=force-confdef",
                "--setup-hook=/mnt/hooks/setup", "--customize-hook=/mnt/hooks/customize",
                // Device nodes cannot be made in a user namespace, nor unpacked there.
                "--skip=output/dev",
                action.suite, "/mnt/out/tree.tar", "/mnt/hooks/sources.list",
            ],
            environment: [
                "SOURCE_DATE_EPOCH": "\(action.epoch)", "DEBIAN_FRONTEND": "noninteractive", "TMPDIR": work.trees,
                "HOME": "/mnt/tmp", "INITRD": "No",
            ],
            containment: work.containment)
        let failure = AptFailure()
        do {
            try await environment.runner.runChecked(
                command, activity: "installing \(action.distribution) \(action.suite)",
                remedy: "see the log for the package that failed"
            ) { _, line in
                context.report.log(line)
                progress.see(line)
                failure.see(line)
            }
        } catch var error as FactoryError {
            if error.code == .failed, let found = failure.explanation(offline: false) {
                error.message = found.message
                error.remedy = found.remedy ?? "see the log for what failed first"
            }
            throw error
        }
    }

    private func writeHooks(_ folder: FilePath, _ lock: PackageLock) throws {
        try WholeFile.write(Self.setup, folder.appending("setup"), mode: .init(rawValue: 0o755))
        try WholeFile.write(Self.customize, folder.appending("customize"), mode: .init(rawValue: 0o755))
        // `copy` and not `file`: dpkg sees only the tree. The packages were compared with the lock.
        try WholeFile.write(
            "deb [trusted=yes] copy:\(PackageArchive.inside) ./\n", folder.appending("sources.list"))
        try WholeFile.write(
            lock.requested.map { $0 + "\n" }.joined(), folder.appending("requested"))
    }

    private static let setup = """
        #!/bin/sh
        set -eu
        mkdir -p "$1/etc/initramfs-tools/conf.d"
        # An instance has no swap to resume from; looking for it would wait.
        echo RESUME=none > "$1/etc/initramfs-tools/conf.d/resume"

        """

    private static let customize = """
        #!/bin/sh
        set -eu
        chroot "$1" dpkg-query -W -f '${Package} ${Version} ${Architecture}\\n' > /mnt/out/installed
        # All were named to apt; what was not asked for is there for the others' sake and may go with them.
        chroot "$1" dpkg-query -W -f '${Essential}\\t${Priority}\\t${Package}\\n' \\
            | awk -F '\\t' 'NR == FNR { asked[$1]; next } $1 != "yes" && $2 != "required" && !($3 in asked) && $3 != "apt" {
                print $3 }' /mnt/hooks/requested - > "$1/tmp/automatic"
        if [ -s "$1/tmp/automatic" ]; then
            chroot "$1" xargs -a /tmp/automatic apt-mark auto > /dev/null
        fi
        rm -f "$1/tmp/automatic"
        # Host keys and byte code differ in every build, and the first must not leave it.
        rm -f "$1"/etc/ssh/ssh_host_*
        rm -rf "$1"/usr/share/python3/debpython/__pycache__
        # INITRD=No kept each package's hook from making one: once is enough.
        unset INITRD
        if [ -x "$1/usr/sbin/update-initramfs" ]; then chroot "$1" update-initramfs -c -k all; fi

        """
}
