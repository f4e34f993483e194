import Model
import Steps
import SystemPackage
import TestSupport
import Testing
import Tooling

extension EndToEndTests {
    struct KernelUpgradeTests {
        /// What an administrator does: every command has to succeed.
        private static let upgrade = """
            #!/bin/sh
            \(Console.mark)
            must() {
                "$@" > /run/upgrade.log 2>&1 && return
                cat /run/upgrade.log > /dev/console
                mark failed "$*"
                poweroff
                exit 1
            }
            export DEBIAN_FRONTEND=noninteractive
            must apt-get install --yes --no-install-recommends /run/packages/*.deb
            must update-grub
            must grub-install --target=i386-pc /dev/vda
            must grub-install --target=x86_64-efi --removable --no-nvram --efi-directory=/boot/efi
            mark upgraded yes
            poweroff

            """

        /// Tells the running kernel at each boot, and upgrades at the first.
        private static let seed = """
            #cloud-config
            bootcmd:
              - |
                \(Console.mark)
                mark kernel "$(uname -r)"
            runcmd:
              - mkdir -p /run/packages
              - mount -o ro LABEL=packages /run/packages
              - sh /run/packages/upgrade

            """

        @Test func `A newer kernel and boot loader can be installed and boot with both firmwares`() async throws {
            try await TemporaryFolder.with { folder in
                let image = try await ProgramUnderTest.build("debian-13", into: folder)
                let packages = try folder.makeFolder("packages")
                let kernel = try await fetchKernel(for: image, into: packages, scratch: folder.makeFolder("apt"))
                try packages.write(Self.upgrade, to: "upgrade")
                let instance = try await Instance(
                    of: image.qcow2, seed: Self.seed, size: "4G", packages: packages, in: folder.makeFolder("instance"))
                let first = try await instance.boot(.bios, until: .powersOff, within: .seconds(1800))
                try #require(first["failed"] == nil, "\(first.lines(before: "failed"))")
                try #require(first["upgraded"] == "yes")
                #expect(first["kernel"] != nil && first["kernel"] != kernel)
                for firmware in [GuestImage.Firmware.bios, .uefi] {
                    let goal = Instance.Goal.says(["E2E kernel=", "instance login:"])
                    let console = try await instance.boot(firmware, until: goal, within: .seconds(900))
                    #expect(console["kernel"] == kernel, "with \(firmware)")
                }
            }
        }

        /// Downloads the kernel of the backports and what of its dependencies the image has not; returns its release.
        private func fetchKernel(
            for image: BuiltImage, into packages: TemporaryFolder, scratch: TemporaryFolder
        ) async throws -> String {
            let runner = ProgramUnderTest.runner
            let archives = await HostMirrors.lines(runner: runner)
            let mirror = try #require(
                HostMirrors.choose(archives, origin: "Debian", label: "Debian", pathSuffix: "/debian"))
            try await write(configuration(in: scratch.path), sources(mirror), status(of: image), to: scratch)
            let environment = CommandRunner.callerProxies.merging(
                ["APT_CONFIG": scratch.path.appending("apt.conf").string]) { $1 }
            func apt(_ arguments: [String]) async throws {
                try await runner.runChecked(
                    Command("apt-get", arguments, environment: environment, timeout: .seconds(300)),
                    activity: "fetching a newer kernel")
            }
            try await apt(["update"])
            let kernel = "linux-image-cloud-amd64/trixie-backports"
            try await apt(["install", "--yes", "--no-install-recommends", "--download-only", kernel])
            let files = Scratch.names(scratch.path.appending("archives")).filter { $0.hasSuffix(".deb") }
            for file in files {
                let source = scratch.path.appending("archives").appending(file).string
                try await runner.runChecked(
                    Command("mv", [source, packages.path.string]), activity: "moving a package")
            }
            let prefix = "linux-image-"
            let name = try #require(files.first { $0.hasPrefix(prefix) && $0.dropFirst(prefix.count).first!.isNumber })
            return String(name.dropFirst(prefix.count).prefix { $0 != "_" })
        }

        private func write(
            _ configuration: String, _ sources: String, _ status: String, to scratch: TemporaryFolder
        ) async throws {
            try scratch.write(configuration, to: "apt.conf")
            try scratch.write(sources, to: "sources.list")
            try scratch.write(status, to: "status")
            for folder in ["lists", "archives"] { _ = try scratch.makeFolder(folder).makeFolder("partial") }
        }

        private func configuration(in folder: FilePath) -> String {
            """
            Dir::Etc { main "/dev/null"; parts "/dev/null"; sourceparts "/dev/null"; preferences "/dev/null";
                preferencesparts "/dev/null"; sourcelist "\(folder)/sources.list"; };
            Dir::State "\(folder)";
            Dir::State::lists "\(folder)/lists";
            Dir::State::status "\(folder)/status";
            Dir::Cache "\(folder)";
            Dir::Cache::archives "\(folder)/archives";
            APT::Sandbox::User "root";
            APT::Update::Error-Mode "any";
            Acquire::Languages "none";

            """
        }

        private func sources(_ mirror: String) -> String {
            let keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
            return ["trixie", "trixie-backports"].map { suite in
                "deb [arch=amd64 signed-by=\(keyring)] \(mirror) \(suite) main\n"
            }.joined()
        }

        /// A dpkg status of the image's packages, so that apt fetches only what the image has not.
        private func status(of image: BuiltImage) -> String {
            image.manifest.packages.map { package in
                """
                Package: \(package.name)
                Status: install ok installed
                Architecture: \(package.architecture)
                Version: \(package.version)
                Maintainer: none
                Description: none


                """
            }.joined()
        }
    }
}
